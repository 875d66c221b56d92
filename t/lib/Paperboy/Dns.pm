# A name server of a test's own, on a free port of 127.0.0.1: it knows the IPv4
# addresses that it is told, and nothing else. It ends with the object.
#
#   my $dns = Paperboy::Dns->new(name => 'redis.test');
#   "resolver 127.0.0.1:" . $dns->port . " valid=1s ipv6=off;"
#   $dns->addresses('127.0.0.1');
package Paperboy::Dns;
use v5.36;

use File::Temp ();
use IO::Socket::INET;
use Socket qw(inet_aton);

sub new ($class, %option) {
    my $socket = IO::Socket::INET->new(
        Proto     => 'udp',
        LocalAddr => '127.0.0.1',
    ) // die "a socket: $!";
    my $self = bless {
        name => $option{name},
        port => $socket->sockport,
        file => File::Temp->new,
    }, $class;
    $self->{pid} = fork // die "fork: $!";
    if (!$self->{pid}) {
        $self->_serve($socket);
        POSIX::_exit(0);
    }
    return $self;
}

sub port ($self) { return $self->{port} }

# From now on; none: there is no such name.
sub addresses ($self, @addresses) {
    open my $file, '>', $self->{file}->filename or die "$!";
    print {$file} "@addresses";
    close $file;
    return;
}

sub _serve ($self, $socket) {
    while (my $peer = $socket->recv(my $query, 512)) {
        $socket->send($self->_answer($query), 0, $peer);
    }
    return;
}

# RFC 1035 section 4.1: header, question, and the addresses, whose name is that
# of the question.
sub _answer ($self, $query) {
    my ($id, $question) = unpack 'a2 x10 a*', $query;
    my $name = join '.', unpack '(C/a)*', $question =~ s/\0.*//sr;
    my ($type) = unpack 'x' . (length($name) + 2) . 'n', $question;
    $question = substr $question, 0, length($name) + 6;
    open my $file, '<', $self->{file}->filename or die "$!";
    my @found = $name eq $self->{name} ? split ' ', <$file> // '' : ();
    my $flags = @found ? 0x8180 : 0x8183;
    @found = () if $type != 1;
    return $id . pack('n5', $flags, 1, scalar @found, 0, 0) . $question
        . join '', map { pack 'n n n N n/a*', 0xc00c, 1, 1, 1, inet_aton($_) }
        @found;
}

sub DESTROY ($self) {
    return if !$self->{pid};
    local ($?, $!, $@);
    kill KILL => $self->{pid};
    waitpid $self->{pid}, 0;
    return;
}

1;
