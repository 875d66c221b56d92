# Two nodes with a cluster: slots move with their keys, a master is told to go,
# and one dies; whatever was acknowledged is heard, or a gap is told.
use v5.36;
use Paperboy::Cluster;
use Paperboy::Pair;
use Paperboy::Redis;
use Paperboy::Test;
use Time::HiRes qw(sleep);

plan skip_all => "no $Paperboy::Redis::BINARY" if !Paperboy::Redis::is_there();

my $cluster = Paperboy::Cluster->new;
my $urls = join ' ', map {"redis://127.0.0.1:$_"} ($cluster->ports)[0 .. 2];
my $pair = Paperboy::Pair->new(
    redis    => "$urls cluster",
    channels => [qw(a b c)],
);

# Where a channel's keys are: its bucket is FNV-1a's lowest byte of its key.
sub slot_of_channel ($name) {
    my $hash = 14695981039346656037;
    { use integer; $hash = ($hash ^ ord) * 1099511628211 for split //, $name }
    return $cluster->slot_of('{' . ($hash & 0xff) . '}');
}

$pair->publish for 1 .. 10;
$pair->check('all is heard, on three masters');

for my $round (1 .. 3) {
    for my $channel (qw(a b c)) {
        my $slot = slot_of_channel($channel);
        my ($to) = grep { $_->port != $cluster->owner($slot)->port }
            $cluster->masters;
        my $owner = $cluster->owner($slot);
        ok($owner->command(CLUSTER => COUNTKEYSINSLOT => $slot),
            "round $round: the slot of $channel has keys");
        $cluster->move_slot($slot, $to);
        $pair->publish for 1 .. 5;
    }
    sleep 0.5;
}
$pair->check('slots move, and nothing is missed');

my $slot = slot_of_channel('a');
my $old  = $cluster->owner($slot);
$cluster->fail_over($old);
$pair->publish_until('its replica to take over',
    sub { eval { $cluster->owner($slot)->port } != $old->port });
$pair->check('a master is told to go: likewise', may_lose => 1);

my $dies = $cluster->owner(slot_of_channel('b'));
$dies->kill9;
my $is_well = sub {
    my ($any) = grep { $_->is_alive } $cluster->servers;
    my $owner = eval { $cluster->owner(slot_of_channel('b')) } // return;
    return $owner->port != $dies->port
        && $any->command(CLUSTER => 'INFO') =~ /cluster_state:ok/;
};
$pair->publish_until('another master', $is_well);
$pair->check('a master dies: what was acknowledged is heard, or a gap told',
    may_lose => 1);
ok($pair->refused, 'publishes were refused meanwhile');

finish();
