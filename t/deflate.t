# paperboy_deflate, paperboy_deflate_context_takeover: permessage-deflate
# (RFC 7692).
use v5.36;
use Paperboy::Test;

my $nginx = nginx(workers => 1, http => <<'END');
paperboy_origin any;
paperboy_zone main 4m;
server {
    listen 127.0.0.1:%%PORT%%;
    location /off { paperboy echo; paperboy_deflate off; }
    location /on { paperboy echo; paperboy_deflate on; }
    location /all { paperboy echo; paperboy_deflate 1; }
    location /threshold { paperboy echo; paperboy_deflate 100; }
    location /takeover {
        paperboy echo;
        paperboy_deflate 1;
        paperboy_deflate_context_takeover on;
    }
    location /raw { paperboy raw; paperboy_channel a; paperboy_deflate 1; }
    location /raw-takeover {
        paperboy raw;
        paperboy_channel a;
        paperboy_deflate 1;
        paperboy_deflate_context_takeover on;
    }
    location /publish { paperboy_publish any; }
}
END

sub frame (@frame) { return Paperboy::WebSocket::frame(@frame) }

sub answer ($path, $offer) {
    return $nginx->ws($path, deflate => $offer)
        ->header('Sec-WebSocket-Extensions') // 'none';
}

sub parameters ($answer) { return join ' ', sort split /;\s*/, $answer }

subtest 'off' => sub {
    is(answer('/off', 'permessage-deflate'), 'none', 'is not negotiated');
    my $ws = $nginx->ws('/off', deflate => 'permessage-deflate');
    $ws->write(frame(1, 'a', rsv => 4));
    is($ws->recv, 'close:1002', 'and a compressed frame is a violation');
};

subtest 'what is agreed' => sub {
    my $plain = 'client_no_context_takeover permessage-deflate'
        . ' server_no_context_takeover';
    my @cases = (
        ['permessage-deflate' => $plain],
        ['permessage-deflate; client_no_context_takeover' => $plain],
        ['permessage-deflate; server_no_context_takeover' => $plain],
        ['permessage-deflate; client_max_window_bits' => $plain],
        ['permessage-deflate; client_max_window_bits=10' => undef],
        ['permessage-deflate; server_max_window_bits=9' =>
            'client_no_context_takeover permessage-deflate'
            . ' server_max_window_bits=9 server_no_context_takeover'],
        ['permessage-deflate; server_max_window_bits="15"' => undef],
        ['x-webkit-deflate-frame, permessage-deflate' => $plain],
        ['permessage-deflate; unknown, permessage-deflate' => $plain],
        ['permessage-deflate; server_max_window_bits=8, permessage-deflate' =>
            $plain],
        [join(', ', ('permessage-deflate; a=b') x 20, 'permessage-deflate') =>
            $plain],
    );
    for (@cases) {
        my ($offer, $expected) = @$_;
        my $answer = parameters(answer('/on', $offer));
        if ($expected) {
            is($answer, $expected, substr $offer, 0, 70);
        } else {
            like($answer, qr/permessage-deflate/, $offer);
        }
    }
};

subtest 'what is declined' => sub {
    is(answer('/on', $_), 'none', $_) for (
        'permessage-bzip2',
        'permessage-deflate; unknown',
        'permessage-deflate; server_no_context_takeover=1',
        'permessage-deflate; client_no_context_takeover; '
            . 'client_no_context_takeover',
        'permessage-deflate; server_max_window_bits',
        'permessage-deflate; server_max_window_bits=7',
        'permessage-deflate; server_max_window_bits=8',
        'permessage-deflate; server_max_window_bits=16',
        'permessage-deflate; server_max_window_bits=09',
        'permessage-deflate; server_max_window_bits=x',
        'permessage-deflate; client_max_window_bits=7',
        'permessage-deflate; client_max_window_bits=16',
    );
    is($nginx->ws('/on')->header('Sec-WebSocket-Extensions'), undef,
        'nothing is answered to no offer');
};

my @messages = ('', 'a', 'hello ' x 100, join('', map { chr(65 + $_ % 26) }
        1 .. 5000), "\x{e2}\x{82}\x{ac}" x 50);

sub echoes ($path, $offer) {
    my $ws = $nginx->ws($path, deflate => $offer);
    for my $message (@messages, @messages) {
        $ws->deflated(1, $message);
        return unless ok($ws->recv eq "text:$message",
            length($message) . " bytes: $offer");
    }
    return $ws;
}

subtest 'messages come back' => sub {
    for my $path (qw(/on /all /threshold /takeover)) {
        echoes($path, $_) for (
            'permessage-deflate',
            'permessage-deflate; client_max_window_bits',
            'permessage-deflate; server_max_window_bits=9',
            'permessage-deflate; server_no_context_takeover; '
                . 'client_no_context_takeover',
            'permessage-deflate; client_max_window_bits=9; '
                . 'server_max_window_bits=10',
        );
    }
};

sub reserved ($path, $message, $offer = 'permessage-deflate') {
    my $ws = $nginx->ws($path, deflate => $offer);
    $ws->text($message);
    return $ws->recv_frame->{rsv};
}

subtest 'the threshold' => sub {
    is(reserved('/threshold', 'x' x 99), 0, 'below it goes as it is');
    is(reserved('/threshold', 'x' x 100), 4, 'at it is compressed');
    is(reserved('/all', 'x' x 20), 4, 'a threshold of 1');
    is(reserved('/on', 'x'), 0, 'on spares the smallest');
    is(reserved('/on', 'x' x 10000), 4, 'and compresses the large');
};

subtest 'uncompressed messages are taken too' => sub {
    my $ws = $nginx->ws('/all', deflate => 'permessage-deflate');
    $ws->text('plain');
    is($ws->recv, 'text:plain', 'plain');
    $ws->deflated(2, "\0\xff");
    is($ws->recv, "binary:\0\xff", 'compressed');
};

subtest 'context takeover' => sub {
    my $answer = answer('/takeover', 'permessage-deflate');
    is($answer, 'permessage-deflate', 'both sides keep their windows');
    my $ws     = $nginx->ws('/takeover', deflate => 'permessage-deflate');
    my $text   = join '', map { chr(32 + int rand 90) } 1 .. 1000;
    my @length = map {
        $ws->deflated(1, $text);
        my $frame = $ws->recv_frame;
        is($ws->inflate_message($frame->{payload}), $text, "message $_");
        length $frame->{payload};
    } 1 .. 3;
    cmp_ok($length[1], '<', $length[0] / 4, 'the second refers to the first');
    like(answer('/takeover', 'permessage-deflate; server_no_context_takeover'),
        qr/server_no_context_takeover/, 'a client may ask for none');
};

subtest 'fragments' => sub {
    my $ws   = $nginx->ws('/all', deflate => 'permessage-deflate');
    my $data = $ws->deflate_message('fragments ' x 30);
    my @part = map { substr $data, $_ * 3, 3 } 0 .. length($data) / 3;
    $ws->write(frame(1, '', rsv => 4, fin => 0));
    $ws->write(frame(0, $_, fin => 0) . frame(9, 'p')) for @part;
    $ws->write(frame(0, ''));
    is($ws->recv, 'pong:p', 'a ping in the midst') for @part;
    is($ws->recv, 'text:' . 'fragments ' x 30, 'are joined, then inflated');
    $ws->write(frame(1, 'a', fin => 0) . frame(0, 'b', rsv => 4));
    is($ws->recv, 'close:1002', 'a continuation has no such bit');
};

subtest 'bad data' => sub {
    for my $bad ("\xff\xff\xff", "\x06", "\x02\x00garbage") {
        my $ws = $nginx->ws('/all', deflate => 'permessage-deflate');
        $ws->write(frame(1, $bad, rsv => 4));
        like($ws->recv, qr/^close:1007/, 'x' . unpack 'H*', $bad);
    }
    my $ws = $nginx->ws('/all', deflate => 'permessage-deflate');
    $ws->write(frame(9, 'a', rsv => 4));
    is($ws->recv, 'close:1002', 'a control frame is never compressed');
};

subtest 'a broadcast reaches those who do and those who do not' => sub {
    my @clients = map { $nginx->ws('/raw', deflate => $_) } (
        undef,
        'permessage-deflate',
        'permessage-deflate; server_max_window_bits=9',
        undef,
        'permessage-deflate; server_no_context_takeover',
    );
    push @clients,
        map { $nginx->ws('/raw-takeover', deflate => 'permessage-deflate') }
        1 .. 2;
    for my $message (@messages) {
        $nginx->http(POST => '/publish?channel=a', body => $message);
        is_deeply([map { $_->recv } @clients], [("text:$message") x @clients],
            length($message) . ' bytes');
    }
};

conf_refused('paperboy_deflate x;', 'a bad value', qr/on, off/);

finish;
