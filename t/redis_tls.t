# TLS to Sentinels and the master that they name, and to a cluster whose servers
# name each other: each has to show a certificate for the name by which it was
# named.
use v5.36;
use File::Temp;
use Paperboy::Cluster;
use Paperboy::Dns;
use Paperboy::Pair;
use Paperboy::Redis;
use Paperboy::Sentinel;
use Paperboy::Test;

plan skip_all => "no $Paperboy::Redis::BINARY" if !Paperboy::Redis::is_there();

my $dir  = File::Temp->newdir;
my @tls  = self_signed($dir);    # for localhost, not for 127.0.0.1
my $trust = "paperboy_redis_ssl_trusted_certificate $tls[0];";
my $name  = 'paperboy_redis_ssl_name localhost;';

# One that names servers which don't prove to be those.
sub stays_unready ($what, $why, $redis, $http) {
    my $node = nginx(workers => 1, http => <<"END");
paperboy_zone main 4m;
paperboy_redis $redis timeout=1s;
$http
server {
    listen 127.0.0.1:%%PORT%%;
    location /ready { paperboy_ready; }
}
END
    wait_for($why, sub { $node->log =~ /paperboy_redis: can't [^\n]*$why/ });
    is($node->http(GET => '/ready')->{status}, 503, $what);
    return;
}

subtest 'Sentinels' => sub {
    my $master   = Paperboy::Redis->new(tls => \@tls)->start;
    my $sentinel = Paperboy::Sentinel->new(
        master           => $master->tls_port,
        down_after       => 5000,
        failover_timeout => 5000,
        tls              => \@tls,
    )->start;
    my $at   = $sentinel->tls_port;
    my $pair = Paperboy::Pair->new(
        redis => "rediss://127.0.0.1:$at sentinel=$Paperboy::Sentinel::NAME",
        http  => "$trust $name",
    );
    $pair->publish for 1 .. 3;
    $pair->check('the name beside them is that of all');
    my $why = q{isn't for "127.0.0.1"};
    stays_unready('a Sentinel of another name', "ask the Sentinel [^\n]*$why",
        "rediss://127.0.0.1:$at sentinel=paper", $trust);
    stays_unready('a master of another name', "use [^\n]*$why",
        "rediss://localhost:$at sentinel=paper", $trust);
};

subtest 'a cluster' => sub {
    my $cluster = Paperboy::Cluster->new(
        masters  => 2,
        replicas => 0,
        redis    => [
            tls    => \@tls,
            config => [
                'tls-cluster yes', 'cluster-announce-hostname localhost',
                'cluster-preferred-endpoint-type hostname',
            ],
        ],
    );
    my $url = 'rediss://localhost:' . ($cluster->servers)[0]->tls_port
        . ' cluster';
    my $dns = Paperboy::Dns->new(name => 'localhost');
    $dns->addresses('127.0.0.1');
    my $pair = Paperboy::Pair->new(
        redis    => $url,
        http     => "$trust resolver 127.0.0.1:" . $dns->port . ' ipv6=off;',
        channels => [qw(a b c d)],
    );
    $pair->publish for 1 .. 3;
    my $slots = keys_of($cluster);
    ok(keys %$slots > 1, 'channels are on both masters');
    for my $slot (map { $_->[0] } values %$slots) {
        my ($to) = grep { $_->port != $cluster->owner($slot)->port }
            $cluster->masters;
        $cluster->move_slot($slot, $to);
        $pair->publish for 1 .. 3;
    }
    $pair->check('servers that are named by others, while slots move');

    # By their addresses from here on.
    $_->command(CONFIG => SET => 'cluster-preferred-endpoint-type', 'ip')
        for $cluster->servers;
    my $again = Paperboy::Pair->new(
        redis    => $url,
        http     => "$trust $name",
        channels => [qw(e f g h)],
    );
    $again->publish for 1 .. 3;
    $again->check('the name beside them is that of all');
    stays_unready('servers of other names', q{use [^\n]*isn't for "127.0.0.1"},
        $url, $trust);
};

# Slots of streams, by the ports of their masters.
sub keys_of ($cluster) {
    my %slots;
    for my $server ($cluster->masters) {
        for my $key (@{ $server->command(KEYS => '*:s:?') }) {
            push @{ $slots{ $server->port } }, $cluster->slot_of($key);
        }
    }
    return \%slots;
}

finish;
