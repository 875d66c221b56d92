# A client of server-sent events over HTTP/1.1, which reads a stream as the
# HTML standard says EventSource does.
#
#   my $events = Paperboy::Events->new(port => 80, path => '/events');
#   $events->status;        # 200, or what refused us
#   $events->recv;          # "message:hello"
#   $events->{last_id};     # what EventSource would come back with
#
# `recv` gives the next event as one string: its name, a colon and its data;
# for a comment "comment:TEXT"; and eof. An event without data only sets
# {last_id} and {retry}.
package Paperboy::Events;
use v5.36;

use parent -norequire, 'Paperboy::Socket';
use Paperboy::HTTP;
use Paperboy::Socket;
use Time::HiRes qw(time);

# path, method; id => the Last-Event-ID; origin; headers => [NAME, VALUE, ...].
# What else is given goes to Paperboy::Socket. Dies only if nobody answers.
sub new ($class, %option) {
    my $self = $class->SUPER::new(%option);
    $self->write(Paperboy::HTTP::format_request(
        method  => $option{method},
        path    => $option{path},
        headers => [
            Accept => 'text/event-stream',
            (defined $option{id} ? ('Last-Event-ID' => $option{id}) : ()),
            (defined $option{origin} ? (Origin => $option{origin}) : ()),
            @{ $option{headers} // [] },
        ],
    ));
    my $head = $self->read_until("\r\n\r\n") // die "no answer\n";
    $self->{answer} = Paperboy::HTTP::parse_head($head);
    @$self{qw(text queue id last_id)} = ('', [], '', '');
    $self->{answer}{body} = $self->_refusal(%option)
        if $self->status != 200 || ($option{method} // 'GET') ne 'GET';
    return $self;
}

sub _refusal ($self, %option) {
    return '' if ($option{method} // '') eq 'HEAD';
    return Paperboy::HTTP::_body($self, $self->{answer}{header});
}

sub status ($self) { return $self->{answer}{status} }
sub header ($self, $name) { return $self->{answer}{header}{ lc $name } }
sub json ($self) { return bless($self->{answer}, 'Paperboy::HTTP::Answer')->json }

# The next event but comments, unless these are asked for.
sub recv ($self, %option) {
    my $deadline = time + $Paperboy::Socket::TIMEOUT;
    while (1) {
        while (defined(my $event = shift @{ $self->{queue} })) {
            return $event if $option{comments} || $event !~ /^comment:/;
        }
        return 'eof' if $self->{ended};
        $self->_read_chunk($deadline);
    }
}

# All that `recv` would give, up to one that matches, or the end.
sub recv_until ($self, $pattern) {
    my @events;
    do { push @events, $self->recv } until $events[-1] =~ /$pattern|^eof$/;
    return @events;
}

# Events that have arrived; doesn't wait.
sub take_events ($self) {
    $self->_read_chunk(time + $Paperboy::Socket::TIMEOUT)
        while !$self->{ended} && (length $self->{in} || $self->readable(0));
    return grep { !/^comment:/ } splice @{ $self->{queue} };
}

# True once an event with the id has set it.
sub wait_for_id ($self) {
    my $deadline = time + $Paperboy::Socket::TIMEOUT;
    $self->_read_chunk($deadline)
        until $self->{ended} || length $self->{last_id};
    return $self->{last_id};
}

sub _read_chunk ($self, $deadline) {
    my $left = $deadline - time;
    my $head = $self->read_until("\r\n", $left > 0 ? $left : 0.001);
    my $size = hex(($head // '0') =~ s/\s+//r);
    my $data = $size ? $self->read_exactly($size + 2) : undef;
    if (!defined $data) {
        $self->{complete} = defined $head && $head =~ /^0/;
        $self->read_exactly(2) if $self->{complete};
        $self->{ended} = 1;
        return;
    }
    $self->{text} .= substr $data, 0, $size;
    $self->_line($1) while $self->{text} =~ s/^([^\r\n]*)(?:\r\n|\n|\r)//;
    return;
}

sub _line ($self, $line) {
    return $self->_dispatch if $line eq '';
    my ($field, $value) = $line =~ /^([^:]*)(?:: ?(.*))?$/s;
    $value //= '';
    return push @{ $self->{queue} }, "comment:$value" if $field eq '';
    $self->{data} .= "$value\n" if $field eq 'data';
    $self->{name}  = $value if $field eq 'event';
    $self->{id}    = $value if $field eq 'id';
    $self->{retry} = $value if $field eq 'retry' && $value =~ /^\d+$/;
    return;
}

sub _dispatch ($self) {
    $self->{last_id} = $self->{id};
    my $name = delete $self->{name};
    my $data = delete $self->{data} // return;
    chop $data;
    $name = 'message' if !length($name // '');
    push @{ $self->{queue} }, "$name:$data";
    return;
}

1;
