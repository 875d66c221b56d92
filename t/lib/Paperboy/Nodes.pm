# Several nodes: each an nginx of its own (a master, its workers, its zone),
# which reaches one Redis through a relay of its own; beside Redis, where it is
# asked for, a replica, which follows it through a relay too. And what is done
# to them; see RedisFault.pm.
package Paperboy::Nodes;
use v5.36;

use File::Temp ();
use Paperboy::Doors;
use Paperboy::Engine;
use Paperboy::Cluster;
use Paperboy::Fault;
use Paperboy::Netns;
use Paperboy::Nginx;
use Paperboy::Redis;
use Paperboy::Relay;
use Paperboy::Sentinel;
use Time::HiRes qw(time sleep);

# nodes => N; workers => N of each; replica => 1; redis => {options of
# Paperboy::Redis}; parameters => TEXT, of paperboy_redis; rule => TEXT; http =>
# TEXT; connections => N, of a worker; seed => N; dir => PATH; direct => 1:
# without relays; netns => 1: links of the kernel's in their place; kind =>
# 'sentinel' or 'cluster': many Redis in the place of one, without relays;
# alerts => [REGEX, ...] that may stand in the logs; doors => 1: ways in for
# clients of the classic protocol and of notiflux, with back ends where `classic`
# is 'same', over the Redis of the nodes, or 'other', over one of their own;
# timeout => SECONDS, of who isn't let in.
sub new ($class, %option) {
    my $self = bless {
        nodes => 3, workers => 2, rule => $Paperboy::Fault::RULE,
        parameters => '', connections => 4096, alerts => [], %option,
        random => ($option{seed} // 1) & 0x7fffffff || 1,
        deeds => [], problems => [], nginx => [], relays => [],
    }, $class;
    $self->{dir} //= File::Temp->newdir('paperboy-nodes-XXXXXX', TMPDIR => 1);
    my %redis = (debug => 1, %{ $option{redis} // {} });
    $redis{netns} = $self->{netns} = Paperboy::Netns->new($self->{nodes})
        if $option{netns};
    $self->{redis_options} = \%redis;
    $self->_start_redis($self->{kind} // 'single', \%redis);
    $self->_add_replica if $option{replica};
    $self->_add_doors if $option{doors};
    $self->_add_node for 1 .. $self->{nodes};
    $self->await_ready;
    return $self;
}

sub _start_redis ($self, $kind, $redis) {
    if ($kind eq 'sentinel') {
        # A Sentinel connects to a new master only after a second: with less
        # it takes that one for dead, too.
        $self->{group} = Paperboy::Sentinel::Group->new(
            redis => [%$redis], down_after => 1500);
        $self->{away}  = join(' ', map { 'redis://127.0.0.1:' . $_->port }
                $self->{group}->sentinels) . ' sentinel=' . $self->{group}->name;
    } elsif ($kind eq 'cluster') {
        $self->{cluster} = Paperboy::Cluster->new(redis => [%$redis]);
        $self->{away} = join(' ', map { "redis://127.0.0.1:$_" }
                $self->{cluster}->ports) . ' cluster';
    } else {
        $self->{redis} = Paperboy::Redis->new(%$redis)->start;
    }
    return;
}

# The one that is written to; of a cluster: the first of them.
sub redis ($self) {
    return $self->{group} ? $self->{group}->master
        : $self->{cluster} ? ($self->{cluster}->masters)[0] : $self->{redis};
}

# All that are written to.
sub masters ($self) {
    return $self->{cluster} ? $self->{cluster}->masters : $self->redis;
}

sub group ($self)   { return $self->{group} }
sub cluster ($self) { return $self->{cluster} }
sub replica ($self) { return $self->{replica} }
sub nginx ($self)   { return @{ $self->{nginx} } }
sub relays ($self)  { return @{ $self->{relays} } }
sub ports ($self)   { return map { $_->port } $self->nginx }

sub doors ($self) { return $self->{doors} }

# The Redis of classic back ends.
sub classic_redis ($self) { return $self->{other} // $self->redis }

sub _add_doors ($self) {
    my $doors = $self->{doors} = Paperboy::Doors->new(
        dir => $self->{dir}, map { $_ => $self->{$_} }
            grep { defined $self->{$_} } qw(nodes workers timeout));
    my $classic = $self->{classic} // return;
    my $port;
    if ($classic eq 'other') {
        $self->{other} = Paperboy::Redis->new->start;
        $port = $self->{other}->port;
    } else {
        $self->{aside} = Paperboy::Relay->new(to => $self->redis->port);
        $port = $self->{aside}->port;
    }
    $doors->open_for_back_ends($port, sub { $self->classic_redis });
    return;
}

# What nodes are told of these.
sub _doors_conf ($self, $url) {
    my $doors = $self->{doors} // return ('', '');
    my $own   = $self->{other};
    my $classic = $own ? 'redis://127.0.0.1:' . $own->port : $url;
    return ('', $doors->locations(0)) if !$doors->has_back_end;
    return ("paperboy_classic_redis $classic timeout=1s;\n",
        $doors->locations(1));
}

sub _add_node ($self) {
    my $number = $self->nginx;
    my $dir    = "$self->{dir}/node$number";
    mkdir $dir or die "$dir: $!";
    my $url = $self->{away} // 'redis://' . $self->_way($number);
    my ($classic, $doors) = $self->_doors_conf($url);
    my $nginx = Paperboy::Nginx->new(
        workers     => $self->{workers},
        connections => $self->{connections},
        log_level   => 'notice',
        dir         => $dir,
        main        => "worker_rlimit_nofile " . 2 * $self->{connections} . ';',
        http        => Paperboy::Fault::conf({
            zone      => $self->{zone} // '64m log=16m',
            rule      => $self->{rule},
            http      => "paperboy_redis $url $self->{parameters};\n$classic"
                . ($self->{http} // ''),
            locations => "location /ready { paperboy_ready; }\n$doors",
        }),
    );
    $nginx->expect_log($_) for @{ $self->{alerts} };
    push @{ $self->{nginx} }, $nginx->start;
    return;
}

# Host and port at which a node reaches Redis.
sub _way ($self, $number) {
    my $port = $self->{redis}->port;
    return "127.0.0.1:$port" if $self->{direct};
    my $relay = $self->{netns} ? ($self->{netns}->links)[$number]
        : Paperboy::Relay->new(to => $port);
    push @{ $self->{relays} }, $relay;
    return $self->{netns} ? $relay->address . ":$port"
        : '127.0.0.1:' . $relay->port;
}

# --- the replica -------------------------------------------------------------

sub _add_replica ($self) {
    my $link = $self->{link} = Paperboy::Relay->new(to => $self->{redis}->port);
    $self->{replica} = Paperboy::Redis->new(%{ $self->{redis_options} },
        replica_of => $link->port)->start;
    $self->{replica}->await_sync($self->{redis});
    return;
}

# From here on the replica misses what is written.
sub hold_replication ($self) { return $self->{link}->stall }

# The master dies; the replica is master with what it has, and the nodes are
# led there. The old one comes back empty, and follows.
sub promote_replica ($self) {
    my ($old, $new) = @$self{qw(redis replica)};
    $old->kill9;
    $self->{link}->cut;
    $new->promote;
    $new->replica_of(undef);
    @$self{qw(redis replica)} = ($new, $old);
    for my $relay ($self->relays, grep { $_ } $self->{aside}) {
        $relay->target($new->port);
        $relay->reset;
    }
    return;
}

sub rejoin_replica ($self) {
    my ($master, $replica) = @$self{qw(redis replica)};
    $self->{link}->target($master->port);
    $self->{link}->heal;
    $replica->wipe;
    $replica->replica_of($self->{link}->port);
    $replica->start if !$replica->is_alive;
    $replica->follow($self->{link});
    $replica->await_sync($master);
    return;
}

# --- what is seen ------------------------------------------------------------

sub is_ready ($nginx) {
    return eval { $nginx->http(GET => '/ready')->{status} == 200 };
}

sub await_ready ($self, $seconds = 20) {
    my $deadline = time + $seconds;
    for my $nginx ($self->nginx) {
        until (is_ready($nginx)) {
            die "a node doesn't become ready: "
                . $nginx->http(GET => '/ready')->{body} . "\n"
                if time > $deadline;
            sleep 0.05;
        }
    }
    return;
}

# Until Redis itself answers; returns when that was.
sub await_redis ($self, $seconds = 30) {
    my $deadline = time + $seconds;
    until (eval { $self->redis->client->command('PING') }) {
        die "redis doesn't answer\n" if time > $deadline;
        sleep 0.01;
    }
    return time;
}

# Sums of a counter of all nodes' status.
sub counted ($self, $name) {
    my $sum = 0;
    $sum += $_->status->{$name} // 0 for $self->nginx;
    return $sum;
}

# How often a node has said that it lost what a back end said; it does so at
# most once a second.
sub classic_losses ($self) {
    return scalar grep {/what a back end says is lost/}
        map { split /\n/, $_->log } $self->nginx;
}

# Seconds of CPU of all workers.
sub cpu ($self) {
    my $sum = 0;
    for my $pid (map { $_->workers } $self->nginx) {
        my ($ns) = split / /, Paperboy::Nginx::_slurp("/proc/$pid/schedstat");
        $sum += ($ns || 0) / 1e9;
    }
    return $sum;
}

# --- the engine --------------------------------------------------------------

sub start_engine ($self, %option) {
    my $engine = $self->{engine} = Paperboy::Engine->new(
        ports => join(',', $self->ports),
        seed  => $self->{seed} // 1,
        log   => "$self->{dir}/engine.log",
        doubt => 1, keys => 1, answer => 10, patience => 30, %option);
    my $ready = $engine->answer(90) // die "the engine says nothing\n";
    die "subscribers can't connect\n" if !$ready->{ready};
    return $engine;
}

# --- what faults are made of -------------------------------------------------

# A number from 0 to below 1, the next of the seed's.
sub random ($self) {
    $self->{random} = ($self->{random} * 48271) % 0x7fffffff;
    return $self->{random} / 0x7fffffff;
}

sub any ($self, @of) { return $of[$self->random * @of] }

# Lets so many seconds pass, or some time between two; short of that where
# `hurry` is set, a share.
sub pass ($self, $least, $most = $least) {
    sleep(($self->{hurry} // 1) * ($least + ($most - $least) * $self->random));
    return;
}

sub did ($self, $deed) {
    push @{ $self->{deeds} }, sprintf '%.3f %s', time, $deed;
    return;
}

sub problem ($self, $text) { push @{ $self->{problems} }, $text; return }

# What a fault needs is there, and it begins: unreadiness counts from here on.
sub begins ($self) {
    $self->{began_at} = time;
    return;
}

# Redis answers, or the network is whole: repairs count from here on.
sub back ($self) {
    $self->{back_at} = $self->await_redis;
    $self->{engine}->tell('back') if $self->{engine};
    $self->did('back');
    return;
}

sub stop ($self) {
    for my $nginx ($self->nginx) {
        $self->problem("nginx doesn't stop") if !$nginx->stop;
        $self->problem("log: $_") for $nginx->unexpected;
    }
    $self->{doors}->kill_back_end if $self->{doors};
    $_->stop for grep { $_ } $self->relays, @$self{qw(link aside)};
    $_->kill9 for grep { $_ } @$self{qw(redis replica other)};
    return;
}

1;
