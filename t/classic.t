# The classic protocol where tokens are checked at the edge: the clients' side
# of its document, and that its channels are everybody's. With back ends:
# t/classic_redis.t.
use v5.36;
use Paperboy::Test;
use File::Temp ();
use JSON::PP ();
use Time::HiRes qw(sleep time);

my $dir    = File::Temp->newdir;
my $secret = 'secret ' x 10;
local $ENV{PAPERBOY_JWT_SECRET} = $secret;

my $nginx = nginx(dir => $dir, workers => 2, log_level => 'info',
    http => <<'END');
paperboy_zone main 8m;
paperboy_jwt_key HS256 env=PAPERBOY_JWT_SECRET;
paperboy_channel_rule closed subscribe=nobody;
server {
    listen 127.0.0.1:%%PORT%% reuseport;
    add_header X-Worker $pid always;
    paperboy_origin https://app.example;
    location /ws { paperboy classic; }
    location /brief { paperboy classic; paperboy_connect_timeout 300ms; }
    location /lively {
        paperboy classic;
        paperboy_ping_interval 200ms;
        paperboy_ping_timeout 200ms;
    }
    location /old { paperboy classic; paperboy_classic_unsubscribe user; }
    location /end { paperboy classic; paperboy_token_expiry end; }
    location /few { paperboy classic; paperboy_max_subscriptions 1; }
    location /issuer { paperboy classic; paperboy_token_issuer shop; }
    location /anybody { paperboy classic; paperboy_token_issuer ""; }
    location /shop { paperboy classic; paperboy_namespace shop; }
    location /native { paperboy native; paperboy_client_publish on; }
    location /raw { paperboy raw; paperboy_channel $arg_c; }
    location /sse { paperboy sse; paperboy_channel $arg_c; }
    location /publish { paperboy_jwt_key off; paperboy_publish any; }
    location /shop/publish {
        paperboy_jwt_key off;
        paperboy_publish any;
        paperboy_namespace shop;
    }
    location /api { paperboy_jwt_key off; paperboy_api any; }
    location /status { paperboy_status; }
}
END

my $json = JSON::PP->new->canonical->allow_nonref;

sub token ($channel, %more) {
    utf8::decode($channel) if defined $channel;
    my %claims = (iss => 'paperboy', userId => 'ann', channel => $channel,
        exp => time + 600, %more);
    delete @claims{ grep { !defined $claims{$_} } keys %claims };
    return jwt(\%claims, key => $secret);
}

sub client ($path = '/ws', %option) {
    return $nginx->ws($path, origin => 'https://app.example', %option);
}

sub subscribed ($channel, $path = '/ws', %more) {
    my $ws = client($path);
    $ws->text(token($channel, %more));
    is($ws->recv, "text:subscribed:$channel", "subscribed to $channel");
    return $ws;
}

sub publish ($channel, $body, %option) {
    my $answer = $nginx->http(
        POST    => ($option{path} // '') . "/publish?channel=$channel",
        body    => $body,
        headers => $option{headers} // []
    );
    is($answer->{status}, 200, 'published') or diag $answer->{body};
    return;
}

# What a message in the classic form says, without its time.
sub message ($ws) {
    my $event = $ws->recv;
    my ($text) = $event =~ /^text:(.*)$/s or return $event;
    my $message = $json->decode($text);
    my $time    = delete $message->{timestamp};
    ok(abs($time / 1000 - time) < 300, 'its time is in ms') or diag $text;
    return $message;
}

sub message_of ($channel, $payload) {
    return { userId => undef, channel => $channel, payload => $payload };
}

# Nothing came before what is published now.
sub silent ($ws, $channel, $name) {
    publish($channel, '"the next"');
    return is_deeply(message($ws), message_of($channel, 'the next'), $name);
}

# Clients of all workers: each as often as it takes.
sub on_both_workers ($make) {
    my %clients;
    for (1 .. 100) {
        my $ws = $make->();
        push @{ $clients{ $ws->header('X-Worker') } }, $ws;
        last if keys %clients == 2;
    }
    is(scalar keys %clients, 2, 'clients on both workers');
    return map { $_->[0] } values %clients;
}

# The one that waits for the default time is looked at in the end.
my $idle = client();

subtest 'a token subscribes' => sub {
    my $ws = client();
    publish('news', '"too early"');
    $ws->text(token('news'));
    is($ws->recv, 'text:subscribed:news', 'and is confirmed');
    publish('news', '{"n": 1.10, "s":"\u00e4"}');
    my ($text) = $ws->recv =~ /^text:(.*)$/s;
    like($text, qr/"payload":\{"n": 1\.10, "s":"\\u00e4"\}/,
        'a JSON text comes as it was published');
    publish('news', 'hello "you"', headers => ['Content-Type', 'text/plain']);
    is_deeply(message($ws), message_of('news', 'hello "you"'),
        'another text as a string');
    publish('news', 'foo',
        headers => ['Content-Type', 'application/octet-stream']);
    is_deeply(message($ws), message_of('news', { b64data => 'Zm9v' }),
        'bytes as natively');
    $ws->text(token('news'));
    is($ws->recv, 'text:subscribed:news', 'once more, and confirmed again');
    silent($ws, 'news', 'but subscribed once');
    $ws->text(token('sport'));
    is($ws->recv, 'text:subscribed:sport', 'to another on the same socket');
    publish('sport', 1);
    is_deeply(message($ws), message_of('sport', 1), 'which is told apart');
};

subtest 'tokens that are none' => sub {
    my $before = $nginx->status;
    my $ws     = subscribed('a');
    my %bad    = (
        'nonsense'             => 'nonsense',
        'no text'              => '',
        'JSON'                 => '{"subscribe":"a"}',
        'another key'          => jwt({ exp => time + 9 }, key => 'another'),
        'another issuer'       => token('b', iss => 'somebody'),
        'no issuer'            => token('b', iss => undef),
        'no end'               => token('b', exp => undef),
        'an end that is over'  => token('b', exp => time - 5),
        'no user'              => token('b', userId => undef),
        'another user'         => token('b', userId => 'bob'),
        'no channel'           => token(undef),
        'a long channel'       => token('b' x 256),
        'a closed channel'     => token('closed'),
        'may publish alone'    => token('b', scope => 'publish'),
    );
    for my $name (sort keys %bad) {
        $ws->text($bad{$name});
        silent($ws, 'a', "$name: silence");
    }
    $ws->binary(token('b'));
    silent($ws, 'a', 'binary: silence');
    publish('b', 'for nobody');
    silent($ws, 'a', 'subscribed to nothing');
    my $after = $nginx->status;
    is($after->{refused}{token} - $before->{refused}{token}, 8,
        'bad tokens are counted');
    is($after->{refused}{channel} - $before->{refused}{channel}, 6,
        'so is what a good one doesn\'t grant');
    like($nginx->log, qr/refused a command: unauthorized: \w.*, client: 127/,
        'and told to the operator');
    unlike($nginx->log, qr/ey[\w-]+\.ey/, 'without any token');
};

subtest 'refusals, where our subprotocol is offered' => sub {
    my $ws = client('/ws', protocol => 'paperboy.classic');
    is($ws->header('Sec-WebSocket-Protocol'), 'paperboy.classic', 'agreed');
    my %code = (nonsense => 101, token('closed') => 103,
        token('b', exp => time - 5) => 109);
    for my $token (sort keys %code) {
        $ws->text($token);
        my ($text) = $ws->recv =~ /^text:(.*)/;
        is($json->decode($text)->{error}{code}, $code{$token}, $text);
    }
    $ws->text(token('b'));
    is($ws->recv, 'text:subscribed:b', 'all else is the same');
    is(client()->header('Sec-WebSocket-Protocol'), undef, 'unasked there is none');
};

subtest 'the first authorised subscription in time' => sub {
    my $never = client('/brief');
    my $bad   = client('/brief');
    my $good  = subscribed('news', '/brief');
    $bad->text($_) for 'nonsense', token('closed'), 'unsubscribe:news';
    is($never->recv, 'close:3502', 'one that asks for nothing is closed');
    is($bad->recv,   'close:3502', 'one that is refused too, and hears no more');
    silent($good, 'news', 'one that is subscribed stays');
    $good->text('unsubscribe:news');
    sleep 0.5;
    $good->text(token('news'));
    is($good->recv, 'text:subscribed:news', 'also without a channel');
};

subtest 'heartbeats' => sub {
    my $ws = subscribed('news', '/lively');
    for (1 .. 3) {
        is($ws->recv, 'ping:', 'the server pings');
        $ws->pong;
    }
    is($ws->recv, 'ping:', 'and again');
    like($ws->recv, qr/^(?:close:3012|eof)$/, 'one that is silent is dropped');
};

subtest 'unsubscribe' => sub {
    my ($one, $two) = on_both_workers(sub { subscribed('news') });
    $one->text(token('sport'));
    is($one->recv, 'text:subscribed:sport', 'a channel that stays');
    $one->text('unsubscribe:news');
    $one->text('unsubscribe:');
    $one->text('unsubscribe:other');
    $one->text(token('sport'));
    is($one->recv, 'text:subscribed:sport', 'it isn\'t answered');
    publish('news', 1);
    is_deeply(message($two), message_of('news', 1),
        'the user\'s other connection stays subscribed');
    silent($one, 'sport', 'this one hears nothing of it');
};

subtest 'unsubscribe, the old way' => sub {
    my ($one, $two) = on_both_workers(sub { subscribed('news', '/old') });
    my $bob = subscribed('news', '/old', userId => 'bob');
    $two->text(token('sport'));
    is($two->recv, 'text:subscribed:sport', 'a channel that stays');
    $one->text('unsubscribe:news');
    sleep 0.3;
    publish('news', 1);
    is_deeply(message($bob), message_of('news', 1), 'another user stays');
    silent($two, 'sport', 'all of the user\'s connections have left');
};

subtest 'how long words are' => sub {
    for my $channel ('c' x 87, "\xc3\xa9" x 87, "\xf0\x9f\x93\xb0" x 43) {
        my $ws = subscribed($channel);
        $ws->text(token('other'));
        is($ws->recv, 'text:subscribed:other', 'another');
        $ws->text("unsubscribe:$channel");
        silent($ws, 'other', 'unsubscribed, still alive');
        publish($channel, 1);
        silent($ws, 'other', 'and hears nothing of it');
    }
    my $ws = subscribed('c' x 88);
    $ws->text('unsubscribe:' . 'c' x 88);
    silent($ws, 'c' x 88, '100 characters are no word, but a bad token');
    $ws->text(token('c' x 89));
    $ws->text(token('other'));
    is($ws->recv, 'text:subscribed:other',
        'a confirmation of 100 characters isn\'t sent');
    publish('c' x 89, 1);
    is_deeply(message($ws), message_of('c' x 89, 1), 'though it is subscribed');
};

subtest 'expiry' => sub {
    my $admitted = subscribed('news', '/ws',  exp => time + 2);
    my $ends     = subscribed('news', '/end', exp => time + 2);
    $ends->text(token('sport'));
    is($ends->recv, 'text:subscribed:sport', 'with another token');
    sleep 3.2;
    silent($admitted, 'news', 'a token admits, by default');
    silent($ends, 'sport', 'or its subscription ends with it');
};

subtest 'settings of a location' => sub {
    my $ws = subscribed('news', '/issuer', iss => 'shop');
    $ws->text(token('sport'));
    silent($ws, 'news', 'another issuer');
    subscribed('news', '/anybody', iss => 'whoever');
    subscribed('news', '/anybody', iss => undef);
    $ws = subscribed('a', '/few');
    $ws->text(token('b'));
    silent($ws, 'a', 'paperboy_max_subscriptions');
    my $shop = subscribed('news', '/shop');
    my $here = subscribed('news');
    publish('news', 1, path => '/shop');
    is_deeply(message($shop), message_of('news', 1), 'paperboy_namespace');
    silent($here, 'news', 'is another news');
};

subtest 'origins' => sub {
    is($nginx->ws('/ws', origin => 'https://app.example')->status, 101,
        'one of the list');
    is($nginx->ws('/ws')->status, 101, 'no page: a token has to be shown');
    for my $origin (qw(https://app.example.evil https://evil/?app.example
        http://app.example https://app.exampl null)) {
        is($nginx->ws('/ws', origin => $origin)->status, 403, $origin);
    }
};

subtest 'everybody\'s channels' => sub {
    my $classic = subscribed('room');
    my $raw     = $nginx->ws('/raw?c=room', token => token('room'));
    my $sse     = $nginx->events('/sse?c=room&token=' . token('room'));
    my $native  = $nginx->ws('/native',
        token => token('room', scope => 'subscribe publish'));
    $native->text('{"id":1,"connect":{}}');
    like($native->recv, qr/"connect"/, 'connected natively');
    $native->text('{"id":2,"subscribe":{"channel":"room"}}');
    like($native->recv, qr/"id":2,"subscribe"/, 'and subscribed');
    publish('room', '{"a":1}');
    is_deeply(message($classic), message_of('room', { a => 1 }), 'classic');
    is($raw->recv, 'text:{"a":1}', 'raw');
    is($sse->recv, 'message:{"a":1}', 'a stream of events');
    like($native->recv, qr/"data":\{"a":1\}/, 'native');
    $native->text('{"id":3,"publish":{"channel":"room","data":"hi"}}');
    is_deeply(message($classic), message_of('room', 'hi'),
        'what a native client publishes');
    is($raw->recv, 'text:"hi"', 'all hear');
};

subtest 'what back ends order' => sub {
    my $ws = subscribed('news');
    $ws->text(token('sport'));
    is($ws->recv, 'text:subscribed:sport', 'in two channels');
    my $answer = $nginx->http(POST => '/api/unsubscribe',
        body => '{"user":"ann","channel":"news"}');
    is($answer->{status}, 200, 'unsubscribe');
    sleep 0.3;
    publish('news', 1);
    silent($ws, 'sport', 'says nothing to the client');
    $nginx->http(POST => '/api/disconnect', body => '{"user":"ann"}');
    is($ws->recv, 'close:3503', 'disconnect');
};

subtest 'what can\'t be configured' => sub {
    my $key = 'paperboy_jwt_key HS256 env=PAPERBOY_JWT_SECRET;';
    my sub location ($text) { return "server { location / { $text } }" }
    conf_refused(location('paperboy classic;'), 'neither key nor back end',
        qr/paperboy classic: needs paperboy_jwt_key .* paperboy_classic_redis/);
    conf_refused(location('paperboy classic; paperboy_classic_authorize edge;'),
        'no key', qr/paperboy_classic_authorize edge: needs paperboy_jwt_key/);
    conf_refused(location("$key paperboy classic; "
                . 'paperboy_classic_authorize backend;'), 'no back end',
        qr/paperboy classic: needs .*paperboy_classic_redis/);
    conf_refused(location("$key paperboy classic; paperboy_classic_notify on;"),
        'nobody to tell',
        qr/paperboy_classic_notify: needs paperboy_classic_redis/);
    conf_refused(location("$key paperboy classic; "
                . 'paperboy_classic_unsubscribe all;'), 'whom else',
        qr/invalid value "all"/);
    conf_refused(location("$key paperboy clasic;"), 'a misspelt dialect',
        qr/clasic: no such dialect; there are .*classic/);
};

is($idle->recv, 'close:3502', 'an idle one has been closed');

finish;
