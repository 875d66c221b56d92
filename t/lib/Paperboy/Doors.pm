# The ways in for clients of the classic protocol and of notiflux, in the runs
# of t/fault: locations, keys, and, where there is a Redis for it, a back end
# (t/fault/backend) that lets clients in.
package Paperboy::Doors;
use v5.36;

use Paperboy::JWT;
use Paperboy::Nginx;
use POSIX ();
use Time::HiRes qw(time sleep);

my $SECRET = 'the secret of the fault test, and of nobody else';

# dir => PATH; nodes => N, workers => N of each: who listens to back ends;
# timeout => SECONDS: until a client that nobody lets in is closed.
sub new ($class, %option) {
    my $self = bless { nodes => 1, workers => 1, timeout => 5, %option }, $class;
    ($self->{key}, $self->{public}) =
        Paperboy::JWT::ec_key($self->{dir}, 'notiflux');
    open my $file, '>', "$self->{dir}/secret" or die "secret: $!";
    print {$file} $SECRET;
    close $file;
    return $self;
}

# --- nginx ---------------------------------------------------------------------

# What stands in server {}; `back_ends`: whether some can let clients in.
sub locations ($self, $back_ends) {
    my $edge    = "paperboy_jwt_key HS256 file=$self->{dir}/secret;";
    my $key     = "paperboy_jwt_key ES256 file=$self->{public};";
    my $timeout = 'paperboy_connect_timeout ' . $self->timeout_ms . 'ms;';
    my $classic = $back_ends
        ? "location /classic { paperboy classic; $timeout }\n" : '';
    return <<"END";
${classic}location /edge { paperboy classic; $edge $timeout }
location /notiflux { paperboy notiflux; $key }
location /broadcast { paperboy_notiflux_broadcast; $key }
END
}

sub timeout_ms ($self) { return int 1000 * $self->{timeout} }

# --- the engine ------------------------------------------------------------------

# Its options; `classic`: how many clients of that kind there are.
sub engine ($self, $classic) {
    my $users = int(($classic + 1) / 2) || 1;
    return (
        secret => $SECRET, key => $self->{key}, broadcasters => 5,
        unauthorised => $self->{timeout} + 10, users => $users,
        $self->{way} ? ('classic-redis' => $self->{way}, edge => 0.4)
        : (edge => 1, topics => 0, users => 0),
    );
}

# --- the back end ----------------------------------------------------------------

# `way`: the port at which it reaches its Redis, a Paperboy::Redis that `redis`
# gives.
sub open_for_back_ends ($self, $way, $redis) {
    @$self{qw(way redis)} = ($way, $redis);
    $self->start_back_end;
    return;
}

sub has_back_end ($self) { return defined $self->{way} }

sub start_back_end ($self) {
    $self->{pid} = fork // die "fork: $!";
    return if $self->{pid};
    exec "$Paperboy::Nginx::ROOT/t/fault/backend", $self->{way}, $SECRET
        or POSIX::_exit(127);
}

sub kill_back_end ($self) {
    my $pid = delete $self->{pid} // return;
    kill KILL => $pid;
    waitpid $pid, 0;
    return;
}

# How many listen to what back ends say: two workers of each node.
sub listeners ($self) {
    my $there = eval {
        $self->{redis}->()->command(PUBSUB => NUMSUB => 'paperboy-message')->[1];
    };
    return $there // 0;
}

# Until all do that should.
sub await_listeners ($self, $seconds = 30) {
    my $all = $self->{nodes} * ($self->{workers} > 1 ? 2 : 1);
    my $deadline = time + $seconds;
    until ($self->listeners >= $all) {
        die $self->listeners . " of $all workers listen to back ends\n"
            if time > $deadline;
        sleep 0.02;
    }
    return;
}

sub DESTROY ($self) {
    local ($?, $!, $@);
    $self->kill_back_end;
    return;
}

1;
