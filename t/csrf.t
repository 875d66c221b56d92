# paperboy_csrf: a page of one's own shows a token beside the cookie that any
# page's WebSocket carries.
use v5.36;
use Paperboy::Test;
use Digest::SHA qw(hmac_sha256_hex);
use File::Temp ();

my $dir    = File::Temp->newdir;
my $secret = 'a secret of thirty-two bytes, ok';
file_with("$dir/secret", $secret);
file_with("$dir/short", 'too short');

my $nginx = nginx(dir => $dir, http => <<'END');
paperboy_zone main 4m;
paperboy_origin https://shop.example same;
paperboy_client_publish on;
map $cookie_session $who { ~^of-(?<name>\w+)$ $name; default ''; }
server {
    listen 127.0.0.1:%%PORT%%;
    paperboy_csrf file=%%DIR%%/secret user=$who;
    location /csrf { paperboy_csrf_token; paperboy_cors on credentials; }
    location /secure { paperboy_csrf_token; paperboy_require_tls on; }
    location /ws { paperboy echo; }
    location /sse { paperboy sse; paperboy_channel a; }
    location /off { paperboy echo; paperboy_csrf off; }
    location /named { paperboy echo;
        paperboy_csrf file=%%DIR%%/secret user=$who argument=x lifetime=1s; }
    location /named-token { paperboy_csrf_token;
        paperboy_csrf file=%%DIR%%/secret user=$who argument=x lifetime=1s; }
    location /any { paperboy echo; satisfy any; allow all; }
    location /request {
        paperboy echo;
        auth_request /ask;
        auth_request_set $asked $upstream_http_x_user;
        paperboy_csrf file=%%DIR%%/secret user=$asked;
    }
    location /ask { internal; proxy_pass http://127.0.0.1:%%PORT%%/user; }
    location /user { add_header X-User ann; return 204; }
    location /echo { paperboy echo;
        paperboy_csrf file=%%DIR%%/secret user=$who messages; }
    location /raw { paperboy raw; paperboy_channel a;
        paperboy_csrf file=%%DIR%%/secret user=$who messages; }
    location /native { paperboy native;
        paperboy_csrf file=%%DIR%%/secret user=$who messages; }
    location /publish { paperboy_publish any; }
    location /status { paperboy_status; }
}
END

my $origin = 'https://shop.example';

sub fetch ($path, $user, %option) {
    return $nginx->http($option{method} // 'POST', $path, body => '', headers => [
        Origin => $option{origin} // $origin,
        defined $user ? (Cookie => "session=of-$user") : () ]);
}

sub token ($user, $expiry = time + 60) {
    $expiry = int $expiry;
    return hmac_sha256_hex("$user;$expiry", $secret) . ".$expiry";
}

sub open_as ($path, $user, $token, $name = 'csrf') {
    return $nginx->ws(defined $token ? "$path?$name=$token" : $path,
        origin => $origin, headers => [Cookie => "session=of-$user"]);
}
sub status (@how) { return open_as(@how)->status }

subtest 'a token is handed out' => sub {
    my $answer = fetch('/csrf', 'ann');
    is($answer->{status}, 200, 'to whom the cookie names');
    like($answer->{body}, qr/^\{"token":"[0-9a-f]{64}\.\d{10}","code":200\}$/,
        'in its form');
    is($answer->{header}{'cache-control'},
        'private, no-cache, no-store, must-revalidate', 'for no cache');
    is($answer->{header}{'access-control-allow-origin'}, $origin, 'for a page');
    is($answer->{header}{'access-control-allow-credentials'}, 'true',
        'with its cookies');
    my $token = $answer->json->{token};
    my ($expiry) = $token =~ /\.(\d+)$/;
    is($token, token('ann', $expiry), 'as the document says');
    cmp_ok(abs($expiry - time - 60), '<', 10, 'for a minute');
    is(status('/ws', 'ann', $token), 101, 'and lets in');

    is(fetch('/csrf', undef)->{status}, 403, 'nobody gets none');
    is(fetch('/csrf', 'ann', origin => 'https://evil.example')->{status}, 403,
        'a foreign page neither');
    is(fetch('/secure', 'ann')->{status}, 403, 'nor who comes without TLS');
    my $get = fetch('/csrf', 'ann', method => 'GET');
    is($get->{status}, 405, 'only by POST');
    is($get->{header}{allow}, 'POST', 'as it says');
};

subtest 'an upgrade' => sub {
    my $good = token('ann');
    is(status('/ws', 'ann', $good), 101, 'with its token');
    my $without = open_as('/ws', 'ann', undef);
    is($without->status, 403, 'without');
    is($without->answer->{body},
        '{"error":"csrf","message":"no CSRF token (paperboy_csrf)"}', 'why');
    my $before = $nginx->status->{refused};
    is(status('/ws', 'bob', $good), 403, "with another's");
    my $after = $nginx->status->{refused};
    is($after->{csrf} - $before->{csrf}, 1, 'counted');
    is($after->{origin}, $before->{origin}, 'as what it is');
    is(status('/ws', 'ann', token('ann', time - 1)), 403, 'expired');
    like($nginx->log, qr/paperboy refused by csrf: the CSRF token has expired/,
        'in the log');
    unlike($nginx->log, qr/\Q$good\E/, 'where no token is');
    is(status('/ws', 'ann', $good =~ s/^./x/r), 403, 'forged');
    is(status('/ws', 'ann', uc $good), 403, 'in capitals');
    is(status('/ws', 'ann', $good =~ s/\.1/.2/r), 403, 'with a later end');
    is(status('/ws', 'ann', $good, 'x'), 403, 'by another name');
    is(status('/ws', '', token('')), 403, 'of nobody');
    is($nginx->ws("/ws?csrf=x&csrf=$good", origin => $origin,
            headers => [Cookie => 'session=of-ann'])->status, 403, 'two');
    is(status('/off', 'ann', undef), 101, 'off');
    is(status('/any', 'ann', undef), 403, 'satisfy any replaces it not');
    is(status('/any', 'ann', $good), 101, 'nor does it stand in the way');
    is($nginx->ws("/ws?csrf=$good", origin => 'https://evil.example',
            headers => [Cookie => 'session=of-ann'])->status, 403,
        'nor does a token replace the origin');
    my $events = sub ($token) {
        return $nginx->http(HEAD => "/sse?csrf=$token", headers => [
            Origin => $origin, Cookie => 'session=of-ann'])->{status};
    };
    is($events->($good), 200, 'events too');
    is($events->('x'), 403, 'or not');
    my $short = fetch('/named-token', 'ann')->json->{token};
    is(status('/named', 'ann', $short, 'x'), 101, 'another name');
    ok(wait_for('its end', sub { status('/named', 'ann', $short, 'x') == 403 }),
        'another lifetime');
    is(status('/request', '', $good), 101, 'a user that auth_request found');
    is(status('/request', '', token('bob')), 403, 'and no other');
};

my $refused = '{"code":403,"message":"You do not have permission to access this '
    . 'websocket."}';
my $expired = '{"code":403,"message":"The CSRF provided has expired."}';

subtest 'each message' => sub {
    my $good   = token('ann');
    my $before = $nginx->status->{refused}{csrf};
    my $ws   = open_as('/echo', 'ann', $good);
    $ws->text(qq({"a":1.0,"csrf":"$good","b":[]}));
    is($ws->recv, 'text:{"a":1.0,"b":[]}', 'goes on without its token');
    my $newer = token('ann', time + 90);
    $ws->text(qq({"csrf":"$newer"}));
    is($ws->recv, 'text:{}', 'a newer one is good');
    my %bad = (
        'no token'    => ['{"a":1}', $refused],
        'no object'   => [qq(["$good"]), $refused],
        'no JSON'     => ['hello', $refused],
        'another'     => ['{"csrf":"' . token('bob') . '"}', $refused],
        'two'         => [qq({"csrf":"$good","csrf":"$good"}), $refused],
        'an old one'  => ['{"csrf":"' . token('ann', time - 5) . '"}', $expired],
    );
    for my $name (sort keys %bad) {
        my ($text, $answer) = @{ $bad{$name} };
        my $client = open_as('/echo', 'ann', $good);
        $client->text($text);
        is($client->recv, "text:$answer", $name);
        is($client->recv, 'close:1008', 'and that is the end');
    }
    my $binary = open_as('/echo', 'ann', $good);
    $binary->binary(qq({"csrf":"$good"}));
    is($binary->recv, "text:$refused", 'binary');
    is($nginx->status->{refused}{csrf}, $before + keys(%bad) + 1,
        'each is counted');
};

subtest 'what is published has no token' => sub {
    my ($ann, $bob) = map { open_as('/raw', $_, token($_)) } qw(ann bob);
    $ann->text('{"csrf":"' . token('ann') . '","text":"hi"}');
    is($bob->recv, 'text:{"text":"hi"}', 'others get the rest');
};

subtest 'commands of native' => sub {
    my $good = token('ann');
    my $ws   = open_as('/native', 'ann', $good);
    $ws->text(qq({"csrf":"$good","id":1,"connect":{}}));
    like($ws->recv, qr/"id":1,"connect"/, 'one');
    $ws->text(qq({"id":2,"subscribe":{"channel":"a"},"csrf":"$good"}\n)
            . qq({"id":3,"subscribe":{"channel":"b"},"csrf":"$good"}));
    like($ws->recv, qr/"id":2.*"id":3/s, 'two');
    $ws->text(qq({"id":4,"subscribe":{"channel":"c"},"csrf":"$good"}\n)
            . qq({"id":5,"subscribe":{"channel":"d"}}));
    is($ws->recv, 'close:1008', 'each needs one');
};

subtest 'errors' => sub {
    my $bad = sub ($directive, $pattern) {
        conf_refused("server { listen 127.0.0.1:%%PORT%%; location / {"
            . " paperboy echo; $directive } }", $directive, $pattern);
    };
    $bad->('paperboy_csrf what;', qr/no secret there; expected off, file=PATH/);
    $bad->('paperboy_csrf file=/nowhere user=$arg_a;', qr/no secret there/);
    $bad->("paperboy_csrf file=$dir/short user=\$arg_a;", qr/shorter than 32 bytes/);
    $bad->("paperboy_csrf file=$dir/secret;", qr/user= is missing/);
    $bad->("paperboy_csrf file=$dir/secret user=ann;", qr/expected a variable/);
    $bad->("paperboy_csrf file=$dir/secret user=\$arg_a lifetime=0;",
        qr/expected a time from 1s/);
    $bad->("paperboy_csrf file=$dir/secret user=\$arg_a argument=;",
        qr/expected an argument's name/);
    $bad->("paperboy_csrf file=$dir/secret user=\$arg_a what;", qr/expected user=/);
    $bad->("paperboy_csrf off; paperboy_csrf off;", qr/is duplicate/);
    conf_refused('server { listen 127.0.0.1:%%PORT%%; location / {'
        . ' paperboy_csrf_token; } }', 'no secret', qr/no paperboy_csrf/);
    conf_refused('server { listen 127.0.0.1:%%PORT%%; location / { paperboy sse;'
        . " paperboy_channel a; paperboy_csrf file=$dir/secret user=\$arg_a"
        . ' messages; } }', 'events', qr/send no messages/);
};

finish;
