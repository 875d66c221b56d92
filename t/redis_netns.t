# Links between nodes and Redis that the kernel cuts and slows. PAPERBOY_SEED:
# another order.
use v5.36;
use Paperboy::Test;

use Paperboy::Engine;
use Paperboy::Netns;
use Paperboy::Redis;
plan(skip_all => 'the engine is not built (PAPERBOY_TESTS)')
    if !Paperboy::Engine::is_built();
plan(skip_all => "there is no $Paperboy::Redis::BINARY")
    if !Paperboy::Redis::is_there();
my $lacks = Paperboy::Netns::lacks();
if ($lacks) {
    diag("SKIPPED, links aren't cut by the kernel: $lacks");
    plan(skip_all => $lacks);
}

my $seed = $ENV{PAPERBOY_SEED} // 1;
my $printed = qx{t/fault/redis --netns --seed $seed --quiet --nodes 2 --rounds 2 --hurry 0.6 --every 3 --channels 8 --subscribers 40 --rate 300 2>&1};
ok($? == 0, 'no promise is broken') or diag($printed);
like($printed, qr/^a node cut off, silently +2 +[1-9]/m, 'though links were cut');
finish;
