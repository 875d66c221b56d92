# What a worker does most costs no more instructions and system calls than it
# did; see bench/instructions, which has the budgets.
use v5.36;
use Paperboy::Nginx;
use Test::More;

plan skip_all => 'no valgrind' if system('valgrind --version >/dev/null 2>&1');
plan skip_all => 'of sanitizers the figures say nothing'
    if `ldd $Paperboy::Nginx::MODULE` =~ /libasan/;

# In some containers nobody may be traced.
my $traces = system('strace -o /dev/null true 2>/dev/null') == 0;
my $calls  = $traces ? '' : '--no-calls';
my $output = `$Paperboy::Nginx::ROOT/bench/instructions --check $calls 2>&1`;
is($?, 0, 'within the budgets') or diag $output;
my @rows = $output =~ /^(\S.*?)  +a (?:publish|delivery|connection|command) +(\d+) +\d+(?: +[\d.]+ +[\d.]+)?$/mg;
cmp_ok(scalar @rows, '>=', 2 * 10, 'and each work was counted');
ok(!(grep { $_ == 0 } @rows[grep { $_ % 2 } 0 .. $#rows]), 'none took nothing');
isnt(system("$Paperboy::Nginx::ROOT/bench/instructions --wrong 2>/dev/null"), 0,
    'options are looked at');
done_testing;
