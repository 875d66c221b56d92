# A master, its replicas and Sentinels that watch them, all of the test's own;
# they fail over within a second or two of the master's death.
package Paperboy::Sentinel;
use v5.36;

use parent 'Paperboy::Redis';
use Time::HiRes qw(time sleep);

our $NAME = 'paper';

sub _flags ($self) { return '--sentinel' }

sub _conf ($self) {
    my $option = $self->{option};
    my @lines = ('bind 127.0.0.1', "port $self->{port}", "dir $self->{dir}",
        "logfile $self->{dir}/redis.log", 'daemonize no',
        "sentinel monitor $NAME 127.0.0.1 $option->{master} 2",
        "sentinel down-after-milliseconds $NAME $option->{down_after}",
        "sentinel failover-timeout $NAME $option->{failover_timeout}");
    push @lines, "sentinel auth-pass $NAME $option->{auth}"
        if defined $option->{auth};
    push @lines, $self->_tls, 'tls-replication yes' if $option->{tls};
    return @lines, @{ $option->{config} // [] };
}

# The port of the master that it knows.
sub master_port ($self) {
    return $self->command(SENTINEL => 'get-master-addr-by-name', $NAME)->[1];
}

# --- all of them together ---------------------------------------------------

package Paperboy::Sentinel::Group;
use v5.36;

use Time::HiRes qw(time sleep);

# replicas => N (1); sentinels => N (3); down_after => MILLISECONDS (500);
# redis => [options of every Paperboy::Redis].
sub new ($class, %option) {
    my $self = bless { %option, servers => [], sentinels => [] }, $class;
    my @redis = @{ $option{redis} // [] };
    my $master = Paperboy::Redis->new(@redis)->start;
    push @{ $self->{servers} }, $master,
        map { Paperboy::Redis->new(@redis, replica_of => $master)->start }
        1 .. $option{replicas} // 1;
    $_->await_sync($master) for @{ $self->{servers} }[1 .. $option{replicas} // 1];
    push @{ $self->{sentinels} }, Paperboy::Sentinel->new(
        master           => $master->port,
        down_after       => $option{down_after} // 500,
        failover_timeout => 3000,
        auth             => $master->{password},
        )->start
        for 1 .. $option{sentinels} // 3;
    $self->_await(sub ($sentinel) {
        my %is = @{ $sentinel->command(SENTINEL => master => $Paperboy::Sentinel::NAME) };
        $is{'num-other-sentinels'} == @{ $self->{sentinels} } - 1
            && $is{'num-slaves'} == @{ $self->{servers} } - 1;
    });
    return $self;
}

sub name ($self)      { return $Paperboy::Sentinel::NAME }
sub servers ($self)   { return @{ $self->{servers} } }
sub sentinels ($self) { return @{ $self->{sentinels} } }

sub master ($self) {
    my $port = $self->{sentinels}[0]->master_port;
    return (grep { $_->port == $port } $self->servers)[0];
}

# By a Sentinel, though the master is well.
sub fail_over ($self) {
    return $self->{sentinels}[0]
        ->command(SENTINEL => FAILOVER => $Paperboy::Sentinel::NAME);
}

# Waits until all Sentinels name another master than this one.
sub await_failover ($self, $old) {
    return $self->_await(
        sub ($sentinel) { $sentinel->master_port != $old->port }, 30);
}

# Waits until all others follow the master: one that was away is told by the
# Sentinels to, seconds after it has come back.
sub await_replicas ($self, $seconds = 30) {
    my $deadline = time + $seconds;
    while (1) {
        my $master = $self->master;
        last if !grep { $_ != $master && !$_->follows($master) } $self->servers;
        die "the replicas don't follow the master\n" if time > $deadline;
        sleep 0.05;
    }
    return;
}

sub _await ($self, $is_so, $seconds = 20) {
    my $deadline = time + $seconds;
    until (@{ $self->{sentinels} } == grep { $is_so->($_) } $self->sentinels) {
        die "the Sentinels don't agree\n" if time > $deadline;
        sleep 0.05;
    }
    return;
}

1;
