# Clients of the classic protocol and of notiflux beside all others, on two
# nodes, while the back end, its Redis and workers are killed: for a second
# each; t/fault/redis has longer runs. And that the check can fail.
# PAPERBOY_SEED: another order.
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
    my $printed = qx{t/fault/redis --seed $seed --quiet --hurry 0.3 --every 1 --channels 6 --publishers 20 --rate 150 --look 0.3 --timeout 1 @words 2>&1};
    my %count;
    while ($printed =~ /(?<=[:,] )(\d+) (classic|native|notiflux|raw|sse)\b(?!:)/g) {
        $count{$2} = $1;
    }
    my ($all) = $printed =~ /contradictions lost between again\n *(\d.*)$/m;
    @count{qw(forks untold duplicates reorders contradictions lost between)}
        = split ' ', $all // '';
    ($count{closed}) = $printed =~ /(\d+) classic: close 3502/;
    return { %count, ok => $? == 0, printed => $printed };
}

my %FAULTS = (
    other => '^kill -9 (?:of the back|amid)|^classic: kill|^reload amid',
    same  => '^kill -9 (?:of the back|of a worker)|^kill -9, AOF always',
);
for my $classic (sort keys %FAULTS) {
    subtest "no promise is broken, with the $classic Redis" => sub {
        my $run = run("--classic $classic --nodes 2 --subscribers 30",
            "--only '$FAULTS{$classic}'");
        ok($run->{ok}, 'by any fault') or diag($run->{printed});
        for my $kind (qw(classic native notiflux raw sse)) {
            cmp_ok($run->{$kind}, '>', 200, "of many deliveries to $kind");
        }
        cmp_ok($run->{closed}, '>', 0, 'who was not let in was closed');
    };
}

subtest 'what goes wrong is seen' => sub {
    my $run = run('--nodes 1 --subscribers 6 --mix classic=1,notiflux=1',
        q{--drop 0.05 --repeat 0.05 --swap 0.05 --only '^SCRIPT'});
    ok(!$run->{ok}, 'the check fails') or diag($run->{printed});
    cmp_ok($run->{untold}, '>', 0, 'of what is left out');
    cmp_ok($run->{duplicates}, '>', 0, 'of what comes twice');
    cmp_ok($run->{reorders}, '>', 0, 'of what comes late');
    my ($logs) = $run->{printed} =~ /logs in (\S+)$/m;
    system 'rm', '-r', $logs if $logs;
};
finish;
