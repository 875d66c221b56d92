# paperboy_jwks: keys that an issuer publishes and changes, from a file and from
# an internal location, without a reload.
use v5.36;
use Paperboy::Test;
use File::Temp ();
use Time::HiRes qw(sleep);

my $dir = File::Temp->newdir;
my %private;
my %public;
($private{"ec$_"}, $public{"ec$_"}) = ec_key($dir, "ec$_", 256) for 1 .. 3;
($private{rsa}, $public{rsa}) = rsa_key($dir, 'rsa');
($private{ed},  $public{ed})  = ed_key($dir, 'ed');
my $secret = 'a secret of the tests, not of yours';

# Replaced as a whole, as an operator would.
sub publish ($name, $text) {
    file_with("$dir/$name.new", $text);
    rename "$dir/$name.new", "$dir/$name" or die "rename: $!";
    return;
}

sub key ($name, %member) { return jwk($public{$name}, kid => $name, %member) }

sub token ($name, %option) {
    my $alg = $option{alg} // ($name =~ /^ec/ ? 'ES256' : $name eq 'ed' ? 'EdDSA'
        : 'RS256');
    return jwt({ sub => 'ann', exp => int(time) + 3600 },
        key => $private{$name}, alg => $alg,
        header => { kid => $option{kid} // $name });
}

file_with("$dir/secret", $secret);
publish('file.json', jwks(key('ec1'), key('rsa'), key('ed'),
    key('rsa', kid => 'ps', alg => 'PS256')));
publish($_, jwks(key('ec1')))
    for qw(one.json two.json aged.json aged-file.json gone.json);

my $nginx = nginx(dir => $dir, workers => 2, http => <<'END');
paperboy_zone main 4m;
paperboy_origin any;
paperboy_token $arg_token;
server {
    listen 127.0.0.1:%%PORT%%;
    location /file { paperboy echo; paperboy_jwks file=%%DIR%%/file.json; }
    location /both {
        paperboy echo;
        paperboy_jwt_key HS256 file=%%DIR%%/secret kid=own;
        paperboy_jwks file=file.json max_size=8k max_keys=4;
    }
    location /proxied {
        paperboy echo;
        paperboy_jwks location=/keys/proxied?a=b retry=1s;
    }
    location /native {
        paperboy native;
        paperboy_jwks location=/keys/proxied retry=1s;
    }
    location /static {
        paperboy echo;
        paperboy_jwks location=/keys/one.json refresh=1s retry=1s;
    }
    location /gone { paperboy echo; paperboy_jwks file=%%DIR%%/gone.json; }
    location /aged {
        paperboy echo;
        paperboy_jwks location=/keys/aged.json refresh=1s retry=1s max_age=5s;
    }
    location /aged-native {
        paperboy native;
        paperboy_jwks location=/keys/aged.json refresh=1s retry=1s max_age=5s;
    }
    location /aged-file {
        paperboy echo;
        paperboy_jwks file=%%DIR%%/aged-file.json max_age=2s;
    }
    location /aged-both {
        paperboy echo;
        paperboy_jwks file=%%DIR%%/file.json;
        paperboy_jwks file=%%DIR%%/aged-file.json max_age=2s;
    }
    location /never { paperboy echo; paperboy_jwks location=/keys/none; }
    location /guess {
        paperboy echo;
        paperboy_jwks location=/keys/none;
        paperboy_token_issuer https://login.example.com/;
        paperboy_limit_bad_tokens 10/h pause=1h;
    }
    location /status { paperboy_status; }
    location /keys/ { internal; alias %%DIR%%/; deny all; }
    location = /keys/proxied {
        internal;
        proxy_pass http://127.0.0.1:%%PORT_issuer%%/two.json;
    }
}
server {
    listen 127.0.0.1:%%PORT_issuer%%;
    access_log %%DIR%%/issuer.log;
    location / { root %%DIR%%; if (-f %%DIR%%/down) { return 503; } }
}
END

sub answer ($path, $token) {
    return $nginx->ws("$path?token=$token")->status;
}

# Both workers have to say so.
sub settles ($what, $path, $token, $status) {
    return ok(wait_for($what, sub {
        return 6 == grep { answer($path, $token) == $status } 1 .. 6;
    }), $what);
}

subtest 'a file' => sub {
    is(answer('/file', token($_)), 101, $_) for qw(ec1 rsa ed);
    is(answer('/file', token('rsa', kid => 'ps', alg => 'PS256')), 101, 'ps');
    is(answer('/file', token('rsa', alg => 'PS256')), 401,
        'an algorithm that the key has not');
    is(answer('/file', token('ec2')), 401, 'a key that is none of these');
    is(answer('/file', token('ec2', kid => 'ec1')), 401, 'by another name');
    is(answer('/both', token('ec1')), 101, 'beside keys of the configuration');
    is(answer('/both', jwt({ exp => int(time) + 60 }, key => $secret,
        header => { kid => 'own' })), 101, 'which count too');
};

subtest 'a file that changes' => sub {
    is(answer('/file', token('ec1')), 101, 'the first');
    publish('file.json', jwks(key('ec2')));
    settles('a new key', '/file', token('ec2'), 101);
    is(answer('/file', token('ec1')), 401,
        'the old one is gone, from the cache too');
    publish('file.json', '{"keys":[');
    ok(wait_for('the log', sub {
        $nginx->log =~ /paperboy_jwks "\S+file.json": it is no JSON object with an array "keys"; the keys before stay/
    }), 'nonsense is told');
    is(answer('/file', token('ec2')), 101, 'and the keys before stay');
    unlink "$dir/file.json";
    ok(wait_for('the log', sub { $nginx->log =~ /the file can't be read/ }),
        'so is its end');
    is(answer('/file', token('ec2')), 101, 'and they stay');
    publish('file.json', jwks(key('ec3')));
    settles('until there are others', '/file', token('ec3'), 101);
};

subtest 'a location' => sub {
    settles('its keys', '/proxied', token('ec1'), 101);
    settles('a static one', '/static', token('ec1'), 101);
    like($nginx->log('issuer.log'), qr{"GET /two.json HTTP/1}, 'by GET');
    is($nginx->http(GET => '/keys/one.json')->{status}, 404,
        'which clients do not reach');
    publish('one.json', jwks(key('ec2')));
    settles('refreshed in time', '/static', token('ec2'), 101);
    settles('and forgotten in time', '/static', token('ec1'), 401);
};

subtest 'an unknown kid' => sub {
    publish('two.json', jwks(key('ec1'), key('ec2')));
    is(answer('/proxied', token('ec2')), 401, 'is not known at once');
    settles('has the location asked again', '/proxied', token('ec2'), 101);
    my $asked = () = $nginx->log('issuer.log') =~ /GET/g;
    my $start = time;
    answer('/proxied', token('ec1', kid => "invented$_")) for 1 .. 200;
    my $passed = time - $start;
    sleep 1.5;
    my $again = () = $nginx->log('issuer.log') =~ /GET/g;
    # Two locations and two workers, each at most once a second.
    cmp_ok($again - $asked, '<=', 4 * ($passed + 4), 'but not by each of many');
};

subtest 'a location that fails' => sub {
    my $unknown = sub { answer('/proxied', token('ec1', kid => 'x' . rand)) };
    file_with("$dir/down", '');
    ok(wait_for('the log', sub { $unknown->();
        $nginx->log =~ /paperboy_jwks "\S+": the answer is 503; the keys before stay/
    }), 'is told');
    is(answer('/proxied', token('ec2')), 101, 'the keys before stay');
    unlink "$dir/down";
    publish('two.json', '<html>' . 'x' x 1000);
    ok(wait_for('the log', sub { $unknown->();
        $nginx->log =~ m{"/keys/proxied\S*": it is no JSON object} }),
        'so is nonsense');
    publish('two.json', 'x' x 10_000_000);
    ok(wait_for('the log', sub { $unknown->();
        $nginx->log =~ /the answer is larger than 65536 bytes/ }),
        'and 10 MB of it');
    is(answer('/proxied', token('ec2')), 101, 'they still stay');
    publish('two.json', jwks(key('ec3')));
    settles('until it is well', '/proxied', token('ec3'), 101);
    is(answer('/proxied', token('ec2')), 401, 'with other keys');
};

subtest 'keys that are not known yet' => sub {
    is(answer('/never', token('ec1')), 503, 'none is refused for good');
    ok(wait_for('the log', sub {
        $nginx->log =~ m{"/keys/none": the answer is 404; no token of its keys is taken}
    }), 'and the log says why');
};

subtest 'guesses while keys are not known' => sub {
    my $us    = 'https://login.example.com/';
    my $guess = sub ($claims = {}, %option) {
        return jwt({ iss => $us, %$claims }, key => $private{ec1},
            alg => 'ES256', header => { kid => 'x' }, %option);
    };
    is(answer('/guess', $guess->()), 503, 'one that may be good') for 1 .. 20;
    is(answer('/guess', $guess->({ exp => 17 })), 401, 'one that was') for 1 .. 20;
    my %bad = (
        'no token'                 => 'x.y.z',
        'no signature of its kind' => $guess->() =~ s/\.[^.]*\z/.AAAA/r,
        'of somebody else'         => $guess->({ iss => 'https://evil.example/' }),
        'no claims that can be'    => $guess->({ sub => [] }),
        'a secret, of which none can come' => $guess->({}, alg => 'HS256',
            key => $secret),
    );
    for (1 .. 2) {
        is(answer('/guess', $bad{$_}), 401, $_) for sort keys %bad;
    }
    is(answer('/guess', 'x.y.z'), 401, 'one too many');
    is(answer('/guess', $guess->()), 429, 'has them pause');
};

subtest 'keys that are too old' => sub {
    settles('keys that are read again', '/aged', token('ec1'), 101);
    is(answer('/aged-file', token('ec1')), 101, 'of a file');
    my $stays = $nginx->ws('/aged?token=' . token('ec1'));
    rename "$dir/$_", "$dir/$_.away" or die "rename: $!"
        for qw(aged.json aged-file.json);
    is(answer('/aged', token('ec1')), 101, 'that can\'t be read any more');
    settles('aren\'t trusted for ever', '/aged', token('ec1'), 503);
    settles('nor are those of a file', '/aged-file', token('ec1'), 503);
    like($nginx->log, qr{paperboy_jwks "\S+aged.json": for 5 seconds there was no key set \(max_age\); no token},
        'the log tells');
    like($nginx->log, qr{aged-file.json": for 2 seconds}, 'of both');
    my $native = $nginx->ws('/aged-native');
    $native->text('{"id":1,"connect":{"token":"' . token('ec1') . '"}}');
    like($native->recv, qr/"code":100,.*"temporary":true/,
        'a client is to try again');
    is(answer('/aged-both', token('ec3')), 101, 'other keys count');
    $stays->text('x');
    is($stays->recv, 'text:x', 'who is in stays');
    publish('aged.json', '{"keys":{}}');
    publish('aged-file.json', '{}');
    settles('no key set is none', '/aged', token('ec1'), 503);
    settles('of a file', '/aged-file', token('ec1'), 503);
    rename "$dir/$_.away", "$dir/$_" or die "rename: $!"
        for qw(aged.json aged-file.json);
    settles('until there is one', '/aged', token('ec1'), 101);
    settles('the same file', '/aged-file', token('ec1'), 101);
};

subtest 'what is passed over' => sub {
    publish('one.json', jwks(key('ec1'), key('ec2', use => 'enc'),
        key('ec3', d => 'AAAA'), { kty => 'oct', alg => 'HS256', kid => 's',
        k => base64url($secret) }));
    ok(wait_for('the log', sub { $nginx->log =~
        /one.json": passed over: key 2 \(kid "ec2"\): its use is "enc", not sig; key 3 \(kid "ec3"\): it is a private key.*; key 4 \(kid "s"\): it is a secret/
    }), 'is told');
    is(answer('/static', jwt({}, key => $secret, header => { kid => 's' })), 401,
        'a secret that anybody can read is no key');
    is(answer('/static', token('ec3')), 401, 'nor is a private key');
    is(answer('/static', token('ec1')), 101, 'but the rest is');
};

subtest 'the last key is withdrawn' => sub {
    publish('one.json', jwks(key('ec1')));
    publish('gone.json', jwks(key('ec1')));
    settles($_, $_, token('ec1'), 101) for qw(/static /gone);
    my $stays = $nginx->ws('/gone?token=' . token('ec1'));
    publish($_, '{"keys":[]}') for qw(one.json gone.json);
    settles("$_: none is left", $_, token('ec1'), 401) for qw(/static /gone);
    like($nginx->log, qr{\[warn\].*$_": it has no keys; no token of its keys is taken},
        'the log says so') for qw(/keys/one.json gone.json);
    unlike($nginx->log, qr/it has no keys; the keys before stay/, 'and no other');
    $stays->text('x');
    is($stays->recv, 'text:x', 'who is in stays');
    publish('gone.json', jwks(key('ec1')));
    settles('another set', '/gone', token('ec1'), 101);
    publish('gone.json', jwks({ kty => 'oct', alg => 'XX', kid => 'z' }));
    settles('of no key that is of use', '/gone', token('ec1'), 401);
    like($nginx->log, qr{gone.json": it has no key that can be used; key 1 \(kid "z"\)},
        'the log says why');
    publish('one.json',  jwks(key('ec2')));
    publish('gone.json', '{"keys":[');
    settles('others come', '/static', token('ec2'), 101);
    is(answer('/gone', token('ec1')), 401, 'nonsense brings none back');
    publish('gone.json', jwks(key('ec1')));
};

subtest 'commands' => sub {
    my $connected = sub ($token) {
        my $ws = $nginx->ws('/native');
        $ws->text(qq({"id":1,"connect":{"token":"$token"}}));
        return $ws->recv =~ /"client":/;
    };
    ok(wait_for('it', sub { $connected->(token('ec3')) }),
        'have a set of keys too');
    ok(!$connected->(token('ec3', kid => 'ec1')), 'and no others');
};

subtest 'a reload' => sub {
    $nginx->reload;
    settles('has the keys again', '/proxied', token('ec3'), 101);
};

subtest 'errors' => sub {
    my $file = "paperboy_jwks file=$dir/file.json";
    file_with("$dir/bad.json", '[]');
    file_with("$dir/empty.json", '{"keys":[]}');
    file_with("$dir/enc.json", jwks(key('ec1', use => 'enc')));
    conf_refused("paperboy_jwks $dir/file.json;", 'a path alone',
        qr/expected file=PATH or location=URI/);
    conf_refused("paperboy_jwks file=$dir/none;", 'no file',
        qr/the file can't be read/);
    conf_refused("paperboy_jwks file=$dir/bad.json;", 'no key set',
        qr/it is no JSON object with an array/);
    conf_refused("paperboy_jwks file=$dir/empty.json;", 'none',
        qr/it has no keys/);
    conf_refused("paperboy_jwks file=$dir/enc.json;", 'no key',
        qr/it has no key that can be used; key 1/);
    conf_refused("$file max_size=10;", 'too large', qr/larger than 10 bytes/);
    conf_refused("$file refresh=1s;", 'a time for a file',
        qr/refresh=1s: is for a location, not for a file/);
    conf_refused("$file $_;", $_, qr/\Q$_\E: expected/)
        for qw(max_size=0 max_keys=0 max_keys=x what);
    conf_refused("paperboy_jwks location=/x;", 'a location of no server',
        qr/location= is one of a server's/);
    my $server = 'server { listen 127.0.0.1:%%PORT%%;';
    conf_refused("$server paperboy_jwks location=x; }", 'no URI',
        qr/expected a URI that begins with/);
    conf_refused("$server paperboy_jwks location=/x $_; }", $_,
        qr/\Q$_\E: expected a time above 0/)
        for qw(refresh=0 retry=x timeout=0);
    conf_refused("$file max_age=0;", 'no age', qr/max_age=0: expected a time/);
    conf_refused('server { location / { paperboy_jwks location=/k max_age=5m; } }',
        'an age below the refresh', qr/max_age=: expected a time above refresh=/);
    conf_refused("paperboy_jwt_key off; $file;", 'off',
        qr/paperboy_jwks: stands beside paperboy_jwt_key off/);
};

finish;
