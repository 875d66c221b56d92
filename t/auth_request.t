# paperboy_auth_request: a back end decides who connects, subscribes and
# publishes, and as whom.
use v5.36;
use Paperboy::Test;
use Paperboy::Callback;
use File::Temp ();
use JSON::PP ();
use Time::HiRes qw(sleep);

my $json = JSON::PP->new->canonical;

my $secret = 'a secret of thirty-two bytes, ok';
my $dir    = File::Temp->newdir;
file_with("$dir/secret", $secret);

# What the application answers: by the path, or the words in the argument.
sub decide ($asked) {
    my ($path) = $asked->{path} =~ m{^/([^?]*)};
    my $cookie = $asked->{header}{cookie} // '';
    return (403) if $cookie =~ /evil/;
    return (204) if $path eq 'yes';
    return $asked->{header}{'x-original-uri'} =~ /admin/ ? (403) : (204)
        if $path eq 'by-path';
    return (302) if $path eq 'signin';
    return (401) if $path eq 'no';
    return (500) if $path eq 'oops';
    return (200, '{"user":') if $path eq 'broken';
    return (200, '[1]') if $path eq 'array';
    return (200, '{"user":{}}') if $path eq 'object';
    return (200, '{"channels":["a",""]}') if $path eq 'names';
    return (200, '{"caps":[{"match":"regex"}]}') if $path eq 'caps';
    return (200, '{"user":"ann"}' . ' ' x 10_000_000) if $path eq 'large';
    return ("HTTP/1.1 200 X\r\nContent-Length: 99\r\n\r\n{}") if $path eq 'cut';
    return (200, '{"user":"ann","expire_at":1}') if $path eq 'over';
    return (200, $json->encode({ user => 'ann', expire_at => time + 3 }))
        if $path eq 'short';
    return (200, '{"user":7,"info":{"name":"Ann"},"channels":["a","b"]}')
        if $path eq 'ann';
    return (200, $json->encode({ user => 'ann', caps => [
            { channels => ['c*'], match => 'wildcard', allow => ['sub'] },
            { channels => ['c1'], allow => ['pub'] }] })) if $path eq 'some';
    if ($path eq 'command') {
        my $question = eval { $json->decode($asked->{body}) } // {};
        return (403) if ($question->{channel} // '') eq 'secret';
        return (403) if ($question->{data} // '') =~ /bad/;
        return (500) if ($question->{channel} // '') eq 'oops';
        return (302) if ($question->{channel} // '') eq 'signin';
        sleep 1 if ($question->{data} // '') =~ /slow/
            || ($question->{channel} // '') eq 'slow';
        return (200, '{"user":"ann"}' . ($asked->{body} ? ' ' x 100_000 : ''));
    }
    sleep 60 if $path eq 'slow';
    return (404);
}

my $back = Paperboy::Callback->new(handler => \&decide);
my $port = $back->port;

sub asking ($dialect, $path, $more = '') {
    return <<"END";
    location /$dialect/$path {
        paperboy $dialect; paperboy_channel \$arg_channel;
        paperboy_auth_request /ask/$path; $more
    }
END
}

my @paths = qw(yes no oops broken array object names caps large cut over short
    ann some slow);
my $nginx = nginx(workers => 1, dir => $dir, http => <<"END");
paperboy_zone main 4m;
paperboy_origin any;
paperboy_client_publish on;
paperboy_log_format ends '\$paperboy_user \$paperboy_channels \$paperboy_close_code';
paperboy_log %%DIR%%/ends.log ends;
server {
    listen 127.0.0.1:%%PORT%%;
    access_log %%DIR%%/access.log;
    @{[ map { asking(raw => $_) . asking(native => $_) } @paths ]}
    location /sse/ann { paperboy sse; paperboy_channel \$arg_channel;
        paperboy_auth_request /ask/ann; }
    location /open/oops { paperboy raw; paperboy_channel x;
        paperboy_auth_request /ask/oops; paperboy_auth_request_failure allow; }
    location /open/broken { paperboy raw; paperboy_channel x;
        paperboy_auth_request /ask/broken; paperboy_auth_request_failure allow; }
    location /open/no { paperboy raw; paperboy_channel x;
        paperboy_auth_request /ask/no; paperboy_auth_request_failure allow; }
    location /open/signin { paperboy raw; paperboy_channel x;
        paperboy_auth_request /ask/signin; paperboy_auth_request_failure allow; }
    location /open/dead { paperboy raw; paperboy_channel x;
        paperboy_auth_request /dead; paperboy_auth_request_failure allow; }
    location /keyed { paperboy_jwt_key HS256 file=%%DIR%%/secret;
        location /keyed/ann { paperboy; paperboy_auth_request /ask/ann; }
        location /keyed/short { paperboy; paperboy_auth_request /ask/short; }
        location /keyed/yes { paperboy; paperboy_auth_request /ask/yes; } }
    location /spaces { paperboy; paperboy_namespace \$arg_space;
        paperboy_user ann;
        paperboy_auth_request /ask/command cache=1m key=\$arg_none
            on=subscribe; }
    location /together { paperboy;
        paperboy_auth_request /ask/command on=subscribe together=2;
        paperboy_auth_request_failure allow; }
    location /dead/ws { paperboy raw; paperboy_channel x;
        paperboy_auth_request /dead; }
    location /any { paperboy raw; paperboy_channel x; satisfy any; allow all;
        paperboy_auth_request /ask/no; }
    location /any-deny { paperboy raw; paperboy_channel x; satisfy any; deny all;
        paperboy_auth_request /ask/yes; }
    location /page { paperboy raw; paperboy_channel x; error_page 401 /login;
        paperboy_auth_request /ask/no; }
    location /login { return 200 login; }
    location /self { paperboy raw; paperboy_channel x;
        paperboy_auth_request /texts; }
    location /texts { return 200 '{"user":"ann"}'; }
    location /publish { paperboy_publish any; }
    location /status { paperboy_status; }
    location /cached { paperboy raw; paperboy_channel \$arg_channel;
        paperboy_auth_request /ask/yes cache=1m key=\$cookie_id; }
    location /cached-too { paperboy raw; paperboy_channel \$arg_channel;
        location /cached-too/admin { paperboy raw; paperboy_channel \$arg_channel; }
        paperboy_auth_request /ask/by-path cache=1m key=\$cookie_id; }
    location /channels { paperboy raw; paperboy_channel \$arg_a \$arg_b;
        paperboy_auth_request /ask/yes cache=1m key=\$cookie_id; }
    location /commands {
        paperboy native;
        paperboy_auth_request /ask/command on=subscribe,publish waiting=4;
    }
    location /commands-open {
        paperboy native;
        paperboy_auth_request /ask/command on=subscribe,publish;
        paperboy_auth_request_failure allow;
    }
    location /commands-cached {
        paperboy native;
        paperboy_auth_request /ask/command cache=1m key=\$arg_user
            on=subscribe,connect;
    }
    location /ask/ {
        internal;
        proxy_pass http://127.0.0.1:$port/;
        proxy_http_version 1.1;
        proxy_set_header X-Channels \$paperboy_channels;
        proxy_set_header X-Original-URI \$request_uri;
        proxy_read_timeout 2s;
    }
    location /dead { internal; proxy_pass http://127.0.0.1:1/; }
}
END

sub asked () { my @all; push @all, $back->next for 1 .. $back->waiting; return @all }
sub refusal ($path) {
    my $ws = $nginx->ws($path);
    return $ws->status if $ws->status == 101;
    return $ws->status . ' ' . ($ws->{answer}{body} // '');
}

subtest 'yes and no' => sub {
    my $ws = $nginx->ws('/raw/yes?channel=a', headers => [Cookie => 'id=1']);
    is($ws->status, 101, 'yes');
    my ($asked) = asked();
    is($asked->{method}, 'GET', 'a GET');
    is($asked->{header}{cookie}, 'id=1', 'with the cookies');
    is($asked->{header}{'x-channels'}, 'a', 'and our variables');
    is($asked->{header}{upgrade}, undef, 'no upgrade of its own');
    $nginx->http(POST => '/publish?channel=a', body => 'hello');
    is($ws->recv, 'text:hello', 'and it listens');
    is($nginx->ws('/raw/no?channel=a')->status, 401, 'no');
    is($nginx->ws('/raw/no?channel=a')->header('WWW-Authenticate'), 'Bearer',
        'says how');
    is($nginx->ws('/raw/yes?channel=a', headers => [Cookie => 'evil'])->status,
        403, 'forbidden');
    is($nginx->status->{refused}{token}, 3, 'counted');
    like($nginx->log, qr/paperboy refused by token: the back end doesn't let/,
        'and logged');
    is($nginx->http(GET => '/page', headers => [Connection => 'Upgrade',
        Upgrade => 'websocket', 'Sec-WebSocket-Version' => 13,
        'Sec-WebSocket-Key' => 'dGhlIHNhbXBsZSBub25jZQ=='])->{body}, 'login',
        'error_page dresses it');
    is($nginx->ws('/self')->status, 101, 'any location answers');
    asked();
};

subtest 'what it says of the client' => sub {
    my $ws = $nginx->ws('/raw/ann');
    is($ws->status, 101, 'in channels that the back end names');
    $nginx->http(POST => "/publish?channel=$_", body => $_) for qw(b a c);
    is($ws->recv, 'text:b', 'one');
    is($ws->recv, 'text:a', 'the other');
    $ws->close(1000);
    ok(wait_for('its end', sub { $nginx->log('ends.log') =~ /^7 (?:a, b|b, a) 1000/m }),
        'the user is known');
    like(refusal('/raw/ann?channel=c'), qr/^403 .*back end doesn't allow/,
        'but no others');
    my $native = $nginx->ws('/native/ann');
    $native->text('{"id":1,"connect":{}}');
    my $reply = $json->decode($native->recv =~ s/^text://r);
    is_deeply([sort keys %{ $reply->{connect}{subs} }], ['a', 'b'],
        'subscribed natively');
    $native->text('{"id":2,"subscribe":{"channel":"c"}}');
    like($native->recv, qr/"code":103/, 'and to nothing else');
    my $events = $nginx->http(HEAD => '/sse/ann');
    is($events->{status}, 200, 'events too');
};

subtest 'permissions' => sub {
    my $ws = $nginx->ws('/native/some');
    $ws->text('{"id":1,"connect":{}}');
    $ws->recv;
    my $ask = sub ($command) { $ws->text($command); return $ws->recv };
    like($ask->('{"id":2,"subscribe":{"channel":"c1"}}'), qr/"subscribe":/, 'c1');
    like($ask->('{"id":3,"subscribe":{"channel":"d"}}'), qr/"code":103/, 'not d');
    like($ask->('{"id":4,"publish":{"channel":"c2","data":1}}'), qr/"code":103/,
        'not to c2');
    like(refusal('/raw/some?channel=d'), qr/^403/, 'not d by raw');
    is(refusal('/raw/some?channel=c1'), 101, 'c1 by raw');
};

subtest 'the end of it' => sub {
    is(refusal('/raw/over?channel=a') =~ s/ .*//sr, 403, 'is over');
    my $ws = $nginx->ws('/raw/short?channel=a');
    is($ws->status, 101, 'is to come');
    is($ws->recv, 'close:3005', 'and comes');
};

subtest 'answers that are none' => sub {
    my %why = (
        broken => 'it is no JSON object',
        array  => 'it is no JSON object',
        object => 'user is neither a string nor an integer',
        names  => 'channels has what is no name of a channel, or too many',
        caps   => 'caps is not as in a token',
        large  => 'it is too large',
        cut    => "it isn't complete",
    );
    for my $path (sort keys %why) {
        like(refusal("/raw/$path?channel=a"),
            qr/^503 .*can't be used: \Q$why{$path}\E/, $path);
        my $lines = () = $nginx->log =~ m{can't be used: [^\n]*uri: "/raw/$path"}g;
        is($lines, 1, 'one line');
    }
    like(refusal('/open/broken'), qr/^503/, 'no yes of which half is lost');
};

subtest 'down' => sub {
    my $ws = $nginx->ws('/raw/oops?channel=a');
    is($ws->status, 503, 'an error');
    is($ws->header('Retry-After'), 1, 'to try again');
    like(refusal('/dead/ws'), qr/^503 .*answers 502/, 'nobody there');
    like(refusal('/raw/slow?channel=a'), qr/^503 .*answers 504/, 'too slow');
    is(refusal("/open/$_"), 101, "or let in: $_") for qw(oops dead);
    like(refusal('/open/no'), qr/^401/, 'a no is a no');
    like(refusal('/open/signin'), qr/^503 .*answers 302/,
        'nor is the way to a form a yes');
    like($nginx->log, qr/let in unasked: the back end answers 502/, 'in the log');
    asked();
};

subtest 'beside other modules' => sub {
    is(refusal('/any'), 101, 'satisfy any: allow replaces it');
    is(refusal('/any-deny'), 101, 'it replaces deny');
    asked();
};

subtest 'a client that goes while it is asked for' => sub {
    my $http = Paperboy::HTTP->new(port => $nginx->port);
    $http->write(Paperboy::HTTP::format_request(path => '/raw/slow?channel=a',
        headers => [Connection => 'Upgrade', Upgrade => 'websocket',
            'Sec-WebSocket-Version' => 13,
            'Sec-WebSocket-Key' => 'dGhlIHNhbXBsZSBub25jZQ==']));
    ok($back->next, 'asked');
    undef $http;
    is(refusal('/raw/yes?channel=a'), 101, 'others go on');
    asked();
};

subtest 'remembered' => sub {
    asked();
    my $come = sub ($path, @cookie) {
        return $nginx->ws($path, headers => [@cookie ? (Cookie => "id=@cookie") : ()])
            ->status;
    };
    is($come->('/cached?channel=a', 1), 101, 'a client') for 1 .. 3;
    is(scalar(asked()), 1, 'is asked for once');
    is($come->('/cached?channel=b', 1), 101, 'in another channel');
    is($come->('/cached?channel=a', 2), 101, 'as another');
    is(scalar(asked()), 2, 'each is asked for');
    is($come->('/cached?channel=a'), 101, 'without a key') for 1 .. 2;
    is(scalar(asked()), 2, 'always');
};

subtest 'what is remembered of one location is said of no other' => sub {
    my $come = sub ($path, $id) {
        return $nginx->ws("$path?channel=a", headers => [Cookie => "id=$id"])->status;
    };
    for (1 .. 2) {
        is($come->('/cached-too', 'first'), 101, 'here');
        is($come->('/cached-too/admin', 'first'), 403, 'not there');
    }
    is(scalar(asked()), 2, 'each is asked about once');
    for (1 .. 2) {
        is($come->('/cached-too/admin', 'second'), 403, 'not there');
        is($come->('/cached-too', 'second'), 101, 'here all the same');
    }
    is(scalar(asked()), 2, 'once each, too');
};

# The parts of a key don't run into each other.
subtest 'what is remembered of other channels' => sub {
    my $come = sub ($query) {
        return $nginx->ws("/channels?$query", headers => [Cookie => 'id=parts'])
            ->status;
    };
    is($come->('a=x&b=y'), 101, 'two') for 1 .. 2;
    is($come->('a=y&b=x'), 101, 'the other way round');
    is($come->('a=xy'), 101, 'together');
    is($come->('b=x'), 101, 'one');
    is(scalar(asked()), 4, 'each is asked about');
};

sub native ($path) {
    my $ws = $nginx->ws($path);
    $ws->text('{"id":1,"connect":{}}');
    $ws->recv;
    return $ws;
}

subtest 'commands' => sub {
    my $ws  = native('/commands');
    my $ask = sub ($command) { $ws->text($command); return $ws->recv };
    like($ask->('{"id":2,"subscribe":{"channel":"a"}}'), qr/"id":2,"subscribe"/,
        'a subscription');
    my ($asked) = asked();
    is($asked->{method}, 'POST', 'is asked for by a POST');
    is($asked->{header}{'content-type'}, 'application/json', 'of JSON');
    my $question = $json->decode($asked->{body});
    is($question->{event}, 'subscribe', 'what');
    is($question->{channel}, 'a', 'where');
    like($question->{client}, qr/^[-\w]{8,}$/, 'who');
    like($ask->('{"id":3,"subscribe":{"channel":"secret"}}'), qr/"code":103/, 'no');
    like($ask->('{"id":4,"subscribe":{"channel":"oops"}}'),
        qr/"code":100.*"temporary":true/, 'nobody knows: try again');
    like($ask->('{"id":5,"publish":{"channel":"a","data":"bad"}}'), qr/"code":103/,
        'not this');
    like($ask->('{"id":6,"subscribe":{"channel":"a"}}'), qr/"code":105/,
        'twice');
    $ws->text(qq({"id":7,"publish":{"channel":"a","data":"slow"}}\n)
            . qq({"id":8,"publish":{"channel":"a","data":"quick"}}\n)
            . qq({"id":9,"ping":{}}));
    my @heard = map { $ws->recv } 1 .. 5;
    my $heard = join "\n", @heard;
    like($heard, qr/"id":7.*"id":8/s, 'answers in order');
    like($heard, qr/"data":"slow".*"data":"quick"/s, 'publications in order');
    asked();
};

# A line a second, and in the next how many others there were.
subtest 'what fails again and again is told seldom' => sub {
    my $ws   = native('/commands');
    my $id   = 1;
    my $fail = sub ($count) {
        for (1 .. $count) {
            $ws->text(sprintf '{"id":%d,"subscribe":{"channel":"oops"}}', ++$id);
            like($ws->recv, qr/"code":100/, 'no answer');
        }
    };
    my $told = sub () {
        return $nginx->log =~ /paperboy_auth_request: the back end answers 500(.*)/g;
    };
    sleep 1.1;
    $fail->(1);
    my $before = () = $told->();
    $fail->(30);
    sleep 1.1;
    $fail->(1);
    my @lines = $told->();
    splice @lines, 0, $before;
    cmp_ok(scalar(@lines), '<', 31, 'not a line each');
    my $all = 0;
    $all += 1 + (/; and (\d+) others/ ? $1 : 0) for @lines;
    is($all, 31, 'but all are counted');
};

subtest 'many questions' => sub {
    my $ws = native('/commands');
    $ws->text(join "\n", map { qq({"id":$_,"subscribe":{"channel":"slow$_"}}) }
        2 .. 7);
    my $all = join '', map { $ws->recv } 1 .. 5;
    is(scalar(() = $all =~ /"code":100/g), 2, 'so many wait, others are refused');
    my $other = native('/commands');
    $other->text('{"id":2,"subscribe":{"channel":"slow"}}');
    $other->text('{"id":3,"subscribe":{"channel":"slow"}}');
    like($other->recv, qr/"id":3,"error":\{"code":105/, 'the same twice');
    $other->text('{"id":4,"unsubscribe":{"channel":"slow"}}');
    like($other->recv, qr/"id":2,"error":\{"code":100.*"id":4,"unsubscribe"/s,
        'changed its mind, and is told so');
    my $gone = native('/commands');
    $gone->text('{"id":2,"subscribe":{"channel":"slow"}}');
    undef $gone;
    sleep 2;
    is($nginx->ws('/raw/yes?channel=a')->status, 101, 'one that goes hurts nobody');
    asked();
};

subtest 'commands of a back end that is down' => sub {
    my $ws = native('/commands-open');
    $ws->text('{"id":2,"subscribe":{"channel":"oops"}}');
    like($ws->recv, qr/"id":2,"subscribe"/, 'allow');
    $ws->text('{"id":3,"subscribe":{"channel":"secret"}}');
    like($ws->recv, qr/"code":103/, 'a no is a no');
    asked();
};

subtest 'commands that are remembered' => sub {
    for (1 .. 2) {
        my $ws = native('/commands-cached?user=ann');
        for my $id (2, 3) {
            $ws->text(qq({"id":$id,"subscribe":{"channel":"x"}}));
            like($ws->recv, qr/"id":$id/, 'answered');
            $ws->text(qq({"id":9,"unsubscribe":{"channel":"x"}}));
            $ws->recv;
        }
    }
    is(scalar(asked()), 2, 'of one user: asked once, and once for its upgrade');
};

# The first command's answer, and the client.
sub show ($path, $token) {
    my $ws = $nginx->ws($path);
    $ws->text(qq({"id":1,"connect":{"token":"$token"}}));
    return ($ws, $json->decode($ws->recv =~ s/^text://r));
}

subtest 'a token in the first command' => sub {
    my %claims = (exp => time + 600, channels => ['*', 'z']);
    my $eve = jwt({ %claims, sub => 'eve' }, key => $secret);
    my $ann = jwt({ %claims, sub => '7' }, key => $secret);
    my ($ws, $reply) = show('/keyed/yes', $eve);
    is_deeply([keys %{ $reply->{connect}{subs} }], ['z'], 'says what it may');
    ($ws, $reply) = show('/keyed/ann', $eve);
    is_deeply([sort keys %{ $reply->{connect}{subs} }], ['a', 'b'],
        'but not where the back end has');
    $ws->text('{"id":2,"subscribe":{"channel":"c"}}');
    like($ws->recv, qr/"code":103/, 'and no more');
    $ws->text(qq({"id":3,"refresh":{"token":"$eve"}}));
    is($ws->recv, 'close:3500', "nor who it is");
    ($ws) = show('/keyed/ann', $ann);
    $ws->text(qq({"id":2,"refresh":{"token":"$ann"}}));
    like($ws->recv, qr/"id":2,"refresh"/, 'renewed');
    $ws->text('{"id":3,"subscribe":{"channel":"c"}}');
    like($ws->recv, qr/"code":103/, 'it gets no more either');
    $ann = jwt({ %claims, sub => 'ann' }, key => $secret);
    ($ws) = show('/keyed/short', $ann);
    $ws->text(qq({"id":2,"refresh":{"token":"$ann"}}));
    like($ws->recv, qr/"id":2,"refresh"/, 'nor more time');
    is($ws->recv, 'close:3005', 'than the back end gave');
    asked();
};

subtest 'namespaces' => sub {
    my @spaces;
    for my $space ('x', 'y', 'y') {
        my $ws = native("/spaces?space=$space");
        $ws->text('{"id":2,"subscribe":{"channel":"a"}}');
        like($ws->recv, qr/"id":2,"subscribe"/, 'subscribed');
        push @spaces, map { $json->decode($_->{body})->{namespace} } asked();
    }
    is("@spaces", 'x y', 'each is asked about');
};

subtest 'questions of all clients' => sub {
    my @clients = map { native('/together') } 1 .. 3;
    $_->text('{"id":2,"subscribe":{"channel":"slow"}}') for @clients[0, 1];
    ok(wait_for('them', sub { $back->waiting }), 'two wait');
    $clients[2]->text('{"id":2,"subscribe":{"channel":"b"}}');
    like($clients[2]->recv, qr/"code":100.*"temporary":true/,
        'a third is no failure that lets in');
    like($_->recv, qr/"id":2,"subscribe"/, 'answered') for @clients[0, 1];
    $clients[2]->text('{"id":3,"subscribe":{"channel":"b"}}');
    like($clients[2]->recv, qr/"id":3,"subscribe"/, 'then there is room');
    $clients[2]->text('{"id":4,"subscribe":{"channel":"signin"}}');
    like($clients[2]->recv, qr/"id":4,"error":\{"code":100/, 'no yes, no failure');
    asked();
};

subtest 'the status' => sub {
    my $counts = sub ($do) {
        my $before = $nginx->status;
        $do->();
        my $after = $nginx->status;
        return join ' ', map { $after->{"auth_requests$_"}
                - $before->{"auth_requests$_"} }
            '', qw(_allowed _denied _failed _remembered);
    };
    my %upgrade = (
        '/raw/yes'    => '1 1 0 0 0',
        '/raw/no'     => '1 0 1 0 0',
        '/raw/oops'   => '1 0 0 1 0',
        '/raw/broken' => '1 0 0 1 0',
        '/open/signin' => '1 0 0 1 0',
        '/open/oops'  => '1 0 0 1 0',
    );
    is($counts->(sub { refusal("$_?channel=a") }), $upgrade{$_}, $_)
        for sort keys %upgrade;
    my @same = (headers => [Cookie => 'id=status']);
    is($counts->(sub { $nginx->ws('/cached?channel=a', @same) for 1 .. 3 }),
        '1 1 0 0 2', 'remembered');
    my $ws  = native('/commands');
    my $ask = sub ($channel) {
        return sub {
            $ws->text(qq({"id":2,"subscribe":{"channel":"$channel"}}));
            $ws->recv;
        };
    };
    is($counts->($ask->('some')),   '1 1 0 0 0', 'a command');
    is($counts->($ask->('secret')), '1 0 1 0 0', 'denied');
    is($counts->($ask->('oops')),   '1 0 0 1 0', 'not answered');
    asked();
};

subtest 'errors' => sub {
    my $bad = sub ($directive, $pattern) {
        conf_refused("server { listen 127.0.0.1:%%PORT%%; location / {"
            . " paperboy raw; paperboy_channel a; $directive } }",
            $directive, $pattern);
    };
    $bad->('paperboy_auth_request ask;', qr/expected off, or a URI/);
    $bad->('paperboy_auth_request /a on=connect,what;', qr/expected connect, sub/);
    $bad->('paperboy_auth_request /a cache=0;', qr/expected a time above 0/);
    $bad->('paperboy_auth_request /a cache=1s;', qr/belong together/);
    $bad->('paperboy_auth_request /a key=$arg_a;', qr/belong together/);
    $bad->('paperboy_auth_request /a cache=1s key=a;', qr/expected a variable/);
    $bad->('paperboy_auth_request /a max_size=0;', qr/expected a size/);
    $bad->('paperboy_auth_request /a waiting=0;', qr/expected a number/);
    $bad->('paperboy_auth_request /a together=0;', qr/expected a number/);
    $bad->('paperboy_auth_request /a what;', qr/expected on=/);
    $bad->('paperboy_auth_request /a on=publish;', qr/only native clients/);
    $bad->('paperboy_auth_request /a; paperboy_auth_request /b;', qr/duplicate/);
    $bad->('paperboy_auth_request_failure maybe;', qr/invalid value "maybe"/);
};

finish;
