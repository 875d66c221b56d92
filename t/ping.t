# paperboy_ping_interval, paperboy_ping_timeout: heartbeats.
use v5.36;
use Paperboy::Test;

my $nginx = nginx(http => <<'END');
paperboy_origin any;
paperboy_zone main 4m;
paperboy_log_format end '$paperboy_close_code';
paperboy_log %%DIR%%/paperboy.log end;
server {
    listen 127.0.0.1:%%PORT%%;
    location /quick {
        paperboy echo;
        paperboy_ping_interval 200ms;
        paperboy_ping_timeout 300ms;
    }
    location /patient {
        paperboy echo;
        paperboy_ping_interval 200ms;
        paperboy_ping_timeout 60s;
    }
    location /slow { paperboy echo; }
    location /status { paperboy_status; }
}
END

subtest 'who answers stays' => sub {
    my $ws = $nginx->ws('/quick');
    for (1 .. 5) {
        is($ws->recv, 'ping:', 'a ping');
        $ws->pong('');
    }
    $ws->text('still here');
    my $event = $ws->recv;
    $event = $ws->recv if $event eq 'ping:';
    is($event, 'text:still here', 'and is served');
};

subtest 'who does not is ended' => sub {
    my $ws    = $nginx->ws('/quick');
    my $event = $ws->recv;
    is($event, 'ping:', 'a ping');
    like($ws->recv, qr/^(?:eof|close:3012)$/, 'and then the end');
};

subtest 'any bytes are a sign of life' => sub {
    my $ws    = $nginx->ws('/quick');
    my $pings = 0;
    while ($pings < 5) {
        my $event = $ws->recv;
        if ($event eq 'ping:') {
            $pings++;
            $ws->text("answer $pings");
        } elsif ($event !~ /^text:answer/) {
            last;
        }
    }
    is($pings, 5, 'a message is as good as a pong');
};

subtest 'a long timeout' => sub {
    my $ws = $nginx->ws('/patient');
    is($ws->recv, 'ping:', 'a ping');
    $ws->text('a');
    is($ws->recv, 'text:a', 'and no end');
};

subtest 'without heartbeats due nothing is sent' => sub {
    my $ws = $nginx->ws('/slow');
    ok(!$ws->readable(0.5), 'the default interval is longer than that');
};

# One event a turn: while the worker stood still, both have answered, and the
# timers come before the second is read.
subtest 'an answer that the worker has not read yet' => sub {
    my $late = nginx(
        workers => 1, events => 'epoll_events 1;', http => <<'END');
paperboy_origin any;
paperboy_zone main 4m;
server {
    listen 127.0.0.1:%%PORT%%;
    location / {
        paperboy echo;
        paperboy_ping_interval 1s;
        paperboy_ping_timeout 2s;
    }
}
END
    my @ws = map { $late->ws('/') } 1 .. 8;
    is($_->recv, 'ping:', 'a ping') for @ws;
    my ($worker) = $late->workers;
    kill STOP => $worker;
    $_->pong('') for @ws;
    sleep 3;
    kill CONT => $worker;
    is($_->recv, 'ping:', 'another one') for @ws;
};

ok(wait_for('no connection is left', sub {
    $nginx->status->{connections} == 0 }), 'the dead are gone');
is(scalar(() = $nginx->log('paperboy.log') =~ /^3012$/mg), 1,
    'one of them for want of a pong');

finish;
