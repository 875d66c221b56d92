# Streams of events are held to the limits that all clients have: what waits,
# for how long, heartbeats; and many messages cost a request no memory.
use v5.36;
use Paperboy::Test;

my $nginx = nginx(workers => 1, http => <<'END');
paperboy_zone main 16m;
paperboy_log_format end '$uri $paperboy_close_code $paperboy_closed_by';
paperboy_log %%DIR%%/paperboy.log end;
server {
    listen 127.0.0.1:%%PORT%% sndbuf=32k;
    client_max_body_size 1m;
    keepalive_requests 1000000;
    paperboy_channel $arg_c $arg_d;
    location /events { paperboy sse; }
    location /buffer { paperboy sse; paperboy_send_buffer 128k; }
    location /patient {
        paperboy sse;
        paperboy_send_buffer 64m;
        paperboy_send_timeout 600ms;
    }
    location /beats { paperboy sse; paperboy_ping_interval 200ms; }
    location /publish { paperboy_publish any; }
    location /status { paperboy_status; }
}
END

my $publisher = $nginx->connection;

sub publish ($channel, $body) {
    $publisher->write(Paperboy::HTTP::format_request(method => 'POST',
        path => "/publish?c=$channel", body => $body));
    return $publisher->answer->{status};
}

sub ended ($line) {
    return scalar grep { $_ eq $line } split /\n/, $nginx->log('paperboy.log');
}

subtest 'a client that does not read' => sub {
    for my $path ('/buffer?c=a', '/buffer?c=a&d=b') {
        my $before  = ended('/buffer 3008 server');
        my $deaf    = $nginx->events($path, receive_buffer => 4096);
        my @hearing = map { $nginx->events('/buffer?c=a') } 1 .. 3;
        my $body    = 'x' x 10_000;
        my ($ended, $sent);
        for (1 .. 500) {
            publish(a => "$_ $body") == 200 or fail("publish $_");
            $sent = $_;
            for my $client (@hearing) {
                $client->recv eq "message:$_ $body" or fail("message $_");
            }
            last if $ended = ended('/buffer 3008 server') > $before;
        }
        ok($ended, 'is ended at its limit');
        cmp_ok($sent, '>', 13, 'not before it');
        publish(a => 'after');
        is($_->recv, 'message:after', 'nobody else is hurt') for @hearing;
        my $n = 0;
        my @rest = $deaf->recv_until('eof');
        pop @rest;
        is(scalar(grep { !/^message:${\ ++$n} / } @rest), 0,
            'what it got is in order and without a hole');
        ok(!$deaf->{complete}, 'and it was cut off');
    }
};

subtest 'a client that reads a little now and then' => sub {
    my $slow = $nginx->events('/patient?c=p', receive_buffer => 4096);
    my $body = 'y' x 30_000;
    my $ended;
    for (1 .. 2000) {
        publish(p => $body) if $_ <= 300;
        sysread $slow->{socket}, my $byte, 1 if $slow->readable(0);
        last if $ended = ended('/patient 3008 server');
        select undef, undef, undef, 0.02;
    }
    ok($ended, 'is timed out, although there always is some progress');
};

subtest 'a client that comes late gets all' => sub {
    my $late = $nginx->events('/events?c=late', receive_buffer => 4096);
    $late->wait_for_id;
    my @sent = map { "$_ " . 'z' x 20_000 } 1 .. 40;
    publish(late => $_) for @sent;
    cmp_ok($nginx->status->{backlog_bytes}, '>', 100_000, 'it has a backlog');
    is_deeply([map { $late->recv } @sent], [map {"message:$_"} @sent],
        'which it reads');
    ok(wait_for('no backlog', sub { !$nginx->status->{backlog_bytes} }),
        'to its end');
    publish(late => 'live');
    is($late->recv, 'message:live', 'and is live again');
};

subtest 'heartbeats' => sub {
    my $events = $nginx->events('/beats?c=h');
    is($events->recv(comments => 1), 'comment:', 'are comments') for 1 .. 3;
    publish(h => 'x');
    is($events->recv, 'message:x', 'and go on beside events');
};

subtest 'a client that goes' => sub {
    my @streams = map { $nginx->events('/events?c=g') } 1 .. 20;
    $_->wait_for_id for @streams;
    is($nginx->status->{subscriptions}, 20, 'is counted') or return;
    $_ % 2 ? $streams[$_]->drop : $streams[$_]->reset for 0 .. $#streams;
    ok(wait_for('its subscription has gone',
            sub { !$nginx->status->{subscriptions} }), 'is noticed');
};

sub memory () {
    my ($worker) = $nginx->workers;
    open my $status, '<', "/proc/$worker/status" or die "status: $!";
    my ($kib) = map { /^VmRSS:\s+(\d+)/ ? $1 : () } <$status>;
    return $kib;
}

subtest 'twenty thousand messages' => sub {
    plan skip_all => 'a sanitizer keeps what was freed' if $ENV{ASAN_OPTIONS};
    my @streams = map { $nginx->events('/events?c=many') } 1 .. 4;
    my $send    = sub ($count) {
        for (my $left = $count; $left > 0; $left -= 100) {
            $publisher->write(join '', map {
                Paperboy::HTTP::format_request(method => 'POST',
                    path => '/publish?c=many', body => 'm' x 50)
            } 1 .. 100);
            $publisher->answer for 1 .. 100;
            for my $stream (@streams) { $stream->recv for 1 .. 100 }
        }
    };
    $send->(5_000);
    my $before = memory();
    $send->(20_000);
    # A buffer of the request's pool for each would be some megabytes.
    cmp_ok(memory() - $before, '<', 2_000, 'cost no memory');
};

ok(wait_for('no connection is left',
    sub { $nginx->status->{connections} == 0 }), 'all are gone');

finish;
