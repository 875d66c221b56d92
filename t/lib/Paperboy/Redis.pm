# One Redis of the test's own, of Debian's redis-server, on a free port of
# 127.0.0.1, in a temporary directory. It dies with the object.
#
#   my $redis = Paperboy::Redis->new(persistence => 'aof always')->start;
#   $redis->command(SET => key => 'value');
#   "redis://127.0.0.1:" . $redis->port
package Paperboy::Redis;
use v5.36;

use File::Temp ();
use IO::Socket::INET;
use Paperboy::Nginx;
use Paperboy::Resp;
use POSIX qw(WNOHANG);
use Time::HiRes qw(time sleep);

our $BINARY = $ENV{PAPERBOY_REDIS} // '/usr/bin/redis-server';

my %PERSISTENCE = (
    'none'         => ['save ""', 'appendonly no'],
    'rdb'          => ['save 1 1', 'appendonly no'],
    'aof always'   => ['save ""', 'appendonly yes', 'appendfsync always'],
    'aof everysec' => ['save ""', 'appendonly yes', 'appendfsync everysec'],
);

sub is_there () { return -x $BINARY }

# persistence => a key of %PERSISTENCE ('none'); password => TEXT: of the user
# `default`; users => ['NAME on >PASSWORD ~* &* +@all', ...]; replica_of =>
# another of these, or its port; maxmemory => '4mb', policy => 'allkeys-lru'; debug => 1:
# with DEBUG; unix => 1: on unix_path too; tls => [self_signed(DIR)]: on
# tls_port too; netns => a Paperboy::Netns: inside of that; cluster => 1; config => [LINE, ...] of redis.conf; dir => PATH,
# port => N: the caller's.
sub new ($class, %option) {
    my $self = bless {
        dir => $option{dir}
            // File::Temp->newdir('paperboy-redis-XXXXXX', TMPDIR => 1),
        option   => { persistence => 'none', %option },
        port     => $option{port},
        password => $option{password},
    }, $class;
    die "no such persistence\n"
        if !$PERSISTENCE{ $self->{option}{persistence} };
    return $self;
}

sub port ($self)      { return $self->{port} }
sub tls_port ($self)  { return $self->{tls_port} }
sub unix_path ($self) { return "$self->{dir}/redis.sock" }
sub pid ($self)       { return $self->{pid} }
sub dir ($self)       { return "$self->{dir}" }

# --- configuration ---------------------------------------------------------

sub _write_conf ($self) {
    open my $file, '>', $self->_conf_path or die "redis.conf: $!";
    print {$file} map { "$_\n" } $self->_conf;
    close $file;
    return;
}

sub _conf_path ($self) { return "$self->{dir}/redis.conf" }

# Whom it follows when it is started; undef: nobody.
sub replica_of ($self, $port) {
    $self->{option}{replica_of} = $port;
    $self->_write_conf if -e $self->_conf_path;
    return;
}

sub _conf ($self) {
    my $option = $self->{option};
    my $bind = $option->{netns} ? 'bind 0.0.0.0' : 'bind 127.0.0.1';
    my @lines = ($bind, "port $self->{port}", "dir $self->{dir}",
        "logfile $self->{dir}/redis.log", 'daemonize no', 'databases 16',
        'repl-diskless-sync-delay 0', 'repl-ping-replica-period 1',
        @{ $PERSISTENCE{ $option->{persistence} } });
    push @lines, "requirepass $option->{password}", "masterauth $option->{password}"
        if defined $option->{password};
    push @lines, map { "user $_" } @{ $option->{users} // [] };
    my $of = $option->{replica_of};
    push @lines, 'replicaof 127.0.0.1 ' . (ref $of ? $of->port : $of) if $of;
    push @lines, "maxmemory $option->{maxmemory}" if $option->{maxmemory};
    push @lines, "maxmemory-policy $option->{policy}" if $option->{policy};
    push @lines, 'enable-debug-command local' if $option->{debug};
    push @lines, 'unixsocket ' . $self->unix_path
        if $option->{unix} || $option->{netns};
    push @lines, 'protected-mode no' if $option->{netns};
    push @lines, $self->_tls if $option->{tls};
    push @lines, 'cluster-enabled yes', 'cluster-node-timeout 2000'
        if $option->{cluster};
    return @lines, @{ $option->{config} // [] };
}

sub _tls ($self) {
    my ($certificate, $key) = @{ $self->{option}{tls} };
    $self->{tls_port} //= _free_port();
    return "tls-port $self->{tls_port}", "tls-cert-file $certificate",
        "tls-key-file $key", "tls-ca-cert-file $certificate",
        'tls-auth-clients no';
}

# --- the process -----------------------------------------------------------

# Returns when it answers. Started again it has the port that it had, and
# what it persisted.
sub start ($self) {
    my $given = defined $self->{port};
    for (1 .. 5) {
        $self->{port} = _free_port() if !$given;
        # What CONFIG REWRITE has written stays.
        $self->_write_conf if !$given || !-e $self->_conf_path;
        $self->_spawn;
        return $self if $self->_wait_until_it_answers;
        # Another process may have taken the port since it was found free.
        last if $given || $self->log !~ /Address already in use/;
        unlink "$self->{dir}/redis.log";
    }
    die "redis didn't start:\n" . $self->log;
}

# The bus of a cluster is at 10000 above.
sub _free_port () {
    while (1) {
        my $port = Paperboy::Nginx::free_port();
        return $port if $port < 55_000;
    }
}

sub _spawn ($self) {
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDOUT, '>>', "$self->{dir}/redis.out";
        open STDERR, '>&', \*STDOUT;
        exec $self->_inside, $BINARY, $self->_conf_path, $self->_flags
            or POSIX::_exit(127);
    }
    $self->{pid} = $pid;
    return;
}

sub _flags ($self) { return }

sub _inside ($self) {
    my $netns = $self->{option}{netns};
    return $netns ? $netns->inside : ();
}

sub _wait_until_it_answers ($self) {
    my $deadline = time + 3 * $Paperboy::Socket::TIMEOUT;
    while ($self->is_alive && time < $deadline) {
        return 1 if eval { $self->client->command('PING') eq 'PONG' };
        die $@ if $@ =~ /^(?:WRONGPASS|NOAUTH)/;
        sleep 0.02;
    }
    return 0;
}

sub is_alive ($self) {
    return 0 if !$self->{pid};
    $self->{pid} = undef if waitpid($self->{pid}, WNOHANG) == $self->{pid};
    return defined $self->{pid};
}

# In good order: what its persistence keeps is kept whole.
sub stop ($self) {
    return $self->_end('TERM');
}

# As a machine that dies.
sub kill9 ($self) { return $self->_end('KILL') }

sub _end ($self, $signal) {
    undef $self->{client};
    return if !$self->is_alive;
    $self->thaw;
    kill $signal => $self->{pid};
    my $deadline = time + $Paperboy::Socket::TIMEOUT;
    while ($self->is_alive) {
        kill KILL => $self->{pid} if time > $deadline;
        sleep 0.01;
    }
    return;
}

# Changes what is persisted, while it runs and when it is started again.
sub persist ($self, $persistence) {
    $self->{option}{persistence} = $persistence;
    for (@{ $PERSISTENCE{$persistence} }) {
        my ($name, $value) = split / /, $_, 2;
        $self->command(CONFIG => SET => $name, $value =~ s/"//gr);
    }
    my $deadline = time + $Paperboy::Socket::TIMEOUT;
    # The first file is written in the background, maybe after another.
    while (1) {
        my $is = $self->info('persistence');
        last if !$is->{aof_rewrite_in_progress} && !$is->{aof_rewrite_scheduled};
        die "redis doesn't write its file\n" if time > $deadline;
        sleep 0.02;
    }
    $self->_write_conf;
    return;
}

# What was persisted is gone, as with a machine's disk. It must not run.
sub wipe ($self) {
    unlink glob "$self->{dir}/*.rdb $self->{dir}/appendonlydir/*";
    return;
}

sub restart ($self) {
    $self->stop;
    return $self->start;
}

# SIGSTOP, as a machine that hangs: connections stay, nothing answers.
sub freeze ($self) {
    $self->{frozen} = 1;
    return kill STOP => $self->{pid};
}

sub thaw ($self) {
    $self->{frozen} = 0;
    return kill CONT => $self->{pid};
}

sub is_frozen ($self) { return $self->{frozen} }

# CLIENT PAUSE: for so long nothing is executed; "WRITE": nothing that writes.
sub pause ($self, $milliseconds, $mode = 'ALL') {
    return $self->command(CLIENT => PAUSE => $milliseconds, $mode);
}

sub DESTROY ($self) {
    local ($?, $!, $@);
    $self->kill9 if $self->{pid};
    return;
}

# --- what it says ----------------------------------------------------------

# A connection of its own, for one who listens or waits.
sub client ($self) {
    my @way = $self->{option}{netns} ? (unix => $self->unix_path)
        : (port => $self->{port});
    return Paperboy::Resp->new(@way, password => $self->{password});
}

# Over a connection that is kept; see Paperboy::Resp. It is made anew where it
# has ended, then the command may have been executed twice.
sub command ($self, @words) {
    my $answer;
    for my $last (0, 1) {
        my $done = eval {
            $self->{client} //= $self->client;
            $answer = $self->{client}->command(@words);
            1;
        };
        return $answer if $done;
        die $@ if $last || $@ !~ /the connection has ended|connect to/;
        undef $self->{client};
    }
}

# How many listen to what is published in a channel: a client of nginx may have
# its 101 before Redis knows of it.
sub listeners ($self, $channel) {
    my $topics = $self->command(PUBSUB => CHANNELS => "*:$channel");
    return 0 if !@$topics;
    return $self->command(PUBSUB => NUMSUB => $topics->[0])->[1];
}

# A section of INFO: {name => value}.
sub info ($self, $section = 'default') {
    return { $self->command(INFO => $section) =~ /^([^#:\r\n]+):(.*?)\r?$/mg };
}

# Calls of each command so far: {get => 3, 'client|setname' => 1}.
sub calls ($self) {
    return { $self->command(INFO => 'commandstats')
            =~ /^cmdstat_([^:]+):calls=(\d+)/mg };
}

# Seconds of CPU that it has used.
sub cpu ($self) {
    my $info = $self->info('cpu');
    return $info->{used_cpu_sys} + $info->{used_cpu_user};
}

sub log ($self) { return Paperboy::Nginx::_slurp("$self->{dir}/redis.log") }

# --- as a replica, or with some --------------------------------------------

# Waits until it has all that its master has written so far.
sub await_sync ($self, $master) {
    my $deadline = time + $Paperboy::Socket::TIMEOUT;
    my $written  = $master->info('replication')->{master_repl_offset};
    while (time < $deadline) {
        my $mine = $self->info('replication');
        return 1
            if ($mine->{master_link_status} // '') eq 'up'
            && $mine->{slave_repl_offset} >= $written;
        sleep 0.02;
    }
    die "the replica doesn't come up to its master\n";
}

# Whether it follows this master, and has what that one has.
sub follows ($self, $master) {
    my $is = eval { $self->info('replication') } // {};
    return ($is->{master_link_status} // '') eq 'up'
        && $is->{master_port} == $master->port;
}

sub promote ($self) { return $self->command(REPLICAOF => 'NO', 'ONE') }

sub follow ($self, $master) {
    return $self->command(REPLICAOF => '127.0.0.1',
        ref $master ? $master->port : $master);
}

1;
