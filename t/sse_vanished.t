# A client of `sse` whose host vanishes without a word: it answers no heartbeat,
# so that TCP has to tell.
use v5.36;
use Paperboy::Test;

my $name = "paperboy$$";
my ($here, $there) = ("pb${$}a", "pb${$}b");
my $net = '10.203.' . ($$ % 250);

sub run (@command) { return system("@command 2>/dev/null") == 0 }

# In a container or a change of root some of it may be forbidden.
END { system("ip netns del $name 2>/dev/null") if $name }
plan skip_all => 'no network namespace can be made here (root, iproute2)'
    if !run('ip netns add', $name)
    || !run("ip link add $here type veth peer name $there netns $name")
    || !run("ip addr add $net.1/24 dev $here")
    || !run("ip link set $here up")
    || !run("ip -n $name addr add $net.2/24 dev $there")
    || !run("ip -n $name link set $there up");

my $nginx = nginx(http => <<'END');
paperboy_zone main 4m;
paperboy_channel_rule * presence;
server {
    listen %%PORT%%;
    location /sse {
        paperboy sse;
        paperboy_channel $arg_c;
        paperboy_origin any;
        paperboy_ping_interval 1s;
        paperboy_send_timeout 2s;
    }
    location /status { paperboy_status; }
}
END

my $url = "http://$net.1:" . $nginx->port . '/sse?c=a';
my $pid = fork // die "fork: $!";
exec "exec ip netns exec $name curl -sN $url >/dev/null 2>&1" if !$pid;

wait_for('the client to listen', sub { $nginx->status->{subscriptions} == 1 });
is($nginx->status->{zone}{members}, 1, 'it is there');
run("ip -n $name link set $there down");
wait_for('it to be found out', sub { $nginx->status->{subscriptions} == 0 });
is($nginx->status->{zone}{members}, 0, 'and it is nowhere any more');
kill KILL => $pid;
waitpid $pid, 0;

finish;
