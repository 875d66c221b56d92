# The classic protocol with embedded back ends: the four calls over HTTP, the
# callbacks that requests are posted to, and what may go wrong with each. The
# back end is the test, as the document has it.
use v5.36;
use Paperboy::Callback;
use Paperboy::Dns;
use Paperboy::Test;
use JSON::PP ();
use Time::HiRes qw(sleep time);

my $REQUESTS = 'paperboy-subscription-request';
my $TOKEN    = 'secretToken of a test';
my $json     = JSON::PP->new->canonical;

sub conf ($callbacks = 'paperboy_embedded_callbacks 127.0.0.1;', $more = '') {
    return <<"END";
paperboy_zone main 8m;
paperboy_embedded_token "$TOKEN";
$callbacks
$more
paperboy_origin any;
server {
    listen 127.0.0.1:%%PORT%% reuseport;
    add_header X-Worker \$pid always;
    location /ws { paperboy classic; }
    location /raw { paperboy raw; paperboy_channel \$arg_c; }
    location /publish { paperboy_publish any; }
    location /status { paperboy_status; }
    location /deep/er { paperboy_embedded; }
}
server {
    listen 127.0.0.1:%%PORT_backend%% reuseport;
    add_header X-Worker \$pid always;
    location / { paperboy_embedded; }
}
END
}

$TOKEN =~ tr/ /-/;
my $dns = Paperboy::Dns->new(name => 'elsewhere.test');
$dns->addresses('127.0.0.2');
my $resolver = 'resolver 127.0.0.1:' . $dns->port . ' valid=1s ipv6=off;';
my $nginx    = nginx(workers => 2, http => conf());

# --- the back end, as a connector is ----------------------------------------

sub ask ($method, $path, %option) {
    return $nginx->http(
        $method => $path,
        port    => 'backend',
        headers => [PaperboyEmbeddedBackendToken => $TOKEN],
        %option
    );
}

sub register ($callback, %option) {
    my $body = {
        restHostname => '127.0.0.1',
        restPort     => $callback ? $callback->port : 1,
        restPath     => "/messageCallback/$REQUESTS",
        %{ $option{body} // {} },
    };
    my $topic = $option{topic} // $REQUESTS;
    return ask(POST => "/subscribeTopic/$topic", body => $json->encode($body));
}

sub registered ($callback, %option) {
    my $answer = register($callback, %option);
    is("$answer->{status} $answer->{body}", '200 done', 'registered');
    return $callback;
}

sub push_to ($topic, $text, %option) {
    return ask(POST => "/pushMessage/$topic", body => $text, %option);
}

sub pushed ($topic, $message) {
    my $text   = ref $message ? $json->encode($message) : $message;
    my $answer = push_to("paperboy-$topic", $text);
    is("$answer->{status} $answer->{body}", '200 done', "pushed: $topic");
    return $text;
}

sub authorize ($id, $user, $channel = undef) {
    return pushed('subscription-authorized',
        { wsId => $id, token => undef, userId => $user, channel => $channel });
}

sub message ($user, $channel, $payload) {
    my $text = sprintf '{"userId":%s,"channel":%s,"payload":%s,"timestamp":%d}',
        (map { defined ? qq{"$_"} : 'null' } $user, $channel), $payload,
        time * 1000;
    return pushed('message', $text);
}

# What the callback was posted for a client that shows a token.
sub request ($callback, $ws, $token) {
    $ws->text($token);
    return $json->decode($callback->next->{body});
}

# One that is let into the channel.
sub enter ($callback, $user, $channel, %option) {
    my $ws      = $nginx->ws('/ws', %option);
    my $request = request($callback, $ws, "the token of $user");
    authorize($request->{wsId}, $user, $channel);
    is($ws->recv, "text:subscribed:$channel", "$user is in $channel");
    return $ws;
}

# Connections of both workers: each as often as it takes.
sub on_both_workers ($make) {
    my %clients;
    for (1 .. 100) {
        my $ws = $make->();
        $clients{ $ws->header('X-Worker') } //= $ws;
        last if keys %clients == 2;
    }
    is(scalar keys %clients, 2, 'clients on both workers');
    return values %clients;
}

sub instance () { return ask(GET => '/instance', headers => [])->{body} }

# --- the four calls ---------------------------------------------------------

subtest 'GET /instance' => sub {
    my $answer = ask(GET => '/instance', headers => []);
    is($answer->{status}, 200, 'without a token');
    like($answer->{body}, qr/^[0-9a-f]{1,16}$/, 'an id as text');
    is(instance(), $answer->{body}, 'the same of all workers') for 1 .. 20;
    is(ask(GET => '/deep/er/instance', port => '')->{body},
        $answer->{body}, 'behind another prefix too');
    $answer = ask(POST => '/instance', body => '');
    is("$answer->{status} $answer->{header}{allow}", '405 GET, HEAD',
        'not by POST');
};

subtest 'a client by an unmodified connector' => sub {
    my $back = registered(Paperboy::Callback->new);
    my $ws   = $nginx->ws('/ws');
    $ws->text('the token of ann');
    my $posted = $back->next;
    is($posted->{method}, 'POST',                          'a POST');
    is($posted->{path}, "/messageCallback/$REQUESTS",      'to the path');
    is($posted->{header}{paperboyembeddedbackendtoken},
        $TOKEN, 'shows the token');
    is($posted->{header}{host}, '127.0.0.1:' . $back->port, 'to its host');
    is($posted->{header}{'content-type'}, 'application/json', 'of JSON');
    my $request = $json->decode($posted->{body});
    is($request->{token}, 'the token of ann', 'with the token');
    like($request->{wsId}, qr/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
        'and a UUID');
    is_deeply([sort keys %$request], [qw(token wsId)], 'and nothing else');
    authorize($request->{wsId}, 'ann', 'news');
    is($ws->recv, 'text:subscribed:news', 'who is authorised hears it');
    my $text = message(undef, 'news', '{"a": 1.0}');
    is($ws->recv, "text:$text", 'a message of the channel, as it was');
    $text = message('ann', undef, '"for you"');
    is($ws->recv, "text:$text", 'a message of the user');
    my $raw = $nginx->ws('/raw?c=news');
    message(undef, 'news', '[2]');
    is($raw->recv, 'text:[2]', 'others hear the payload');
    $ws->recv;
    pushed('subscription-close', { userId => 'ann', channel => 'news' });
    message(undef, 'news', '3');
    $text = message('ann', undef, '4');
    is($ws->recv, "text:$text", 'who was told to leave has left');
    $back->stop;
};

subtest 'the first snapshot, whichever worker takes it' => sub {
    my $back = registered(Paperboy::Callback->new);
    for my $n (1 .. 30) {
        my $ws      = $nginx->ws('/ws');
        my $request = request($back, $ws, "token $n");
        # As a connector does: one after the other, each on a new connection.
        authorize($request->{wsId}, "user$n", "room$n");
        my $text = message(undef, "room$n", "\"snapshot $n\"");
        is($ws->recv, "text:subscribed:room$n", 'subscribed');
        is($ws->recv, "text:$text",             'and has the snapshot');
    }
    $back->stop;
};

subtest 'refusals' => sub {
    my $back = Paperboy::Callback->new;
    my %body = (restHostname => '127.0.0.1', restPort => $back->port,
        restPath => '/');
    my sub refused ($answer, $status, $pattern, $name) {
        is($answer->{status}, $status, $name);
        like($answer->json->{message}, $pattern, '- and says why');
    }
    for my $call ("/subscribeTopic/$REQUESTS", '/pushMessage/paperboy-message')
    {
        for my $token (undef, '', 'x', "${TOKEN}x", substr($TOKEN, 0, -1)) {
            refused(
                ask(POST => $call, body => $json->encode(\%body), headers =>
                    [PaperboyEmbeddedBackendToken => $token]),
                401, qr/PaperboyEmbeddedBackendToken/, "$call: a bad token"
            );
        }
        my $answer = ask(GET => $call);
        is("$answer->{status} $answer->{header}{allow}", '405 POST', 'GET');
        refused(ask(POST => $call), 411, qr/Content-Length/, 'without a body');
    }
    refused(ask(POST => $_, body => '{}'), 404, qr/no such topic/, $_)
        for qw(/subscribeTopic/other /subscribeTopic/ /pushMessage/
        /pushMessage/paperboy-messages /subscribeTopic/paperboy-message/x);
    refused(ask(GET => $_), 404, qr/no such call/, $_)
        for qw(/ /instances /subscribeTopic /pushmessage/paperboy-message
        /x/instance);
    refused(ask(GET => $_, port => ''), 404, qr/no such call/, $_)
        for qw(/deep/er /deep/erinstance /deep/er/);

    my %bad = (
        'no JSON'         => '{"restHostname"',
        'no object'       => '[]',
        'nothing'         => '{}',
        'a name twice'    => '{"restPort":1,"restPort":2}',
        'a port as text'  => $json->encode({ %body, restPort => '80' }),
        'port 0'          => $json->encode({ %body, restPort => 0 }),
        'port 65536'      => $json->encode({ %body, restPort => 65536 }),
        'no host'         => $json->encode({ %body, restHostname => '' }),
        'a host with @'   => $json->encode({ %body, restHostname => 'a@b' }),
        'a host of CR LF' =>
            $json->encode({ %body, restHostname => "a\r\nX: b" }),
        'a long host'    => $json->encode({ %body, restHostname => 'a' x 254 }),
        'no path'        => $json->encode({ %body, restPath => undef }),
        'a path of none' => $json->encode({ %body, restPath => 'x' }),
        'another URL'    => $json->encode({ %body, restPath => 'http://x/' }),
        'a path with a space' => $json->encode({ %body, restPath => '/a b' }),
        'a path of CR LF' =>
            $json->encode({ %body, restPath => "/ HTTP/1.1\r\nX: y" }),
        'a long path' => $json->encode({ %body, restPath => '/' . 'a' x 512 }),
    );
    for my $name (sort keys %bad) {
        refused(ask(POST => "/subscribeTopic/$REQUESTS", body => $bad{$name}),
            400, qr/callback is no JSON|rest\w+/, $name);
    }
    refused(ask(POST => "/subscribeTopic/$REQUESTS", body => ' ' x 4097),
        413, qr/4 KiB/, 'a large callback');

    my %message = (
        'paperboy-message'                 => '{"payload":1}',
        'paperboy-subscription-authorized' => '{"userId":"ann"}',
        'paperboy-subscription-close'      => '{"channel":"news"}',
    );
    for my $topic (sort keys %message) {
        refused(push_to($topic, $_), 400, qr/it /, "$topic: $_")
            for $message{$topic}, 'x', "\xff", '', '[]';
    }
    refused(push_to('paperboy-message', ' ' x 65_537),
        413, qr/paperboy_max_message_size/, 'a large message');
    refused(push_to('paperboy-message', 'x' x (2 << 20)),
        413, qr/client_max_body_size/, 'larger than nginx takes');
    refused(
        push_to('paperboy-message', '{"channel":"a"}', headers =>
            [PaperboyEmbeddedBackendToken => $TOKEN,
                'Idempotency-Key' => 'k' x 257]),
        400, qr/idempotency key/, 'a long key'
    );
    like($nginx->log, qr/refused by token: no PaperboyEmbedded/, 'logged');
    unlike($nginx->output, qr/\Q$TOKEN\E/, 'the token is in no log');
    $back->stop;
};

subtest 'once, with a key' => sub {
    my $raw  = $nginx->ws('/raw?c=once');
    my @with = (headers => [PaperboyEmbeddedBackendToken => $TOKEN,
        'Idempotency-Key' => 'one']);
    push_to('paperboy-message', '{"channel":"once","payload":1}', @with)
        for 1 .. 8;
    push_to('paperboy-message', '{"channel":"once","payload":2}') for 1 .. 2;
    push_to('paperboy-message', '{"channel":"once","payload":3}');
    is($raw->recv, "text:$_", "$_ comes") for 1, 2, 2, 3;
};

# --- callbacks --------------------------------------------------------------

subtest 'whom a callback may be' => sub {
    my %denied = (
        '127.0.0.2'        => qr/none of paperboy_embedded_callbacks/,
        '::1'              => qr/none of paperboy_embedded_callbacks/,
        '[::1]'            => qr/none of paperboy_embedded_callbacks/,
        '10.0.0.1'         => qr/none of paperboy_embedded_callbacks/,
        '169.254.169.254'  => qr/none of paperboy_embedded_callbacks/,
        'localhost'        => qr/no resolver/,
        '2130706433'       => qr/no resolver/,
        '127.1'            => qr/no resolver/,
        '0x7f.0.0.1'       => qr/no resolver/,
    );
    for my $host (sort keys %denied) {
        my $answer = register(undef, body => { restHostname => $host });
        is($answer->{status}, 403, "callback: $host");
        like($answer->json->{message}, $denied{$host}, '- and says why');
    }
    like($nginx->log, qr{none\ of\ paperboy_embedded_callbacks:
        \ http://10\.0\.0\.1:1/messageCallback/\S+,\ client:}x,
        'the log tells which');
};

subtest 'one that answers other than 200 is dropped' => sub {
    for my $answer ('500 Oops', '201 Created', '302 Found', '204 None') {
        my $back = registered(Paperboy::Callback->new(answer => $answer));
        my $good = registered(Paperboy::Callback->new);
        request($_, $nginx->ws('/ws'), 'x') for $good;
        ok($back->next, 'it was posted the first');
        wait_for('it is dropped',
            sub { $nginx->log =~ /:@{[$back->port]}\S* is dropped: it answers/ });
        my ($one, $two) = on_both_workers(sub { $nginx->ws('/ws') });
        request($good, $_, 'y') for $one, $two;
        is($back->waiting, 0, "$answer: and hears no more");
        $_->stop for $back, $good;
        push_to($REQUESTS, '{}');    # so that dead ones are seen as such
    }
    unlike($nginx->output, qr/elsewhere/, 'no redirect is followed');
};

subtest 'one that can not be reached stays' => sub {
    my $back = registered(Paperboy::Callback->new);
    request($back, $nginx->ws('/ws'), 'before');
    my $port = $back->port;
    $back->stop;
    my $lost = $nginx->status->{classic_requests_lost};
    $nginx->ws('/ws')->text('lost');
    wait_for('it is lost',
        sub { $nginx->status->{classic_requests_lost} > $lost });
    $back = Paperboy::Callback->new(port => $port);
    request($back, $nginx->ws('/ws'), 'after');
    pass('and is called again');
    registered($back) for 1 .. 3;
    $nginx->ws('/ws')->text('once');
    like($back->next->{body}, qr/"once"/, 'registered anew');
    $nginx->ws('/ws')->text('and once more');
    like($back->next->{body}, qr/once more/, 'it is called once each');
    $back->stop;
};

subtest 'all callbacks of a topic' => sub {
    my ($one, $two) = map { registered(Paperboy::Callback->new) } 1 .. 2;
    my $other = registered(Paperboy::Callback->new,
        topic => 'paperboy-message');
    my $ws = $nginx->ws('/ws');
    $ws->text('for all');
    like($_->next->{body}, qr/for all/, 'each is posted it') for $one, $two;
    my $text = message(undef, 'news', '1');
    is($other->next->{body}, $text, 'a message goes to who registered for it');
    is(push_to($REQUESTS, '{"from":"a back end"}')->{status}, 200, 'pushed');
    is($_->next->{body}, '{"from":"a back end"}', 'as it is') for $one, $two;
    is($_->waiting, 0, 'and nothing else') for $one, $two, $other;
    $_->stop for $one, $two, $other;
};

subtest 'a reload, and a worker that is killed' => sub {
    my $back = registered(Paperboy::Callback->new);
    my $id   = instance();
    $nginx->reload;
    is(instance(), $id, 'the id stays');
    request($back, $_, 'after a reload')
        for on_both_workers(sub { $nginx->ws('/ws') });
    $nginx->expect_log(qr/exited on signal 9/);
    $nginx->kill_worker($_) for $nginx->workers;
    is(instance(), $id, 'and when all workers are killed');
    request($back, $_, 'after a kill')
        for on_both_workers(sub { $nginx->ws('/ws') });
    $back->stop;
};

my $first = instance();
is($nginx->stop, 1, 'stopped');

# The client's worker is asleep while another lets the client in and a third
# takes the snapshot: it knows of who was let in all the same.
subtest 'a snapshot that another worker takes' => sub {
    $nginx = nginx(workers => 3, http => conf());
    isnt(instance(), $first, 'another nginx has lost what was registered');
    my $back    = registered(Paperboy::Callback->new);
    my $ws      = $nginx->ws('/ws');
    my $request = request($back, $ws, 'a token');
    my $asleep  = $ws->header('X-Worker');
    my %to;    # a connection to each worker
    for (1 .. 200) {
        my $connection = $nginx->connection(port => 'backend');
        $connection->write(Paperboy::HTTP::format_request(path => '/instance'));
        $to{ $connection->answer->{header}{'x-worker'} } //= $connection;
        last if keys %to == 3;
    }
    my ($one, $two) = map { $to{$_} } grep { $_ != $asleep } sort keys %to;
    my sub push_by ($connection, $topic, $text) {
        $connection->write(Paperboy::HTTP::format_request(
            method  => 'POST',
            path    => "/pushMessage/paperboy-$topic",
            headers => [PaperboyEmbeddedBackendToken => $TOKEN],
            body    => $text
        ));
        return is($connection->answer('POST')->{body}, 'done', $topic);
    }
    $nginx->pause($asleep);
    push_by($one, 'subscription-authorized', $json->encode(
        { wsId => $request->{wsId}, userId => 'ann', channel => 'news' }));
    my $text = '{"channel":"news","payload":"snapshot"}';
    push_by($two, 'message', $text);
    kill CONT => $asleep;
    is($ws->recv, 'text:subscribed:news', 'let in');
    is($ws->recv, "text:$text",           'and it has the snapshot');
    $back->stop;
    $nginx->stop;
};

# --- limits -----------------------------------------------------------------

subtest 'limits' => sub {
    $nginx = nginx(workers => 1, http => conf(
        'paperboy_embedded_callbacks 127.0.0.0/30 127.0.0.9:7;',
        'paperboy_embedded_timeout 300ms; paperboy_embedded_max_callbacks 3;'
            . 'paperboy_embedded_queue 2;'));
    my $slow = registered(Paperboy::Callback->new(answer => ''));
    my @ws   = map { $nginx->ws('/ws') } 1 .. 10;
    $_->text('x') for @ws;
    wait_for('more than four and two are lost',
        sub { $nginx->log =~ /is lost: too many wait for it/ });
    wait_for('all are counted',
        sub { $nginx->status->{classic_requests_lost} == 10 });
    sleep 1;    # one line a second
    $nginx->ws('/ws')->text('x');
    wait_for('no answer in time',
        sub { $nginx->log =~ /is lost: no answer in time/ });
    is($nginx->status->{classic_requests}, 0, 'none was taken');
    $slow->stop;
    registered(undef, body => { restPort => 2 });
    registered(undef, body => { restPort => 3 });
    registered(undef, body => { restPort => 3 });
    my $answer = register(undef, body => { restPort => 4 });
    is($answer->{status}, 503, 'a fourth callback');
    like($answer->json->{message}, qr/paperboy_embedded_max_callbacks/,
        '- and says why');
    my %nine = (restHostname => '127.0.0.9');
    is(register(undef, body => { %nine, restPort => 7 })->{status},
        503, 'an address and port that are listed');
    is(register(undef, body => { %nine, restPort => 8 })->{status},
        403, 'another port');
    is(register(undef, body => { restHostname => '127.0.0.4' })->{status},
        403, 'one behind the network');
    $nginx->stop;
};

subtest 'hostile answers' => sub {
    $nginx = nginx(workers => 1, http => conf('paperboy_embedded_callbacks 127.0.0.1;',
        'paperboy_embedded_timeout 1s;'));
    my %hostile = (
        'no HTTP'        => "SSH-2.0-hello\r\n\r\n",
        'a long head'    => "HTTP/1.1 200 OK\r\n" . "X: y\r\n" x 5000,
        'a cut head'     => "HTTP/1.1 200 OK\r\n",
        'a bad length'   => "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        'two lengths'    => "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
            . "Content-Length: 2\r\n\r\n",
        'nothing at all' => "",
        'zeros'          => "\0" x 100_000,
        'another protocol' => "HTTP/1.1 101 Switching\r\n\r\n",
    );
    for my $name (sort keys %hostile) {
        my $back = registered(Paperboy::Callback->new(raw => $hostile{$name}));
        my $before = $nginx->status->{classic_requests_lost};
        $nginx->ws('/ws')->text('x');
        wait_for("$name: it is lost",
            sub { $nginx->status->{classic_requests_lost} > $before });
        $back->refuse;
        $nginx->ws('/ws')->text('x');
        wait_for('and it is dropped', sub {
            $nginx->log =~ /:@{[$back->port]}\S* is dropped/ });
        $back->stop;
    }
    my $big = registered(Paperboy::Callback->new(
        raw => "HTTP/1.1 200 OK\r\n\r\n" . 'x' x 10_000_000));
    $nginx->ws('/ws')->text('x');
    wait_for('a body without an end is none of ours',
        sub { $nginx->status->{classic_requests} == 1 });
    $big->stop;
    $nginx->stop;
};

subtest 'names' => sub {
    $nginx = nginx(workers => 1, http => conf(
        'paperboy_embedded_callbacks 127.0.0.1;', $resolver));
    my $back   = Paperboy::Callback->new(any => 1);
    my %to     = (body => { restHostname => 'elsewhere.test' });
    registered($back, %to);
    $nginx->ws('/ws')->text('x');
    wait_for('a name of an address that is not listed is not called',
        sub { $nginx->log =~ /127\.0\.0\.2:\d+: it may not be connected to/ });
    is($back->waiting, 0, 'not even connected to');
    $dns->addresses('127.0.0.2', '127.0.0.1');
    sleep 2.2;    # until it is asked for again
    request($back, $nginx->ws('/ws'), 'one of two addresses');
    $nginx->stop;

    my $own = Paperboy::Callback->new;
    $nginx = nginx(workers => 1, http => conf(
        'paperboy_embedded_callbacks elsewhere.test:' . $own->port . ';',
        $resolver));
    $dns->addresses('127.0.0.1');
    registered($own, body => { restHostname => 'ElseWhere.Test' });
    request($own, $nginx->ws('/ws'), 'a name that is listed');
    is(register($back, body => { restHostname => '127.0.0.1' })->{status},
        403, 'its address is not');
    $nginx->stop;

    $nginx = nginx(workers => 1,
        http => conf('paperboy_embedded_callbacks localhost;'));
    registered($back, body => { restHostname => 'localhost' });
    request($back, $nginx->ws('/ws'), 'a name of the system');
    $nginx->stop;

    $nginx = nginx(workers => 1, http => conf(''));
    is(register($back)->{status}, 403, 'by default nobody is called');
    $nginx->ws('/ws')->text('x');
    wait_for('a request that reaches nobody is told',
        sub { $nginx->log =~ /no back end has registered a callback/ });
    $_->stop for $back, $own;
    $nginx->stop;
};

subtest 'what can\'t be configured' => sub {
    my $token = "paperboy_embedded_token $TOKEN;";
    my sub location ($text = 'paperboy_embedded;', $path = '/') {
        return "server { location $path { $text } }";
    }
    is(conf_error($token . location()), '', 'the least');
    conf_refused(location(), 'no token',
        qr/paperboy_embedded: needs paperboy_embedded_token/);
    conf_refused($token, 'no location', qr/paperboy_embedded_\*: means nothing/);
    conf_refused("paperboy_embedded_token env=NO_SUCH;" . location(),
        'no variable', qr/paperboy_embedded_token: no token there/);
    conf_refused("paperboy_embedded_token file=/no/such;" . location(),
        'no file', qr/paperboy_embedded_token: no token there/);
    conf_refused(qq{paperboy_embedded_token "a b";} . location(),
        'no header', qr/visible ASCII/);
    conf_refused($token x 2 . location(), 'twice', qr/is duplicate/);
    conf_refused("$token paperboy_classic_redis redis://127.0.0.1;" . location(),
        'both', qr/paperboy_embedded: not with paperboy_classic_redis/);
    conf_refused($token . location('paperboy_embedded;', $_), $_,
        qr/only in a location that is a prefix/) for '= /', '~ ^/';
    conf_refused($token . location('paperboy_embedded; paperboy_publish;'),
        'two kinds', qr/handler of its own/);
    for my $peer (qw(10.0.0.300 10.0.0.1/8 10.0.0.0/33 a:0 a:65536 a:b
        10.0.0.0/8:80 [a]:80 a/b), 'ä') {
        conf_refused("$token paperboy_embedded_callbacks $peer;" . location(),
            "callbacks: $peer", qr/expected an address or a name/);
    }
    is(conf_error("$token paperboy_embedded_callbacks 10.0.0.0/8 ::1 [::1]:80 "
                . '10.0.0.1:80 fd00::/8 localhost localhost:80;'
                . location()), '', 'what callbacks may be');
    conf_refused("$token paperboy_embedded_callbacks no-such.invalid;"
            . location(), 'unknown', qr/the system doesn't know the host/);
    conf_refused("$token paperboy_embedded_timeout $_;" . location(),
        "timeout $_", qr/paperboy_embedded_timeout: expected/) for qw(0 x);
    conf_refused("$token paperboy_embedded_max_callbacks $_;" . location(),
        "max $_", qr/from 1 to 256/) for qw(0 257 x);
    conf_refused("$token paperboy_embedded_queue $_;" . location(),
        "queue $_", qr/from 1 to 1000000/) for qw(0 1000001 x);
    conf_refused("$token paperboy_embedded_namespace '';" . location(),
        'namespace', qr/from 1 to 256 bytes/);
    local $ENV{CLASSIC_TOKEN} = $TOKEN;
    is(conf_error('paperboy_embedded_token env=CLASSIC_TOKEN;' . location()),
        '', 'a token of the environment');
    like(conf_error('paperboy_embedded_token short;' . location()),
        qr/may be guessed/, 'a short one is warned of');
};

finish;
