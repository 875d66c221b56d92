# paperboy native: the Centrifugal client protocol in JSON, without tokens.
use v5.36;
use Paperboy::Test;
use JSON::PP ();

my $nginx = nginx(http => <<'END');
paperboy_zone main 4m;
paperboy_origin any;
server {
    listen 127.0.0.1:%%PORT%%;
    location /native { paperboy native; paperboy_client_publish on; }
    location /plain { paperboy; }
    location /given { paperboy native; paperboy_channel $arg_c news; }
    location /short {
        paperboy native;
        paperboy_connect_timeout 1s;
        paperboy_ping_interval 1s;
        paperboy_ping_timeout 1s;
    }
    location /small {
        paperboy native;
        paperboy_channel $arg_c;
        paperboy_max_commands 4;
        paperboy_max_subscriptions 2;
        paperboy_max_channel_length 8;
        paperboy_max_message_size 1k;
    }
    location /spaced {
        paperboy native;
        paperboy_namespace $arg_ns;
        paperboy_client_publish on;
    }
    location /raw { paperboy raw; paperboy_channel $arg_c; }
    location /publish { paperboy_publish any; }
    location /status { paperboy_status; }
}
END

my $json = JSON::PP->new->canonical->allow_nonref;

sub connected ($path = '/native', %option) {
    my $ws = $nginx->ws($path, %option);
    is($ws->status, 101, "upgraded at $path");
    $ws->text('{"id":1,"connect":{"name":"js"}}');
    my $reply = reply($ws);
    like($reply->{connect}{client}, qr/^[0-9a-f]{32}$/, 'connected');
    return ($ws, $reply->{connect});
}

# The next message, which is one reply.
sub reply ($ws) {
    my $event = $ws->recv;
    my ($text) = $event =~ /^text:(.*)$/s or return $event;
    return $json->decode($text);
}

# What answers a command; commands are given as text.
sub ask ($ws, $command) { $ws->text($command); return reply($ws) }

sub error ($ws, $command) {
    my $reply = ask($ws, $command);
    return ref $reply ? $reply->{error} : $reply;
}

sub subscribed ($ws, $channel, $id = 2) {
    my $reply = ask($ws, qq({"id":$id,"subscribe":{"channel":"$channel"}}));
    ok($reply->{subscribe}, "subscribed to $channel") or diag explain $reply;
    return $reply->{subscribe};
}

sub publish ($channel, $data, %option) {
    return $nginx->http(POST => "/publish?channel=$channel", body => $data,
        %option)->{status};
}

sub push_of ($channel, $data, $offset) {
    return qq(text:{"push":{"channel":"$channel","pub":{"data":$data,)
        . qq("offset":$offset}}});
}

subtest 'connect' => sub {
    my ($ws, $done) = connected;
    is($done->{ping}, 25, 'tells the interval of pings');
    ok($done->{pong}, 'and asks for pongs');
    ok(!$done->{expires}, 'without a token there is no end');
    like($done->{version}, qr/^Paperboy \d/, 'a version');
    ok(!$done->{subs}, 'no subscriptions');
    ($ws) = connected('/plain');
    is(error($ws, '{"id":2,"publish":{"channel":"a","data":1}}')->{code}, 103,
        'the default dialect; clients do not publish by default');
};

subtest 'what ends the connection' => sub {
    my @first = (
        ['{"id":1,"subscribe":{"channel":"a"}}', 'a command before connect'],
        ['hello',                     'no JSON'],
        ['[]',                        'no object'],
        ['{"connect":{}}',            'no id'],
        ['{"id":0,"connect":{}}',     'id 0'],
        ['{"id":4294967296,"connect":{}}', 'an id of 33 bits'],
        ['{"id":-1,"connect":{}}',    'an id below 0'],
        ['{"id":1.5,"connect":{}}',   'an id that is no integer'],
        ['{"id":1,"id":2,"connect":{}}', 'two ids'],
        ['{"id":1,"connect":[]}',     'parameters that are no object'],
        ['{"id":1,"connect":{"token":5}}', 'a token that is no string'],
        ['{"id":1,"connect":{},"connect":{}}', 'a method twice'],
        ['',                          'nothing'],
        ["\n{}",                      'an empty line'],
    );
    for (@first) {
        my $ws = $nginx->ws('/native');
        $ws->text($_->[0]);
        is($ws->recv, 'close:3501', $_->[1]);
        is($ws->{reason}, 'bad request', 'bad request');
    }
    my $ws = $nginx->ws('/native');
    $ws->binary('{"id":1,"connect":{}}');
    is($ws->recv, 'close:3501', 'a binary message');
    ($ws) = connected;
    $ws->text('{"id":2,"connect":{}}');
    is($ws->recv, 'close:3501', 'a second connect');
    ($ws) = connected;
    $ws->text('{"send":{"data":1}}');
    is($ws->recv, 'close:3508', 'send, which nobody takes');
    is($ws->{reason}, 'not available', 'not available');
    $ws = $nginx->ws('/native');
    $ws->text('{"id":1,"connect":{"token":"abc"}}');
    is($ws->recv, 'close:3500', 'a token where there is no key');
    is($ws->{reason}, 'invalid token', 'invalid token');
};

subtest 'subscribe, publish, unsubscribe' => sub {
    my ($ws)    = connected;
    my ($other) = connected;
    my $done = subscribed($ws, 'room');
    is($done->{offset}, 0, 'the position');
    like($done->{epoch}, qr/^[0-9a-f]{1,16}$/, 'and its epoch');
    is($json->encode(ask($other,
        '{"id":7,"publish":{"channel":"room","data":{"a": 1}}}')),
        '{"id":7,"publish":{}}', 'published');
    like($ws->recv, qr/^\Qtext:{"push":{"channel":"room","pub":{"data":{"a": 1},"offset":1,"info":{"user":"","client":"\E[0-9a-f]{32}"\}\}\}\}$/,
        'received, byte for byte, with who said it');
    is(error($ws, '{"id":3,"subscribe":{"channel":"room"}}')->{code}, 105,
        'already subscribed');
    is($json->encode(ask($ws, '{"id":4,"unsubscribe":{"channel":"room"}}')),
        '{"id":4,"unsubscribe":{}}', 'unsubscribed');
    is($json->encode(ask($ws, '{"id":5,"unsubscribe":{"channel":"room"}}')),
        '{"id":5,"unsubscribe":{}}', 'again is no error');
    ask($other, '{"id":8,"publish":{"channel":"room","data":2}}');
    subscribed($ws, 'room', 6);
    ask($other, '{"id":9,"publish":{"channel":"room","data":3}}');
    like($ws->recv, qr/"data":3,"offset":3,/, 'only what came since');
    $done = ask($ws, '{"id":10,"subscribe":{"channel":"b","recover":true,'
            . '"epoch":"x","offset":5}}')->{subscribe};
    ok($done->{was_recovering} && !$done->{recovered},
        'what was missed is told to be missed');
};

subtest 'errors' => sub {
    my ($ws) = connected;
    my @cases = (
        ['{"id":2,"rpc":{"method":"x"}}', 104, 'method not found'],
        ['{"id":2,"nothing":{}}',         104, 'method not found'],
        ['{"id":2}',                      104, 'method not found'],
        ['{"id":2,"history":{"channel":"a"}}',        108, 'not available'],
        ['{"id":2,"presence":{"channel":"a"}}',       108, 'not available'],
        ['{"id":2,"presence_stats":{"channel":"a"}}', 108, 'not available'],
        ['{"id":2,"subscribe":{"channel":"a","tf":{"op":"and"}}}', 108,
            'not available'],
        ['{"id":2,"subscribe":{"channel":"a","type":1}}', 108,
            'not available'],
        ['{"id":2,"subscribe":{"channel":""}}', 107, 'bad request'],
        ['{"id":2,"subscribe":{}}',             107, 'bad request'],
        ['{"id":2,"subscribe":{"channel":"' . 'a' x 256 . '"}}', 107,
            'bad request'],
        ['{"id":2,"unsubscribe":{}}',           107, 'bad request'],
        ['{"id":2,"publish":{"channel":"a"}}',  107, 'bad request'],
        ['{"id":2,"publish":{"data":1}}',       107, 'bad request'],
        ['{"id":2,"subscribe":{"channel":"a","token":"x"}}', 103,
            'permission denied'],
        ['{"id":2,"sub_refresh":{"channel":"a","token":"x"}}', 103,
            'permission denied'],
    );
    for (@cases) {
        my ($command, $code, $message) = @$_;
        my $error = error($ws, $command);
        is("$error->{code} $error->{message}", "$code $message",
            substr $command, 0, 70);
        ok(!$error->{temporary}, 'for good');
    }
    is($json->encode(ask($ws, '{"id":3,"ping":{}}')), '{"id":3,"ping":{}}',
        'the command ping');
};

subtest 'several in a message' => sub {
    my ($ws) = connected;
    $ws->text(join "\n", map {qq({"id":$_,"subscribe":{"channel":"c$_"}})}
            2 .. 101);
    my ($text) = $ws->recv =~ /^text:(.*)/s;
    is_deeply([map { $json->decode($_)->{id} } split /\n/, $text], [2 .. 101],
        'are answered in order, in one');
    $ws->text(qq({"id":102,"ping":{}}\n{}\r\n{"id":103,"ping":{}}\n));
    is($ws->recv, qq(text:{"id":102,"ping":{}}\n{"id":103,"ping":{}}),
        'a pong among them, a newline at the end');
    $ws->text(qq({"id":104,"ping":{}}\nwhat?\n{"id":105,"ping":{}}));
    is($ws->recv, 'text:{"id":104,"ping":{}}', 'what came before counts');
    is($ws->recv, 'close:3501', 'then the end');
    my $two = $nginx->ws('/native');
    $two->text(qq({"id":1,"connect":{}}\n{"id":2,"subscribe":{"channel":"x"}}));
    like($two->recv, qr/^text:\{"id":1.*\n\{"id":2,"subscribe"/,
        'connect and subscribe at once');
};

subtest 'data of all kinds' => sub {
    my ($ws) = connected;
    my $n    = subscribed($ws, 'kinds')->{offset};
    my $raw  = $nginx->ws('/raw?c=kinds');
    my @same = ('{"a":0.1}', '123456789012345678901234567890', '1.0', '1e400',
        '"x"', 'null', ' [1, 2] ', '{"a":1,"a":2}', '"\u0000"', '"\ud800"',
        '{"q":"\"}{"}');
    for (@same) {
        publish('kinds', $_);
        is($ws->recv, push_of('kinds', $_, ++$n), "JSON as it is: $_");
        is($raw->recv, "text:$_", 'the same for raw');
    }
    my %other = (
        "{\n\"a\":\r\n1}" => '{ "a":  1}',
        'hello'           => '"hello"',
        ''                => '""',
        "a\n\"b\"\\\t"    => '"a\n\"b\"\\\\\u0009"',
        '01'              => '"01"',
        '{"a":1'          => '"{\"a\":1"',
        '[' x 600 . ']' x 600 => '"' . '[' x 600 . ']' x 600 . '"',
    );
    for (sort keys %other) {
        publish('kinds', $_);
        is($ws->recv, push_of('kinds', $other{$_}, ++$n), 'other text');
    }
    publish('kinds', "\0\xff\n", headers =>
            ['Content-Type' => 'application/octet-stream']);
    is($ws->recv, push_of('kinds', '{"b64data":"AP8K"}', ++$n), 'binary');
    $raw->recv for 1 .. 1 + keys %other;
    ask($ws, '{"id":9,"publish":{"channel":"kinds","data": {"big" : '
            . '123456789012345678901234567890} }}');
    is($raw->recv, 'text:{"big" : 123456789012345678901234567890}',
        'what a client publishes is the text of its data');
};

subtest 'names' => sub {
    my ($ws) = connected;
    subscribed($ws, 'caf\u00e9 \"x\"');
    ask($ws, '{"id":3,"publish":{"channel":"café \"\u0078\"","data":1}}');
    my @events = ($ws->recv);
    like($events[0], qr/"channel":"café \\"x\\""/, 'escapes are one way to say');
    $ws->text('{"\u0069d":5,"p\u0069ng":{}}');
    is($ws->recv, 'text:{"id":5,"ping":{}}', 'in the names of members too');
};

subtest 'subscriptions of the server' => sub {
    my ($ws, $done) = connected('/given?c=mine');
    is_deeply([sort keys %{ $done->{subs} }], ['mine', 'news'],
        'the location gives them');
    publish('mine', '1');
    is($ws->recv, push_of('mine', 1, 1), 'and they deliver');
    is(error($ws, '{"id":2,"subscribe":{"channel":"news"}}')->{code}, 105,
        'already subscribed');
    ask($ws, '{"id":3,"unsubscribe":{"channel":"news"}}');
    ok(subscribed($ws, 'news', 4), 'left and joined');
};

subtest 'namespaces' => sub {
    my ($a) = connected('/spaced?ns=a');
    my ($b) = connected('/spaced?ns=b');
    subscribed($_, 'room') for $a, $b;
    ask($b, '{"id":3,"publish":{"channel":"room","data":"b"}}');
    like($b->recv, qr/"data":"b"/, 'its own');
    ask($a, '{"id":3,"publish":{"channel":"room","data":"a"}}');
    like($a->recv, qr/"channel":"room","pub":\{"data":"a"/,
        'and no other, by its plain name');
};

subtest 'times' => sub {
    my $late = $nginx->ws('/short');
    is($late->recv, 'close:3502', 'who does not connect is stale');
    my ($ws, $done) = connected('/short');
    is($done->{ping}, 1, 'the interval');
    for (1 .. 2) {
        is($ws->recv, 'text:{}', 'a ping');
        $ws->text('{}');
    }
    is($ws->recv, 'text:{}', 'one without an answer');
    is($ws->recv, 'close:3012', 'ends it');
    is($ws->{reason}, 'no pong', 'no pong');
};

subtest 'limits' => sub {
    my ($ws) = connected('/small');
    subscribed($ws, $_) for 'a', 'b';
    is(error($ws, '{"id":3,"subscribe":{"channel":"c"}}')->{code}, 106,
        'paperboy_max_subscriptions');
    is(error($ws, '{"id":4,"subscribe":{"channel":"123456789"}}')->{code}, 107,
        'paperboy_max_channel_length');
    my $ping = '{"id":5,"ping":{}}';
    $ws->text(join "\n", ($ping) x 4);
    is($ws->recv, 'text:' . join("\n", ($ping) x 4), 'as many as may');
    $ws->text(join "\n", ($ping) x 5);
    is($ws->recv, 'text:' . join("\n", ($ping) x 4), 'paperboy_max_commands');
    is($ws->recv, 'close:3013', 'one too many');
    is($ws->{reason}, 'too many requests', 'too many requests');
    ($ws) = connected('/small');
    $ws->text('{"id":2,"rpc":{"data":"' . 'x' x 1024 . '"}}');
    is($ws->recv, 'close:1009', 'paperboy_max_message_size');
};

subtest 'subprotocols' => sub {
    my ($ws) = connected('/native', protocol => 'a, centrifuge-json');
    is($ws->header('Sec-WebSocket-Protocol'), 'centrifuge-json', 'JSON');
    $ws = $nginx->ws('/native', protocol => 'centrifuge-protobuf');
    is($ws->status, 400, 'protobuf alone is refused');
    is($ws->answer->json->{error}, 'bad_handshake', 'and told so');
    ($ws) = connected('/native',
        protocol => 'centrifuge-protobuf, centrifuge-json');
    is($ws->header('Sec-WebSocket-Protocol'), 'centrifuge-json', 'a choice');
    ($ws) = connected('/native', protocol => 'other');
    is($ws->header('Sec-WebSocket-Protocol'), undef, 'another');
};

subtest 'nginx stops' => sub {
    my ($ws) = connected;
    $nginx->reload;
    ok(subscribed($ws, 'still'), 'a reload ends nothing');
};

subtest 'configuration' => sub {
    conf_refused('server { location / { paperboy nativ; } }', 'a typo',
        qr/there are native, raw, sse, classic, notiflux and echo/);
    conf_refused('server { location / { paperboy_max_commands 0; } }',
        'no commands', qr/at least 1/);
    conf_refused('server { location / { paperboy; paperboy_connect_timeout 0; } }',
        'no time', qr/above 0/);
};

finish;
