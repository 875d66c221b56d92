# paperboy notiflux and paperboy_notiflux_broadcast: each line of what a
# notiflux server puts on the wire, and that its topics are channels like any.
use v5.36;
use Paperboy::Test;
use File::Temp ();
use JSON::PP ();
use Time::HiRes qw(sleep);

my $dir = File::Temp->newdir;
my ($key,   $public) = ec_key($dir, 'key');
my ($other, undef)   = ec_key($dir, 'other');
my ($es384, undef)   = ec_key($dir, 'es384', 384);
my ($rsa,   undef)   = rsa_key($dir, 'rsa');
my $pem = do { local (@ARGV, $/) = ($public); <> };

my $nginx = nginx(dir => $dir, log_level => 'info', http => <<'END');
paperboy_zone main 8m;
paperboy_channel_rule closed subscribe=nobody;
paperboy_log_format user '$paperboy_user|$paperboy_channels|$paperboy_close_code';
paperboy_log %%DIR%%/paperboy.log user;
client_max_body_size 100k;
server {
    listen 127.0.0.1:%%PORT%% reuseport;
    paperboy_jwt_key ES256 file=%%DIR%%/key.pub;
    location = /ws { paperboy notiflux; paperboy_origin any; }
    location = /broadcast { paperboy_notiflux_broadcast; }
    location = /health { return 200; }
    location = /quick {
        paperboy notiflux;
        paperboy_ping_interval 500ms;
        paperboy_ping_timeout 2s;
    }
    location = /two { paperboy notiflux; paperboy_max_subscriptions 2; }
    location = /hurry { paperboy notiflux; paperboy_connect_timeout 1s; }
    location = /ends { paperboy notiflux; paperboy_token_expiry end; }
    location = /small { paperboy_notiflux_broadcast; paperboy_max_message_size 10; }
    location = /body { paperboy_notiflux_broadcast; paperboy_max_api_size 1k; }
    location = /any {
        paperboy notiflux;
        paperboy_origin any;
        satisfy any;
        allow 127.0.0.1;
        deny all;
    }
    location = /none {
        paperboy notiflux;
        paperboy_origin any;
        satisfy any;
        deny all;
    }
    location = /posts {
        paperboy_notiflux_broadcast;
        paperboy_origin https://app.example;
        paperboy_cors on;
        limit_except POST { deny all; }
    }
    location = /shop/ws { paperboy notiflux; paperboy_namespace shop; }
    location = /shop/broadcast {
        paperboy_notiflux_broadcast;
        paperboy_namespace shop;
    }
    location /native {
        paperboy;
        paperboy_jwt_key off;
        paperboy_origin any;
        paperboy_client_publish on;
    }
    location /raw {
        paperboy raw;
        paperboy_jwt_key off;
        paperboy_origin any;
        paperboy_channel $arg_c;
        paperboy_client_publish on;
    }
    location /sse {
        paperboy sse;
        paperboy_jwt_key off;
        paperboy_origin any;
        paperboy_channel $arg_c;
    }
    location /publish { paperboy_publish any; }
    location /status { paperboy_status; }
}
END

my $json = JSON::PP->new->utf8->canonical;

# Good for `$scope` in `$topic`, unless the claims say otherwise.
sub token ($scope, $topic, %claims) {
    my %all = (sub => 'ann', exp => time + 10, scope => $scope,
        topic => $topic, %claims);
    delete @all{ grep { !defined $all{$_} } keys %all };
    return jwt(\%all, key => $key, alg => 'ES256');
}

# What comes before the answer to a command that there isn't: all that the
# commands before it had answered by then.
sub answers ($ws) {
    $ws->text('/what?');
    my @events;
    while (1) {
        my $event = $ws->recv;
        last if $event eq 'text:Unknown command' || $event eq 'eof';
        push @events, $event;
    }
    return @events;
}

# What was broadcast to it before now, whatever worker took that.
my $marks = 0;

sub heard ($ws) {
    my $mark = 'mark ' . ++$marks;
    my @events = ask($ws, '/subscribe mark ' . token(subscribe => 'mark'));
    broadcast('mark', $mark);
    while ((my $event = $ws->recv) ne "text:$mark") {
        push @events, $event;
        last if $event eq 'eof';
    }
    return @events;
}

sub ask ($ws, $command) { $ws->text($command); return answers($ws) }

sub subscriber ($topic, $path = '/ws', %option) {
    my $token = token(subscribe => $topic);
    my $ws    = $nginx->ws($path, %option);
    is($ws->status, 101, "upgraded at $path");
    is_deeply([ask($ws, "/subscribe $topic $token")], [],
        "subscribed to $topic, without a word");
    return $ws;
}

sub post ($body, %option) {
    my $path = delete $option{path} // '/broadcast';
    return $nginx->http(POST => $path, body => $body,
        headers => ['Content-Type' => 'application/json'], %option);
}

sub broadcast ($topic, $message, %option) {
    my $token = delete $option{token} // token(broadcast => $topic);
    return post($json->encode(
            { topic => $topic, message => $message, token => $token }),
        %option);
}

sub refused ($answer, $status, $error, $name) {
    is($answer->{status}, $status, $name);
    is($answer->json->{error}, $error, '- as JSON');
    return;
}

# Whether a token with these lets in.
sub enters ($topic, $token) {
    my $ws     = $nginx->ws('/ws');
    my $before = $nginx->status->{subscriptions};
    is_deeply([ask($ws, "/subscribe $topic $token")], [], 'no answer');
    my $now = $nginx->status->{subscriptions};
    $ws->close;
    wait_for('it has left',
        sub { $nginx->status->{subscriptions} <= $before });
    return $now > $before;
}

subtest 'the three ends' => sub {
    my @clients = map { subscriber('news') } 1 .. 8;
    my $text    = qq(exactly "this" {\n\t\x{e4} \x{1F600}});
    my $answer  = broadcast('news', $text);
    is($answer->{status}, 200, 'POST /broadcast');
    is($answer->{body}, '', 'empty');
    is($answer->{header}{'content-length'}, 0, 'and it says so');
    utf8::encode($text);
    is($_->recv, "text:$text", 'one text, as it was, to each') for @clients;
    broadcast('news', '');
    is($_->recv, 'text:', 'an empty one too') for @clients;
    broadcast('other', 'not for them');
    is_deeply([map { heard($_) } @clients], [], 'and only of the topic');

    my $health = $nginx->http(GET => '/health');
    is($health->{status}, 200, 'GET /health');
    is($health->{body},   '',  'empty');
    is($nginx->ws('/ws', origin => 'https://www.example.com')->status, 101,
        'a page of another site, where any may');
};

subtest 'commands' => sub {
    my $invalid = 'text:Invalid subscribe command, it should be: '
        . '/subscribe <topic> <token>';
    my $ws = $nginx->ws('/ws');
    is_deeply([ask($ws, $_)], [$invalid], "invalid: $_")
        for '/subscribe news', '/subscribe a b c', ' /subscribe a ';
    for my $command ('/', '/help', '/subscribe', '/subscribe  ',
        '/unsubscribe', '/unsubscribe-all x', '/SUBSCRIBE a b',
        '/subscribes a b') {
        $ws->text($command);
        is($ws->recv, 'text:Unknown command', "unknown: $command");
    }
    is_deeply([ask($ws, $_)], [], "ignored: $_")
        for 'hello', '', '  ', 'subscribe a b', './what';
    $ws->binary('/help');
    is_deeply([answers($ws)], [], 'ignored: binary');
    $ws->text("\r\n /help \t");
    is($ws->recv, 'text:Unknown command', 'what is around it is trimmed');

    for my $topic ('campaign:7', 'a/b*c', "gr\x{fc}n") {
        utf8::encode(my $bytes = $topic);
        $ws->text(" /subscribe $bytes " . token(subscribe => $topic) . "\n");
        is_deeply([answers($ws)], [], "subscribed to $bytes");
        broadcast($topic, "in $topic");
        is($ws->recv, "text:in $bytes", 'and hears it');
    }
    $ws->text("/subscribe campaign:7 " . token(subscribe => 'campaign:7'));
    broadcast('campaign:7', 'once');
    is_deeply([heard($ws)], ['text:once'],
        'subscribed twice, told once');
    is_deeply([ask($ws, '/unsubscribe a/b*c'), ask($ws, '/unsubscribe never')],
        [], 'unsubscribed, without a word');
    broadcast('a/b*c', 'gone');
    broadcast('campaign:7', 'still');
    is_deeply([heard($ws)], ['text:still'], 'from that topic alone');
    is_deeply([ask($ws, '/unsubscribe-all')], [], 'and from all');
    broadcast('campaign:7', 'gone');
    is_deeply([heard($ws)], [], 'hears nothing');
    ok(enters('campaign:7', token(subscribe => 'campaign:7')),
        'may come back');
};

subtest 'tokens that open a topic' => sub {
    my @ask = (subscribe => 'news');
    ok(enters('news', token(@ask)), 'topic');
    ok(enters('news', token(@ask, topic => undef, topics => ['a', 'news'])),
        'topics');
    ok(enters('b', token(@ask, topics => ['b'])), 'both');
    ok(enters('news', token(@ask, sub => $_)), "the subject '$_'")
        for '', 'anybody at all';
    ok(enters('news', token(@ask, exp => time - 30)),
        'a minute is granted to clocks');
    ok(enters('new*', token(subscribe => 'new*')), 'a star is a character');
};

subtest 'tokens that open nothing' => sub {
    my @ask = (subscribe => 'news');
    my $before = $nginx->status->{refused};
    my %bad = (
        'another topic'        => token(subscribe => 'new'),
        'a star'               => token(subscribe => '*'),
        'a prefix'             => token(subscribe => 'new*'),
        'no topic'             => token(@ask, topic => undef),
        'no topics'            => token(@ask, topic => undef, topics => []),
        'channel for topic'    => token(@ask, topic => undef,
            channel => 'news'),
        'capabilities'         => token(@ask, topic => undef,
            caps => [{ channels => ['news'], allow => ['sub'] }]),
        'to broadcast'         => token(broadcast => 'news'),
        'no scope'             => token(@ask, scope => undef),
    );
    ok(!enters('news', $bad{$_}), $_) for sort keys %bad;
    my %forged = (
        'expired'              => token(@ask, exp => time - 61),
        'no exp'               => token(@ask, exp => undef),
        'no sub'               => token(@ask, sub => undef),
        'another key'          => jwt({ sub => 'a', exp => time + 9,
                scope => 'subscribe', topic => 'news' },
            key => $other, alg => 'ES256'),
        'ES384'                => jwt({ sub => 'a', exp => time + 9,
                scope => 'subscribe', topic => 'news' },
            key => $es384, alg => 'ES384'),
        'RS256'                => jwt({ sub => 'a', exp => time + 9,
                scope => 'subscribe', topic => 'news' },
            key => $rsa, alg => 'RS256'),
        'HS256 with the public key' => jwt({ sub => 'a', exp => time + 9,
                scope => 'subscribe', topic => 'news' },
            key => $pem, alg => 'HS256'),
        'none'                 => jwt({ sub => 'a', exp => time + 9,
                scope => 'subscribe', topic => 'news' },
            key => '', alg => 'none'),
        'no token at all'      => 'x',
    );
    ok(!enters('news', $forged{$_}), $_) for sort keys %forged;
    my $after = $nginx->status->{refused};
    is($after->{channel} - $before->{channel}, keys %bad,
        'good ones for something else are counted');
    is($after->{token} - $before->{token}, keys %forged, 'and bad ones');
    like($nginx->log, qr/\[info\].*paperboy\ refused\ a\ command:\ forbidden:
        \ the\ token\ doesn't\ allow\ subscribing\ to\ this\ channel,
        \ client:\ 127\.0\.0\.1$/mx, 'each has a line in the log');
    like($nginx->log, qr/refused a command: token_expired: the token has/,
        'which says why');
    unlike($nginx->log, qr/\Q$bad{'a star'}\E/, 'and never shows the token');
    ok(!enters('closed', token(subscribe => 'closed')),
        'nor does any where the rule of the channel forbids it');
    ok(!enters('x' x 256, token(subscribe => 'x' x 256)), 'too long a topic');
};

subtest 'a subscription outlives its token' => sub {
    my @ask   = (subscribe => 'brief', exp => time - 55);
    my $token = token(@ask);
    my $ws    = $nginx->ws('/ws');
    my $ends  = $nginx->ws('/ends');
    is_deeply([ask($_, "/subscribe brief $token")], [], 'subscribed')
        for $ws, $ends;
    ok(wait_for('the end of the token', sub { !enters('brief', $token) }),
        'the token is over');
    ok(wait_for('the end of the subscription', sub {
        broadcast('brief', 'more');
        return !heard($ends);
    }), 'and with it what it opened, where it is to end that');
    heard($ws);
    broadcast('brief', 'still');
    is_deeply([heard($ws)], ['text:still'], 'elsewhere it hears on');
};

subtest 'who asks is told of refusals' => sub {
    my $ws = $nginx->ws('/ws', protocol => 'paperboy.notiflux');
    is($ws->header('Sec-WebSocket-Protocol'), 'paperboy.notiflux', 'agreed');
    my %expect = (
        101 => ['unauthorized', 'news', 'x'],
        103 => ['permission denied', 'news', token(broadcast => 'news')],
        109 => ['token expired', 'news',
            token(subscribe => 'news', exp => time - 99)],
        107 => ['bad request', 'x' x 256, token(subscribe => 'x' x 256)],
    );
    for my $code (sort keys %expect) {
        my ($message, $topic, $token) = @{ $expect{$code} };
        $ws->text("/subscribe $topic $token");
        is($ws->recv, qq(text:{"error":{"code":$code,"message":"$message"}}),
            $message);
    }
    is_deeply([ask($ws, '/subscribe news ' . token(subscribe => 'news'))],
        [], 'what is granted is granted in silence');
    broadcast('news', 'the same');
    is($ws->recv, 'text:the same', 'and messages are the same');
};

subtest 'limits' => sub {
    my $ws = subscriber('a', '/two');
    ask($ws, "/subscribe $_ " . token(subscribe => $_)) for qw(b c);
    broadcast($_, "in $_") for qw(c a b);
    is_deeply([map { $ws->recv } 1, 2], ['text:in a', 'text:in b'],
        'paperboy_max_subscriptions');
    like($nginx->ws('/hurry')->recv, qr/^close:3502/,
        'paperboy_connect_timeout, where it is set');
    my $hurry = subscriber('a', '/hurry');
    sleep 1.5;
    is_deeply([answers($hurry)], [], 'is for who is nowhere');
};

subtest 'heartbeat' => sub {
    my $ws = $nginx->ws('/quick');
    for (1 .. 3) {
        is($ws->recv, 'ping:', 'a ping');
        $ws->pong('');
    }
    is($ws->recv, 'ping:', 'who doesn\'t answer one');
    like($ws->recv, qr/^eof$/, 'is dropped');
    my $pinging = $nginx->ws('/quick');
    my $pongs   = 0;
    for (1 .. 20) {
        $pinging->ping('mine');
        my $event = $pinging->recv;
        $event = $pinging->recv if $event eq 'ping:';
        $pongs++ if $event eq 'pong:mine';
        sleep 0.05;
    }
    is($pongs, 20, 'its own pings are answered, and count');
};

subtest 'refused broadcasts' => sub {
    my $ws = subscriber('news');
    my %unauthorized = (
        'no token'    => 'x',
        'an old one'  => token(broadcast => 'news', exp => time - 61),
        'another key' => jwt({ sub => 'a', exp => time + 9, topic => 'news',
                scope => 'broadcast' }, key => $other, alg => 'ES256'),
        'no subject'  => token(broadcast => 'news', sub => undef),
        'no exp'      => token(broadcast => 'news', exp => undef),
    );
    for (sort keys %unauthorized) {
        my $answer = broadcast('news', 'no', token => $unauthorized{$_});
        refused($answer, 401, 'unauthorized', $_);
        is($answer->{header}{'www-authenticate'},
            'Bearer error="invalid_token"', '- by a bearer of a good one');
    }
    my %forbidden = (
        'another topic'  => token(broadcast => 'old'),
        'a pattern'      => token(broadcast => '*'),
        'no topic'       => token(broadcast => 'x', topic => undef),
        'to subscribe'   => token(subscribe => 'news'),
        'without scope'  => token(broadcast => 'news', scope => undef),
    );
    refused(broadcast('news', 'no', token => $forbidden{$_}), 403,
        'forbidden', $_) for sort keys %forbidden;

    my $good = token(broadcast => 'news');
    my %malformed = (
        'no JSON'         => 'topic=news',
        'nothing'         => '',
        'no object'       => '["news"]',
        'a missing token' => qq({"topic":"news","message":"m"}),
        'a number'        => qq({"topic":"news","message":1,"token":"$good"}),
        'a null'          => qq({"topic":null,"message":"m","token":"$good"}),
        'two topics'      =>
            qq({"topic":"a","topic":"news","message":"m","token":"$good"}),
        'no UTF-8'        =>
            qq({"topic":"news","message":"\xff","token":"$good"}),
    );
    refused(post($malformed{$_}), 400, 'bad_request', $_)
        for sort keys %malformed;
    refused(broadcast('', 'm', token => $good), 400, 'channel_name',
        'an empty topic');
    refused(broadcast('x' x 256, 'm', token => $good), 400, 'channel_name',
        'too long a topic');
    for my $method (qw(GET PUT DELETE)) {
        my $answer = $nginx->http($method => '/broadcast');
        refused($answer, 405, 'method_not_allowed', $method);
        is($answer->{header}{allow}, 'POST', '- with what is');
    }
    for my $type ('text/plain', 'application/jsonp', undef) {
        refused(post('{}', headers => ['Content-Type' => $type]), 415,
            'unsupported_media_type', $type // 'no type');
    }
    is(broadcast('other', 'm', headers => [
                'Content-Type' => 'Application/JSON ; charset=utf-8'
            ])->{status}, 200, 'a type in another case, with a parameter');
    refused(broadcast('news', 'x' x 11, path => '/small'), 413, 'too_large',
        'paperboy_max_message_size');
    is(broadcast('other', 'x' x 10, path => '/small')->{status}, 200,
        'just as large');
    refused(broadcast('news', 'x' x 1024, path => '/body'), 413, 'too_large',
        'paperboy_max_api_size');
    refused(broadcast('news', 'x' x 102_400), 413, 'too_large',
        'client_max_body_size');
    refused(post(undef, headers => ['Content-Type' => 'application/json']),
        411, 'length_required', 'no length');
    refused(broadcast('news', 'm', headers => [
                'Content-Type' => 'application/json',
                Origin => 'https://evil.example' ]),
        403, 'origin', 'a page of another site');
    is_deeply([heard($ws)], [], 'none of them was heard');
};

subtest 'large ones, chunked ones, the same again' => sub {
    my $ws   = subscriber('news');
    my $text = 'x' x 60_000;
    is(broadcast('news', $text)->{status}, 200, 'from a file');
    ok($ws->recv eq "text:$text", 'whole');
    my $body = $json->encode({ topic => 'news', message => 'parts',
            token => token(broadcast => 'news') });
    my $chunks = join '', map { sprintf "%x\r\n%s\r\n", length, $_ }
        unpack('(a100)*', $body), '';
    is(post($chunks, headers => [
                'Content-Type' => 'application/json',
                'Transfer-Encoding' => 'chunked'
            ])->{status}, 200, 'in chunks');
    is($ws->recv, 'text:parts', 'heard');
    for (1, 2) {
        is(broadcast('news', 'once', headers => [
                    'Content-Type' => 'application/json',
                    'Idempotency-Key' => 'order-7'
                ])->{status}, 200, 'with an idempotency key');
    }
    is_deeply([heard($ws)], ['text:once'], 'it is heard once');
};

subtest 'what lets in before a token does' => sub {
    is($nginx->ws('/ws?token=bad', token => 'bad')->status, 101,
        'a token of the request is not looked at');
    my $ws = $nginx->ws('/ws?token=' . token(subscribe => 'news'));
    ask($ws, '/subscribe news x');
    broadcast('news', 'unheard');
    is_deeply([heard($ws)], [], 'and opens nothing');
    is($nginx->ws('/quick', origin => 'https://evil.example')->status, 403,
        'a page of another site, where none may');
    is($nginx->ws('/none')->status, 403, 'who is denied');
    is(subscriber('news', '/any')->status, 101, 'who is not');
};

subtest 'pages that broadcast' => sub {
    my @origin    = (Origin => 'https://app.example');
    my $preflight = $nginx->http(OPTIONS => '/posts', headers => [@origin,
            'Access-Control-Request-Method'  => 'POST',
            'Access-Control-Request-Headers' => 'content-type']);
    like($preflight->{header}{'access-control-allow-methods'}, qr/POST/,
        'are told that they may');
    my $answer = broadcast('news', 'm', path => '/posts', headers => [@origin,
            'Content-Type' => 'application/json']);
    is($answer->{status}, 200, 'and do');
    is($answer->{header}{'access-control-allow-origin'},
        'https://app.example', 'and read the answer');
    is($nginx->http(GET => '/posts')->{status}, 403, 'limit_except holds');
};

subtest 'who it is' => sub {
    my $ws = $nginx->ws('/ws');
    ask($ws, "/subscribe $_ " . token(subscribe => $_, sub => "user of $_"))
        for qw(first second);
    $ws->close(1000);
    ok(wait_for('its line in the log', sub {
        $nginx->log('paperboy.log')
            =~ /^user of first\|second, first\|1000$/m;
    }), 'the first token says it');
};

subtest 'namespaces' => sub {
    my $shop  = subscriber('news', '/shop/ws');
    my $plain = subscriber('news');
    broadcast('news', 'in the shop', path => '/shop/broadcast');
    broadcast('news', 'outside');
    is_deeply([heard($plain)], ['text:outside'], 'one');
    is($shop->recv, 'text:in the shop', 'and the other');
};

subtest 'topics are channels like any' => sub {
    my $notiflux = subscriber('room');
    my $raw      = $nginx->ws('/raw?c=room');
    my $sse      = $nginx->events('/sse?c=room');
    my $native   = $nginx->ws('/native');
    $native->text(qq({"id":1,"connect":{}}\n)
            . '{"id":2,"subscribe":{"channel":"room"}}');
    like($native->recv, qr/"subscribe"/, 'a native subscriber');
    $sse->wait_for_id;
    my $pushed = sub {
        my ($data) = $native->recv =~ /"pub":\{"data":(.*),"offset":\d+/
            or return 'no push';
        return $data;
    };
    my $heard = sub ($text, $as_json, $name) {
        is($notiflux->recv, "text:$text",    "$name: notiflux");
        is($raw->recv,      "text:$text",    "$name: raw");
        is($sse->recv,      "message:$text", "$name: sse");
        is($pushed->(),     $as_json,        "$name: native");
    };
    broadcast('room', 'good morning');
    $heard->('good morning', '"good morning"', 'a broadcast');
    broadcast('room', '{"n": 1.0}');
    $heard->('{"n": 1.0}', '{"n": 1.0}', 'a broadcast of JSON');
    $nginx->http(POST => '/publish?channel=room', body => 'a request');
    $heard->('a request', '"a request"', 'a publish');
    $raw->text('by raw');
    $heard->('by raw', '"by raw"', 'a raw client');
    $native->text('{"id":3,"publish":{"channel":"room","data":{"by":"us"}}}');
    is($notiflux->recv, 'text:{"by":"us"}', 'a native client: notiflux');
    $nginx->http(POST => '/publish?channel=room', body => "\0\xff",
        headers => ['Content-Type' => 'application/octet-stream']);
    is($notiflux->recv, "binary:\0\xff", 'a binary publication: notiflux');
};

subtest 'a reload' => sub {
    my $ws = subscriber('news');
    $nginx->reload;
    broadcast('news', 'after it');
    is($ws->recv, 'text:after it', 'ends nothing');
};

subtest 'configuration' => sub {
    conf_refused('server { location / { paperboy notiflux; } }', 'no key',
        qr/paperboy notiflux: needs paperboy_jwt_key/);
    conf_refused('server { location / { paperboy_notiflux_broadcast; } }',
        'no key', qr/paperboy_notiflux_broadcast: needs paperboy_jwt_key/);
    my $twice = 'paperboy_notiflux_broadcast; ' x 2;
    conf_refused("server { location / { $twice } }", 'twice',
        qr/is duplicate/);
    conf_refused(
        'server { location / { paperboy_publish any;
            paperboy_notiflux_broadcast; } }',
        'another handler', qr/already has a handler/);
};

finish;
