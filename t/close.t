# The closing handshake (RFC 6455 section 7), codes both ways; half-open and
# closing sockets end in time.
use v5.36;
use Paperboy::Test;
use Socket ();

my $nginx = nginx(http => <<'END');
paperboy_origin any;
paperboy_zone main 4m;
server {
    listen 127.0.0.1:%%PORT%%;
    location / { paperboy echo; }
    location /short { paperboy echo; paperboy_close_timeout 200ms; }
    location /status { paperboy_status; }
}
END

sub frame (@frame) { return Paperboy::WebSocket::frame(@frame) }

sub connections () { return $nginx->status->{connections} }

subtest 'codes that a client may send come back' => sub {
    for my $code (1000 .. 1003, 1007 .. 1014, 3000, 3999, 4000, 4999) {
        is($nginx->ws('/')->close($code), "close:$code eof", "code $code");
    }
    my $ws = $nginx->ws('/');
    is($ws->close, 'close: eof', 'none');
    $ws = $nginx->ws('/');
    is($ws->close(1000, "gr\xc3\xbc\xc3\x9fe"), 'close:1000 eof', 'a reason');
    $ws = $nginx->ws('/');
    is($ws->close(1000, 'r' x 123), 'close:1000 eof', 'the longest reason');
};

subtest 'codes that it may not' => sub {
    for my $code (0, 999, 1004 .. 1006, 1015, 1016, 1100, 2000, 2999, 5000,
        65535) {
        is($nginx->ws('/')->close($code), 'close:1002 eof', "code $code");
    }
    my $ws = $nginx->ws('/');
    $ws->send_frame(8, 'x');
    is($ws->recv, 'close:1002', 'a code of one byte');
    $ws = $nginx->ws('/');
    is($ws->close(1000, "\xff"), 'close:1007 eof', 'a reason that is no UTF-8');
    $ws = $nginx->ws('/');
    is($ws->close(1000, "\xc3"), 'close:1007 eof', 'nor is a part of it');
};

subtest 'nothing after a close is heard' => sub {
    my $ws = $nginx->ws('/');
    $ws->write(frame(1, 'a') . frame(8, pack 'n', 1000) . frame(1, 'b')
            . frame(9, 'c') . frame(8, pack 'n', 1001) . frame(3));
    is(join(' ', map { $ws->recv } 1 .. 3), 'text:a close:1000 eof', 'events');
};

# TCP_CORK holds a segment back until the end comes with it.
subtest 'a close that comes with the end of the stream' => sub {
    for my $round (1 .. 10) {
        my $ws = $nginx->ws('/');
        setsockopt $ws->{socket}, Socket::IPPROTO_TCP, Socket::TCP_CORK, 1;
        $ws->write(frame(1, 'last') . frame(8, pack 'n', 1000));
        $ws->shut_down;
        is(join(' ', map { $ws->recv } 1 .. 3), 'text:last close:1000 eof',
            "is answered: $round");
    }
};

subtest 'a client that ends without a word' => sub {
    $nginx->ws('/')->drop for 1 .. 5;
    $nginx->ws('/')->reset for 1 .. 5;
    my $ws = $nginx->ws('/');
    $ws->write(substr frame(1, 'half a frame'), 0, 5);
    $ws->drop;
    ok(wait_for('no connection is left', sub { connections() == 0 }),
        'leaves nothing behind');
    $ws = $nginx->ws('/');
    $ws->shut_down;
    is($ws->recv, 'eof', 'half a connection is ended');
};

subtest 'a client that does not answer a close' => sub {
    my $ws = $nginx->ws('/short');
    $ws->send_frame(3);
    is($ws->recv, 'close:1002', 'is told');
    is($ws->recv, 'eof',        'and then ended');
    ok(wait_for('the socket is gone', sub { connections() == 0 }),
        'although it keeps its end open');
};

subtest 'a client that goes on sending after a violation' => sub {
    my $ws = $nginx->ws('/short');
    $ws->send_frame(3);
    $ws->write(frame(1, 'x' x 1000)) for 1 .. 200;
    is($ws->recv, 'close:1002', 'is told the reason all the same');
};

finish;
