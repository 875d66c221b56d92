# A client of Redis: one connection, one command at a time, over the protocol
# itself (RESP 2), so that a test needs no library and no redis-cli.
package Paperboy::Resp;
use v5.36;

use Paperboy::Socket;

# port => N or unix => PATH, as of Paperboy::Socket; user, password.
sub new ($class, %option) {
    my $self = bless { socket => Paperboy::Socket->new(%option) }, $class;
    $self->command(AUTH => $option{user} // 'default', $option{password})
        if defined $option{password};
    return $self;
}

# A string, a number, undef (nil), or a list's reference. An error dies, with
# its text.
sub command ($self, @words) {
    $self->send(@words);
    return $self->answer;
}

sub send ($self, @words) {
    $self->{socket}->write(join '', '*' . @words . "\r\n",
        map { '$' . length($_) . "\r\n$_\r\n" } map { "$_" } @words);
    return;
}

# The next that comes, be it an answer or a message of a subscription.
sub answer ($self, $timeout = $Paperboy::Socket::TIMEOUT) {
    my $value = $self->_value($timeout);
    die "$$value\n" if ref $value eq 'SCALAR';
    return $value;
}

sub _value ($self, $timeout) {
    my $socket = $self->{socket};
    my $line = $socket->read_until("\r\n", $timeout)
        // die "redis: the connection has ended\n";
    my ($type, $rest) = $line =~ /^(.)(.*)\r\n\z/s;
    return $rest if $type eq '+' || $type eq ':';
    return \$rest if $type eq '-';
    return undef if $rest < 0;
    return [map { $self->_value($timeout) } 1 .. $rest] if $type eq '*';
    my $bytes = $socket->read_exactly($rest + 2, $timeout)
        // die "redis: the connection has ended\n";
    return substr $bytes, 0, $rest;
}

1;
