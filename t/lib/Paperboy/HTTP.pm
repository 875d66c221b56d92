# HTTP/1.1 by hand, so that a test says exactly what is on the wire.
#
#   my $answer = Paperboy::HTTP::request(port => 80, method => 'POST',
#       path => '/', headers => [Host => 'a'], body => 'x');
#   $answer->{status}, {reason}, {header}{'content-type'}, {body};
#   $answer->json;
#
# A header that comes several times stands in {header} joined with ", ".
# Paperboy::HTTP->new(port => 80) keeps a connection: write, then answer.
package Paperboy::HTTP;
use v5.36;

use parent -norequire, 'Paperboy::Socket';
use Paperboy::Socket;

# The text of a request. `headers` is a list of names and values, in order and
# as they are; a Host and, with a body, a Content-Length are added where none
# is given, unless their value is undef.
sub format_request (%option) {
    my @given = @{ $option{headers} // [] };
    my %has   = map { lc $given[$_] => 1 } grep { !($_ % 2) } 0 .. $#given;
    my @lines = join ' ', $option{method} // 'GET', $option{path} // '/',
        $option{version} // 'HTTP/1.1';
    unshift @given, Host => $option{host} // 'localhost' unless $has{host};
    push @given, 'Content-Length' => length $option{body}
        if defined $option{body}
        && !$has{'content-length'} && !$has{'transfer-encoding'};
    while (my ($name, $value) = splice @given, 0, 2) {
        push @lines, "$name: $value" if defined $value;
    }
    return join("\r\n", @lines, '', '') . ($option{body} // '');
}

# One request on a connection of its own.
sub request (%option) {
    my %to = map { exists $option{$_} ? ($_ => $option{$_}) : () }
        qw(port unix prefix tls server_name alpn);
    my $connection = Paperboy::HTTP->new(%to);
    my @headers    = @{ $option{headers} // [] };
    push @headers, Connection => 'close' unless $option{keep_alive};
    $connection->write(format_request(%option, headers => \@headers));
    return $connection->answer($option{method} // 'GET');
}

# The next answer, to a request with `$method`; undef at the stream's end.
sub answer ($self, $method = 'GET') {
    my $head = $self->read_until("\r\n\r\n") // return undef;
    my $answer = parse_head($head);
    $answer->{body} =
        $method eq 'HEAD' || $answer->{status} =~ /^(?:1\d\d|204|304)$/
        ? ''
        : $self->_body($answer->{header});
    return $answer;
}

sub parse_head ($head) {
    my ($first, @lines) = split /\r\n/, $head;
    my ($version, $status, $reason) =
        $first =~ m{^(HTTP/1\.[01]) (\d{3}) ?(.*)$}
        or die "not an HTTP answer: $first\n";
    my %header;
    for (@lines) {
        my ($name, $value) = /^([^:]+):\s*(.*?)\s*$/ or die "bad header: $_\n";
        $name = lc $name;
        $header{$name} =
            exists $header{$name} ? "$header{$name}, $value" : $value;
    }
    return bless {
        version => $version,
        status  => $status,
        reason  => $reason,
        header  => \%header,
        head    => $head,
    }, 'Paperboy::HTTP::Answer';
}

sub _body ($self, $header) {
    return _chunks($self)
        if ($header->{'transfer-encoding'} // '') eq 'chunked';
    return $self->read_exactly($header->{'content-length'}) // ''
        if defined $header->{'content-length'};
    return $self->read_all;
}

sub _chunks ($self) {
    my $body = '';
    while (1) {
        my $size = hex($self->read_until("\r\n") =~ s/\s+//r);
        my $data = $self->read_exactly($size + 2);
        return $body unless $size;
        $body .= substr $data, 0, $size;
    }
}

package Paperboy::HTTP::Answer;
use v5.36;
use JSON::PP ();

# The body as JSON; dies where it isn't.
sub json ($self) { return JSON::PP->new->utf8->decode($self->{body}) }

1;
