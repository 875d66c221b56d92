# paperboy_cors: which pages of other origins may read answers; preflights.
use v5.36;
use Paperboy::Test;
use File::Temp ();

my $dir    = File::Temp->newdir;
my $secret = 'secret ' x 10;
file_with("$dir/secret", $secret);
my $api_key = 'k' x 32;
file_with("$dir/api-key", $api_key);
file_with("$dir/users",  "joe:{PLAIN}pass\n");

my $nginx = nginx(dir => $dir, http => <<'END');
paperboy_zone main 4m;
paperboy_channel a;
map $arg_tenant $tenant { a https://a.example; any any; default ''; }
server {
    listen 127.0.0.1:%%PORT%%;
    paperboy_origin https://app.example https://*.app.example;
    location /off { paperboy_publish any; }
    location /on { paperboy_publish any; paperboy_cors on; }
    location /same {
        paperboy_publish any;
        paperboy_cors on;
        paperboy_origin same;
    }
    location /cookies { paperboy_publish any; paperboy_cors on credentials; }
    location /any {
        paperboy_publish any;
        paperboy_cors on;
        paperboy_origin any https://app.example;
    }
    location /tenant {
        paperboy_publish any;
        paperboy_cors on credentials;
        paperboy_origin $tenant;
    }
    location /token {
        paperboy_publish;
        paperboy_jwt_key HS256 file=%%DIR%%/secret;
        paperboy_cors on max_age=1h "headers=Authorization, X-Mine";
    }
    location /basic {
        paperboy_publish any;
        paperboy_cors on credentials;
        auth_basic x;
        auth_basic_user_file %%DIR%%/users;
    }
    location /small {
        paperboy_publish any;
        paperboy_cors on;
        client_max_body_size 10;
    }
    location /nested {
        paperboy_cors on;
        location /nested/inherits { paperboy_publish any; }
        location /nested/off { paperboy_publish any; paperboy_cors off; }
        location /nested/page { return 200 page; }
        location /nested/ws { paperboy raw; }
    }
    location /internal { internal; paperboy_publish; paperboy_cors on; }
    location /redirect { paperboy_cors on; rewrite ^ /internal last; }
    location /api {
        paperboy_api;
        paperboy_api_key file=%%DIR%%/api-key;
        paperboy_cors on;
    }
    location /status { paperboy_status; }
}
END

sub send_to ($path, $origin, %option) {
    my $method  = delete $option{method} // 'POST';
    my @headers = (Origin => $origin, @{ delete $option{headers} // [] });
    return $nginx->http($method => $path, headers => \@headers,
        ($method eq 'POST' ? (body => 'x') : ()), %option);
}

sub preflight ($path, $origin, $method = 'POST') {
    return send_to($path, $origin, method => 'OPTIONS',
        headers => ['Access-Control-Request-Method' => $method]);
}

# What a browser looks at.
sub fields ($answer) {
    return join ' ', $answer->{status}, map {
        my $value = $answer->{header}{"access-control-allow-$_"};
        defined $value ? "$_=$value" : ();
    } qw(origin credentials methods headers);
}

my $app = 'https://app.example';

subtest 'an answer' => sub {
    is(fields(send_to('/on', $app)), "200 origin=$app", 'to an admitted page');
    is(fields(send_to('/on', 'https://x.app.example')),
        '200 origin=https://x.app.example', 'to another');
    is(fields(send_to('/on', 'https://evil.example')), 403,
        'to a foreign page, which can not even read why');
    is(fields(send_to('/on', undef)), 200, 'to no page');
    is(fields(send_to('/same', 'http://localhost')),
        '200 origin=http://localhost', 'to a page of the same origin');
    is(fields(send_to('/on', $app, headers => [Origin => $app])), 403,
        'to a request with two origins');
    is(send_to('/on', $_)->{header}{vary}, 'Origin', 'says that it varies')
        for $app, 'https://evil.example', undef;
    is(fields(send_to('/nested/inherits', $app)), "200 origin=$app",
        'where it is inherited');
};

subtest 'the API' => sub {
    my %ask = (body => '{"channel":"a","data":1}');
    my $key = ['X-API-Key' => $api_key];
    is(fields(send_to('/api/publish', $app, headers => $key, %ask)),
        "200 origin=$app", 'answers an admitted page');
    is(fields(send_to('/api/publish', $app, %ask)), "401 origin=$app",
        'and tells it why not');
    is(fields(send_to('/api/publish', 'https://evil.example',
        headers => $key, %ask)), 403, 'and no foreign one, with the key');
    is(fields(preflight('/api/publish', $app)), "204 origin=$app methods=POST "
            . 'headers=Authorization, Content-Type, Idempotency-Key, '
            . 'Last-Event-ID, X-API-Key', 'preflights');
};

subtest 'credentials' => sub {
    is(fields(send_to('/cookies', $app)), "200 origin=$app credentials=true",
        'are for pages that are named');
    is(fields(send_to('/cookies', 'https://evil.example')), 403,
        'not for others');
    is(fields(send_to('/tenant?tenant=a', 'https://a.example')),
        '200 origin=https://a.example credentials=true',
        'also where a variable names them');
    is(fields(send_to('/tenant?tenant=any', 'https://evil.example')),
        '200 origin=https://evil.example', 'but any page gets none');
    is(fields(send_to('/any', 'https://evil.example')),
        '200 origin=https://evil.example', 'any origin is told, never *');
};

subtest 'a refusal can be read' => sub {
    my $answer = send_to('/token', $app);
    is(fields($answer), "401 origin=$app", 'no token');
    is($answer->json->{error}, 'unauthorized', 'with its reason');
    is(fields(send_to('/small', $app, body => 'y' x 11)), "413 origin=$app",
        "one of nginx's own");
    is(fields(send_to('/on', $app, method => 'GET')), "405 origin=$app",
        'a method');
    is(fields(send_to('/basic', $app)),
        "401 origin=$app credentials=true", 'another module says no');
};

subtest 'a preflight' => sub {
    my $answer = preflight('/on', $app);
    is(fields($answer), "204 origin=$app methods=POST "
            . 'headers=Authorization, Content-Type, Idempotency-Key, '
            . 'Last-Event-ID, X-API-Key',
        'is answered');
    is($answer->{header}{'access-control-max-age'}, 600, 'for ten minutes');
    is($answer->{header}{vary}, 'Origin', 'and varies');
    is($answer->{header}{'content-length'}, undef, 'without a body');
    $answer = preflight('/token', $app);
    is(fields($answer), "204 origin=$app methods=POST "
            . 'headers=Authorization, X-Mine', 'before the token');
    is($answer->{header}{'access-control-max-age'}, 3600, 'as configured');
    is(preflight('/basic', $app)->{status}, 204, 'before a password');
    is(preflight('/cookies', $app)->{header}{
            'access-control-allow-credentials'}, 'true', 'with credentials');
    is(fields(preflight('/on', 'https://evil.example')), 403,
        'of a foreign page is refused');
    my $before = $nginx->status->{publications};
    preflight('/on', $app);
    is($nginx->status->{publications}, $before, 'publishes nothing');
    is(send_to('/on', $app, method => 'OPTIONS')->{status}, 405,
        'an OPTIONS that is none');
    is($nginx->http(OPTIONS => '/on', headers =>
            ['Access-Control-Request-Method' => 'POST'])->{status}, 405,
        'nor is one without an origin');
};

subtest 'where there is none' => sub {
    is(fields(send_to($_, $app)), 200, $_) for qw(/off /nested/off);
    is(fields(preflight($_, $app)), 405, "$_: no preflight")
        for qw(/off /nested/off);
    is(fields(send_to('/nested/page', $app, method => 'GET')), 200,
        "a location that isn't ours");
    is(send_to('/off', $app)->{header}{vary}, undef, 'nothing varies');
    my $ws = $nginx->ws('/nested/ws', origin => $app);
    is($ws->status, 101, 'a WebSocket');
    is($ws->header('Access-Control-Allow-Origin'), undef, 'needs none');
    is(fields(send_to('/redirect', $app)), 200,
        'an internal location, whose answer is its caller\'s');
};

subtest 'nginx -t' => sub {
    my $refused = sub ($conf, $pattern) {
        conf_refused("server { location / { paperboy_publish any; $conf } }",
            $conf, $pattern);
    };
    $refused->('paperboy_cors maybe;', qr/maybe: expected off, or on/);
    $refused->('paperboy_cors off credentials;', qr/off: expected off, or on/);
    $refused->("paperboy_cors on $_;", qr/\Q$_\E: expected credentials, max_age/)
        for "secrets", "max_age=", "max_age=x", "headers=", "headers=a,,b";
    $refused->('paperboy_cors on; paperboy_cors off;', qr/is duplicate/);
    $refused->('paperboy_cors on credentials; paperboy_origin any;',
        qr/paperboy_cors credentials: not with paperboy_origin any/);
    is(conf_error('paperboy_cors on credentials; paperboy_origin any;'), '',
        'any and credentials where nothing is ours');
};

finish;
