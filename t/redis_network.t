# How nodes reach Redis: TCP, a unix socket, TLS and whom it trusts, passwords,
# names; and that these connections are in nobody's way.
use v5.36;
use File::Temp;
use Paperboy::Dns;
use Paperboy::Redis;
use Paperboy::Test;

plan skip_all => "no $Paperboy::Redis::BINARY" if !Paperboy::Redis::is_there();

my $dir = File::Temp->newdir;
mkdir "$dir/$_" for 'ours', 'theirs';
my @ours   = self_signed("$dir/ours");
my @theirs = self_signed("$dir/theirs");
my $file   = file_with("$dir/password", "secret\n");
local $ENV{PAPERBOY_TEST_REDIS} = 'secret';

my $redis = Paperboy::Redis->new(
    tls      => \@ours,
    unix     => 1,
    password => 'secret',
    users    => ['paperboy on >hers ~* &* +@all']
)->start;
my %at = (
    tcp  => '127.0.0.1:' . $redis->port,
    tls  => '127.0.0.1:' . $redis->tls_port,
    name => 'localhost:' . $redis->tls_port,
);

sub node ($redis, %option) {
    my $more = delete $option{more} // '';
    return nginx(workers => 2, %option, http => <<"END");
paperboy_zone main 4m;
paperboy_redis $redis timeout=1s;
paperboy_origin any;
$more
server {
    listen 127.0.0.1:%%PORT%%;
    location /ws { paperboy raw; paperboy_channel a; }
    location /status { paperboy_status; }
    location /ready { paperboy_ready; }
}
END
}

sub is_ready ($node) { return $node->http(GET => '/ready')->{status} == 200 }

sub becomes_ready ($name, @node) {
    my $node = node(@node);
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    ok(wait_for($name, sub { is_ready($node) }), $name);
    return $node;
}

# Both workers say why, once; and go on trying, which isn't said.
sub stays_unready ($name, $why, @node) {
    my $node = node(@node);
    $node->expect_log(qr/SSL_do_handshake/);
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    wait_for($why, sub { $node->log =~ /paperboy_redis: can't use [^\n]*$why/ });
    ok(!is_ready($node), $name);
    return $node;
}

my $trust   = "paperboy_redis_ssl_trusted_certificate $ours[0];";
my $secret  = "password_file=$file";

subtest 'a unix socket' => sub {
    becomes_ready('the socket', 'unix:' . $redis->unix_path . " $secret");
    stays_unready('no socket', 'No such file', "unix:$dir/none $secret");
};

subtest 'passwords' => sub {
    becomes_ready('of a file', "redis://$at{tcp} $secret");
    becomes_ready('of the environment',
        "redis://$at{tcp} password_env=PAPERBOY_TEST_REDIS");
    becomes_ready('of a user', "redis://paperboy:hers\@$at{tcp}");
    my $node = stays_unready('a wrong one', 'password',
        "redis://:hunter2\@$at{tcp}");
    unlike($node->log, qr/hunter2/, 'which the log doesn\'t show');
    stays_unready('none', 'password', "redis://$at{tcp}");
};

subtest 'TLS' => sub {
    becomes_ready('its name', "rediss://$at{name} $secret", more => $trust);
    becomes_ready('an address, and its name beside it',
        "rediss://$at{tls} $secret",
        more => "$trust paperboy_redis_ssl_name localhost;");
    becomes_ready('without verification', "rediss://$at{tls} $secret",
        more => 'paperboy_redis_ssl_verify off;');
    stays_unready('another name', q{isn't for "127.0.0.1"},
        "rediss://$at{tls} $secret", more => $trust);
    stays_unready('another name beside it', q{isn't for "redis.example"},
        "rediss://$at{name} $secret",
        more => "$trust paperboy_redis_ssl_name redis.example;");
    stays_unready('somebody else\'s certificate', 'to be trusted',
        "rediss://$at{name} $secret",
        more => "paperboy_redis_ssl_trusted_certificate $theirs[0];");
    stays_unready('a server without TLS', 'handshake',
        "rediss://$at{tcp} $secret", more => 'paperboy_redis_ssl_verify off;');
    stays_unready('TLS where none is expected', '(?:reading|closed)',
        "redis://$at{tls} $secret");
};

subtest 'a certificate of the node' => sub {
    my $strict = Paperboy::Redis->new(tls => \@ours,
        config => ['tls-auth-clients yes'])->start;
    my $url = 'rediss://localhost:' . $strict->tls_port;
    becomes_ready('that is shown', $url, more => $trust
            . "paperboy_redis_ssl_certificate $ours[0];"
            . "paperboy_redis_ssl_certificate_key $ours[1];");
    stays_unready('that is missing', '.', $url, more => $trust)
        ->expect_log(qr/SSL/);
};

subtest 'names' => sub {
    my $dns  = Paperboy::Dns->new(name => 'redis.test');
    my $node = stays_unready('that nobody knows', 'resolved',
        'redis://redis.test:' . $redis->port . " $secret",
        more => 'resolver 127.0.0.1:' . $dns->port . ' valid=1s ipv6=off;');
    # Nobody listens at the first.
    $dns->addresses('127.99.99.99', '127.0.0.1');
    ok(wait_for('the name', sub { is_ready($node) }),
        'all its addresses are tried, as soon as it has some');
};

subtest 'when connections run short, those to Redis stay' => sub {
    my $node = becomes_ready('a small node', "redis://$at{tcp} $secret",
        connections => 32, workers => 1);
    $node->expect_log(qr/worker_connections are not enough/);
    my @idle = map { $node->connection } 1 .. 40;
    wait_for('the limit', sub { $node->log =~ /are not enough|reusing/ });
    @idle = ();
    wait_for('an answer', sub { eval { is_ready($node) } });
    is($node->status->{redis_reconnects}, 0, 'they did');
};

subtest 'nobody is kept from going' => sub {
    my $node = becomes_ready('a node', "redis://$at{tcp} $secret",
        main => 'worker_shutdown_timeout 1s;');
    my $client = $node->ws('/ws');
    my @old    = $node->workers;
    $node->reload;
    like($client->recv, qr/^close:/, 'a client is sent away');
    wait_for('the end of the old workers',
        sub { !grep { Paperboy::Nginx::is_running($_) } @old });
    ok($node->stop('QUIT'), 'and all of nginx stops');
    unlike($node->log, qr/open socket|signal 11/, 'in good order');
};

finish;
