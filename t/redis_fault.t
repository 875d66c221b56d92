# Two nodes on one Redis, hurt by turns, for a second or two each; t/fault/redis
# has longer runs, t/classic_fault.t the other dialects. And that the check can
# fail. PAPERBOY_SEED: another order.
use v5.36;
use Paperboy::Test;

use Paperboy::Engine;
use Paperboy::Redis;
plan(skip_all => 'the engine is not built (PAPERBOY_TESTS)')
    if !Paperboy::Engine::is_built();
plan(skip_all => "there is no $Paperboy::Redis::BINARY")
    if !Paperboy::Redis::is_there();

my $seed = $ENV{PAPERBOY_SEED} // 1;

# What the run printed; whether it was content.
sub run (@words) {
    my $printed = qx{t/fault/redis --seed $seed --quiet --nodes 2 --hurry 0.35 --every 1.5 --channels 8 --publishers 24 --mix native=2,sse=1,raw=1 @words 2>&1};
    my ($all) = $printed =~ /contradictions\b.*\n *(\d.*)$/m;
    my %count;
    @count{qw(forks untold duplicates reorders contradictions)}
        = split ' ', $all // '';
    ($all) = $printed =~ /^all +\d+ +(\d.*)$/m;
    @count{qw(deliveries published refused unknown reconnects recovered)}
        = split ' ', $all // '';
    return { %count, ok => $? == 0, printed => $printed };
}

for my $kind (qw(lossless lossy)) {
    subtest "no promise is broken by $kind faults" => sub {
        my $run = run("--subscribers 40 --rate 300 --$kind");
        ok($run->{ok}, 'by any of them') or diag($run->{printed});
        cmp_ok($run->{deliveries}, '>', 5000, 'of many deliveries');
        cmp_ok($run->{recovered}, '>', 20, 'to clients that came back');
    };
}

# A cluster's servers take seconds to agree who takes over.
for my $kind (qw(sentinel cluster)) {
    subtest "nor with a $kind" => sub {
        my $run = run("--subscribers 40 --rate 200 --kind $kind",
            q{--only 'command|Sentinel dies|move|takes over$'});
        ok($run->{ok}, 'whoever is the master') or diag($run->{printed});
        cmp_ok($run->{deliveries}, '>', 1000, 'of many deliveries');
    };
}

for my $case (
    ['--drop 0.01' => 'untold', 'a message that is left out'],
    ['--repeat 0.01' => 'duplicates', 'one that comes twice'],
    )
{
    my ($fault, $kind, $name) = @$case;
    my $run = run($fault, q{--subscribers 12 --rate 300 --only '^SCRIPT'});
    ok(!$run->{ok} && $run->{$kind} > 0, "$name is seen")
        or diag($run->{printed});
    my ($logs) = $run->{printed} =~ /logs in (\S+)$/m;
    ok($logs && -s "$logs/engine.log", 'and the logs are kept');
    system 'rm', '-r', $logs if $logs;
}
finish;
