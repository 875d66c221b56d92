# A callback of an embedded back end: a process that answers POSTs on a port of
# 127.0.0.1, and tells what it was posted.
#
#   my $back = Paperboy::Callback->new;
#   $back->port;
#   $back->next;     {method, path, header => {...}, body}
#   $back->waiting;  how many more there are
#
# port => N: there; any => 1: on all addresses; answer => '500 Oops': instead of
# 200, '': never; raw => BYTES: the answer as it is; handler => sub (POST) {...}:
# makes that, or a status and a body, in a process of its own.
package Paperboy::Callback;
use v5.36;

use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use Paperboy::Socket;
use POSIX ();
use Time::HiRes qw(sleep time);

sub new ($class, %option) {
    my $listen = IO::Socket::INET->new(
        LocalAddr => $option{any} ? '0.0.0.0' : '127.0.0.1',
        LocalPort => $option{port} // 0,
        Listen    => 64,
        ReuseAddr => 1,
    ) // die "a port: $!";
    pipe my $read, my $write or die "pipe: $!";
    my $self = bless { port => $listen->sockport, pipe => $read, text => '' },
        $class;
    $self->{pid} = fork // die "fork: $!";
    if (!$self->{pid}) {
        close $read;
        $write->autoflush;
        local $SIG{PIPE} = 'IGNORE';
        _serve($listen, $write, \%option);
        POSIX::_exit(0);
    }
    return $self;
}

sub port ($self) { return $self->{port} }

# From now on it answers 500.
sub refuse ($self) {
    kill USR1 => $self->{pid};
    sleep 0.05;
    return;
}

sub next ($self) {
    my $deadline = time + $Paperboy::Socket::TIMEOUT;
    until ($self->{text} =~ /\n/) {
        return if time > $deadline;
        $self->_read(0.1);
    }
    $self->{text} =~ s/^(.*)\n//;
    return JSON::PP->new->decode($1);
}

sub waiting ($self) {
    1 while $self->_read(0.2);
    return scalar(() = $self->{text} =~ /\n/g);
}

sub _read ($self, $seconds) {
    return if !IO::Select->new($self->{pipe})->can_read($seconds);
    return sysread $self->{pipe}, $self->{text}, 65_536, length $self->{text};
}

sub stop ($self) {
    return if !$self->{pid};
    kill TERM => $self->{pid};
    waitpid delete $self->{pid}, 0;
    return;
}

sub DESTROY ($self) {
    local ($?, $!);
    $self->stop;
    return;
}

# --- the process ------------------------------------------------------------

sub _serve ($listen, $write, $option) {
    my @kept;    # that are never answered
    local $SIG{USR1} = sub { delete $option->{raw}; $option->{answer} = '500 No' };
    while (1) {
        my $client = $listen->accept or next;
        my $posted = _post($client) or next;
        syswrite $write, JSON::PP->new->encode($posted) . "\n";
        if ($option->{handler}) {
            _handle($client, $posted, $option->{handler});
            next;
        }
        if (($option->{answer} // 'x') eq '') {
            push @kept, $client;
            next;
        }
        my $status = $option->{answer} // '200 OK';
        my $answer = $option->{raw}
            // "HTTP/1.1 $status\r\nLocation: http://elsewhere/\r\n"
            . "Content-Length: 4\r\n\r\ndone";
        syswrite $client, $answer;
        close $client;
    }
    return;
}

sub _handle ($client, $posted, $handler) {
    local $SIG{CHLD} = 'IGNORE';
    return if fork // die "fork: $!";
    my ($status, $body) = $handler->($posted);
    $body //= '';
    my $answer = defined $status && $status =~ /^\d+$/
        ? "HTTP/1.1 $status X\r\nContent-Length: @{[ length $body ]}\r\n\r\n$body"
        : $status;
    print {$client} $answer if defined $answer;
    close $client;
    POSIX::_exit(0);
}

sub _post ($client) {
    my $text = '';
    until ($text =~ /\r\n\r\n/) {
        sysread $client, $text, 65_536, length $text or return;
    }
    my ($method, $path, $head, $body) =
        $text =~ /^(\w+) (\S+) HTTP\/1\.1\r\n(.*?)\r\n\r\n(.*)$/s;
    my %header = map { /^([^:]+): (.*)$/ ? (lc $1 => $2) : () }
        split /\r\n/, $head;
    while (length $body < ($header{'content-length'} // 0)) {
        sysread $client, $body, 65_536, length $body or return;
    }
    return { method => $method, path => $path, header => \%header,
        body => $body };
}

1;
