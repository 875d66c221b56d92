# Fragments, masks, reserved bits and opcodes, control frames (RFC 6455
# sections 5.1 to 5.5).
use v5.36;
use Paperboy::Test;

my $nginx = nginx(http => <<'END');
paperboy_origin any;
server {
    listen 127.0.0.1:%%PORT%%;
    location / { paperboy echo; }
}
END

sub frame (@frame) { return Paperboy::WebSocket::frame(@frame) }

# What comes back for these bytes, up to the first close.
sub outcome ($bytes) {
    my $ws = $nginx->ws('/');
    $ws->write($bytes);
    return $ws->recv;
}

subtest 'a message in fragments' => sub {
    my $ws = $nginx->ws('/');
    $ws->write(frame(1, 'one ', fin => 0) . frame(0, 'two ', fin => 0)
            . frame(0, 'three'));
    is($ws->recv, 'text:one two three', 'text');
    $ws->write(frame(2, "\xff\0", fin => 0) . frame(0, "\xfe"));
    is($ws->recv, "binary:\xff\0\xfe", 'binary');
    $ws->write(frame(1, '', fin => 0) . frame(0, '', fin => 0) . frame(0, ''));
    is($ws->recv, 'text:', 'empty ones');
    $ws->write(frame(1, 'a', fin => 0) . join '',
        (map { frame(0, 'b', fin => 0) } 1 .. 1000), frame(0, 'c'));
    is($ws->recv, 'text:a' . 'b' x 1000 . 'c', 'many');
};

subtest 'control frames between fragments' => sub {
    my $ws = $nginx->ws('/');
    $ws->write(frame(1, 'a', fin => 0) . frame(9, 'p1')
            . frame(0, 'b', fin => 0) . frame(10, 'nobody asked')
            . frame(9, 'p2') . frame(0, 'c'));
    is($ws->recv, 'pong:p1',  'a ping is answered at once');
    is($ws->recv, 'pong:p2',  'and the next');
    is($ws->recv, 'text:abc', 'and the message is whole');
    $ws->write(frame(1, 'a', fin => 0) . frame(8, pack 'n', 1000));
    is($ws->recv, 'close:1000', 'a close in the midst');
};

subtest 'every length, byte by byte' => sub {
    for my $length (0, 1, 125, 126, 127, 300) {
        my $ws = $nginx->ws('/');
        $ws->send_bytewise(frame(1, 'x' x $length));
        is($ws->recv, 'text:' . 'x' x $length, "$length bytes");
    }
    my $ws = $nginx->ws('/');
    for my $length (65535, 65536) {
        $ws->text('y' x $length);
        is($ws->recv, 'text:' . 'y' x $length, "$length bytes");
    }
    $ws->send_bytewise(
        frame(1, 'a', fin => 0) . frame(9, 'p') . frame(0, 'b'));
    is($ws->recv, 'pong:p',  'a ping in the midst');
    is($ws->recv, 'text:ab', 'the message');
};

subtest 'what breaks the protocol' => sub {
    my @bad = (
        ['an unmasked frame'           => frame(1, 'a', mask => '')],
        ['an unmasked ping'            => frame(9, '', mask => '')],
        ['a continuation of nothing'   => frame(0, 'a')],
        ['one without end'             => frame(0, 'a', fin => 0)],
        ['a message within a message' =>
            frame(1, 'a', fin => 0) . frame(1, 'b')],
        ['a ping in fragments'         => frame(9, 'a', fin => 0)],
        ['a close in fragments'        => frame(8, '', fin => 0)],
        ['a ping of 126 bytes'         => frame(9, 'a' x 126)],
        ['a close of 126 bytes' =>
            frame(8, pack('n', 1000) . 'a' x 124)],
        ['a length of 64 bits with the highest set' =>
            "\x81\xff\x80\0\0\0\0\0\0\1" . 'mask' . 'a'],
        ['a length in too many bits'   => frame(1, 'a', form => 16)],
        ['a length in far too many'    => frame(1, 'a' x 200, form => 64)],
        (map { ["reserved bits $_" => frame(1, 'a', rsv => $_)] } 1 .. 7),
        ['a reserved bit on a ping'    => frame(9, '', rsv => 4)],
        (map { ["opcode $_" => frame($_, 'a')] } 3 .. 7, 11 .. 15),
    );
    is(outcome($_->[1]), 'close:1002', $_->[0]) for @bad;
};

subtest 'the end after a violation' => sub {
    my $ws = $nginx->ws('/');
    $ws->write(frame(1, 'good') . frame(3, 'bad') . frame(1, 'too late'));
    is($ws->recv, 'text:good',  'what came before is served');
    is($ws->recv, 'close:1002', 'the violation closes');
    is($ws->recv, 'eof',        'and nothing comes after it');
};

subtest 'a ping carries its payload back' => sub {
    my $ws = $nginx->ws('/');
    for ('', 'a', "\0\xff binary", 'x' x 125) {
        $ws->ping($_);
        is($ws->recv, "pong:$_", length($_) . ' bytes');
    }
    $ws->pong('unasked');
    $ws->text('still here');
    is($ws->recv, 'text:still here', 'a pong nobody asked for is ignored');
};

finish;
