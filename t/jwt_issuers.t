# paperboy_issuer and paperboy_token_claim: several issuers, each with its keys,
# audience and names of claims.
use v5.36;
use Paperboy::Test;
use File::Temp ();

my $dir = File::Temp->newdir;
my ($ec,  $ec_public)  = ec_key($dir, 'ec');
my ($rsa, $rsa_public) = rsa_key($dir, 'rsa');
my $secret = 'a secret of the tests, not of yours';
my $other  = 'another secret, of the same issuer';
file_with("$dir/secret",    $secret);
file_with("$dir/other",     $other);
file_with("$dir/jwks.json", jwks(jwk($rsa_public, kid => 'r1')));

my $nginx = nginx(dir => $dir, http => <<'END');
paperboy_zone main 4m;
paperboy_origin any;
paperboy_token $arg_token;
paperboy_channel $arg_c;
paperboy_issuer https://login.example {
    key ES256 file=ec.pub;
    jwks file=jwks.json;
    audience chat;
}
paperboy_issuer legacy {
    key HS256 file=%%DIR%%/secret;
    key HS256 file=%%DIR%%/other kid=b;
    claim user login;
    claim channels rooms;
    claim scope roles;
}
server {
    listen 127.0.0.1:%%PORT%%;
    location /two { paperboy raw; add_header User $paperboy_user always; }
    location /native { paperboy native; }
    location /own {
        paperboy raw;
        paperboy_jwt_key HS256 file=%%DIR%%/secret;
        paperboy_token_claim user mail;
        paperboy_token_claim channels rooms topics;
        paperboy_token_claim expiry until;
        paperboy_token_claim info profile;
    }
    location /one {
        paperboy raw;
        paperboy_issuer legacy { key HS256 file=%%DIR%%/secret; }
    }
    location /off { paperboy raw; paperboy_jwt_key off; }
}
END

sub answer ($path, $claims, %option) {
    my $token = jwt($claims, key => $secret, %option);
    my $separator = $path =~ /\?/ ? '&' : '?';
    return $nginx->ws("$path${separator}token=$token")->status;
}

my @by_ec  = (key => $ec,  alg => 'ES256');
my @by_rsa = (key => $rsa, alg => 'RS256', header => { kid => 'r1' });
my %login  = (iss => 'https://login.example', aud => 'chat');

subtest 'each by its own keys' => sub {
    is(answer('/two?c=a', {%login}, @by_ec), 101, 'a key');
    is(answer('/two?c=a', {%login}, @by_rsa), 101, 'a key of its set');
    is(answer('/two?c=a', { iss => 'legacy' }), 101, 'another issuer');
    is(answer('/two?c=a', { iss => 'legacy' }, key => $other,
        header => { kid => 'b' }), 101, 'its other key');
    is(answer('/two?c=a', { iss => 'legacy' }, @by_ec), 401,
        'not by the keys of another');
    is(answer('/two?c=a', {%login}), 401, 'nor the other way');
};

subtest 'who is nobody' => sub {
    is(answer('/two?c=a', {}), 401, 'no issuer');
    is(answer('/two?c=a', { iss => $_ }), 401, "'$_'")
        for '', 'LEGACY', 'legacy ', 'https://login.example/';
    is(answer('/two?c=a', { iss => ['legacy'] }), 401, 'a list');
    like($nginx->log, qr/the token's issuer is not the one asked for/,
        'the log says so');
};

subtest 'each with its own audience and claims' => sub {
    is(answer('/two?c=a', { %login, aud => 'news' }, @by_ec), 401,
        'another audience');
    is(answer('/two?c=a', { iss => 'legacy', rooms => ['a'] }), 101,
        'channels by its own name');
    is(answer('/two?c=a', { iss => 'legacy', rooms => ['b'] }), 403, 'not this');
    is(answer('/two?c=a', { iss => 'legacy', channels => ['b'] }), 101,
        'whose default is none');
    is(answer('/two?c=a', { iss => 'legacy', roles => 'publish' }), 403,
        'scopes by their own name');
    is(answer('/two?c=a', { %login, channels => ['b'], rooms => ['a'] },
        @by_ec), 403, 'of the other issuer it is the default');
};

subtest 'in commands' => sub {
    my $ws = $nginx->ws('/native');
    my $token = jwt({ iss => 'legacy', login => 'ann', sub => 'eve' },
        key => $secret);
    $ws->text(qq({"id":1,"connect":{"token":"$token"}}));
    like($ws->recv, qr/"client":/, 'connected');
    $ws = $nginx->ws('/native');
    $token = jwt({ iss => 'eve' }, key => $secret);
    $ws->text(qq({"id":1,"connect":{"token":"$token"}}));
    like($ws->recv, qr/^close:3500/, 'an issuer that is nobody');
};

subtest 'claims of a location' => sub {
    my $hour = int(time) + 3600;
    is(answer('/own?c=a', { mail => 'ann@example.com', rooms => 'a' }), 101,
        'by other names');
    is(answer('/own?c=a', { rooms => 'b', topics => ['a'] }), 101,
        'several of which add up');
    is(answer('/own?c=a', { rooms => 'b', channel => 'a' }), 403,
        'in place of those by default');
    is(answer('/own?c=a', { until => $hour }), 101, 'another expiry');
    is(answer('/own?c=a', { until => 1 }), 401, 'which counts');
    is(answer('/own?c=a', { until => $hour, exp => 1 }), 401, 'beside exp');
};

subtest 'levels' => sub {
    is(answer('/one?c=a', { iss => 'legacy' }), 101, 'its own issuer');
    is(answer('/one?c=a', {%login}, @by_ec), 401, 'replaces those above');
    is(answer('/own?c=a', { iss => 'https://anybody' }), 101,
        'as its own key does');
    is($nginx->ws('/off?c=a')->status, 101, 'and off takes all away');
};

subtest 'errors' => sub {
    my $key = "key HS256 file=$dir/secret;";
    conf_refused("paperboy_issuer a { audience b; }", 'without a key',
        qr/a: this issuer has neither key nor jwks/);
    conf_refused("paperboy_issuer '' { $key }", 'no name', qr/needs a name/);
    conf_refused("paperboy_issuer a { $key } paperboy_issuer a { $key }",
        'twice', qr/a: there is such an issuer already/);
    conf_refused("paperboy_issuer a { $_ }", $_,
        qr/in paperboy_issuer stand key ALGORITHM PLACE/)
        for 'what;', 'key;', 'jwks;', 'audience;', 'paperboy_jwt_key off;';
    conf_refused("paperboy_issuer a { key HS256 file=$dir/none; }",
        'no key there', qr/no key there/);
    conf_refused("paperboy_issuer a { $key audience b; audience c; }",
        'two audiences', qr/audience: is duplicate/);
    my @both = (
        "paperboy_issuer a { $key } paperboy_jwt_$key",
        "paperboy_jwt_$key paperboy_issuer a { $key }",
        "paperboy_issuer a { $key } paperboy_jwks file=$dir/jwks.json;",
    );
    conf_refused($_, 'keys and issuers',
        qr/a level has paperboy_issuer, or paperboy_jwt_key/) for @both;
    conf_refused("paperboy_token_claim $_;", $_,
        qr/: expected user, channels, scope, info, expiry or limits/) for 'what a';
    conf_refused("paperboy_token_claim $_ a b;", "two of $_",
        qr/$_: expected the name of one claim/) for qw(info expiry);
    conf_refused('paperboy_token_claim user a; paperboy_token_claim user b;',
        'twice', qr/user: is duplicate/);
    conf_refused("paperboy_issuer a { $key claim user; }", 'a claim of nothing',
        qr/user: expected names of claims/);
};

finish;
