# Two nodes with the master that Sentinels name: it dies, and it is told to go;
# whatever was acknowledged is heard, or a gap is told.
use v5.36;
use Paperboy::Pair;
use Paperboy::Redis;
use Paperboy::Sentinel;
use Paperboy::Test;

plan skip_all => "no $Paperboy::Redis::BINARY" if !Paperboy::Redis::is_there();

my $group = Paperboy::Sentinel::Group->new(
    replicas => 2, down_after => 1000);
my $urls = join ' ',
    map { 'redis://127.0.0.1:' . $_->port } $group->sentinels;
my $pair = Paperboy::Pair->new(
    redis    => $urls . ' sentinel=' . $group->name,
    channels => [qw(a b)],
);

$pair->publish for 1 .. 10;
$pair->check('all is heard');

my $first = $group->master;
$first->kill9;
my ($second, $third);
$pair->publish_until('all to be at another master', sub {
    $second = $group->master;
    return $second->port != $first->port && $pair->is_at($second);
});
$pair->check('the master died: what was acknowledged is heard, or a gap told',
    may_lose => 1);
ok($pair->refused, 'publishes were refused meanwhile');

wait_for('a failover', sub {
    eval { ($group->sentinels)[1]->command(SENTINEL => FAILOVER => $group->name) };
});
$pair->publish_until('all to be at a third one', sub {
    $third = $group->master;
    return $third->port != $second->port && $pair->is_at($third);
});
$pair->check('it was told to go: likewise', may_lose => 1);

my ($lines) = map { scalar(() = /127\.0\.0\.1:\d+ is there/g) }
    map { $_->log } $pair->nodes;
cmp_ok($lines, '<=', 2 * 3 + 2, 'the log has a line a change');

finish();
