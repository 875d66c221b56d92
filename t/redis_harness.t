# What the tests with Redis stand on: servers that are killed and come back,
# replicas, Sentinels, a cluster; and the relay that is the network's faults.
use v5.36;
use Paperboy::Test;
use File::Temp ();
use Paperboy::Cluster;
use Paperboy::Redis;
use Paperboy::Relay;
use Paperboy::Sentinel;

plan(skip_all => "there is no $Paperboy::Redis::BINARY")
    if !Paperboy::Redis::is_there();

subtest 'one server' => sub {
    my $redis = Paperboy::Redis->new(unix => 1, debug => 1,
        maxmemory => '8mb', policy => 'allkeys-lru')->start;
    is($redis->command(SET => 'a', "b\r\n"), 'OK', 'a command');
    is($redis->command(GET => 'a'), "b\r\n", 'any bytes');
    is($redis->command(GET => 'none'), undef, 'nil');
    is_deeply($redis->command(EVAL => 'return {1, {2, "three"}}', 0),
        [1, [2, 'three']], 'lists');
    ok(!eval { $redis->command('NONSENSE') }, 'an error');
    like($@, qr/unknown command/, 'and its text');
    is(Paperboy::Resp->new(unix => $redis->unix_path)->command('PING'),
        'PONG', 'over its unix socket');
    is($redis->calls->{get}, 2, 'commands are counted');
    is($redis->command(DEBUG => SLEEP => 0), 'OK', 'DEBUG');
    my $listener = $redis->client;
    $listener->command(SUBSCRIBE => 'topic');
    $redis->command(PUBLISH => topic => 'x');
    is_deeply($listener->answer, [message => topic => 'x'], 'a subscription');
    $redis->pause(50);
    is($redis->command('PING'), 'PONG', 'paused, then answered');
};

for my $case (['none' => undef], ['aof always' => 1], ['rdb' => 1]) {
    my ($persistence, $kept) = @$case;
    my $redis = Paperboy::Redis->new(persistence => $persistence)->start;
    my ($pid, $port) = ($redis->pid, $redis->port);
    $redis->command(SET => a => 1);
    $redis->command('SAVE') if $persistence eq 'rdb';
    $redis->kill9;
    ok(!$redis->is_alive, "$persistence: killed");
    $redis->start;
    is($redis->command(GET => 'a'), $kept, 'started again');
    is($redis->port, $port, 'on its port');
    isnt($redis->pid, $pid, 'in another process');
}

subtest 'passwords and TLS' => sub {
    my $dir   = File::Temp->newdir;
    my $redis = Paperboy::Redis->new(password => 'secret',
        users => ['paper on >paper ~paperboy:* &* +@all -@dangerous'],
        tls => [self_signed($dir)])->start;
    my $client = Paperboy::Resp->new(port => $redis->tls_port, tls => 1,
        user => 'paper', password => 'paper');
    is($client->command('PING'), 'PONG', 'TLS, as a user');
    ok(!eval { $client->command(SET => a => 1) }, 'who may not do all');
    ok(!eval { Paperboy::Resp->new(port => $redis->port)->command('PING') },
        'nobody may');
};

subtest 'replicas' => sub {
    my $master  = Paperboy::Redis->new->start;
    my $replica = Paperboy::Redis->new(replica_of => $master)->start;
    $master->command(SET => a => 1);
    $replica->await_sync($master);
    is($replica->command(GET => 'a'), 1, 'follow their master');
    $master->kill9;
    $replica->promote;
    is($replica->command(SET => a => 2), 'OK', 'and take its place');
};

subtest 'a relay' => sub {
    my $redis = Paperboy::Redis->new->start;
    my $other = Paperboy::Redis->new->start;
    my $relay = Paperboy::Relay->new(to => $redis->port);
    my $client = sub { Paperboy::Resp->new(port => $relay->port) };
    my $one = $client->();
    my $big = 'x' x 3_000_000;
    is($one->command(SET => a => $big), 'OK', 'forwards');
    ok($one->command(GET => 'a') eq $big, 'both ways');

    $relay->stall;
    $one->send('PING');
    ok(!eval { $one->answer(0.2); 1 }, 'stalls');
    my $two = $client->();
    $two->send('PING');
    ok(!eval { $two->answer(0.2); 1 }, 'new connections too');
    $relay->heal;
    is($one->answer, 'PONG', 'and goes on where it was');
    is($two->answer, 'PONG', 'with all');
    is($relay->connections, 2, 'it has two');

    $relay->stall('down');
    $one->send(SET => b => 1);
    wait_for('the way up is open', sub { $redis->command(GET => 'b') });
    ok(!eval { $one->answer(0.2); 1 }, 'one way is stalled');
    $relay->heal;
    is($one->answer, 'OK', 'which goes on too');

    $relay->slow(0.05, 100_000);
    $one->send(SET => c => 'x' x 30_000);
    ok(!eval { $one->answer(0.1); 1 }, 'slow');
    is($one->answer, 'OK', 'but it comes');
    $relay->heal;

    $two->command(SUBSCRIBE => 'topic');
    $relay->deafen;
    is($one->command(PUBLISH => topic => 1), 1, 'deaf: commands work');
    ok(!eval { $two->answer(0.2); 1 }, 'messages are lost');
    $relay->heal;
    $one->command(PUBLISH => topic => 2);
    is($two->answer->[2], 2, 'until it is healed');

    $relay->target($other->port);
    $relay->cut;
    ok(!eval { $one->command('PING') }, 'cut');
    ok(!eval { $client->()->command('PING') }, 'new ones too');
    $relay->heal;
    is($client->()->command(GET => 'a'), undef, 'healed, to another server');
};

subtest 'Sentinels' => sub {
    my $group = Paperboy::Sentinel::Group->new;
    my $old   = $group->master;
    $old->kill9;
    $group->await_failover($old);
    is($group->master->command(SET => a => 1), 'OK', 'promote a replica');
};

subtest 'a cluster' => sub {
    my $cluster = Paperboy::Cluster->new;
    is($cluster->masters, 3, 'three masters');
    my $slot = $cluster->slot_of('{1}:a');
    my $owner = $cluster->owner($slot);
    is($owner->command(SET => '{1}:a' => 1), 'OK', 'a slot has an owner');
    my ($other) = grep { $_ != $owner } $cluster->masters;
    $cluster->move_slot($slot, $other);
    is($other->command(GET => '{1}:a'), 1, 'a slot moves with its keys');
    ok(!eval { $owner->command(GET => '{1}:a') }, 'away from the old one');
    like($@, qr/^MOVED $slot/, 'who says so');
    my $replica = $cluster->fail_over($other);
    wait_for('the replica is the master',
        sub { grep { $_ == $replica } $cluster->masters });
    is($replica->command(GET => '{1}:a'), 1, 'a replica takes over');
};
finish;
