# Faults under load, for seconds each; t/fault/run has all of them, for minutes.
# And that the check can fail. PAPERBOY_SEED: another schedule of faults.
use v5.36;
use Paperboy::Test;

use Paperboy::Engine;
plan(skip_all => 'the engine is not built (PAPERBOY_TESTS)')
    if !Paperboy::Engine::is_built();

my $seed = $ENV{PAPERBOY_SEED} // 1;

# What the run printed; whether it was content.
sub run (@words) {
    my $printed = qx{t/fault/run --seed $seed --quiet @words 2>&1};
    my ($all) = $printed =~ /^all +(\d.*)$/m;
    my %count;
    @count{qw(deliveries published refused unknown repeated reconnects recovered
        unrecovered told untold duplicates reorders contradictions)}
        = split ' ', $all // '';
    return { %count, ok => $? == 0, printed => $printed };
}

subtest 'no promise is broken' => sub {
    my $run = run('--seconds 1.2 --clients 24 --load steady',
        q{--only '^(?:kill|reload|quit|upgrade|reconnects|clients|all)'});
    ok($run->{ok}, 'by any fault') or diag($run->{printed});
    cmp_ok($run->{deliveries}, '>', 10_000, 'of many deliveries');
    cmp_ok($run->{recovered}, '>', 100, 'to clients that came back');
};

for my $case (
    ['--drop 0.01' => 'untold', 'a message that is left out'],
    ['--repeat 0.01' => 'duplicates', 'one that comes twice'],
    ['--swap 0.01' => 'reorders', 'one that comes late'],
    )
{
    my ($fault, $kind, $name) = @$case;
    my $run = run($fault,
        q{--seconds 0.5 --clients 12 --load steady --only '^none$'});
    ok(!$run->{ok} && $run->{$kind} > 0, "$name is seen")
        or diag($run->{printed});
    my ($logs) = $run->{printed} =~ /logs in (\S+)$/m;
    ok($logs && -s "$logs/engine.log", 'and the logs are kept');
    like($run->{printed}, qr/seed $seed$/m, 'with the seed');
    system 'rm', '-r', $logs if $logs;
}
finish;
