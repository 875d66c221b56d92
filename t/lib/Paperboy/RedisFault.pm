# The faults of t/fault/redis: what is done to Redis, to the way there and to
# the nodes (a Paperboy::Nodes). Each is over when its `inject` returns, and has
# said `back` when Redis could be reached again.
package Paperboy::RedisFault;
use v5.36;

use Time::HiRes qw(time sleep);

# lossy => it costs what was acknowledged or is kept, so that some are told of
# a gap; forks => an offset may be given twice before that is noticed (see
# t/fault/ledger.hpp); replica => needs one; link => can be done to a link of
# the kernel's, too; everywhere => also with Sentinels or a cluster; heard => it
# costs nothing of what classic back ends publish; classic => needs those; other
# => and a Redis of their own; counts => not over the Redis of back ends.
my @FAULTS = (
    {
        name   => 'kill -9, AOF always',
        inject => sub ($run) { kill_redis($run, 'aof always') },
    },
    {
        name   => 'kill -9, AOF everysec',
        lossy  => 1,
        forks  => 1,
        inject => sub ($run) { kill_redis($run, 'aof everysec') },
    },
    {
        name   => 'kill -9, nothing kept',
        lossy  => 1,
        inject => sub ($run) { kill_redis($run, 'none') },
    },
    {
        name   => 'kill -9, old snapshot',
        lossy  => 1,
        forks  => 1,
        inject => sub ($run) {
            $run->redis->command('SAVE');
            $run->pass(0.3, 0.6);
            kill_redis($run, 'none', 1);
        },
    },
    {
        name   => 'CLIENT PAUSE',
        inject => sub ($run) {
            my $ms = int 1000 * (0.5 + 2 * $run->random);
            $run->did("pause $ms ms");
            $run->redis->pause($ms);
            sleep $ms / 1000;
            $run->back;
        },
    },
    {
        name   => 'DEBUG SLEEP',
        inject => sub ($run) {
            my $seconds = sprintf '%.1f', 0.5 + 2.5 * $run->random;
            $run->did("sleep $seconds s");
            $run->redis->command(DEBUG => SLEEP => $seconds);
            $run->back;
        },
    },
    {
        name   => 'a node cut off, silently',
        link   => 1,
        inject => sub ($run) { on_the_way($run, 'stall') },
    },
    {
        name   => 'a node cut off, by resets',
        inject => sub ($run) { on_the_way($run, 'cut') },
    },
    {
        # What TCP never does: back ends' messages are counted by who hears.
        name   => 'a node hears nothing',
        counts => 1,
        inject => sub ($run) { on_the_way($run, 'deafen') },
    },
    {
        name   => 'one way is dead',
        inject => sub ($run) {
            on_the_way($run, 'stall', $run->any(qw(up down)));
        },
    },
    {
        name   => 'slow link',
        link   => 1,
        inject => sub ($run) { on_the_way($run, 'slow', 0.1, 300_000) },
    },
    {
        name   => 'SCRIPT FLUSH',
        everywhere => 1,
        inject => sub ($run) {
            $_->command(SCRIPT => 'FLUSH') for $run->masters;
            $run->back;
            $run->pass(0.5);
        },
    },
    {
        # As after a start from an append-only file, when a replica comes.
        name   => 'another replication id',
        inject => sub ($run) {
            for (1 .. 3) {
                $run->redis->command(DEBUG => 'CHANGE-REPL-ID');
                $run->pass(0.2, 2);
            }
            $run->back;
        },
    },
    {
        name   => 'FLUSHALL',
        everywhere => 1,
        lossy  => 1,
        inject => sub ($run) {
            $run->any($run->masters)->command('FLUSHALL');
            $run->back;
            $run->pass(0.5);
        },
    },
    {
        name   => 'output buffer limit',
        inject => sub ($run) {
            my $redis = $run->redis;
            $redis->command(CONFIG => SET => 'client-output-buffer-limit',
                'pubsub 64kb 16kb 1');
            on_the_way($run, 'stall', 'down');
            $redis->command(CONFIG => SET => 'client-output-buffer-limit',
                'pubsub 32mb 8mb 60');
        },
    },
    {
        name   => 'streams deleted in a hole',
        lossy  => 1,
        inject => sub ($run) {
            my $relay = $run->any($run->relays);
            $relay->cut;
            $run->pass(0.5, 1);
            delete_keys($run, '*:s:*', 1);
            $relay->heal;
            $run->back;
            $run->pass(0.5);
        },
    },
    {
        name   => 'keys evicted',
        lossy  => 1,
        inject => sub ($run) {
            delete_keys($run, '*', 0.2);
            $run->back;
            $run->pass(0.5);
        },
    },
    {
        name   => 'CLIENT KILL of all',
        everywhere => 1,
        inject => sub ($run) {
            for (1 .. 3) {
                cut_clients($_) for $run->masters;
                $run->pass(0.1, 0.4);
            }
            $run->back;
        },
    },
    {
        name   => 'kill -9 of a worker',
        everywhere => 1,
        heard      => 1,
        inject => sub ($run) {
            my $pid = $run->any($run->any($run->nginx)->workers);
            $run->did("kill $pid");
            kill KILL => $pid;
            $run->back;
            $run->pass(0.5);
        },
    },
    {
        name   => 'reload of a node',
        everywhere => 1,
        heard      => 1,
        inject => sub ($run) {
            $run->any($run->nginx)->reload;
            $run->back;
            $run->pass(0.5);
        },
    },
    {
        # Both workers of a node listen to back ends, where it has two.
        name   => 'kill -9 amid a stream',
        everywhere => 1,
        classic    => 1,
        heard      => 1,
        inject => sub ($run) {
            my $nginx = $run->any($run->nginx);
            for my $pid ($nginx->workers) {
                $run->doors->await_listeners;
                # A new one lets the others go first.
                sleep 0.2;
                $run->{engine}->tell('stream 500');
                $run->pass(0.02, 0.2);
                $run->did("kill $pid");
                kill KILL => $pid;
                $run->pass(0.5);
            }
            $run->back;
        },
    },
    {
        name   => 'reload amid a stream',
        everywhere => 1,
        classic    => 1,
        heard      => 1,
        inject => sub ($run) {
            $run->{engine}->tell('stream 1000');
            $run->pass(0.02, 0.2);
            $run->any($run->nginx)->reload;
            $run->back;
            $run->pass(0.5);
        },
    },
    {
        name   => 'kill -9 of the back end',
        everywhere => 1,
        classic    => 1,
        heard      => 1,
        inject => \&kill_back_end,
    },
    {
        name   => 'classic: kill -9 of Redis',
        everywhere => 1,
        classic    => 1,
        other      => 1,
        inject => sub ($run) {
            my $redis = $run->classic_redis;
            $redis->kill9;
            $run->pass(0.1, 2);
            $redis->start;
            $run->back;
        },
    },
    {
        name   => 'classic: CLIENT KILL',
        everywhere => 1,
        classic    => 1,
        other      => 1,
        inject => sub ($run) {
            for (1 .. 3) {
                cut_clients($run->classic_redis);
                $run->pass(0.1, 0.4);
            }
            $run->back;
        },
    },
    {
        name    => 'failover, writes lost',
        replica => 1,
        lossy   => 1,
        forks   => 1,
        inject  => sub ($run) {
            $run->replica->await_sync($run->redis);
            $run->hold_replication;
            $run->pass(0.2, 0.5);
            fail_over($run);
        },
    },
    {
        name    => 'failover, nothing held',
        replica => 1,
        lossy   => 1,
        forks   => 1,
        inject  => sub ($run) {
            # It may be loading what it got after the last fault.
            $run->replica->await_sync($run->redis);
            $run->begins;
            fail_over($run);
        },
    },
);

# With Sentinels.
my @SENTINEL = (
    {
        name   => 'the master dies',
        lossy  => 1,
        forks  => 1,
        inject => sub ($run) {
            my $group = $run->group;
            $group->await_replicas;
            $run->begins;
            my $old = $group->master;
            $old->kill9;
            $group->await_failover($old);
            $run->back;
            $old->wipe;
            $old->start;
        },
    },
    {
        name   => 'failover by command',
        lossy  => 1,
        forks  => 1,
        inject => sub ($run) {
            my $group = $run->group;
            $group->await_replicas;
            $run->begins;
            my $old = $group->master;
            $group->fail_over;
            $group->await_failover($old);
            $run->back;
        },
    },
    {
        name   => 'the master hangs',
        lossy  => 1,
        forks  => 1,
        inject => sub ($run) {
            my $group = $run->group;
            $group->await_replicas;
            $run->begins;
            my $old = $group->master;
            $old->freeze;
            $group->await_failover($old);
            $run->back;
            $run->pass(0.5, 2);
            $old->thaw;
        },
    },
    {
        name   => 'a Sentinel dies',
        inject => sub ($run) {
            my $sentinel = $run->any($run->group->sentinels);
            $sentinel->kill9;
            $run->pass(0.5, 1.5);
            $sentinel->start;
            $run->back;
        },
    },
);

# With a cluster.
my @CLUSTER = (
    {
        name   => 'slots move',
        inject => sub ($run) {
            my $keys = 0;
            for (1 .. 8) {
                my $bucket = $run->any(filled_buckets($run));
                my $to = $run->any(grep { $_ != $bucket->{owner} }
                        $run->masters);
                my $moved = $run->cluster->move_slot($bucket->{slot}, $to,
                    0.2 * $run->random);
                $run->did("bucket $bucket->{number} moves with $moved keys");
                $keys += $moved;
            }
            $run->back;
            $run->problem('no key has moved') if !$keys;
        },
    },
    {
        name   => 'a replica takes over',
        lossy  => 1,
        forks  => 1,
        inject => sub ($run) {
            my $cluster = $run->cluster;
            $cluster->await_replicas;
            $run->begins;
            my $old = $run->any($cluster->masters);
            my $new     = $cluster->fail_over($old);
            $cluster->await_master($new);
            $run->back;
            $run->pass(0.5);
        },
    },
    {
        name   => 'one takes over by force',
        lossy  => 1,
        forks  => 1,
        inject => sub ($run) {
            my $cluster = $run->cluster;
            $cluster->await_replicas;
            $run->begins;
            my $old = $run->any($cluster->masters);
            my $new     = $cluster->fail_over($old, 'TAKEOVER');
            $cluster->await_master($new);
            $run->back;
            $run->pass(0.5);
        },
    },
    {
        name   => 'a master dies',
        lossy  => 1,
        forks  => 1,
        inject => sub ($run) {
            my $cluster = $run->cluster;
            $cluster->await_replicas;
            $run->begins;
            my $old = $run->any($cluster->masters);
            $old->kill9;
            $cluster->await_failover($old);
            $run->back;
            $old->start;
        },
    },
    {
        name   => 'a master hangs',
        lossy  => 1,
        forks  => 1,
        inject => sub ($run) {
            my $cluster = $run->cluster;
            $cluster->await_replicas;
            $run->begins;
            my $old = $run->any($cluster->masters);
            $old->freeze;
            $cluster->await_failover($old);
            $run->back;
            $run->pass(0.5, 2);
            $old->thaw;
        },
    },
);

# Those of the cluster's that have something of a channel.
sub filled_buckets ($run) {
    my $cluster = $run->cluster;
    my @slots   = map { $cluster->slot_of("paperboy:{$_}") } 0 .. 255;
    return grep { $_->{owner}->command(CLUSTER => COUNTKEYSINSLOT => $_->{slot}) }
        map { { number => $_, slot => $slots[$_],
            owner => $cluster->owner($slots[$_]) } } 0 .. 255;
}

sub faults ($kind = 'single') {
    return @FAULTS if $kind eq 'single';
    return (grep { $_->{everywhere} } @FAULTS),
        $kind eq 'sentinel' ? @SENTINEL : @CLUSTER;
}

# By links of the kernel's (a Paperboy::Nodes with `netns`).
sub link_faults () { return grep { $_->{link} } @FAULTS }

sub kill_redis ($run, $persistence, $snapshot = 0) {
    my $redis = $run->redis;
    if ($persistence ne 'none') {
        $redis->persist($persistence);
        $run->pass(0.3, 0.6);
    }
    $run->did("kill -9 redis, $persistence");
    $redis->kill9;
    $redis->wipe if $persistence eq 'none' && !$snapshot;
    $run->pass(0.1, 1.5);
    $redis->start;
    $run->back;
    $redis->persist('none') if $persistence ne 'none';
    $redis->wipe;
    return;
}

# To the link of one of the nodes, for some time.
sub on_the_way ($run, $what, @how) {
    my @relays = $run->relays;
    my $number = int $run->random * @relays;
    $run->did("node $number: $what @how");
    $relays[$number]->$what(@how);
    $run->pass(1, 4);
    $relays[$number]->heal;
    $run->back;
    return;
}

# Who isn't let in yet is closed, and comes again; nobody else notices.
sub kill_back_end ($run) {
    my $before = ends($run);
    $run->doors->kill_back_end;
    my $closed = 'classic: close 3502';
    my $deadline = time + 10 + 2 * $run->doors->{timeout};
    $run->{engine}->tell('leave 4');
    my $now;
    do {
        $run->pass(0.2);
        $now = ends($run);
        die "nobody is closed whom no back end lets in\n" if time > $deadline;
    } until $now->{$closed} > $before->{$closed};
    $run->did('the back end is back');
    $run->doors->start_back_end;
    $run->back;
    # What was cut by the engine itself is told as lost, and so is who gave up:
    # an answer for one of its channels may have been lost before.
    my $gave_up = ($now->{'no answer'} // 0) - ($before->{'no answer'} // 0);
    my $lost    = 4 + $gave_up;
    my @others = grep { $now->{$_} > ($before->{$_} // 0) + (/lost/ ? $lost : 0) }
        grep { $_ ne $closed && $_ ne 'no answer' } keys %$now;
    $run->problem("back end killed: $_") for @others;
    return;
}

# How often connections of classic clients ended, by the cause.
sub ends ($run) {
    my $ends = $run->{engine}->ask('counts')->{ends};
    my %of = map { $_ => $ends->{$_} // 0 }
        'classic: close 3502', grep {/^classic: /} keys %$ends;
    return \%of;
}

# The nodes': a Sentinel that is cut off comes back too late for its master.
sub cut_clients ($redis) {
    my @ids = $redis->command(CLIENT => 'LIST') =~ /^id=(\d+) .* name=paperboy /mg;
    eval { $redis->command(CLIENT => KILL => ID => $_) } for @ids;
    return;
}

# A share of the keys of this kind.
sub delete_keys ($run, $pattern, $share) {
    my ($cursor, $deleted) = (0, 0);
    do {
        my ($next, $keys) = @{ $run->redis->command(SCAN => $cursor,
                MATCH => $pattern, COUNT => 1000) };
        my @chosen = grep { $run->random < $share } @$keys;
        $run->redis->command(UNLINK => @chosen) if @chosen;
        $deleted += @chosen;
        $cursor = $next;
    } while ($cursor);
    $run->did("$deleted keys deleted");
    return;
}

sub fail_over ($run) {
    $run->did('failover');
    $run->promote_replica;
    $run->back;
    $run->rejoin_replica;
    return;
}

1;
