# The engine of the fault test (fault_engine, beside the module): subscribers, publishers
# and the checker in a process of its own. t/fault/engine.hpp has its words.
package Paperboy::Engine;
use v5.36;

use File::Basename qw(dirname);
use IO::Handle;
use IPC::Open2 qw(open2);
use JSON::PP ();
use Paperboy::Nginx;
use Time::HiRes qw(time);

our $DIRECTORY = dirname($Paperboy::Nginx::MODULE);
our $BINARY    = "$DIRECTORY/fault_engine";

sub is_built () { return -x $BINARY }

# The options of the binary, without their dashes. Returns at once.
sub new ($class, %option) {
    my $self = bless { text => '' }, $class;
    my @words = map { ("--$_" => $option{$_}) } sort keys %option;
    $self->{pid} = open2($self->{out}, $self->{in}, $BINARY, @words);
    $self->{in}->autoflush(1);
    return $self;
}

sub tell ($self, $line) {
    local $SIG{PIPE} = 'IGNORE';
    return print { $self->{in} } "$line\n";
}

# Its next answer; undef when none comes in so many seconds, or it has ended.
sub answer ($self, $seconds = 60) {
    my $deadline = time + $seconds;
    while (index($self->{text}, "\n") < 0) {
        my $bits = '';
        vec($bits, fileno $self->{out}, 1) = 1;
        my $left = $deadline - time;
        return if $left <= 0;
        next if !select $bits, undef, undef, $left;
        sysread($self->{out}, $self->{text}, 65536, length $self->{text})
            or return;
    }
    my ($line, $rest) = split /\n/, $self->{text}, 2;
    $self->{text} = $rest;
    return JSON::PP::decode_json($line);
}

# Tells it that, and waits for the answer.
sub ask ($self, $line, $seconds = 60) {
    $self->tell($line);
    return $self->answer($seconds);
}

# Its exit status; it is killed if it doesn't end by itself.
sub finish ($self) {
    return if !$self->{pid};
    close $self->{in};
    my $deadline = time + 2;
    while (waitpid($self->{pid}, 1) == 0) {
        kill KILL => $self->{pid} if time > $deadline;
        select undef, undef, undef, 0.01;
    }
    $self->{pid} = undef;
    return $? >> 8;
}

sub DESTROY ($self) {
    local ($?, $!);
    kill KILL => $self->{pid} if $self->{pid};
    $self->finish;
    return;
}

1;
