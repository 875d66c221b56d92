# The load client of the benchmarks: a faulty server is caught exactly, a good
# one isn't. Counts, never times.
use v5.36;
use lib 't/lib';
use IPC::Open2 qw(open2);
use JSON::PP   ();
use Paperboy::Nginx;
use Test::More;

my $dir = $Paperboy::Nginx::MODULE =~ s{[^/]+$}{}r;
plan(skip_all => 'the load client is not built (PAPERBOY_TESTS)')
    if !-x "$dir/load" || !-x "$dir/load_server";

# 100 messages to 5 subscribers; each 7th is treated so: 14 of them, none the
# last.
my ($MESSAGES, $SUBSCRIBERS, $EACH, $FAULTS) = (100, 5, 7, 14);
my %CLEAN = (expected => 500, delivered => 500, missing => 0, duplicates => 0,
    reorders => 0, gaps => 0, open => 5, open_after => 5, failed => 0,
    protocol_errors => 0, publish_errors => 0, published => 100);

# What the client found at a server with these words, and its status.
sub against ($words, @more) {
    my $pid = open2(my $said, my $unused, "$dir/load_server", 0, @$words);
    chomp(my $port = <$said>);
    my $host = "127.0.0.1:$port";
    my @found = load('fanout', '--target', $host, '--path', '/sub?id=%r-%c',
        '--publish-url', "http://$host/pub?id=%r-%c", '--settle', 0, '--drain',
        1, '--linger', 0.3, '-c', $SUBSCRIBERS, '-m', $MESSAGES, '--server-pids', $pid, @more);
    kill TERM => $pid;
    waitpid $pid, 0;
    return @found;
}

sub load (@words) {
    my $pid = open2(my $out, my $in, 'sh', '-c', 'exec "$@" 2>/dev/null', 'sh',
        "$dir/load", @words);
    my $text = join '', <$out>;
    waitpid $pid, 0;
    return ($text ? JSON::PP::decode_json($text) : {}, $? >> 8);
}

sub found ($name, $run, $status, %other) {
    my ($found, $got) = @$run;
    my %want = (%CLEAN, %other);
    is_deeply({ map { $_ => $found->{$_} } keys %want }, \%want, $name);
    is($got, $status, "$name: status $status");
    return $found;
}

my $all = $FAULTS * $SUBSCRIBERS;
my $found = found('a good server', [against([])], 0);
is($found->{latency}{count}, 500, 'each delivery has its latency');
ok($found->{memory}{server_pss_kb_before} > 0, 'the memory of the server');
ok($found->{server_cpu}{run_s} > 0,            'its CPU time');

found('one that writes each message by itself', [against(['each'])], 0);
found('messages that are left out', [against(["drop=$EACH"])], 1,
    delivered => 500 - $all, missing => $all, gaps => $all);
found('messages that come twice', [against(["double=$EACH"])], 1,
    delivered => 500 + $all, duplicates => $all);
found('messages that come late', [against(["swap=$EACH"])], 1,
    missing => $all, gaps => $all, reorders => $all);

# A channel of its own for each: a fault in one is of one subscriber.
found('many channels', [against([], '--channels', 5)], 0, expected => 100,
    delivered => 100);
found('faults in many channels', [against(['drop=7'], '--channels', 5)], 1,
    expected => 100, delivered => 90, missing => 10, gaps => 10);
found('messages over several connections, not in order there',
    [against([], '--channels', 5, '--publish-conns', 3, '--publish-depth', 4,
            '--rate', 2000)], 0, expected => 100, delivered => 100);

# Nothing comes, so the next message never goes.
my ($held) = against(['drop=1'], '-m', 3, '--window', 1, '--publish-depth', 8,
    '--duration', 0.3, '--drain', 0.2);
is_deeply([@$held{qw(published expected delivered)}], [1, 5, 0],
    'a window of one: a message waits for the one before it');

my ($hold, $status) = load('hold', '--target', '127.0.0.1:1', '-c', 3,
    '--settle', 0, '--duration', 0);
is_deeply([@$hold{qw(open failed)}, $status], [0, 3, 1], 'nobody is there');
is_deeply($hold->{errors}, { 'connect: Connection refused' => 3 }, 'and why');
is((load('dance'))[1], 2, 'a mode that there is not');
done_testing;
