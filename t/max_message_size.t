# paperboy_max_message_size: 1009 at the limit, and no memory for what is only
# announced.
use v5.36;
use Paperboy::Test;

my $nginx = nginx(workers => 1, http => <<'END');
paperboy_origin any;
server {
    listen 127.0.0.1:%%PORT%%;
    location / { paperboy echo; }
    location /small { paperboy echo; paperboy_max_message_size 10; }
    location /large {
        paperboy echo;
        paperboy_max_message_size 4m;
        paperboy_send_buffer 16m;
    }
    location /deflate {
        paperboy echo;
        paperboy_deflate on;
        paperboy_max_message_size 1k;
    }
}
END

sub frame (@frame) { return Paperboy::WebSocket::frame(@frame) }

sub outcome ($path, $bytes) {
    my $ws = $nginx->ws($path);
    $ws->write($bytes);
    return $ws->recv;
}

subtest 'the default of 64k' => sub {
    my $ws = $nginx->ws('/');
    $ws->text('x' x 65536);
    is($ws->recv, 'text:' . 'x' x 65536, 'a message as large as the limit');
    $ws->text('x' x 65537);
    is($ws->recv, 'close:1009', 'one byte more');
    is($ws->recv, 'eof',        'and the end');
};

subtest 'a limit of 10' => sub {
    is(outcome('/small', frame(1, 'x' x 10)), 'text:' . 'x' x 10, 'as much');
    is(outcome('/small', frame(1, 'x' x 11)), 'close:1009', 'more');
    is(outcome('/small', frame(2, 'x' x 11)), 'close:1009', 'more, binary');
    is(outcome('/small',
            frame(1, 'x' x 5, fin => 0) . frame(0, 'x' x 5)),
        'text:' . 'x' x 10, 'fragments of 10');
    is(outcome('/small',
            frame(1, 'x' x 5, fin => 0) . frame(0, 'x' x 6)),
        'close:1009', 'fragments of 11');
    is(outcome('/small', frame(9, 'x' x 125)), 'pong:' . 'x' x 125,
        'control frames have their own');
};

subtest 'the header of a frame is enough' => sub {
    is(outcome('/small', substr frame(1, 'x' x 11), 0, 6), 'close:1009',
        '11 announced');
    is(outcome('/', "\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff" . 'mask'),
        'close:1009', 'the longest frame there is');
    is(outcome('/', frame(1, 'a', fin => 0)
                . "\x80\xff\x7f\xff\xff\xff\xff\xff\xff\xff" . 'mask'),
        'close:1009', 'as a fragment, where a sum could overflow');
};

subtest 'no allocation by what is announced' => sub {
    my ($pid) = $nginx->workers;
    my $size  = sub {
        return (split ' ', Paperboy::Nginx::_slurp("/proc/$pid/statm"))[1];
    };
    my $before  = $size->();
    my @clients = map { $nginx->ws('/large') } 1 .. 100;
    $_->write(substr frame(2, 'x' x 4_000_000), 0, 20) for @clients;
    $clients[0]->ping;
    $_->ping for map { $nginx->ws('/') } 1 .. 3;
    my $last = $nginx->ws('/large');
    $last->text('z' x 4_000_000);
    is(length $last->recv, 4_000_005, 'a large message is served');
    cmp_ok(($size->() - $before) * 4096, '<', 100_000_000,
        '100 announcements of 4 MB take far less than that');
};

subtest 'what a message inflates to counts' => sub {
    my $ws = $nginx->ws('/deflate', deflate => 'permessage-deflate');
    $ws->deflated(1, 'x' x 1024);
    is($ws->recv, 'text:' . 'x' x 1024, 'the limit');
    $ws->deflated(1, 'x' x 1025);
    is($ws->recv, 'close:1009', 'one byte more');
    $ws = $nginx->ws('/deflate', deflate => 'permessage-deflate');
    my $bomb = $ws->deflate_message('0' x 100_000_000);
    $ws->write(frame(1, substr($bomb, 0, 1000), rsv => 4, fin => 0));
    $ws->write(frame(0, substr($bomb, 1000, 24)));
    like($ws->recv, qr/^close:1009/, 'a bomb');
};

conf_refused('paperboy_max_message_size x;', 'no size');
conf_refused('server { paperboy_max_message_size 0; }', '0 admits nothing',
    qr/paperboy_max_message_size/);

finish;
