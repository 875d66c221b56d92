# paperboy_token: where the token stands.
use v5.36;
use Paperboy::Test;
use File::Temp ();

my $dir    = File::Temp->newdir;
my $secret = 'secret ' x 10;
file_with("$dir/secret", $secret);

my $nginx = nginx(dir => $dir, http => <<'END');
paperboy_zone main 4m;
paperboy_jwt_key HS256 file=%%DIR%%/secret;
server {
    listen 127.0.0.1:%%PORT%%;
    location /default { paperboy echo; }
    location /several {
        paperboy echo;
        paperboy_token $arg_token $cookie_token $http_authorization;
    }
    location /subprotocol {
        paperboy echo;
        paperboy_token subprotocol $arg_token;
        paperboy_subprotocol chat;
    }
    location /header { paperboy echo; paperboy_token $http_x_token; }
    location /publish { paperboy_publish; paperboy_token $http_authorization; }
}
END

my $good = jwt({ exp => time + 3600, scope => 'subscribe publish' },
    key => $secret);
my $bad = jwt({ exp => time + 3600 }, key => 'another');

sub status ($path, @headers) {
    return $nginx->ws($path, headers => \@headers)->status;
}

subtest 'the header Authorization' => sub {
    is(status('/default', Authorization => "Bearer $good"), 101, 'by default');
    is(status('/several', Authorization => "bearer  $good"), 101,
        'the scheme in small letters');
    is(status('/several', Authorization => $good), 101, 'no scheme');
    is(status('/several', Authorization => 'Bearer'), 401, 'only a scheme');
    is(status('/several', Authorization => "Bearer $bad"), 401, 'a bad one');
};

subtest 'the first that is not empty decides' => sub {
    is(status("/several?token=$good"), 101, 'an argument');
    is(status('/several', Cookie => "a=b; token=$good"), 101, 'a cookie');
    is(status("/several?token=$good", Authorization => "Bearer $bad"), 101,
        'good, then bad');
    is(status("/several?token=$bad", Authorization => "Bearer $good"), 401,
        'bad, then good');
    is(status('/several?token=', Cookie => "token=$good"), 101,
        'empty, then good');
    is(status('/several'), 401, 'nothing');
};

subtest 'a refusal is one line of the log' => sub {
    is(status('/header%0a2026%20forged%22%ff'), 401, 'whatever the path has');
    like($nginx->log, qr{uri: "/header\\x0A2026 forged\\x22\\xFF"$}m, 'escaped');
};

subtest 'an offered subprotocol' => sub {
    my $ws = $nginx->ws('/subprotocol', protocol => "chat, bearer.$good");
    is($ws->status, 101, 'lets in');
    is($ws->header('Sec-WebSocket-Protocol'), 'chat',
        'and is not echoed, but what is wanted beside it');
    $ws = $nginx->ws('/subprotocol', protocol => "bearer.$good");
    is($ws->status, 101, 'alone');
    is($ws->header('Sec-WebSocket-Protocol'), undef, 'nothing is echoed');
    is($nginx->ws('/subprotocol', protocol => "bearer.$bad")->status, 401,
        'a bad one');
    is($nginx->ws('/subprotocol', protocol => 'chat')->status, 401, 'none');
    is($nginx->ws("/subprotocol?token=$good", protocol => 'chat')->status, 101,
        'then the next place');
    is($nginx->ws('/several', protocol => "bearer.$good")->status, 401,
        'only where it is configured');
};

is(status('/header', 'X-Token' => $good), 101, 'a header of the user');
is($nginx->http(POST => '/publish?channel=a', body => 'x',
        headers => [Authorization => "Bearer $good"])->{status}, 200,
    'for a publish as well');

finish;
