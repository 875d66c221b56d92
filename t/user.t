# paperboy_user: who a client is where no token says so: by a certificate, a
# password, or what another server tells.
use v5.36;
use Paperboy::Test;
use File::Temp ();
use JSON::PP qw(decode_json);

my $dir = File::Temp->newdir;
self_signed($dir);
local $ENV{PAPERBOY_JWT_SECRET} = my $secret = 'secret ' x 10;

# A certificate of our own authority, or signed by itself.
sub certificate ($name, $authority = undef) {
    my ($file, $key) = ("$dir/$name.crt", "$dir/$name.key");
    my @command = (qw(openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256
            -nodes -batch -sha256 -subj), "/O=Example/CN=$name", '-keyout', $key);
    my $made = $authority
        ? system(@command, '-out', "$dir/$name.csr") == 0
        && system(qw(openssl x509 -req -days 30 -set_serial), 2 + length $name,
            '-in', "$dir/$name.csr", '-CA', "$dir/$authority.crt", '-CAkey',
            "$dir/$authority.key", '-out', $file) == 0
        : system(@command, qw(-x509 -days 30), '-out', $file) == 0;
    $made or die "openssl made no certificate\n";
    return (certificate => $file, key_file => $key);
}

open my $stderr, '>&', \*STDERR or die $!;
open STDERR, '>', "$dir/openssl.log" or die $!;
certificate('authority');
my %ann     = certificate('ann', 'authority');
my %mallory = certificate('mallory');
open STDERR, '>&', $stderr or die $!;

# {PLAIN} is a scheme of nginx's own.
file_with("$dir/passwords", "bob:{PLAIN}word\nann:{PLAIN}word\n");

my $nginx = nginx(workers => 1, http => <<"END");
paperboy_zone main 4m;
paperboy_origin any;
paperboy_channel_rule own:* subscribe=own presence;
paperboy_channel_rule some  subscribe=user;
paperboy_log_format user 'ended user=\$paperboy_user by=\$remote_addr';
map \$ssl_client_s_dn \$common_name {
    "~(?:^|,)CN=(?<name>[^,]+)" \$name;
}
server {
    listen 127.0.0.1:%%PORT%%;
    listen 127.0.0.1:%%PORT_proxy%% proxy_protocol;
    listen 127.0.0.1:%%PORT_tls%% ssl;
    ssl_certificate $dir/tls.crt;
    ssl_certificate_key $dir/tls.key;
    ssl_client_certificate $dir/authority.crt;
    ssl_verify_client optional;
    paperboy_channel \$arg_c;
    location /certificate { paperboy raw; paperboy_user \$common_name; }
    location /password {
        paperboy raw;
        paperboy_user \$remote_user;
        auth_basic chat;
        auth_basic_user_file $dir/passwords;
    }
    location /either {
        paperboy raw;
        satisfy any;
        paperboy_user \$remote_user;
        paperboy_jwt_key HS256 env=PAPERBOY_JWT_SECRET;
        auth_basic chat;
        auth_basic_user_file $dir/passwords;
    }
    location /proxied {
        paperboy raw;
        paperboy_user \$http_x_user;
        paperboy_log logs user;
        set_real_ip_from 127.0.0.1;
        real_ip_header proxy_protocol;
    }
    location /native { paperboy native; paperboy_user \$remote_user; }
    location /keyed {
        paperboy native;
        paperboy_user \$http_x_user;
        paperboy_jwt_key HS256 env=PAPERBOY_JWT_SECRET;
    }
    location /publish { paperboy_publish any; }
    location /api { paperboy_api any; }
}
END

sub status ($path, %option) { return $nginx->ws($path, %option)->status }

sub present ($channel) {
    my $answer = $nginx->http(POST => '/api/presence',
        body => qq({"channel":"$channel"}))->json;
    return [sort map { $_->{user} } values %{ $answer->{result}{presence} }];
}

subtest 'a certificate' => sub {
    my %tls = (port => 'tls', tls => 1);
    my $ws = $nginx->ws('/certificate?c=own:ann', %tls, %ann);
    is($ws->status, 101, 'opens the channel of its own name');
    is_deeply(present('own:ann'), ['ann'], 'who is there has it');
    is(status('/certificate?c=own:annabel', %tls, %ann), 403, 'no other');
    is(status('/certificate?c=some', %tls, %ann), 101,
        'and what is for those who have a name');
    is(status('/certificate?c=own:ann', %tls), 403, 'without one: nothing');
    is(status('/certificate?c=some', %tls), 403, 'nor that');
    is(status('/certificate?c=own:mallory', %tls, %mallory), 400,
        'one of another authority: nginx refuses it');
};

subtest 'a password' => sub {
    my $as = sub ($text) { return (headers => [Authorization => "Basic $text"]) };
    my @bob = $as->('Ym9iOndvcmQ=');
    is(status('/password?c=own:bob', @bob), 101, 'the own channel');
    is(status('/password?c=own:ann', @bob), 403, 'another');
    is(status('/password?c=own:bob', $as->('Ym9iOndyb25n')), 401, 'a wrong one');
    is(status('/either?c=own:bob', @bob), 101, 'where a token would do too');
    my $token = jwt({ sub => 'ann', exp => time + 60, scope => 'publish' },
        key => $secret);
    is(status("/either?c=own:ann", token => $token), 101, 'whom a token names');
    is(status("/either?c=own:bob", token => $token), 401, 'and nobody else');
    # A name without its password is no user of nginx's where nothing checks it,
    # but $remote_user has it: never take it there.
    is(status('/native', @bob), 101, 'what is documented');
};

subtest 'another server says it, and the address' => sub {
    my $ws = $nginx->ws('/proxied?c=own:eve', port => 'proxy',
        prefix => "PROXY TCP4 192.0.2.7 192.0.2.1 5000 80\r\n",
        headers => ['X-User' => 'eve']);
    is($ws->status, 101, 'by a header that the proxy sets');
    $ws->close;
    wait_for('the line', sub { -e "$nginx->{dir}/logs" });
    wait_for('the line', sub {
        Paperboy::Nginx::_slurp("$nginx->{dir}/logs")
            =~ /^ended user=eve by=192\.0\.2\.7$/m;
    });
    pass('its end is logged with both');
};

subtest 'a name that others could not be told' => sub {
    my $ws = $nginx->ws('/proxied?c=free', headers => ['X-User' => "e\xff"]);
    is($ws->status, 403, 'no UTF-8');
    like($ws->answer->{body}, qr/the user's name is not UTF-8 without NUL/, 'why');
    is(status('/native', headers => [Authorization => 'Basic YQBiOng=']), 403,
        'a NUL');
    is(status('/proxied?c=free', headers => ['X-User' => "\xc3\xa9"]), 101,
        'what is UTF-8');
};

subtest 'a token is believed before' => sub {
    my $token = jwt({ sub => 'ann', exp => time + 60 }, key => $secret);
    my $nobody = jwt({ exp => time + 60 }, key => $secret);
    my $connect = sub ($token) {
        my $ws = $nginx->ws('/keyed', headers => ['X-User' => 'bob']);
        $ws->text(qq({"id":1,"connect":{"token":"$token"}}));
        $ws->recv;
        return $ws;
    };
    my $may = sub ($ws, $channel) {
        $ws->text(qq({"id":2,"subscribe":{"channel":"$channel"}}));
        return $ws->recv =~ /"code":103/ ? 0 : 1;
    };
    my $ws = $connect->($token);
    ok($may->($ws, 'own:ann'), 'its own user');
    ok(!$may->($ws, 'own:bob'), 'not that of the request');
    $ws = $connect->($nobody);
    ok($may->($ws, 'own:bob'), 'a token of nobody: that of the request');
};

finish;
