# Tokens that are made to be mistaken: each is refused before anything is
# granted, by every kind of key, and the worker goes on.
use v5.36;
use Paperboy::Test;
use File::Temp ();

my $dir = File::Temp->newdir;
my $secret = 'a secret of the tests, not of yours';
file_with("$dir/secret", $secret);
my ($rsa, $rsa_public) = rsa_key($dir, 'rsa');
my ($ec,  $ec_public)  = ec_key($dir, 'ec');
my ($ed,  $ed_public)  = ed_key($dir, 'ed');
file_with("$dir/jwks.json",
    jwks(jwk($rsa_public, kid => 'k'), jwk($ec_public, kid => 'k')));

my $nginx = nginx(dir => $dir, http => <<'END');
paperboy_zone main 4m;
paperboy_origin any;
paperboy_token $http_authorization;
server {
    listen 127.0.0.1:%%PORT%%;
    large_client_header_buffers 4 64k;
    location /HS256 { paperboy echo; paperboy_jwt_key HS256 file=secret; }
    location /RS256 { paperboy echo; paperboy_jwt_key RS256 file=rsa.pub; }
    location /PS256 { paperboy echo; paperboy_jwt_key PS256 file=rsa.pub; }
    location /ES256 { paperboy echo; paperboy_jwt_key ES256 file=ec.pub; }
    location /EdDSA { paperboy echo; paperboy_jwt_key EdDSA file=ed.pub; }
    location /jwks { paperboy echo; paperboy_jwks file=jwks.json; }
}
END

my %key = (HS256 => $secret, RS256 => $rsa, PS256 => $rsa, ES256 => $ec,
    EdDSA => $ed);

sub slurp ($path) {
    open my $file, '<', $path or die "$path: $!";
    local $/ = undef;
    return <$file>;
}

sub status ($path, $token) {
    return $nginx->ws($path, token => $token)->status;
}

# Signed rightly, whatever its texts are.
sub signed ($alg, $header, $claims = '{}') {
    return jwt_of_text($header, $claims, key => $key{$alg}, alg => $alg);
}

is(status("/$_", signed($_, qq({"alg":"$_"}))), 101, "$_: a good one")
    for sort keys %key;

subtest 'the algorithm' => sub {
    for my $key (sort keys %key) {
        for my $alg (qw(none None NONE nOnE), '', ' none', 'none\u0000', 'HS1',
            'HS256 ', 'hs256', 'RSA-OAEP', 'dir', 'EdDSA ', 'Ed25519', 'ES256K')
        {
            my $header = base64url(qq({"alg":"$alg"}));
            is(status("/$key", "$header.e30."), 401, "$key: '$alg', unsigned");
            is(status("/$key", signed($key, qq({"alg":"$alg"}))), 401,
                "$key: '$alg', signed");
        }
        for my $other (grep { $_ ne $key } sort keys %key) {
            is(status("/$key", signed($other, qq({"alg":"$other"}))), 401,
                "$key: $other");
            is(status("/$key", signed($other, qq({"alg":"$key"}))), 401,
                "$key: $other that says $key");
        }
    }
};

subtest 'a public key as a secret' => sub {
    for (['RS256', $rsa_public], ['PS256', $rsa_public], ['ES256', $ec_public],
        ['EdDSA', $ed_public])
    {
        my ($alg, $path) = @$_;
        my $pem = slurp($path);
        for my $secret ($pem, $pem =~ s/\n\z//r, $pem =~ s/-----.*?-----|\n//gr) {
            is(status("/$alg", jwt_of_text($_, '{}', key => $secret,
                alg => 'HS256')), 401, "$alg: $_")
                for '{"alg":"HS256"}', qq({"alg":"$alg"}),
                    '{"alg":"HS256","kid":"k"}';
            is(status('/jwks', jwt_of_text('{"alg":"HS256","kid":"k"}', '{}',
                key => $secret, alg => 'HS256')), 401, 'in a key set');
        }
    }
};

subtest 'one kid, two algorithms' => sub {
    is(status('/jwks', jwt({}, key => $rsa, alg => 'RS256',
        header => { kid => 'k' })), 101, 'one');
    is(status('/jwks', jwt({}, key => $ec, alg => 'ES256',
        header => { kid => 'k' })), 101, 'the other');
    is(status('/jwks', jwt_of_text('{"alg":"RS256","kid":"k"}', '{}',
        key => $ec, alg => 'ES256')), 401, 'not crossed');
    is(status('/jwks', jwt({}, key => $rsa, alg => 'RS256')), 401, 'no kid');
};

subtest 'the form' => sub {
    my ($h, $p, $s) = split /\./, signed('HS256', '{"alg":"HS256"}');
    my $jwe = base64url('{"alg":"dir","enc":"A128GCM"}');
    my %bad = (
        'JWE'                  => "$jwe..AAAA.AAAA.AAAA",
        'JWE, in our name'     => "$h.$p.$s.AAAA.AAAA",
        'four parts'           => "$h.$p.$s.",
        'two parts'            => "$h.$p",
        'padding'              => "$h.$p.$s=",
        'padding inside'       => "$h=.$p.$s",
        'a space'              => "$h.$p .$s",
        'a tab'                => "$h.\t$p.$s",
        'another alphabet'     => "$h.$p." . ($s =~ tr/-_/+\//r) . '+',
        'bits left over'       => "$h." . 'e31' . ".$s",
        'oversized'            => "$h.$p." . 'A' x 9000,
        'much oversized'       => "$h." . 'A' x 60_000 . ".$s",
        'no signature'         => "$h.$p.",
        'a short signature'    => "$h.$p." . substr($s, 0, 4),
    );
    is(status('/HS256', $bad{$_}), 401, $_) for sort keys %bad;
};

subtest 'the header' => sub {
    my $deep = '[' x 3000 . ']' x 3000;
    my %bad = (
        'crit'             => '{"alg":"HS256","crit":["exp"]}',
        'b64'              => '{"alg":"HS256","b64":false,"crit":["b64"]}',
        'b64 alone'        => '{"alg":"HS256","b64":false}',
        'a duplicate'      => '{"alg":"HS256","alg":"HS256"}',
        'a hidden one'     => '{"alg":"none","\u0061lg":"HS256"}',
        'not UTF-8'        => "{\"alg\":\"HS256\",\"x\":\"\xff\xfe\"}",
        'deep'             => qq({"alg":"HS256","x":$deep}),
        'a list of alg'    => '{"alg":["HS256"]}',
        'kid with a path'  => '{"alg":"HS256","kid":"../../../../dev/null"}',
        'kid with a NUL'   => '{"alg":"HS256","kid":"a\u0000b"}',
        'kid of SQL'       => q({"alg":"HS256","kid":"' OR '1'='1"}),
        'an empty kid'     => '{"alg":"HS256","kid":""}',
        'kid is a number'  => '{"alg":"HS256","kid":1}',
        'two kids'         => '{"alg":"HS256","kid":"a","kid":"b"}',
        'another typ'      => '{"alg":"HS256","typ":"logout+jwt"}',
        'zip'              => '{"alg":"HS256","zip":"DEF"}',
        'enc'              => '{"alg":"HS256","enc":"A128GCM"}',
        'text after it'    => "{\"alg\":\"HS256\"}\0x",
    );
    is(status('/HS256', signed('HS256', $bad{$_})), 401, $_) for sort keys %bad;
    is(status('/RS256', jwt_of_text($_, '{}', key => $secret, alg => 'HS256')),
        401, 'a key in the header') for
        qq({"alg":"RS256","jwk":{"kty":"oct","k":"@{[base64url($secret)]}"}}),
        '{"alg":"RS256","jku":"http://127.0.0.1/","x5u":"http://127.0.0.1/"}';
};

subtest 'the claims' => sub {
    my $deep = '{"a":' x 1000 . '1' . '}' x 1000;
    my $hour = int(time) + 3600;
    my %bad = (
        'a duplicate'  => qq({"exp":1,"exp":$hour}),
        'a hidden one' => qq({"exp":1,"\\u0065xp":$hour}),
        'deep'         => $deep,
        'not UTF-8'    => "{\"sub\":\"\xc3\x28\"}",
        'NUL'          => '{"sub":"root\u0000"}',
        'an array'     => '[]',
        'nothing'      => '',
        'exp of text'  => '{"exp":"9999999999"}',
        'exp null'     => '{"exp":null}',
        'exp beyond'   => '{"exp":1e999}',
    );
    is(status('/HS256', signed('HS256', '{"alg":"HS256"}', $bad{$_})), 401, $_)
        for sort keys %bad;
};

subtest 'signatures' => sub {
    for my $alg (qw(RS256 PS256 ES256 EdDSA)) {
        my ($text, $signature) = signed($alg, qq({"alg":"$alg"})) =~ /(.*)\.(.*)/;
        for ('', 'AAAA', 'A' x length $signature, $signature . 'AAAA',
            substr($signature, 4), base64url("\0" x 64), base64url("\xff" x 64))
        {
            is(status("/$alg", "$text.$_"), 401, "$alg: " . substr $_, 0, 20);
        }
        is(status("/$alg", "$text.$signature"), 101, "$alg: its own");
    }
};

is(scalar($nginx->workers), 2, 'no worker has ended');

finish;
