# One nginx of the test's own: its configuration, ports, processes and logs,
# in a temporary directory. It dies with the object.
#
# The binary is $PAPERBOY_NGINX (else Debian's), the module $PAPERBOY_MODULE
# (else build/ngx_http_paperboy_module.so).
package Paperboy::Nginx;
use v5.36;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp ();
use IO::Socket::INET;
use Paperboy::Events;
use Paperboy::HTTP;
use Paperboy::Socket;
use Paperboy::WebSocket;
use POSIX qw(WNOHANG);
use Time::HiRes qw(time sleep);

our $ROOT   = abs_path(dirname(__FILE__) . '/../../..');
our $BINARY = $ENV{PAPERBOY_NGINX} // '/usr/sbin/nginx';
our $MODULE = abs_path($ENV{PAPERBOY_MODULE}
        // "$ROOT/build/ngx_http_paperboy_module.so");
our $DEBIAN_MODULES = '/usr/lib/nginx/modules';

my $TEMP_PATHS = join '', map { "    ${_}_temp_path %%DIR%%/tmp_$_;\n" }
    qw(client_body proxy fastcgi uwsgi scgi);

# http => TEXT: what stands in http {}; undef: there is no http {}. Words in it
# are replaced:
#   %%PORT%%, %%PORT_name%%  a free port of 127.0.0.1, one a name
#   %%DIR%%                  the temporary directory
# workers => N (2); main, events => TEXT: what stands before and in events {};
# log_level => 'info'; connections => N (1024); paperboy => 0: without our
# module; modules => [NAME, ...]: Debian's, by name; env => {NAME => VALUE};
# dir => PATH: a directory of the caller's; daemon => 1: a daemon, which a new
# binary can take over from.
sub new ($class, %option) {
    my $self = bless {
        dir     => $option{dir} // File::Temp->newdir('paperboy-XXXXXX',
            TMPDIR => 1),
        option  => { workers => 2, log_level => 'info', %option },
        port    => {},
        expect  => [],
    }, $class;
    $self->write_conf($option{http});
    return $self;
}

sub start ($self) {
    for (1 .. 5) {
        $self->_spawn;
        return $self if $self->_wait_until_it_accepts;
        # Another process may have taken a port since it was found free.
        last if $self->log('error.log') !~ /Address already in use/;
        unlink "$self->{dir}/error.log";
        $self->{port} = {};
        $self->write_conf($self->{option}{http});
    }
    die "nginx didn't start:\n" . $self->output;
}

# --- configuration ---------------------------------------------------------

sub write_conf ($self, $http) {
    $self->{option}{http} = $http;
    open my $file, '>', "$self->{dir}/nginx.conf" or die "nginx.conf: $!";
    print {$file} $self->_conf($http);
    close $file;
    return;
}

sub _conf ($self, $http) {
    my $option  = $self->{option};
    my @modules = map { "$DEBIAN_MODULES/$_.so" } @{ $option->{modules} // [] };
    push @modules, $MODULE if $option->{paperboy} // 1;
    my $user = $> == 0 ? "user root;\n" : '';
    my $daemon = $option->{daemon} ? 'on' : 'off';
    my $conf = join '', map { "load_module $_;\n" } @modules;
    $conf .= <<"END";
${user}daemon $daemon;
worker_processes $option->{workers};
pid %%DIR%%/nginx.pid;
error_log %%DIR%%/error.log $option->{log_level};
@{[ $option->{main} // '' ]}
events {
    worker_connections @{[ $option->{connections} // 1024 ]};
    @{[ $option->{events} // '' ]}
}
END
    $conf .= "http {\n$TEMP_PATHS    access_log off;\n$http}\n"
        if defined $http;
    $conf =~ s/%%DIR%%/$self->{dir}/g;
    $conf =~ s/%%PORT(?:_(\w+?))?%%/$self->port($1 \/\/ '')/ge;
    return $conf;
}

# The port that %%PORT_name%% became.
sub port ($self, $name = '') { return $self->{port}{$name} //= free_port() }

sub free_port () {
    my $socket = IO::Socket::INET->new(
        Listen    => 1,
        LocalAddr => '127.0.0.1',
        LocalPort => 0,
    ) or die "no free port: $!";
    return $socket->sockport;
}

# What `nginx -t` says against the configuration; '' if it says nothing.
sub check ($self) {
    my ($command, $redirect) = ($self->_command('-t'), '2>&1');
    my $output = `$command -q $redirect`;
    $output = "exit status $?\n" if $? && $output eq '';
    return $output;
}

sub _command ($self, @more) {
    return join ' ', $BINARY, '-p', $self->{dir}, '-c', 'nginx.conf', '-e',
        "$self->{dir}/error.log", @more;
}

# --- processes -------------------------------------------------------------

sub _spawn ($self) {
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        %ENV = (%ENV, %{ $self->{option}{env} // {} });
        open STDERR, '>>', "$self->{dir}/stderr.log";
        open STDOUT, '>&', \*STDERR;
        exec split / /, $self->_command or POSIX::_exit(127);
    }
    $self->{pid} = $pid;
    if ($self->{option}{daemon}) {
        waitpid $pid, 0;
        $self->{pid} = $self->_pid_in('nginx.pid');
    }
    return;
}

# The process of a pid file; undef where there is none.
sub _pid_in ($self, $name) {
    return $self->log($name) =~ /^(\d+)$/m ? $1 : undef;
}

sub _wait_until_it_accepts ($self) {
    my $deadline = time + $Paperboy::Socket::TIMEOUT;
    for my $port (values %{ $self->{port} }) {
        until (IO::Socket::INET->new("127.0.0.1:$port")) {
            return if !$self->is_alive || time > $deadline;
            sleep 0.02;
        }
    }
    # A listening socket precedes the workers: see that they are there too.
    sleep 0.02
        until $self->workers >= $self->{option}{workers}
        || !$self->is_alive || time > $deadline;
    return $self->is_alive;
}

sub is_alive ($self) {
    return 0 unless $self->{pid};
    if ($self->{option}{daemon}) {
        $self->{pid} = undef unless is_running($self->{pid});
        return defined $self->{pid};
    }
    $self->{pid} = undef if waitpid($self->{pid}, WNOHANG) == $self->{pid};
    return defined $self->{pid};
}

# Whether a process that may be nobody's child of ours is there.
sub is_running ($pid) {
    return _slurp("/proc/$pid/stat") =~ /^\d+ \(.*\) [^ZX] /s;
}

# A new binary (USR2) beside the old master, whose pid it gives back; this
# object is the new one from here on.
sub upgrade ($self) {
    my $old = $self->{pid};
    $self->signal('USR2');
    my $new;
    $self->_wait_for_workers(sub {
        $new = $self->_pid_in('nginx.pid');
        return $new && $new != $old
            && workers_of($new) >= $self->{option}{workers};
    });
    $self->{old}{$old} = 1;
    $self->{pid} = $new;
    return $old;
}

# Back to the old master, after the new one was told to go.
sub roll_back ($self, $old) {
    $self->_wait_for_workers(sub { !is_running($self->{pid}) });
    delete $self->{old}{$old};
    $self->{pid} = $old;
    return;
}

sub signal ($self, $name) { return kill $name => $self->{pid} }

# The pids of the workers who take connections; those of the other processes
# with `all`, shutting down ones and helpers too.
sub workers ($self, $all = 0) {
    return workers_of($self->{pid} // return, $all);
}

sub workers_of ($master, $all = 0) {
    return grep {
        my $title = _slurp("/proc/$_/cmdline");
        $all ? $title ne '' && $title !~ /master process/
            : $title =~ /^nginx: worker process(?! is)/
    } _children($master);
}

sub _children ($parent) {
    my @children;
    for my $stat (glob '/proc/[0-9]*/stat') {
        my ($pid, $state, $ppid) = _slurp($stat) =~ /^(\d+) \(.*\) (\w) (\d+)/s
            or next;
        push @children, $pid if $ppid == $parent && $state ne 'Z';
    }
    return sort { $a <=> $b } @children;
}

# Kills a worker with -9; returns when another has taken its place.
sub kill_worker ($self, $pid) {
    my %before = map { $_ => 1 } $self->workers;
    kill KILL => $pid;
    return $self->_wait_for_workers(
        sub { (grep { !$before{$_} } $self->workers) >= 1 });
}

# Reloads, with another configuration if one is given; returns when all the
# new workers are there.
# Stops a process amid whatever it does, and comes back once it has stopped:
# until then it may still accept a connection. `kill CONT` lets it go on.
sub pause ($self, $pid) {
    kill STOP => $pid;
    sleep 0.01 until _slurp("/proc/$pid/stat") =~ /\) T /;
    return;
}

sub reload ($self, $http = undef) {
    my %before = map { $_ => 1 } $self->workers;
    $self->write_conf($http) if defined $http;
    $self->signal('HUP');
    return $self->_wait_for_workers(sub {
        my @now = $self->workers;
        @now == $self->{option}{workers} && !grep { $before{$_} } @now;
    });
}

sub _wait_for_workers ($self, $there) {
    my $deadline = time + $Paperboy::Socket::TIMEOUT;
    until ($there->()) {
        die "no new workers:\n" . $self->output if time > $deadline;
        sleep 0.02;
    }
    return;
}

# Stops it by its pid; false if it had to be killed.
sub stop ($self, $signal = 'TERM') {
    my @old = grep { is_running($_) } keys %{ $self->{old} // {} };
    kill TERM => @old if @old;
    return 1 unless $self->is_alive;
    my @workers = $self->workers(1);
    $self->signal($signal);
    my $deadline = time + $Paperboy::Socket::TIMEOUT;
    while ($self->is_alive) {
        if (time > $deadline) {
            kill KILL => $self->{pid}, @workers;
            waitpid $self->{pid}, 0;
            $self->{pid} = undef;
            return 0;
        }
        sleep 0.02;
    }
    sleep 0.02 while time < $deadline && grep { is_running($_) } @old;
    return 1;
}

sub DESTROY ($self) {
    local ($?, $!);
    $self->stop if $self->{pid};
    return;
}

# --- logs ------------------------------------------------------------------

sub log ($self, $name = 'error.log') { return _slurp("$self->{dir}/$name") }

# All it said: the error log and what came on its standard error.
sub output ($self) { return $self->log('error.log') . $self->log('stderr.log') }

# Says that lines of this kind may stand in the error log.
sub expect_log ($self, $pattern) { push @{ $self->{expect} }, $pattern; return }

# Lines that nobody expected: what is graver than [error], and sanitizers.
sub unexpected ($self) {
    my @lines = grep {
        /\[(?:crit|alert|emerg)\]/
            || /Sanitizer|runtime error|Assertion|terminate called/
    } split /\n/, $self->output;
    for my $pattern (@{ $self->{expect} }) {
        @lines = grep { $_ !~ $pattern } @lines;
    }
    return @lines;
}

sub _slurp ($path) {
    open my $file, '<', $path or return '';
    local $/ = undef;
    return <$file> // '';
}

# --- clients ---------------------------------------------------------------

# $nginx->http('POST', '/path', body => ..., headers => [...], port => NAME)
sub http ($self, $method, $path, %option) {
    return Paperboy::HTTP::request($self->_to(%option), method => $method,
        path => $path);
}

# A kept connection: ->write(Paperboy::HTTP::format_request(...)), ->answer.
sub connection ($self, %option) {
    return Paperboy::HTTP->new($self->_to(%option));
}

# $nginx->ws('/path', ...): see Paperboy::WebSocket->new.
sub ws ($self, $path, %option) {
    return Paperboy::WebSocket->new($self->_to(%option), path => $path);
}

# $nginx->events('/path', ...): see Paperboy::Events->new.
sub events ($self, $path, %option) {
    return Paperboy::Events->new($self->_to(%option), path => $path);
}

sub _to ($self, %option) {
    return (%option, port => $self->port($option{port} // ''));
}

# The counters of a location with paperboy_status.
sub status ($self, $path = '/status') {
    my $answer = $self->http(GET => $path);
    die "status: $answer->{status} $answer->{body}" if $answer->{status} != 200;
    return $answer->json;
}

1;
