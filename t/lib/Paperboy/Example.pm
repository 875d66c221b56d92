# An example of conf-examples/ that has an application, as a newcomer runs it:
#
#   my $application = Paperboy::Example->new('hook');
#   my $nginx       = nginx(http => $application->http);
#   $application->run(NGINX => 'http://127.0.0.1:' . $nginx->port);
#
# The application listens on a free port, by which that in nginx's configuration
# is replaced. It dies with the object.
package Paperboy::Example;
use v5.36;

use Paperboy::HTTP;
use Paperboy::Nginx;
use Paperboy::Repo qw(slurp);
use Paperboy::Socket;
use POSIX ();
use Time::HiRes qw(sleep time);

my $FOLDER = "$Paperboy::Nginx::ROOT/conf-examples";

sub new ($class, $name) {
    return bless { name => $name, port => Paperboy::Nginx::free_port() }, $class;
}

# What stands in its http {}, for nginx(http => ...).
sub http ($self) {
    my ($http) = slurp("$FOLDER/$self->{name}/nginx.conf") =~ /^http \{\n(.*)^\}/ms;
    $http =~ s/listen 8080;/listen 127.0.0.1:%%PORT%%;/ or die 'no listen 8080';
    $http =~ s/127\.0\.0\.1:3001/127.0.0.1:$self->{port}/g or die 'no port 3001';
    return $http;
}

# Starts it, with more in its environment; returns when it answers.
sub run ($self, %env) {
    $self->{pid} = fork // die "fork: $!";
    if (!$self->{pid}) {
        %ENV = (%ENV, %env, PORT => $self->{port});
        exec 'node', "$FOLDER/$self->{name}/application.mjs" or POSIX::_exit(127);
    }
    my $deadline = time + $Paperboy::Socket::TIMEOUT;
    until (eval { $self->request(GET => '/') }) {
        die "$self->{name}: the application doesn't answer" if time > $deadline;
        sleep 0.05;
    }
    return $self;
}

sub request ($self, $method, $path, %option) {
    return Paperboy::HTTP::request(port => $self->{port}, method => $method,
        path => $path, %option);
}

sub stop ($self) {
    return if !$self->{pid};
    kill TERM => $self->{pid};
    waitpid delete $self->{pid}, 0;
    return;
}

sub DESTROY ($self) {
    local ($?, $!);
    $self->stop;
    return;
}

1;
