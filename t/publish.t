# paperboy_publish: a POST publishes; its answers and errors are JSON.
use v5.36;
use Paperboy::Test;
use File::Temp ();

my $dir    = File::Temp->newdir;
my $secret = 'secret ' x 10;
file_with("$dir/secret", $secret);

my $nginx = nginx(dir => $dir, http => <<'END');
paperboy_origin any;
paperboy_zone main 4m;
server {
    listen 127.0.0.1:%%PORT%%;
    client_max_body_size 100k;
    client_body_buffer_size 1k;
    paperboy_max_message_size 200k;
    location /ws { paperboy raw; paperboy_channel $arg_c; }
    location /publish { paperboy_publish any; }
    location /guarded { paperboy_publish; }
    location /token {
        paperboy_publish;
        paperboy_jwt_key HS256 file=%%DIR%%/secret;
        paperboy_token $http_authorization;
    }
    location /late {
        auth_request /yes;
        auth_request_set $late other;
        paperboy_publish;
        paperboy_channel $late;
        paperboy_jwt_key HS256 file=%%DIR%%/secret;
        paperboy_token $http_authorization;
    }
    location /yes { return 204; }
    location /fixed { paperboy_publish any; paperboy_channel fixed; }
    location /several {
        paperboy_publish any;
        paperboy_channel one $arg_channel three;
    }
    location /message {
        paperboy_publish any;
        paperboy_message "$request_method $arg_text";
    }
    location /small { paperboy_publish any; client_max_body_size 10; }
    location /limited { paperboy_publish any; paperboy_max_message_size 10; }
    location /same { paperboy_publish any; paperboy_origin same; }
}
END

sub publish ($path, $body, %option) {
    return $nginx->http(POST => $path, body => $body, %option);
}

subtest 'the answer' => sub {
    my $answer = publish('/publish?channel=a', 'one');
    is($answer->{status}, 200, 'is good');
    is($answer->{header}{'content-type'}, 'application/json', 'JSON');
    my $json = $answer->json;
    is_deeply([sort keys %$json], [qw(channel epoch offset subscribers)],
        'its members');
    is($json->{channel}, 'a', 'channel');
    like($json->{epoch}, qr/^[1-9a-f][0-9a-f]{0,15}$/, 'epoch');
    is($json->{offset}, 1, 'the first offset');
    is($json->{subscribers}, 0, 'nobody listens');

    my $next = publish('/publish?channel=a', 'two')->json;
    is($next->{offset}, 2, 'the next offset');
    is($next->{epoch}, $json->{epoch}, 'in the same epoch');
    is(publish('/publish?channel=b', 'one')->json->{offset}, 1,
        'another channel has offsets of its own');

    my @clients = map { $nginx->ws('/ws?c=a') } 1 .. 5;
    is(publish('/publish?channel=a', 'three')->json->{subscribers}, 5,
        'subscribers of all workers');
    is($_->recv, 'text:three', 'have it') for @clients;
};

subtest 'bodies' => sub {
    my $ws = $nginx->ws('/ws?c=body');
    for (1, 1000, 1024, 1025, 16_000, 64_000, 100_000) {
        my $body = join '', map { chr(97 + $_ % 26) } 1 .. $_;
        is(publish('/publish?channel=body', $body)->{status}, 200, "$_ bytes");
        ok($ws->recv eq "text:$body", 'arrive');
    }
    publish('/publish?channel=body', '');
    is($ws->recv, 'text:', 'an empty one');
    publish('/publish?channel=body', "4\r\nchun\r\n3\r\nked\r\n0\r\n\r\n",
        headers => ['Transfer-Encoding' => 'chunked']);
    is($ws->recv, 'text:chunked', 'chunked');
    publish('/publish?channel=body', "gr\xc3\xbc\xc3\x9fe");
    is($ws->recv, "text:gr\xc3\xbc\xc3\x9fe", 'UTF-8');
    my @binary = (headers => ['Content-Type' => 'application/octet-stream']);
    publish('/publish?channel=body', "\0\xff\xfe", @binary);
    is($ws->recv, "binary:\0\xff\xfe", 'binary');
    publish('/publish?channel=body', 'x' x 50_000, @binary);
    is(length $ws->recv, 50_007, 'a large binary one, from a file');
    for my $type ('Application/Octet-Stream; x=y', 'application/octet-stream;',
        'APPLICATION/OCTET-STREAM ; a=b') {
        publish('/publish?channel=body', "\xff",
            headers => ['Content-Type' => $type]);
        is($ws->recv, "binary:\xff", "$type is binary");
    }
    publish('/publish?channel=body', 'more',
        headers => ['Content-Type' => 'application/octet-streamer']);
    is($ws->recv, 'text:more', 'a longer type is another');
    publish('/publish?channel=body', 'json?',
        headers => ['Content-Type' => 'application/json']);
    is($ws->recv, 'text:json?', 'another type is text');
};

subtest 'keep-alive and pipelining' => sub {
    my $ws         = $nginx->ws('/ws?c=pipe');
    my $connection = $nginx->connection;
    $connection->write(join '', map {
        Paperboy::HTTP::format_request(method => 'POST', body => "$_",
            path => '/publish?channel=pipe')
    } 1 .. 64);
    is_deeply([map { $connection->answer->json->{offset} } 1 .. 64],
        [1 .. 64], 'answers in order');
    is_deeply([map { $ws->recv } 1 .. 64], [map { "text:$_" } 1 .. 64],
        'messages in order');
};

subtest 'channels' => sub {
    is(publish('/fixed', 'x')->json->{channel}, 'fixed', 'a fixed one');
    my $list = publish('/several?channel=two', 'x')->json;
    is(ref $list, 'ARRAY', 'several give an array');
    is_deeply([map { $_->{channel} } @$list], [qw(one two three)], 'in order');
    is($_->{offset}, 1, 'each with its position') for @$list;
    $list = publish('/several', 'x')->json;
    is_deeply([map { $_->{channel} } @$list], [qw(one three)],
        'without those that are empty');
};

subtest 'paperboy_message' => sub {
    my $ws = $nginx->ws('/ws?c=m');
    publish('/message?channel=m&text=hello', 'the body is not it');
    is($ws->recv, 'text:POST hello', 'is the message');
};

sub refused ($answer, $status, $name) {
    is($answer->{status}, $status, $name);
    is($answer->{header}{'content-type'}, 'application/json', 'in JSON');
    my $json = eval { $answer->json };
    ok(ref $json eq 'HASH' && exists $json->{error}, 'with an error');
    return;
}

subtest 'refusals' => sub {
    refused(publish('/publish', 'x'), 400, 'no channel');
    refused(publish('/publish?channel=', 'x'), 400, 'an empty channel');
    refused(publish('/publish?channel=' . 'c' x 256, 'x'), 400,
        'a name that is too long');
    refused(publish('/publish?channel=a', "\xff"), 400,
        'text that is no UTF-8');
    refused(publish('/guarded?channel=a', 'x'), 403, 'nothing guards it');
    refused(publish('/token?channel=a', 'x'), 401, 'no token');
    refused(publish('/token?channel=a', 'x',
            headers => [Authorization => 'Bearer a.b.c']), 401, 'a bad token');
    refused($nginx->http($_ => '/publish?channel=a'), 405, $_)
        for qw(GET DELETE OPTIONS);
    refused(publish('/publish?channel=a', undef), 411, 'no length');
    refused(publish('/small?channel=a', 'x' x 11), 413, 'too large');
    refused(publish('/publish?channel=a', 'x' x 102_401), 413, 'far too large');
    refused(publish('/limited?channel=a', 'x' x 11), 413,
        'larger than paperboy_max_message_size');
    refused(publish('/limited?channel=a',
            "b\r\n" . 'x' x 11 . "\r\n0\r\n\r\n",
            headers => ['Transfer-Encoding' => 'chunked']),
        413, 'chunked and larger');
    refused(publish('/same?channel=a', 'x',
            headers => [Origin => 'https://evil.example']),
        403, 'from a foreign page');
    is(publish('/same?channel=a', 'x')->{status}, 200, 'no page at all');
    is(publish('/same?channel=a', 'x',
            headers => [Origin => 'http://localhost'])->{status}, 200,
        'from a page of its own');
    is($nginx->http(HEAD => '/publish?channel=a')->{status}, 405, 'HEAD');
    is($nginx->http(GET => '/publish?channel=a')->{header}{allow}, 'POST',
        'Allow tells POST');
    like(publish('/token?channel=a', 'x')->{header}{'www-authenticate'},
        qr/^Bearer/, 'a 401 asks for a token');
};

subtest 'tokens' => sub {
    my $status = sub ($channel, %claims) {
        my $token = jwt({ exp => time + 60, %claims }, key => $secret);
        publish("/token?channel=$channel", 'x',
            headers => [Authorization => "Bearer $token"]);
    };
    is($status->('a', scope => 'publish', channel => 'a')->{status}, 200,
        'the scope and the channel');
    is($status->('room-1', scope => 'publish', channel => 'room-*')->{status},
        200, 'by a prefix');
    refused($status->('a'), 403, 'no scope');
    refused($status->('a', scope => 'subscribe', channel => 'a'), 403,
        'another scope');
    refused($status->('b', scope => 'publish', channel => 'a'), 403,
        'another channel');
    my $token = jwt({ exp => time + 60, scope => 'publish', channel => 'a' },
        key => $secret);
    refused(publish('/late', 'x', headers => [Authorization => "Bearer $token"]),
        400, 'one that was not known yet when the token was checked');
};

subtest 'a message larger than the log takes' => sub {
    my $small = nginx(http => <<'END');
paperboy_zone main 1m log=64k;
server {
    listen 127.0.0.1:%%PORT%%;
    location /publish { paperboy_publish any; }
}
END
    refused($small->http(POST => '/publish?channel=a', body => 'x' x 60_000),
        413, 'too large');
    is($small->http(POST => '/publish?channel=a', body => 'x')->{status}, 200,
        'and the next is served');
};

conf_refused('server { location / { paperboy_publish nonsense; } }',
    'a bad value', qr/nonsense/);
conf_refused('server { location / { paperboy_publish; paperboy echo; } }',
    'a location that is two things');

finish;
