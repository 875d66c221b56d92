# What the benchmarks have in common: the machine in a line, figures of
# processes, shares of a list.
package Paperboy::Bench;
use v5.36;

use Exporter 'import';
use List::Util qw(sum0);
use Paperboy::Nginx;
use Paperboy::Redis;

our @EXPORT_OK = qw(machine pss share spread);

sub machine () {
    my $info = Paperboy::Nginx::_slurp('/proc/cpuinfo');
    my ($cpu) = $info =~ /^model name\s*: (.*)/m;
    my $cores = () = $info =~ /^processor/mg;
    my ($load) = split / /, Paperboy::Nginx::_slurp('/proc/loadavg');
    my $nginx = `$Paperboy::Nginx::BINARY -v 2>&1` =~ s/\s+\z//r;
    my $redis = Paperboy::Redis::is_there()
        && `$Paperboy::Redis::BINARY --version` =~ /v=(\S+)/ ? "; redis $1" : '';
    my ($paperboy) = Paperboy::Nginx::_slurp(
        "$Paperboy::Nginx::ROOT/src/base/version.hpp") =~ /"(\d[\d.]*)"/;
    chomp(my $system = `uname -sr`);
    return "$cores cores" . ($cpu ? " of $cpu" : '') . ", $system, load $load "
        . "before; $nginx$redis; Paperboy $paperboy";
}

# Bytes of these processes: of the kinds 'Pss' or 'Pss_Anon|SwapPss' and the like.
sub pss ($kinds, @pids) {
    return 1024 * sum0 map {
        Paperboy::Nginx::_slurp("/proc/$_/smaps_rollup") =~ /^(?:$kinds): +(\d+) kB/mg
    } @pids;
}

# The number that $share of the list doesn't exceed.
sub share ($list, $share) {
    my @sorted = sort { $a <=> $b } @$list;
    return $sorted[ $share * $#sorted ];
}

# The median, the least and the most.
sub spread (@list) { return map { share(\@list, $_) } 0.5, 0, 1 }

1;
