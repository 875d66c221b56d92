# A network namespace with a link of its own for each node: Redis runs inside,
# and a link is cut (packets are lost, nobody is told) or made slow by the
# kernel itself. All of it is gone with the object.
package Paperboy::Netns;
use v5.36;

my $numbers = 0;

# Why there can be none here; '' where there can.
sub lacks () {
    return 'only root may make network namespaces' if $> != 0;
    my $name = "paperboy-try-$$";
    my $said = qx{ip netns add $name 2>&1};
    return "no network namespace: $said" if $?;
    my $lack = '';
    for my $words ("link add pbt$$ type veth peer name pbt netns $name",
        "-n $name link set lo up", "netns exec $name true")
    {
        $said = qx{ip $words 2>&1};
        $lack ||= "ip $words: $said" if $?;
    }
    system "ip netns del $name";
    return $lack;
}

sub new ($class, $links) {
    my $self = bless {
        name  => join('-', 'paperboy', $$, ++$numbers),
        links => [],
    }, $class;
    _ip("netns add $self->{name}");
    _ip("-n $self->{name} link set lo up");
    for my $i (0 .. $links - 1) {
        # Of 10.77.0.0/16 a network of two addresses each.
        my $net = sprintf '10.77.%d', ($$ + $numbers * 16 + $i) % 256;
        my ($here, $there) = ("pb$i-$$", "in$i");
        _ip("link add $here type veth peer name $there netns $self->{name}");
        _ip("addr add $net.1/30 dev $here");
        _ip("link set $here up");
        _ip("-n $self->{name} addr add $net.2/30 dev $there");
        _ip("-n $self->{name} link set $there up");
        push @{ $self->{links} }, bless {
            netns => $self->{name}, here => $here, there => $there,
            address => "$net.2",
        }, 'Paperboy::Netns::Link';
    }
    return $self;
}

# What a command is begun with that is to run inside.
sub inside ($self) { return qw(ip netns exec), $self->{name} }
sub links ($self)  { return @{ $self->{links} } }

sub _ip ($words) {
    my $said = qx{ip $words 2>&1};
    die "ip $words: $said" if $?;
    return;
}

sub DESTROY ($self) {
    local ($?, $!, $@);
    # Its links go with it.
    system "ip netns del $self->{name} 2>/dev/null";
    return;
}

# --- one of them -------------------------------------------------------------

# The same words as of Paperboy::Relay.
package Paperboy::Netns::Link;
use v5.36;

sub address ($self) { return $self->{address} }

# At the far end: here the route stays, and packets go nowhere else.
sub stall ($self) {
    Paperboy::Netns::_ip("-n $self->{netns} link set $self->{there} down");
    return;
}

# So many bytes a second each way. tc netem, which delays and loses, is in few
# kernels; a bucket of tokens in most.
sub slow ($self, $delay, $rate) {
    my $words = 'root tbf rate ' . 8 * $rate . ' burst 16k latency 300ms';
    for my $end ("dev $self->{here}", undef) {
        my $tc = $end ? "tc qdisc add $end"
            : "tc -n $self->{netns} qdisc add dev $self->{there}";
        my $said = qx{$tc $words 2>&1};
        die "$tc: $said" if $?;
    }
    $self->{is_slow} = 1;
    return;
}

sub heal ($self) {
    Paperboy::Netns::_ip("-n $self->{netns} link set $self->{there} up");
    if (delete $self->{is_slow}) {
        system "tc qdisc del dev $self->{here} root";
        system "tc -n $self->{netns} qdisc del dev $self->{there} root";
    }
    return;
}

sub stop ($self) { return }

1;
