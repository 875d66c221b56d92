# Native clients where something is at its end: the log, their worker's time,
# their own reading. Publishes are refused, and what is lost is told.
use v5.36;
use Paperboy::Test;
use JSON::PP ();

my $nginx = nginx(workers => 2, http => <<'END');
paperboy_origin any;
paperboy_client_publish on;
paperboy_zone main 2m log=64k;
add_header X-Worker $pid always;
server {
    listen 127.0.0.1:%%PORT%% reuseport sndbuf=32k;
    location /native { paperboy native; }
    location /given { paperboy native; paperboy_channel room; }
    location /slow { paperboy native; paperboy_send_buffer 64k; }
    location /status { paperboy_status; }
}
END

my $json = JSON::PP->new;
my ($awake, $asleep) = $nginx->workers;

sub reply ($ws) {
    my $event = $ws->recv;
    my ($text) = $event =~ /^text:(.*)$/s or return $event;
    return $json->decode($text);
}

sub ask ($ws, $command) { $ws->text($command); return reply($ws) }

# A client that has connected at this worker: tried until it is that one's.
sub at ($worker, $path = '/native', %option) {
    my $client = wait_for("worker $worker", sub {
        my $ws = $nginx->ws($path, %option);
        return $ws->header('X-Worker') == $worker && $ws;
    });
    ok(ask($client, '{"id":1,"connect":{}}')->{connect}, 'connected');
    return $client;
}

sub subscribed ($ws) {
    my $done = ask($ws, '{"id":2,"subscribe":{"channel":"room"}}')->{subscribe};
    ok($done, 'subscribed');
    return $done;
}

# A number and 8 KiB: the log holds a few of them. The reply.
my ($last, $filler) = (0, 'x' x 8192);
my $publisher = at($awake);

sub publish () {
    my $number = $last + 1;
    my $reply  = ask($publisher, '{"id":7,"publish":{"channel":"room","data":'
            . qq({"n":$number,"filler":"$filler"}}}));
    $last = $number if $reply->{publish};
    return $reply;
}

# Until it is refused, or `$limit` were published: the error.
sub publish_until_refused ($limit) {
    for (1 .. $limit) {
        my $error = publish()->{error};
        return $error if $error;
    }
    return;
}

# The numbers that came, in order; and what came instead of the next, or "all"
# once `$to` has come.
sub numbers ($ws, $to) {
    my @numbers;
    while (1) {
        my $event = reply($ws);
        my $pub = ref $event && $event->{push} && $event->{push}{pub}
            or return (\@numbers, $event);
        push @numbers, $pub->{data}{n};
        return (\@numbers, 'all') if $numbers[-1] == $to;
    }
}

subtest 'a publication that is too large for the log' => sub {
    my $data = 'y' x 20_000;
    my $error = ask($publisher,
        qq({"id":3,"publish":{"channel":"room","data":"$data"}}))->{error};
    is("$error->{code} $error->{message}", '106 limit exceeded', 'is refused');
    ok(!$error->{temporary}, 'for good');
};

subtest 'a log that is full' => sub {
    my $listener = at($asleep);
    subscribed($listener);
    $nginx->pause($asleep);
    my $error = publish_until_refused(100);
    is("$error->{code} $error->{message}", '100 internal server error',
        'refuses a publish');
    ok($error->{temporary}, 'for now');
    kill CONT => $asleep;
    ok(wait_for('room in the log', sub { publish()->{publish} }),
        'then it goes on');
    my ($numbers, $end) = numbers($listener, $last);
    is_deeply($numbers, [1 .. @$numbers], 'in order, without a hole');
    ok($end eq 'all' || $end->{push}{unsubscribe}{code} == 2500,
        'to the end, or told of a gap');
};

subtest 'a worker that sleeps for longer than it may' => sub {
    my $from = $last + 1;
    my ($own, $given) = (at($asleep), at($asleep, '/given'));
    subscribed($own);
    $nginx->pause($asleep);
    ok(publish_until_refused(100), 'holds publishing up');
    wait_for('it is passed over', sub { publish()->{publish} });
    is(publish_until_refused(20), undef, 'until the others go on');
    kill CONT => $asleep;

    my ($numbers, $end) = numbers($own, $last);
    is_deeply($numbers, [$from .. $from + $#$numbers], 'no hole in what came');
    is_deeply($end, { push => { channel => 'room', unsubscribe =>
                    { code => 2500, reason => 'insufficient state' } } },
        'what was lost is told');
    cmp_ok(subscribed($own)->{offset}, '>=', $last, 'it subscribes again');
    publish();
    is((numbers($own, $last))[1], 'all', 'and is served');

    (undef, $end) = numbers($given, $last);
    is($end, 'close:3010', 'whom the server subscribed, it sends away');
    is($given->{reason}, 'insufficient state', 'with the reason');
};

subtest 'a client that does not read' => sub {
    my $before = $nginx->status->{closed}{3008};
    my $slow   = at($awake, '/slow', receive_buffer => 4096);
    subscribed($slow);
    wait_for('its end', sub {
        publish();
        return $nginx->status->{closed}{3008} > $before;
    });
    my ($event, @events);
    push @events, $event while ($event = $slow->recv) ne 'eof';
    is(scalar(grep { !/^text:\{"push"/ } @events), 0,
        'ends with 3008, which it is not sent');
};

finish;
