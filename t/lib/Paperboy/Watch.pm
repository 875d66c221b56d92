# Watches from outside whether nodes say that they are ready (paperboy_ready),
# several times a second, in a process of its own.
package Paperboy::Watch;
use v5.36;

use IO::Socket::INET;
use List::Util qw(max);
use POSIX ();
use Time::HiRes qw(time sleep);

my $PERIOD  = 0.1;    # s
my $PATIENCE = 1;     # s, for an answer

# Of these ports, in the order of the nodes; the lines go to `file`.
sub new ($class, $file, @ports) {
    my $self = bless { file => $file, nodes => scalar @ports }, $class;
    $self->{pid} = fork // die "fork: $!";
    if (!$self->{pid}) {
        _watch($file, getppid, @ports);
        POSIX::_exit(0);
    }
    return $self;
}

sub _watch ($file, $parent, @ports) {
    open my $out, '>', $file or POSIX::_exit(1);
    $out->autoflush(1);
    my @was;
    while (getppid == $parent) {
        for my $node (0 .. $#ports) {
            my $is = _is_ready($ports[$node]);
            next if defined $was[$node] && $was[$node] == $is;
            $was[$node] = $is;
            printf {$out} "%.3f %d %d\n", time, $node, $is;
        }
        sleep $PERIOD;
    }
    return;
}

sub _is_ready ($port) {
    my $socket = IO::Socket::INET->new("127.0.0.1:$port") or return 0;
    syswrite $socket, "GET /ready HTTP/1.0\r\n\r\n";
    vec(my $bits = '', fileno $socket, 1) = 1;
    return 0 if !select $bits, undef, undef, $PATIENCE;
    sysread $socket, my $answer, 100;
    return ($answer // '') =~ m{^HTTP/1\.\d 200 } ? 1 : 0;
}

# Between two times: when the first node wasn't ready, and when, after `back`,
# all were; undef where none ever was unready, or one still is.
sub between ($self, $from, $to) {
    open my $in, '<', $self->{file} or return;
    my @is = (1) x $self->{nodes};
    my ($failed, $ready);
    while (my $line = <$in>) {
        my ($when, $node, $is) = split / /, $line;
        last if $when > $to;
        my $all_were = !grep { !$_ } @is;
        $is[$node] = $is + 0;
        my $all_are = !grep { !$_ } @is;
        next if $when < $from;
        $failed //= $when if !$all_are;
        $ready = $when if $all_are && !$all_were;
    }
    undef $ready if grep { !$_ } @is;
    return ($failed, $ready);
}

sub stop ($self) {
    return if !$self->{pid};
    kill KILL => $self->{pid};
    waitpid $self->{pid}, 0;
    undef $self->{pid};
    return;
}

sub DESTROY ($self) {
    local ($?, $!, $@);
    $self->stop;
    return;
}

1;
