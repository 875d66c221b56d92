# A relay between clients and a server of 127.0.0.1, in a process of its own,
# with the faults of a network: it is slow, swallows, or cuts. It dies with the
# object.
#
#   my $relay = Paperboy::Relay->new(to => $redis->port);
#   $relay->stall; ...; $relay->heal;
#
# Each call returns when what it says is so.
package Paperboy::Relay;
use v5.36;

use IO::Handle;
use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Socket qw(SOL_SOCKET SO_LINGER IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(time);

# to => PORT
sub new ($class, %option) {
    my $listener = IO::Socket::INET->new(Listen => 512,
        LocalAddr => '127.0.0.1', LocalPort => $option{port} // 0,
        ReuseAddr => 1, Blocking => 0) or die "no port for a relay: $!";
    my $self = bless { port => $listener->sockport }, $class;
    pipe my $hear, $self->{say};
    pipe $self->{answers}, my $answer;
    $self->{pid} = fork // die "fork: $!";
    if (!$self->{pid}) {
        close $self->{say};
        close $self->{answers};
        eval { _serve($listener, $hear, $answer, $option{to}); 1 }
            or print {*STDERR} "relay: $@";
        POSIX::_exit(0);
    }
    $_->autoflush(1) for $self->{say};
    return $self;
}

sub port ($self) { return $self->{port} }
sub pid ($self)  { return $self->{pid} }

# Where connections made from now on lead.
sub target ($self, $port) { return $self->_tell("target $port") }

# So many seconds on each way, for all that comes from now on; and so many
# bytes a second and way; 0: no limit.
sub slow ($self, $delay, $rate = 0) { return $self->_tell("slow $delay $rate") }

# Connections stay, new ones are accepted, and nothing is forwarded: "both",
# or only "up" to the server, or "down" from it. What comes waits.
sub stall ($self, $way = 'both') { return $self->_tell("stall $way") }

# From the server nothing reaches those connections that subscribe; what comes
# is lost, and all else works.
sub deafen ($self) { return $self->_tell('deafen') }

# All connections are reset; new ones too, while it lasts.
sub cut ($self) { return $self->_tell('cut') }

# All connections are reset, once.
sub reset ($self) { return $self->_tell('reset') }

# Ends all of these.
sub heal ($self) { return $self->_tell('heal') }

# How many connections there are.
sub connections ($self) { return $self->_tell('connections') }

sub _tell ($self, $line) {
    syswrite $self->{say}, "$line\n";
    my $answer = readline $self->{answers};
    return $answer =~ s/\s+\z//r if defined $answer;
    die "the relay has ended\n";
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

# --- in the process of its own ----------------------------------------------

my $MOST   = 1 << 20;    # bytes that wait on one way
my $CHUNK  = 1 << 16;
my $LINGER = pack 'll', 1, 0;

my %state;    # of this process

sub _serve ($listener, $hear, $answer, $target) {
    %state = (target => $target, delay => 0, rate => 0, stall => '',
        ways => {}, ended => []);
    $answer->autoflush(1);
    $hear->blocking(0);
    $SIG{PIPE} = 'IGNORE';
    while (1) {
        my ($reads, $writes, $wait) = _interest($listener, $hear);
        select $reads, $writes, undef, $wait;
        if (vec $reads, fileno $hear, 1) {
            sysread($hear, my $text, 4096) or return;
            print {$answer} _obey($_), "\n" for split /\n/, $text;
        }
        _accept($listener) if vec $reads, fileno $listener, 1;
        for my $way (my @ways = values %{ $state{ways} }) {
            _read($way)  if $way->{from} && vec $reads, $way->{in}, 1;
            _write($way) if $way->{from};
        }
    }
}

# What to select for, and how long at most.
sub _interest ($listener, $hear) {
    my ($reads, $writes, $wait) = ('', '', undef);
    vec($reads, fileno $_, 1) = 1 for $listener, $hear;
    my $now = time;
    for my $way (values %{ $state{ways} }) {
        next if _is_stalled($way);
        vec($reads, $way->{in}, 1) = 1
            if $way->{waiting} < $MOST && !$way->{eof};
        my $first = $way->{queue}[0] // next;
        my $due = $first->[0] > $way->{next} ? $first->[0] : $way->{next};
        if ($due <= $now) {
            vec($writes, $way->{out}, 1) = 1;
        } elsif (!defined $wait || $due - $now < $wait) {
            $wait = $due - $now;
        }
    }
    return ($reads, $writes, $wait);
}

sub _is_stalled ($way) {
    return $state{stall} eq 'both' || $state{stall} eq $way->{name};
}

sub _accept ($listener) {
    while (my $client = $listener->accept) {
        my $server = $state{cut} ? undef
            : IO::Socket::INET->new("127.0.0.1:$state{target}");
        if (!$server) {
            setsockopt $client, SOL_SOCKET, SO_LINGER, $LINGER;
            close $client;
            next;
        }
        for ($client, $server) {
            $_->blocking(0);
            setsockopt $_, IPPROTO_TCP, TCP_NODELAY, 1;
        }
        my $pair = {};
        $pair->{up}   = _way('up',   $client, $server, $pair);
        $pair->{down} = _way('down', $server, $client, $pair);
    }
    return;
}

sub _way ($name, $from, $to, $pair) {
    my $way = { name => $name, from => $from, to => $to, pair => $pair,
        in => fileno $from, out => fileno $to, queue => [], waiting => 0,
        next => 0 };
    $state{ways}{$from} = $way;
    return $way;
}

sub _read ($way) {
    return if _is_stalled($way);
    my $got = sysread($way->{from}, my $bytes, $CHUNK);
    return if !defined $got && ($!{EAGAIN} || $!{EINTR});
    return _end($way->{pair}, 1) if !defined $got;
    if (!$got) {
        $way->{eof} = 1;
        return _end($way->{pair}) if !@{ $way->{queue} };
        return;
    }
    my $pair = $way->{pair};
    $pair->{subscribes} ||= $way->{name} eq 'up'
        && $bytes =~ /\r\ns?subscribe\r\n/i;
    return if $state{deaf} && $pair->{subscribes} && $way->{name} eq 'down';
    push @{ $way->{queue} }, [time + $state{delay}, $bytes];
    $way->{waiting} += $got;
    return;
}

sub _write ($way) {
    my $queue = $way->{queue};
    while (@$queue && !_is_stalled($way)) {
        my $now = time;
        return if $queue->[0][0] > $now || $way->{next} > $now;
        my $most = $state{rate} ? 1 + int $state{rate} / 50 : $CHUNK;
        my $sent = syswrite $way->{to}, $queue->[0][1], $most;
        return if !defined $sent && ($!{EAGAIN} || $!{EINTR});
        return _end($way->{pair}, 1) if !defined $sent;
        $way->{waiting} -= $sent;
        $way->{next} = $now + $sent / $state{rate} if $state{rate};
        substr $queue->[0][1], 0, $sent, '';
        shift @$queue if $queue->[0][1] eq '';
    }
    _end($way->{pair}) if $way->{eof} && !@$queue;
    return;
}

# The end of a connection, also by a reset.
sub _end ($pair, $reset = 0) {
    for my $way (delete @$pair{qw(up down)}) {
        next if !$way;
        delete $state{ways}{ $way->{from} };
        setsockopt $way->{from}, SOL_SOCKET, SO_LINGER, $LINGER if $reset;
        close $way->{from};
        delete @$way{qw(from to pair)};
    }
    return;
}

sub _reset_all () {
    _end($_, 1) for map { $_->{pair} // () } my @ways = values %{ $state{ways} };
    return;
}

sub _obey ($line) {
    my ($command, @words) = split / /, $line;
    if ($command eq 'target') {
        $state{target} = $words[0];
    } elsif ($command eq 'slow') {
        @state{qw(delay rate)} = @words;
    } elsif ($command eq 'stall') {
        $state{stall} = $words[0];
    } elsif ($command eq 'deafen') {
        $state{deaf} = 1;
    } elsif ($command eq 'cut' || $command eq 'reset') {
        $state{cut} = $command eq 'cut';
        _reset_all();
    } elsif ($command eq 'heal') {
        @state{qw(delay rate stall deaf cut)} = (0, 0, '', 0, 0);
        $_->{next} = 0 for values %{ $state{ways} };
    } elsif ($command eq 'connections') {
        return keys(%{ $state{ways} }) / 2;
    } else {
        return 'no such command';
    }
    return 'done';
}

1;
