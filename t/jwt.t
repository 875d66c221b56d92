# paperboy_jwt_key, paperboy_token_issuer, _audience, _leeway and _expiry:
# which tokens let in, and to what.
use v5.36;
use Paperboy::Test;
use File::Temp ();
use MIME::Base64 qw(encode_base64);

my $dir    = File::Temp->newdir;
my $secret = 'secret ' x 10;
my $old    = 'yesterday ' x 10;
BEGIN { $ENV{PAPERBOY_TEST_SECRET} = 'from the environment ' x 5 }
file_with("$dir/secret", $secret);
file_with("$dir/old",    "$old\n");
file_with("$dir/secret.b64", encode_base64($secret, "\r\n\t "));
my ($rsa, $rsa_public) = rsa_key($dir, 'rsa');
my ($ed) = ed_key($dir, 'ed');
my %ec = map { $_ => (ec_key($dir, "ec$_", $_))[0] } 256, 384, 512;

my $algorithms = join '', map {
    my ($family, $bits) = /(..)(.+)/;
    my $file = { HS => 'secret', ES => "ec$bits.pub", Ed => 'ed.pub' }->{$family}
        // 'rsa.pub';
    "location /$_ { paperboy echo; paperboy_jwt_key $_ file=%%DIR%%/$file; }\n"
} 'EdDSA', map { my $f = $_; map { "$f$_" } 256, 384, 512 } qw(HS RS PS ES);

my $nginx = nginx(dir => $dir, log_level => 'info', http => <<"END");
paperboy_zone main 4m;
paperboy_token \$arg_token;
server {
    listen 127.0.0.1:%%PORT%%;
    large_client_header_buffers 4 32k;
    $algorithms
    location /env {
        paperboy echo;
        paperboy_jwt_key HS256 env=PAPERBOY_TEST_SECRET;
    }
    location /base64 {
        paperboy echo;
        paperboy_jwt_key HS256 file=%%DIR%%/secret.b64 base64;
        paperboy_jwt_key HS256 file=%%DIR%%/old kid=old;
    }
    location /kids {
        paperboy echo;
        paperboy_jwt_key HS256 file=%%DIR%%/secret kid=now;
        paperboy_jwt_key HS256 file=%%DIR%%/old kid=old;
        paperboy_jwt_key ES256 file=%%DIR%%/ec256.pub kid=curve;
    }
    location /issuer {
        paperboy echo;
        paperboy_jwt_key HS256 file=%%DIR%%/secret;
        paperboy_token_issuer https://issuer.example;
    }
    location /audience {
        paperboy echo;
        paperboy_jwt_key HS256 file=%%DIR%%/secret;
        paperboy_token_audience chat news;
    }
    location /leeway {
        paperboy echo;
        paperboy_jwt_key HS256 file=%%DIR%%/secret;
        paperboy_token_leeway 60s;
    }
    location /admit {
        paperboy echo;
        paperboy_jwt_key HS256 file=%%DIR%%/secret;
        paperboy_token_expiry admit;
    }
    location /raw {
        paperboy raw;
        paperboy_channel \$arg_c;
        paperboy_jwt_key HS256 file=%%DIR%%/secret;
    }
    location /outer {
        paperboy_jwt_key HS256 file=%%DIR%%/secret;
        location /outer/inherits { paperboy echo; }
        location /outer/open {
            paperboy echo;
            paperboy_jwt_key off;
            paperboy_origin any;
        }
    }
    location /page {
        paperboy echo;
        paperboy_jwt_key HS256 file=%%DIR%%/secret;
        error_page 401 =403 /denied;
    }
    location /denied { return 403 denied; }
}
END

sub with ($path, $token) {
    my $separator = $path =~ /\?/ ? '&' : '?';
    return $nginx->ws("$path${separator}token=$token");
}

sub status ($path, $claims, %option) {
    return with($path,
        jwt($claims, key => $secret, %option))->status;
}

my $hour = time + 3600;

subtest 'algorithms' => sub {
    my %key = (
        (map { ("HS$_" => $secret) } 256, 384, 512),
        (map { ("RS$_" => $rsa, "PS$_" => $rsa) } 256, 384, 512),
        EdDSA => $ed,
        (map { ("ES$_" => $ec{$_}) } 256, 384, 512),
    );
    for my $alg (sort keys %key) {
        my $token = jwt({ exp => $hour }, key => $key{$alg}, alg => $alg);
        is(with("/$alg", $token)->status, 101, "$alg is accepted");
        is(with("/$_", $token)->status, 401, "not by a key for $_")
            for grep { $_ ne $alg } sort keys %key;
        is(with("/$alg", substr($token, 0, -6) . 'AAAAAA')->status, 401,
            'nor with another signature');
    }
};

subtest 'the key pins the algorithm' => sub {
    my %none = (key => '', alg => 'none');
    is(status('/HS256', { exp => $hour }, %none), 401, 'none');
    is(status('/HS256', { exp => $hour }, header => { alg => 'None' }), 401,
        'None');
    is(with('/HS256', base64url('{"alg":"none"}') . '.'
                . base64url(qq({"exp":$hour})) . '.')->status, 401, 'unsigned');
    open my $file, '<', $rsa_public or die;
    my $pem = do { local $/ = undef; <$file> };
    is(status('/RS256', { exp => $hour }, key => $pem), 401,
        'the public key as a secret');
    is(status('/HS256', { exp => $hour }, key => ''), 401, 'an empty secret');
};

subtest 'malformed tokens' => sub {
    my $good = jwt({ exp => $hour }, key => $secret);
    my ($header, $claims, $signature) = split /\./, $good;
    is(with('/HS256', $_)->status, 401, substr $_, 0, 40) for (
        '.', '..', 'a.b', 'a.b.c', '...', "$header.$claims", "$header.$claims.",
        "$good.", ".$good", "$header..$signature", "$good=", 'x' x 9000,
        "$good" . 'A' x 9000,
    );
    my @of_text = (
        ['no object'        => '[]', '{}'],
        ['no algorithm'     => '{"typ":"JWT"}', '{}'],
        ['two algorithms'   => '{"alg":"HS256","alg":"HS256"}', '{}'],
        ['critical headers' => '{"alg":"HS256","crit":["exp"],"exp":1}', '{}'],
        ['no JSON'          => '{"alg":"HS256"}', 'claims'],
        ['an array'         => '{"alg":"HS256"}', '[]'],
        ['text after it'    => '{"alg":"HS256"}', "{}\0{}"],
        ['exp is no number' => '{"alg":"HS256"}', '{"exp":"tomorrow"}'],
        ['two of exp' => '{"alg":"HS256"}', qq({"exp":1,"exp":$hour})],
    );
    is(with('/HS256', jwt_of_text($_->[1], $_->[2], key => $secret,
                alg => 'HS256'))->status, 401, $_->[0]) for @of_text;
    is(with('/HS256', jwt_of_text('{"alg":"HS256","typ":"at+jwt"}',
                qq({"exp":$hour.5}), key => $secret, alg => 'HS256'))->status,
        101, 'but another typ and a fraction of a second are well-formed');
};

subtest 'times' => sub {
    is(status('/HS256', { exp => time - 1 }), 401, 'expired');
    is(status('/HS256', { exp => 0 }), 401, 'long ago');
    is(status('/HS256', { exp => $hour, nbf => $hour }), 401, 'not yet valid');
    is(status('/HS256', { exp => $hour, nbf => time - 1 }), 101, 'valid');
    is(status('/leeway', { exp => time - 30 }), 101, 'expired within leeway');
    is(status('/leeway', { exp => time - 90 }), 401, 'expired beyond it');
    is(status('/leeway', { exp => $hour, nbf => time + 30 }), 101,
        'not yet valid, within leeway');
};

subtest 'issuer and audience' => sub {
    my %good = (exp => $hour);
    is(status('/issuer', { %good, iss => 'https://issuer.example' }), 101,
        'the issuer');
    is(status('/issuer', { %good, iss => 'https://other.example' }), 401,
        'another');
    is(status('/issuer', {%good}), 401, 'none');
    is(status('/audience', { %good, aud => 'news' }), 101, 'an audience');
    is(status('/audience', { %good, aud => ['x', 'chat'] }), 101, 'in a list');
    is(status('/audience', { %good, aud => 'other' }), 401, 'another');
    is(status('/audience', { %good, aud => [] }), 401, 'an empty list');
    is(status('/audience', {%good}), 401, 'none');
};

subtest 'several keys' => sub {
    my $by = sub ($kid, @key) {
        with('/kids', jwt({ exp => $hour }, @key,
                header => { defined $kid ? (kid => $kid) : () }))->status;
    };
    is($by->('now', key => $secret), 101, 'one');
    is($by->('old', key => $old), 101,
        'another, whose file ends in a newline');
    is($by->('curve', key => $ec{256}, alg => 'ES256'), 101, 'a third');
    is($by->('old', key => $secret), 401, 'not the key of that name');
    is($by->('curve', key => $secret), 401, 'nor its algorithm');
    is($by->('unknown', key => $secret), 401, 'an unknown name');
    is($by->(undef, key => $secret), 401, 'no name');
};

subtest 'a key from the environment' => sub {
    my @key = (key => $ENV{PAPERBOY_TEST_SECRET});
    is(status('/env', { exp => $hour }, @key), 101, 'at the start');
    $nginx->reload;
    is(status('/env', { exp => $hour }, @key), 101, 'and after a reload');
};

subtest 'a key in base64' => sub {
    is(status('/base64', { exp => $hour }), 101, 'broken into lines');
    is(with('/base64', jwt({ exp => $hour }, key => "$old\n",
                header => { kid => 'old' }))->status, 401,
        'another one beside it');
    is(with('/base64', jwt({ exp => $hour }, key => $old,
                header => { kid => 'old' }))->status, 101,
        'is as it stands');
};

subtest 'channels and scopes' => sub {
    my %good = (exp => $hour);
    my @cases = (
        [101, 'no claim of channels',   {}],
        [101, 'the channel',            { channel => 'a' }],
        [101, 'in a list',              { channels => ['b', 'a'] }],
        [101, 'by another claim',       { topics => ['a'] }],
        [101, 'by all claims together', { channel => 'b', topic => 'a' }],
        [101, 'all of them',            { channel => '*' }],
        [403, 'another channel',        { channel => 'b' }],
        [403, 'a part of its name',     { channel => '' . 'aa' }],
        [403, 'an empty list',          { channels => [] }],
        [403, 'case counts',            { channel => 'A' }],
        [101, 'with the scope',         { scope => 'subscribe' }],
        [101, 'among others',   { scope => 'email subscribe profile' }],
        [101, 'in a list',      { scope => ['publish', 'subscribe'] }],
        [403, 'without it',     { scope => 'publish' }],
        [403, 'an empty scope', { scope => '' }],
    );
    is(status('/raw?c=a', { %good, %{ $_->[2] } }), $_->[0], $_->[1])
        for @cases;
    is(status('/raw?c=room-1', { %good, channel => 'room-*' }), 101,
        'a prefix');
    is(status('/raw?c=rooms', { %good, channel => 'room-*' }), 403,
        'not of that prefix');
    is(status('/raw?c=aXb', { %good, channel => 'a*b' }), 403,
        'a star in the midst is just a star');
};

subtest 'expiry' => sub {
    my $ws = with('/HS256', jwt({ exp => time + 2 }, key => $secret));
    $ws->text('a');
    is($ws->recv, 'text:a', 'a token of two seconds');
    is($ws->recv, 'close:3005', 'ends the connection with it');
    $ws = with('/admit', jwt({ exp => time + 1 }, key => $secret));
    sleep 3;
    $ws->text('b');
    is($ws->recv, 'text:b', 'or only admits it');
};

subtest 'inheritance' => sub {
    is($nginx->ws('/outer/inherits')->status, 401, 'inherited');
    is($nginx->ws('/outer/open')->status, 101, 'switched off');
};

subtest 'a refusal' => sub {
    my $ws = $nginx->ws('/HS256');
    is($ws->status, 401, 'no token');
    like($ws->header('WWW-Authenticate'), qr/^Bearer/, 'asks for one');
    is($ws->header('Content-Type'), 'application/json', 'in JSON');
    ok(ref $ws->answer->json eq 'HASH', 'an object');
    my $token = jwt({ exp => 1, sub => 'mallory' }, key => $secret);
    $ws = with('/HS256', $token);
    like($nginx->log, qr/\[error\].*refused by token.*expired/,
        'the log says which rule');
    my ($signature) = $token =~ /([^.]+)$/;
    unlike($ws->answer->{body}, qr/\Q$signature/, 'no answer has the token');
    is($nginx->ws('/page')->answer->{body}, 'denied', 'error_page has its way');
};

subtest 'configuration' => sub {
    my %bad = (
        'no file'         => "HS256 file=$dir/none",
        'no algorithm'    => "XS256 file=$dir/secret",
        'another curve'   => "ES256 file=$dir/ec384.pub",
        'an EC key as RS' => "RS256 file=$dir/ec256.pub",
        'no PEM'          => "ES256 file=$dir/secret",
        'no such variable' => 'HS256 env=PAPERBOY_NO_SUCH_VARIABLE',
        'no place'        => 'HS256',
        'a word'          => "HS256 file=$dir/secret what=this",
    );
    for (sort keys %bad) {
        conf_refused("paperboy_jwt_key $bad{$_};", $_);
        unlike(conf_error("paperboy_jwt_key $bad{$_};"), qr/secret secret/,
            'and the key is not shown');
    }
    file_with("$dir/short", 'x' x 31);
    conf_refused("paperboy_jwt_key HS256 file=$dir/short;", 'a short secret',
        qr/short: the secret is shorter than the hash of its algorithm/);
    rsa_key($dir, 'rsa1024', 1024);
    conf_refused("paperboy_jwt_key $_ file=$dir/rsa1024.pub;", "a short $_ key",
        qr/an RSA key needs 2048 to 16384 bits, and this one has 1024/)
        for qw(RS256 PS256);
    conf_refused("paperboy_jwt_key EdDSA file=$dir/rsa.pub;", 'RSA as EdDSA',
        qr/the algorithm needs an Ed25519 or Ed448 key, and this is none/);
    conf_refused("paperboy_jwt_key HS256 file=$dir/secret kid=a;"
            . "paperboy_jwt_key HS256 file=$dir/old kid=a;",
        'the same kid twice', qr/kid/);
    my $base64 = "paperboy_jwt_key HS256 file=$dir/secret.b64 base64";
    conf_refused("paperboy_jwt_key HS256 file=$dir/old base64;",
        'no base64', qr/no base64 there/);
    conf_refused("$base64 $_;", "base64 $_",
        qr/"?$_: expected kid=ID or base64, each once/) for qw(base64 bas kid=);
    conf_refused("paperboy_jwt_key HS256 file=$dir/secret kid=a kid=b;",
        'two names', qr/kid=b: expected kid=ID or base64, each once/);
    is(conf_error($_), '', 'in any order')
        for "$base64 kid=a;", $base64 =~ s/base64$/kid=a base64;/r;
    conf_refused("paperboy_jwt_key off; paperboy_jwt_key HS256 env=PATH;",
        'off and a key');
};

finish;
