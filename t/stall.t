# A worker that doesn't run for a while: publishes are refused rather than
# lost while the log is full, the others go on once it is passed over, and its
# clients are told of what they missed.
use v5.36;
use Paperboy::Test;

my $nginx = nginx(workers => 2, http => <<'CONF');
paperboy_origin any;
paperboy_zone main 2m log=64k;
add_header X-Worker $pid always;
server {
    listen 127.0.0.1:%%PORT%% reuseport;
    keepalive_requests 1000000;
    location /ws { paperboy raw; paperboy_channel a; }
    location /publish { paperboy_publish any; paperboy_channel a; }
    location /status { paperboy_status; }
}
CONF

my ($awake, $asleep) = $nginx->workers;

# What a client gets from this worker: the connection is tried anew until it
# is that one's.
sub at ($worker, $connect) {
    return wait_for("worker $worker", sub {
        my $connection = $connect->();
        return $connection->{answer}{header}{'x-worker'} == $worker
            && $connection;
    });
}

sub listener ($worker) {
    return at($worker, sub { $nginx->ws('/ws') });
}

my $publisher = at($awake, sub {
    my $connection = $nginx->connection;
    $connection->write(Paperboy::HTTP::format_request(path => '/status'));
    $connection->{answer} = $connection->answer;
    return $connection;
});

# A number before 8 KiB: the log holds a few of them.
my ($last, $filler) = (0, 'x' x 8192);

sub publish () {
    my $number = $last + 1;
    $publisher->write(Paperboy::HTTP::format_request(
        method => 'POST', path => '/publish', body => "$number $filler"));
    my $answer = $publisher->answer;
    $last = $number if $answer->{status} == 200;
    return $answer;
}

# Publishes until an answer is other than 200, or `$limit` were published.
sub publish_until_refused ($limit) {
    for (1 .. $limit) {
        my $answer = publish();
        return $answer if $answer->{status} != 200;
    }
    return;
}

# What a client got: the numbers, in order, up to this one or its close.
sub numbers ($client, $to) {
    my @numbers;
    while (1) {
        my $event = $client->recv;
        my ($number) = $event =~ /^text:(\d+) x+$/
            or return (\@numbers, $event);
        push @numbers, $number;
        return (\@numbers, 'all') if $number == $to;
    }
}

subtest 'a log that is full' => sub {
    my @clients = (listener($awake), listener($asleep));
    $nginx->pause($asleep);
    my $refusal = publish_until_refused(100);
    is($refusal->{status}, 503, 'refuses a publish');
    is(eval { $refusal->json->{error} }, 'log_full', 'says why');
    is($refusal->{header}{'retry-after'}, 1, 'and when to come again');
    cmp_ok($last, '>', 2, 'but not the first ones');
    kill CONT => $asleep;
    ok(wait_for('room in the log', sub { publish()->{status} == 200 }),
        'the worker goes on, and publishing does');
    publish_until_refused(20);
    for my $client (@clients) {
        my ($numbers, $end) = numbers($client, $last);
        is_deeply($numbers, [1 .. @$numbers], 'in order, without a hole');
        like($end, qr/^(?:all|close:3010)$/, 'to the end, or told of a gap');
    }
    cmp_ok($nginx->status->{publish_errors}, '>', 0, 'the refusal is counted');
};

subtest 'a worker that sleeps for longer than it may' => sub {
    my $from    = $last + 1;
    my $witness = listener($awake);
    my @sleepers = map { listener($asleep) } 1 .. 3;
    $nginx->pause($asleep);
    is(publish_until_refused(100)->{status}, 503, 'holds publishing up');
    wait_for('it is passed over', sub { publish()->{status} == 200 });
    is(publish_until_refused(20), undef, 'until the others go on');
    my ($numbers, $end) = numbers($witness, $last);
    is_deeply($numbers, [$from .. $last], 'their clients miss nothing');

    kill CONT => $asleep;
    for my $client (@sleepers) {
        my ($got, $close) = numbers($client, $last);
        is_deeply($got, [$from .. $from + $#$got],
            'its clients have no hole that they were not told of');
        is($close, 'close:3010', 'and are told of the gap');
    }
    my $status = $nginx->status;
    cmp_ok($status->{zone}{overruns}, '>=', 1, 'the overrun is counted');
    cmp_ok($status->{gaps}, '>=', 3, 'and the gaps');

    my $back = listener($asleep);
    is(publish()->{status}, 200, 'who comes back to it');
    is((numbers($back, $last))[1], 'all', 'is served');
};

finish;
