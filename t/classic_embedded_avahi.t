# The service file of conf-examples/classic-embedded: Debian's avahi-daemon
# tells those who ask by mDNS where back ends find this nginx. In network and
# mount namespaces of the test's own; needs root. PAPERBOY_AVAHI names another
# daemon.
use v5.36;
use lib 't/lib';
use File::Temp ();
use IO::Select;
use IO::Socket::INET;
use Paperboy::Repo qw(slurp);
use Paperboy::Test;
use Socket qw(inet_aton pack_sockaddr_in IPPROTO_IP);
use Time::HiRes qw(sleep time);

my $DAEMON  = $ENV{PAPERBOY_AVAHI} // '/usr/sbin/avahi-daemon';
my $EXAMPLE = 'conf-examples/classic-embedded/paperboy-http.service';

sub skip_loudly ($why) {
    diag("NOT TESTED: $why");
    plan skip_all => $why;
}

if (!$ENV{PAPERBOY_AVAHI_INSIDE}) {
    skip_loudly("there is no $DAEMON: Debian's avahi-daemon is one")
        if !-x $DAEMON;
    skip_loudly('namespaces need root')
        if $> || system('unshare -nm true 2>/dev/null') != 0;
    local $ENV{PAPERBOY_AVAHI_INSIDE} = 1;
    exec 'unshare', '-nm', $^X, $0 or die "unshare: $!";
}

sub run (@command) {
    return system(@command) == 0 || BAIL_OUT("@command: $?");
}

# Its folder is fixed, and perhaps not there.
my $dir = File::Temp->newdir;
run('mount', '--make-rprivate', '/');
run('mount', '-t', 'tmpfs', 'tmpfs', '/run');
mkdir "/run/$_" for qw(upper work avahi-daemon);
run('mount', '-t', 'overlay', 'overlay', '-o',
    'lowerdir=/etc,upperdir=/run/upper,workdir=/run/work', '/etc');
run('mkdir', '-p', '/etc/avahi/services');
unlink glob '/etc/avahi/services/*';
if (!getpwnam 'avahi') {
    run('sh', '-c', "echo '$_' >>/etc/" . (/:\/:/ ? 'passwd' : 'group'))
        for 'avahi:x:999:999::/:/usr/sbin/nologin', 'avahi:x:999:';
}
run('cp', $EXAMPLE, '/etc/avahi/services/');
run(split / /, $_) for 'ip link add one type veth peer name two',
    'ip addr add 10.77.0.1/24 dev one', 'ip link set one up',
    'ip link set two up', 'ip link set lo up';
file_with("$dir/conf", <<'END');
[server]
host-name=paperboy-test
use-ipv6=no
allow-interfaces=one
enable-dbus=no
[publish]
publish-hinfo=no
publish-workstation=no
END

my $daemon = fork // die "fork: $!";
if (!$daemon) {
    open STDERR, '>', "$dir/said" or die $!;
    open STDOUT, '>&', \*STDERR or die $!;
    exec $DAEMON, '-f', "$dir/conf", '--no-drop-root', '--no-chroot',
        '--no-rlimits' or die "$DAEMON: $!";
}
END { local $?; kill TERM => $daemon if $daemon }

# RFC 6762 section 6.7: a question from another port than 5353 is answered to
# who asked. The records of the answer, as [name, type, data].
my $socket = IO::Socket::INET->new(Proto => 'udp', LocalAddr => '10.77.0.1')
    // die "a socket: $!";
setsockopt $socket, IPPROTO_IP, 32, inet_aton('10.77.0.1')    # IP_MULTICAST_IF
    or die "IP_MULTICAST_IF: $!";

sub ask ($name, $type) {
    my $question = pack('n6', 1, 0, 1, 0, 0, 0)
        . join('', map { pack 'C/a*', $_ } split /\./, $name)
        . pack('C n n', 0, $type, 1);
    $socket->send($question, 0,
        pack_sockaddr_in(5353, inet_aton('224.0.0.251')));
    return if !IO::Select->new($socket)->can_read(0.5);
    $socket->recv(my $answer, 9000);
    return records($answer);
}

sub records ($answer) {
    my (undef, undef, @count) = unpack 'n6', $answer;
    my $at   = 12;
    my $name = sub {
        my ($from, @labels) = ($at);
        my $jumped = 0;
        while (my $size = unpack "x$from C", $answer) {
            if ($size >= 0xC0) {
                $at   = $from + 2 if !$jumped++;
                $from = 0x3FFF & unpack "x$from n", $answer;
                next;
            }
            push @labels, substr $answer, $from + 1, $size;
            $from += $size + 1;
        }
        $at = $from + 1 if !$jumped;
        return join '.', @labels;
    };
    for (1 .. $count[0]) { $name->(); $at += 4 }
    my @records;
    for (1 .. $count[1] + $count[2] + $count[3]) {
        my $of = $name->();
        my ($type, undef, undef, $size) = unpack "x$at n n N n", $answer;
        my $end  = ($at += 10) + $size;
        my $data = substr $answer, $at, $size;
        if ($type == 12) { $data = $name->() }
        if ($type == 33) {
            my $port = unpack "x$at x4 n", $answer;
            $at += 6;
            $data = $name->() . ":$port";
        }
        $at = $end;
        push @records, [$of, $type, $data];
    }
    return @records;
}

my $service = '_paperboy-http._tcp.local';
my @found;
wait_for('an answer',
    sub { @found = grep { $_->[0] eq $service } ask($service, 12) })
    or diag slurp("$dir/said");
is($found[0][2], "Paperboy on paperboy-test.$service", 'the service has a name')
    or diag slurp("$dir/said");
my $where = wait_for('where it is',
    sub { (grep { $_->[1] == 33 } ask($found[0][2] // 'none', 33))[0] });
is($where->[2], 'paperboy-test.local:8060', 'a host and a port');
like(slurp('conf-examples/classic-embedded/nginx.conf'),
    qr/listen \S*\b8060;/, 'where nginx listens');

kill TERM => $daemon;
waitpid $daemon, 0;
undef $daemon;
done_testing;
