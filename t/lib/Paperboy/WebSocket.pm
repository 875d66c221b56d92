# A WebSocket client that may do everything wrong: RFC 6455 and RFC 7692 with
# each bit in the hands of the test.
#
#   my $ws = Paperboy::WebSocket->new(port => 80, path => '/ws');
#   $ws->status;                    # 101, or what refused us
#   $ws->text('hello'); $ws->recv;  # "text:hello"
#
# `recv` gives the next event as one string, so that a test compares it with
# one `is`: text:DATA binary:DATA ping:DATA pong:DATA close:CODE (or close:
# where there was none; {reason} has the rest) and eof.
package Paperboy::WebSocket;
use v5.36;

use parent -norequire, 'Paperboy::Socket';
use Compress::Raw::Zlib;
use Digest::SHA qw(sha1_base64);
use IO::Select;
use MIME::Base64 qw(encode_base64);
use Paperboy::HTTP;
use Paperboy::Socket;
use Time::HiRes qw(time);

use constant {
    CONTINUATION => 0,
    TEXT         => 1,
    BINARY       => 2,
    CLOSE        => 8,
    PING         => 9,
    PONG         => 10,
};

my %EVENT = (1 => 'text', 2 => 'binary', 9 => 'ping', 10 => 'pong');

# path, method, version; key; origin, protocol, token, deflate => VALUE: the
# header that carries it; headers => [NAME, VALUE, ...]: more of them;
# set => {NAME => VALUE}: replaces a header of the handshake, or with undef
# leaves it out; early => BYTES: sent in the same write as the request. What
# else is given goes to Paperboy::Socket. Dies only if nobody answers.
sub new ($class, %option) {
    my $self = $class->SUPER::new(%option);
    $self->{key} = $option{key} // encode_base64(random_bytes(16), '');
    my $request = Paperboy::HTTP::format_request(
        method  => $option{method},
        path    => $option{path},
        version => $option{version},
        headers => [$self->_handshake_headers(%option)],
    );
    $self->write($request . ($option{early} // ''));
    my $head = $self->read_until("\r\n\r\n")
        // die "no answer to the handshake\n";
    $self->{answer} = Paperboy::HTTP::parse_head($head);
    if ($self->status == 101) {
        $self->_start_deflate;
    } else {
        $self->{answer}{body} = ($option{method} // '') eq 'HEAD' ? ''
            : Paperboy::HTTP::_body($self, $self->{answer}{header});
    }
    return $self;
}

sub _handshake_headers ($self, %option) {
    my @headers = (
        Host                       => $option{host_header} // 'localhost',
        Upgrade                    => 'websocket',
        Connection                 => 'Upgrade',
        'Sec-WebSocket-Version'    => 13,
        'Sec-WebSocket-Key'        => $self->{key},
        Origin                     => $option{origin},
        'Sec-WebSocket-Protocol'   => $option{protocol},
        'Sec-WebSocket-Extensions' => $option{deflate},
        Authorization => defined $option{token} ? "Bearer $option{token}"
        : undef,
    );
    my $set = $option{set} // {};
    for (grep { !($_ % 2) } 0 .. $#headers) {
        my $name = $headers[$_];
        $headers[ $_ + 1 ] = $set->{$name} if exists $set->{$name};
    }
    return @headers, @{ $option{headers} // [] };
}

sub status ($self) { return $self->{answer}{status} }
sub answer ($self) { return $self->{answer} }
sub header ($self, $name) { return $self->{answer}{header}{ lc $name } }

# What Sec-WebSocket-Accept must be (RFC 6455 section 4.2.2).
sub expected_accept ($self) {
    return sha1_base64("$self->{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11")
        . '=';
}

sub random_bytes ($count) {
    return join '', map { chr int rand 256 } 1 .. $count;
}

# --- sending ---------------------------------------------------------------

# One frame's bytes. fin => 0, rsv => 0..7, mask => 0 (or a key of 4 bytes),
# form => 7, 16 or 64: the bits that write the length.
sub frame ($opcode, $payload = '', %option) {
    my $length = length $payload;
    my $form   = $option{form}
        // ($length < 126 ? 7 : $length < 65536 ? 16 : 64);
    my $key    = $option{mask} // random_bytes(4);
    my $bytes  = chr(
        (($option{fin} // 1) << 7) | (($option{rsv} // 0) << 4) | $opcode);
    my $bit = $key ? 0x80 : 0;
    $bytes .= $form == 7 ? chr($bit | $length)
        : $form == 16 ? chr($bit | 126) . pack('n', $length)
        : chr($bit | 127) . pack('Q>', $length);
    return $bytes . $payload unless $key;
    return $bytes . $key . mask($key, $payload);
}

sub mask ($key, $payload) {
    my $pad = $key x (length($payload) / 4 + 1);
    return $payload ^. substr $pad, 0, length $payload;
}

sub send_frame ($self, @frame) { return $self->write(frame(@frame)) }

# Byte by byte, each in its own write.
sub send_bytewise ($self, $bytes) {
    $self->write($_) for split //, $bytes;
    return;
}

sub text   ($self, @frame) { return $self->send_frame(TEXT,   @frame) }
sub binary ($self, @frame) { return $self->send_frame(BINARY, @frame) }
sub ping ($self, $data = '') { return $self->send_frame(PING, $data) }
sub pong ($self, $data = '') { return $self->send_frame(PONG, $data) }

sub send_close ($self, $code = undef, $reason = '') {
    return $self->send_frame(CLOSE,
        defined $code ? pack('n', $code) . $reason : '');
}

# The closing handshake from our side: the event that answered, then "eof";
# after that our end is closed too.
sub close ($self, @code) {
    $self->send_close(@code);
    my $event;
    do { $event = $self->recv } until $event =~ /^(?:close|eof)/;
    $event .= ' ' . $self->recv if $event ne 'eof';
    $self->drop;
    return $event;
}

# A compressed message (RFC 7692 section 7.2.1), in one frame.
sub deflated ($self, $opcode, $data) {
    return $self->send_frame($opcode, $self->deflate_message($data), rsv => 4);
}

sub deflate_message ($self, $data) {
    my $deflater = $self->{deflater};
    my $out      = '';
    $deflater->deflate($data, $out);
    $deflater->flush($out, Z_SYNC_FLUSH);
    $deflater->deflateReset if $self->{extension}{client_no_context_takeover};
    # Perl's flush may end with the empty block twice.
    $out =~ s/\x00\x00\xff\xff\K(?:\x00\x00\x00\xff\xff)+\z//;
    return substr $out, 0, -4;
}

# --- receiving -------------------------------------------------------------

# The next frame {fin, rsv, opcode, masked, payload}; undef at the end.
sub recv_frame ($self, $timeout = $Paperboy::Socket::TIMEOUT) {
    die "no WebSocket: it was refused with ${\ $self->status}\n"
        if $self->{answer} && $self->status != 101;
    my $deadline = time + $timeout;
    while (1) {
        my $frame = $self->_take_frame;
        return $frame if $frame;
        $self->fill(Paperboy::Socket::_left($deadline)) or return undef;
    }
}

# A frame that is whole in the buffer.
sub _take_frame ($self) {
    my $in = \$self->{in};
    return if length $$in < 2;
    my ($first, $second) = unpack 'CC', $$in;
    my ($head, $length) = (2, $second & 0x7f);
    if ($length == 126) {
        return if length $$in < 4;
        ($head, $length) = (4, unpack 'x2 n', $$in);
    } elsif ($length == 127) {
        return if length $$in < 10;
        ($head, $length) = (10, unpack 'x2 Q>', $$in);
    }
    return if length $$in < $head + $length;
    substr $$in, 0, $head, '';
    return {
        fin     => $first >> 7,
        rsv     => ($first >> 4) & 7,
        opcode  => $first & 15,
        masked  => $second >> 7,
        payload => substr($$in, 0, $length, ''),
    };
}

# The next event as a string; fragments are joined, deflate undone. Pings are
# told and not answered, unless {auto_pong} is set: then the other way round.
sub recv ($self, $timeout = $Paperboy::Socket::TIMEOUT) {
    while (1) {
        my $frame = $self->recv_frame($timeout) // return 'eof';
        my $event = $self->_event($frame);
        return $event if defined $event;
    }
}

# All events that are whole in the buffer now.
sub take_events ($self) {
    my @events;
    while (my $frame = $self->_take_frame) {
        my $event = $self->_event($frame);
        push @events, $event if defined $event;
    }
    return @events;
}

sub _event ($self, $frame) {
    die "the server masked a frame\n" if $frame->{masked};
    my $opcode = $frame->{opcode};
    return $self->_control($frame) if $opcode >= 8;
    if ($opcode != CONTINUATION) {
        die "a message began within another\n" if $self->{message};
        $self->{message} = { %$frame, payload => '' };
    }
    my $message = $self->{message} or die "a continuation of nothing\n";
    $message->{payload} .= $frame->{payload};
    return unless $frame->{fin};
    delete $self->{message};
    my $data = $message->{payload};
    $data = $self->inflate_message($data) if $message->{rsv} == 4;
    return "$EVENT{$message->{opcode}}:$data";
}

sub _control ($self, $frame) {
    die "a control frame in pieces or too long\n"
        if !$frame->{fin} || length $frame->{payload} > 125;
    if ($frame->{opcode} == CLOSE) {
        my ($code, $reason) = unpack 'n a*', $frame->{payload};
        $self->{reason} = $reason // '';
        return 'close:' . ($code // '');
    }
    if ($frame->{opcode} == PING && $self->{auto_pong}) {
        $self->pong($frame->{payload});
        return;
    }
    return ($EVENT{ $frame->{opcode} } // die "opcode $frame->{opcode}\n")
        . ":$frame->{payload}";
}

# Reads all of @clients side by side until `$done` says so of each (called
# with the client and its list of events after each batch) or it has ended.
# The lists of events, in the order of the clients.
sub gather ($done, @clients) {
    my %open   = map { fileno($_->{socket}) => $_ } @clients;
    my %events = map { $_ => [] } @clients;
    my $select = IO::Select->new(map { $_->{socket} } @clients);
    my $check  = sub ($client) {
        push @{ $events{$client} }, $client->take_events;
        return unless $client->{eof} || $done->($client, $events{$client});
        $select->remove($client->{socket});
        delete $open{ fileno($client->{socket}) // -1 };
    };
    $check->($_) for @clients;
    while (%open) {
        my @ready = $select->can_read($Paperboy::Socket::TIMEOUT)
            or die scalar(keys %open) . " of the clients wait in vain\n";
        for my $client (map { $open{ fileno $_ } } @ready) {
            $client->take;
            $check->($client);
        }
    }
    return map { $events{$_} } @clients;
}

# --- permessage-deflate ----------------------------------------------------

sub _start_deflate ($self) {
    my $answer = $self->header('Sec-WebSocket-Extensions') // return;
    my ($name, @parameters) = split /\s*;\s*/, $answer;
    die "extension $name\n" if $name ne 'permessage-deflate';
    my %extension = map { /^(\w+)(?:="?(\d+)"?)?$/ ? ($1 => $2 // 1) : () }
        @parameters;
    $self->{extension} = \%extension;
    my $bits = $extension{client_max_window_bits} // 15;
    ($self->{deflater}) = Compress::Raw::Zlib::Deflate->new(
        -AppendOutput => 1,
        -WindowBits   => -($bits < 9 ? 9 : $bits),
    );
    $self->{inflater} = $self->_new_inflater;
    return;
}

sub _new_inflater ($self) {
    my ($inflater) = Compress::Raw::Zlib::Inflate->new(
        -AppendOutput => 1,
        -WindowBits   => -($self->{extension}{server_max_window_bits} // 15),
    );
    return $inflater;
}

sub inflate_message ($self, $data) {
    my ($in, $out) = ("$data\x00\x00\xff\xff", '');
    my $status = $self->{inflater}->inflate($in, $out);
    die "inflate: $status\n" if $status != Z_OK && $status != Z_BUF_ERROR;
    $self->{inflater} = $self->_new_inflater
        if $self->{extension}{server_no_context_takeover};
    return $out;
}

1;
