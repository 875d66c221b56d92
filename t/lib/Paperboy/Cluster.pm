# A Redis Cluster of the test's own: masters, each with replicas, in one
# machine's processes; and what is done to it: slots that move.
package Paperboy::Cluster;
use v5.36;

use Paperboy::Redis;
use Time::HiRes qw(time sleep);

my $SLOTS = 16384;

# masters => N (3); replicas => N each (1); redis => [options of each].
sub new ($class, %option) {
    my ($masters, $replicas) = ($option{masters} // 3, $option{replicas} // 1);
    my $self = bless { masters => $masters, servers => [] }, $class;
    push @{ $self->{servers} },
        Paperboy::Redis->new(@{ $option{redis} // [] }, cluster => 1)->start
        for 1 .. $masters * (1 + $replicas);
    $self->_give_slots;
    my ($first, @others) = $self->servers;
    $first->command(CLUSTER => MEET => '127.0.0.1', _port_for_others($_))
        for @others;
    my $all = $self->servers;
    $self->_await('know each other', sub ($server) {
        _nodes($server) == $all && !grep { /handshake/ } _nodes($server);
    });
    $self->_replicate;
    $self->_await('are well', sub ($server) {
        $server->command(CLUSTER => 'INFO') =~ /cluster_state:ok/
            && $masters * $replicas == grep { /\bslave\b/ } _nodes($server);
    });
    return $self;
}

sub _give_slots ($self) {
    my $from = 0;
    for my $i (1 .. $self->{masters}) {
        my $to = int($SLOTS * $i / $self->{masters}) - 1;
        $self->{servers}[ $i - 1 ]->command(CLUSTER => ADDSLOTSRANGE => $from, $to);
        $self->{servers}[ $i - 1 ]->command(CLUSTER => 'SET-CONFIG-EPOCH', $i);
        $from = $to + 1;
    }
    return;
}

sub _replicate ($self) {
    my @servers = $self->servers;
    for my $i ($self->{masters} .. $#servers) {
        my $master = _id($servers[ $i % $self->{masters} ]);
        $servers[$i]->command(CLUSTER => REPLICATE => $master);
    }
    return;
}

# Over TLS, where they have it (tls-cluster yes).
sub _port_for_others ($server) { return $server->tls_port // $server->port }

sub servers ($self) { return @{ $self->{servers} } }

sub ports ($self) { return map { $_->port } $self->servers }

sub _nodes ($server) { return split /\n/, $server->command(CLUSTER => 'NODES') }

sub _id ($server) { return $server->command(CLUSTER => 'MYID') }

sub slot_of ($self, $key) {
    return ($self->_alive)[0]->command(CLUSTER => KEYSLOT => $key);
}

# Those that answer.
sub _alive ($self) {
    return grep { $_->is_alive && !$_->is_frozen } $self->servers;
}

sub masters ($self) {
    return grep { _role($_) eq 'master' } $self->_alive;
}

sub _role ($server) { return $server->info('replication')->{role} }

# Who has this slot.
sub owner ($self, $slot) {
    my ($any) = $self->_alive;
    for my $range (@{ $any->command(CLUSTER => 'SLOTS') }) {
        my ($from, $to, $master) = @$range;
        next if $slot < $from || $slot > $to;
        return (grep { $_->port == $master->[1] } $self->servers)[0];
    }
    return;
}

# Moves a slot with its keys to another master, as a resharding does it: while
# it moves both answer for it, with ASK and TRYAGAIN. `pause` seconds between
# the steps. Returns how many keys there were.
sub move_slot ($self, $slot, $to, $pause = 0) {
    my $from = $self->owner($slot);
    return 0 if !$from || $from->port == $to->port;
    my $moved = 0;
    $to->command(CLUSTER => SETSLOT => $slot, IMPORTING => _id($from));
    $from->command(CLUSTER => SETSLOT => $slot, MIGRATING => _id($to));
    sleep $pause if $pause;
    while (my @keys = @{ $from->command(CLUSTER => GETKEYSINSLOT => $slot, 100) }) {
        $from->command(MIGRATE => '127.0.0.1', _port_for_others($to), '', 0, 5000,
            KEYS => @keys);
        $moved += @keys;
    }
    sleep $pause if $pause;
    # The new owner first, so that the slot is never nobody's.
    for my $server ($to, $from, grep { $_ != $to && $_ != $from } $self->masters) {
        $server->command(CLUSTER => SETSLOT => $slot, NODE => _id($to));
    }
    return $moved;
}

# A replica of this master takes its place; the master lives on as a replica.
sub fail_over ($self, $master, $how = '') {
    my $id = _id($master);
    my ($replica) = grep {
        my $server = $_;
        $server != $master && grep { /myself,slave \Q$id\E / } _nodes($server)
    } $self->_alive;
    $replica->command(CLUSTER => FAILOVER => $how || ());
    return $replica;
}

# Waits until this replica is a master.
sub await_master ($self, $replica) {
    return $self->_until('the replica doesn\'t take over',
        sub { _role($replica) eq 'master' });
}

# Waits until all that aren't masters follow one.
sub await_replicas ($self) {
    return $self->_until('there are replicas that follow nobody', sub {
        my @masters = $self->masters;
        @masters == $self->{masters} && !grep {
            my $server = $_;
            !grep { $server == $_ || $server->follows($_) } @masters;
        } $self->servers;
    });
}

sub _until ($self, $problem, $is_so, $seconds = 30) {
    my $deadline = time + $seconds;
    until ($is_so->()) {
        die "$problem\n" if time > $deadline;
        sleep 0.05;
    }
    return;
}

# Waits until a replica of a master that has died is one in its place.
sub await_failover ($self, $old) {
    return $self->_until('no replica takes over', sub {
        $self->masters >= $self->{masters}
            && !grep { $_->command(CLUSTER => 'INFO') !~ /cluster_state:ok/ }
            $self->_alive;
    });
}

sub _await ($self, $what, $is_so, $seconds = 20) {
    my $deadline = time + $seconds;
    until ($self->servers == grep { $is_so->($_) } $self->servers) {
        die "the servers of the cluster don't $what\n" if time > $deadline;
        sleep 0.05;
    }
    return;
}

1;
