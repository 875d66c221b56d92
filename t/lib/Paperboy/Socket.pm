# A TCP or TLS connection with a buffer in front: what HTTP.pm and
# WebSocket.pm read from. Every wait ends, at the latest after $TIMEOUT
# seconds, by dying: no test asserts a time, a hanging one fails.
package Paperboy::Socket;
use v5.36;

use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use Socket qw(IPPROTO_TCP TCP_NODELAY SOL_SOCKET SO_LINGER SO_RCVBUF
    INADDR_LOOPBACK pack_sockaddr_in);
use Time::HiRes qw(time sleep);

$SIG{PIPE} = 'IGNORE';

our $TIMEOUT = $ENV{PAPERBOY_TIMEOUT} // 10;

# port => N or unix => PATH; tls => 1 (no certificate is checked);
# certificate => PATH, key_file => PATH: its own one;
# receive_buffer => BYTES (SO_RCVBUF, for clients who are to be slow);
# prefix => BYTES: sent before anything else.
sub new ($class, %option) {
    my $socket = $option{unix} ? IO::Socket::UNIX->new(Peer => $option{unix})
        : _connect(%option);
    my $self = bless {
        socket => $socket // die("$option{unix}: $!"),
        in     => '',
        eof    => 0,
    }, $class;
    $self->write($option{prefix}) if $option{prefix};
    $self->_start_tls(%option) if $option{tls};
    return $self;
}

sub _connect (%option) {
    my $socket = IO::Socket::INET->new(Proto => 'tcp') or die "socket: $!";
    if ($option{receive_buffer}) {
        setsockopt $socket, SOL_SOCKET, SO_RCVBUF, $option{receive_buffer}
            or die "SO_RCVBUF: $!";
    }
    $socket->connect(pack_sockaddr_in($option{port}, INADDR_LOOPBACK))
        or die "connect to port $option{port}: $!";
    setsockopt $socket, IPPROTO_TCP, TCP_NODELAY, 1;
    return $socket;
}

sub _start_tls ($self, %option) {
    require IO::Socket::SSL;
    IO::Socket::SSL->start_SSL(
        $self->{socket},
        SSL_verify_mode => 0,
        SSL_hostname    => $option{server_name} // 'localhost',
        $option{certificate} ? (SSL_cert_file => $option{certificate},
            SSL_key_file => $option{key_file}) : (),
        $option{alpn} ? (SSL_alpn_protocols => $option{alpn}) : (),
    ) or die "TLS: $IO::Socket::SSL::SSL_ERROR";
    $self->{tls} = 1;
    return;
}

sub fileno ($self) { return fileno $self->{socket} }

sub write ($self, $bytes) {
    my $at = 0;
    while ($at < length $bytes) {
        my $sent = syswrite $self->{socket}, $bytes, length($bytes) - $at, $at;
        return 0 unless defined $sent;    # the peer has closed
        $at += $sent;
    }
    return 1;
}

# Waits for bytes and adds them to the buffer. 0 at the end of the stream.
sub fill ($self, $timeout = $TIMEOUT) {
    return 0 if $self->{eof};
    $self->readable($timeout) or die "nothing received for $timeout s\n";
    return $self->take;
}

# True if `take` would find bytes, or the stream's end, within the time.
sub readable ($self, $timeout = 0) {
    return 1 if $self->{tls} && $self->{socket}->pending;
    return IO::Select->new($self->{socket})->can_read($timeout) ? 1 : 0;
}

# Reads what is there. 0 at the end of the stream, also by a reset.
sub take ($self) {
    my $got = sysread $self->{socket}, $self->{in}, 65536, length $self->{in};
    return $got if $got;
    return 1 if !defined $got && $!{EAGAIN};
    $self->{reset} = 1 if !defined $got;
    $self->{eof}   = 1;
    return 0;
}

# The bytes up to and including `$mark`; undef if the stream ends before.
sub read_until ($self, $mark, $timeout = $TIMEOUT) {
    my $deadline = time + $timeout;
    my $at;
    while (($at = index $self->{in}, $mark) < 0) {
        $self->fill(_left($deadline)) or return undef;
    }
    return substr $self->{in}, 0, $at + length $mark, '';
}

sub read_exactly ($self, $count, $timeout = $TIMEOUT) {
    my $deadline = time + $timeout;
    while (length $self->{in} < $count) {
        $self->fill(_left($deadline)) or return undef;
    }
    return substr $self->{in}, 0, $count, '';
}

sub read_all ($self, $timeout = $TIMEOUT) {
    my $deadline = time + $timeout;
    1 while $self->fill(_left($deadline));
    return substr $self->{in}, 0, length $self->{in}, '';
}

# Ends our half of the connection only (plain TCP).
sub shut_down ($self) { return shutdown $self->{socket}, 1 }

# Closes without more ado: for the peer an unclean end.
sub drop ($self) {
    close $self->{socket};
    $self->{eof} = 1;
    return;
}

# Closes with a reset instead of an orderly end.
sub reset ($self) {
    setsockopt $self->{socket}, SOL_SOCKET, SO_LINGER, pack 'll', 1, 0;
    return $self->drop;
}

sub _left ($deadline) {
    my $left = $deadline - time;
    return $left > 0 ? $left : 0.001;
}

1;
