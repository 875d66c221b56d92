# paperboy-cli, run with its input and output in files:
#
#   my $run = run("input\n", 'pub', $url);   # to its end
#   is($run->{code}, 0, 'published') or diag(err($run));
#
# `start` doesn't wait; then `out` and `err` give what it said until now, and
# `ended` waits for its exit code.
package Paperboy::Cli;
use v5.36;

use Exporter 'import';
use File::Basename qw(dirname);
use File::Temp ();
use Paperboy::Nginx;
use POSIX ();
use Test::More;

our @EXPORT = qw(start run ended out err slurp refused);

our $PROGRAM = $ENV{PAPERBOY_CLI}
    // dirname($Paperboy::Nginx::MODULE) . '/paperboy-cli';

my $dir  = File::Temp->newdir;
my $runs = 0;

sub start ($input, @words) {
    my $base = "$dir/run" . ++$runs;
    open my $file, '>:raw', "$base.in" or die "$base.in: $!";
    print {$file} $input // '';
    close $file;
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDIN,  '<', "$base.in"  or die;
        open STDOUT, '>', "$base.out" or die;
        open STDERR, '>', "$base.err" or die;
        exec { $PROGRAM } $PROGRAM, @words or POSIX::_exit(127);
    }
    return { pid => $pid, base => $base };
}

sub slurp ($path) {
    open my $file, '<:raw', $path or return '';
    local $/ = undef;
    return scalar <$file> // '';
}

sub out ($run) { return slurp("$run->{base}.out") }
sub err ($run) { return slurp("$run->{base}.err") }

# Its exit code; an end by a signal is -1.
sub ended ($run) {
    my $deadline = time + 30;
    until (waitpid($run->{pid}, POSIX::WNOHANG()) == $run->{pid}) {
        kill KILL => $run->{pid} if time > $deadline;
        select undef, undef, undef, 0.02;
    }
    return $run->{code} = $? & 127 ? -1 : $? >> 8;
}

sub run ($input, @words) {
    my $run = start($input, @words);
    ended($run);
    return $run;
}

# Tests that it ended with this code, and says why.
sub refused ($run, $code, $pattern, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is($run->{code}, $code, $name);
    like(err($run), $pattern, 'says why');
    unlike(err($run), qr/s3cret/, 'and shows no secret');
    return;
}

1;
