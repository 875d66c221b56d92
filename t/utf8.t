# Text is UTF-8 (RFC 6455 section 8.1), checked as it streams.
use v5.36;
use Paperboy::Test;

my $nginx = nginx(http => <<'END');
paperboy_origin any;
server {
    listen 127.0.0.1:%%PORT%%;
    location / { paperboy echo; paperboy_deflate on; }
}
END

sub frame (@frame) { return Paperboy::WebSocket::frame(@frame) }

my @good = (
    "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
    "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf",
    "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5", "\0", "\xef\xbb\xbfbom",
);
my @bad = (
    "\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80",
    "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
    "\xfe", "\xff", "a\xc3(", "\xe2\x82", "\xf0\x9f\x98", "\xc3",
    "\xed\xa0\xbd\xed\xb8\x80",
);

subtest 'good text' => sub {
    my $ws = $nginx->ws('/');
    for my $text (@good) {
        $ws->text($text);
        is($ws->recv, "text:$text", 'x' . unpack 'H*', $text);
    }
};

subtest 'bad text' => sub {
    for my $text (@bad) {
        my $ws = $nginx->ws('/');
        $ws->text($text);
        is($ws->recv, 'close:1007', 'x' . unpack 'H*', $text);
    }
};

subtest 'binary is not checked' => sub {
    my $ws = $nginx->ws('/');
    $ws->binary($_) for @bad;
    is_deeply([map { $ws->recv } @bad], [map { "binary:$_" } @bad], 'as it is');
};

subtest 'a character may be split between fragments and bytes' => sub {
    my $ws = $nginx->ws('/');
    $ws->write(frame(1, "\xf0\x9f", fin => 0) . frame(9)
            . frame(0, "\x98", fin => 0) . frame(0, "\x80"));
    is($ws->recv, 'pong:',                  'a ping');
    is($ws->recv, "text:\xf0\x9f\x98\x80", 'fragments');
    $ws->send_bytewise(frame(1, "\xe2\x82\xac"));
    is($ws->recv, "text:\xe2\x82\xac", 'bytes');
};

subtest 'failing as early as can be' => sub {
    my $ws = $nginx->ws('/');
    $ws->write(frame(1, "good \xff", fin => 0));
    is($ws->recv, 'close:1007', 'before the message is whole');
    $ws = $nginx->ws('/');
    $ws->write(substr frame(1, "\xff" . 'x' x 1000), 0, 20);
    is($ws->recv, 'close:1007', 'before the frame is whole');
    $ws = $nginx->ws('/');
    $ws->write(frame(1, "\xe2\x82", fin => 0) . frame(0, ''));
    is($ws->recv, 'close:1007', 'at the end of the message');
};

subtest 'compressed text' => sub {
    for my $text (@good) {
        my $ws = $nginx->ws('/', deflate => 'permessage-deflate');
        $ws->deflated(1, $text);
        is($ws->recv, "text:$text", 'x' . unpack 'H*', $text);
    }
    for my $text (@bad) {
        my $ws = $nginx->ws('/', deflate => 'permessage-deflate');
        $ws->deflated(1, $text);
        is($ws->recv, 'close:1007', 'x' . unpack 'H*', $text);
    }
};

finish;
