# paperboy_origin, paperboy_scheme, paperboy_host: which pages may connect.
use v5.36;
use Paperboy::Test;
use File::Temp ();

my $dir = File::Temp->newdir;
self_signed($dir);
my $nginx = nginx(dir => $dir, log_level => 'info', http => <<'END');
map $arg_tenant $tenant_origin { a https://a.example; default ''; }
ssl_certificate %%DIR%%/tls.crt;
ssl_certificate_key %%DIR%%/tls.key;
server {
    listen 127.0.0.1:%%PORT%%;
    listen 127.0.0.1:%%PORT_tls%% ssl;
    location /default { paperboy echo; }
    location /same { paperboy echo; paperboy_origin same; }
    location /any { paperboy echo; paperboy_origin any; }
    location /exact {
        paperboy echo;
        paperboy_origin https://example.com https://other.example:8443;
    }
    location /wildcard { paperboy echo; paperboy_origin https://*.example.com; }
    location /regex {
        paperboy echo;
        paperboy_origin "~https?://(www\.)?example\.(com|org)";
    }
    location /mixed { paperboy echo; paperboy_origin same https://b.example; }
    location /variable { paperboy echo; paperboy_origin $tenant_origin; }
    location /proxied {
        paperboy echo;
        paperboy_origin same;
        paperboy_scheme $http_x_forwarded_proto;
        paperboy_host $http_x_forwarded_host;
    }
    location /page {
        paperboy echo;
        paperboy_origin https://example.com;
        error_page 403 /denied.html;
    }
    location /denied.html { return 403 denied; }
    location /key {
        paperboy echo;
        paperboy_jwt_key HS256 env=ORIGIN_TEST_KEY;
        paperboy_token $arg_token;
    }
}
END
BEGIN { $ENV{ORIGIN_TEST_KEY} = 'k' x 32 }

sub status ($path, $origin, %more) {
    return $nginx->ws($path, origin => $origin, %more)->status;
}

sub admits ($path, @origins) {
    is(status($path, $_), 101, "$path admits $_") for @origins;
    return;
}

sub refuses ($path, @origins) {
    is(status($path, $_), 403, "$path refuses $_") for @origins;
    return;
}

my $port = $nginx->port;

subtest 'same, the default' => sub {
    for my $path (qw(/default /same)) {
        my @host = (host_header => 'site.example');
        is(status($path, 'http://site.example', @host), 101, 'same');
        is(status($path, 'http://SITE.example:80', @host), 101,
            'same, written otherwise');
        is(status($path, 'https://site.example', @host), 403, 'the scheme');
        is(status($path, 'http://site.example:81', @host), 403, 'the port');
        is(status($path, 'http://other.example', @host), 403, 'the host');
        is(status($path, 'http://sub.site.example', @host), 403, 'a part');
        is(status($path, 'null', @host), 403, 'an opaque origin');
        is(status($path, '', @host), 403, 'an empty one');
        is(status($path, undef, @host), 403, 'none at all');
        is(status($path, "http://127.0.0.1:$port",
                host_header => "127.0.0.1:$port"), 101, 'with a port');
    }
    is(status('/same', 'https://site.example', host_header => 'site.example',
            tls => 1, port => 'tls'), 101, 'over TLS');
    is(status('/same', 'http://site.example', host_header => 'site.example',
            tls => 1, port => 'tls'), 403, 'not from a plain page');
};

subtest 'any' => sub {
    admits('/any', 'https://evil.example', 'null', 'garbage');
    is(status('/any', undef), 101, 'none at all');
};

subtest 'exact' => sub {
    admits('/exact', 'https://example.com', 'https://EXAMPLE.com',
        'https://example.com:443', 'https://other.example:8443');
    refuses('/exact', 'http://example.com', 'https://www.example.com',
        'https://example.com:8443', 'https://other.example',
        'https://example.com.evil.example', 'https://example.com/',
        'https://user@example.com', 'https://example.com evil', 'null');
    is(status('/exact', undef), 403, 'none at all');
    is(status('/exact', 'https://example.com',
            headers => [Origin => 'https://evil.example']) == 101 ? 1 : 0,
        0, 'two of them');
};

subtest 'a wildcard' => sub {
    admits('/wildcard', 'https://a.example.com', 'https://a.b.example.com');
    refuses('/wildcard', 'https://example.com', 'https://evilexample.com',
        'http://a.example.com', 'https://a.example.com.evil.org',
        'https://.example.com', 'https://a.example.com:444');
};

subtest 'a regular expression' => sub {
    admits('/regex', 'https://example.com', 'http://www.example.org',
        'https://WWW.example.com');
    refuses('/regex', 'https://example.com.evil.org', 'https://example.net',
        'xhttps://example.com', 'https://example.com:99');
};

subtest 'several, and variables' => sub {
    admits('/mixed', 'http://localhost', 'https://b.example');
    refuses('/mixed', 'https://c.example');
    admits('/variable?tenant=a', 'https://a.example');
    refuses('/variable?tenant=a', 'https://b.example');
    refuses('/variable?tenant=b', 'https://a.example', 'null');
};

subtest 'behind a proxy' => sub {
    my @forwarded = (headers => ['X-Forwarded-Proto' => 'https',
        'X-Forwarded-Host' => 'public.example']);
    is(status('/proxied', 'https://public.example', @forwarded), 101,
        'what the operator trusts');
    is(status('/proxied', 'http://localhost', @forwarded), 403,
        'and not what came here');
};

subtest 'a refusal' => sub {
    my $ws = $nginx->ws('/exact', origin => 'https://evil.example');
    is($ws->header('Content-Type'), 'application/json', 'is JSON');
    ok(ref $ws->answer->json eq 'HASH', 'an object');
    is($ws->header('WWW-Authenticate'), undef, 'asks for no token');
    like($nginx->log, qr/\[error\].*refused by origin.*\/exact/,
        'and a line in the log');
    $ws = $nginx->ws('/page', origin => 'https://evil.example');
    is($ws->answer->{body}, 'denied', 'error_page has its way');
    is($nginx->http(GET => '/exact', headers =>
            [Origin => 'https://evil.example'])->{status} >= 400 ? 1 : 0, 1,
        'not for a plain GET either');
};

subtest 'without an Origin a key is enough' => sub {
    my $token = jwt({ exp => time + 60 }, key => $ENV{ORIGIN_TEST_KEY});
    is(status("/key?token=$token", undef), 101, 'with a token');
    is(status('/key', undef), 401, 'without');
    is(status("/key?token=$token", 'https://evil.example'), 403,
        'a foreign origin is refused all the same');
};

for ('example.com', 'https://example.com/path',
    'https://*', 'https://a.*.com', '"~("', '') {
    my $value = $_ eq '' ? '""' : $_;
    conf_refused("paperboy_origin $value;", "no rule: $value");
}

finish;
