# The load client of the benchmarks: a faulty server is caught exactly, a good
# one isn't. Counts, never times.
use v5.36;
use lib 't/lib';
use Digest::SHA qw(sha1_base64);
use File::Temp ();
use IO::Socket::INET ();
use IPC::Open2 qw(open2);
use JSON::PP   ();
use POSIX      ();
use Paperboy::Test;

my $dir = $Paperboy::Nginx::MODULE =~ s{[^/]+$}{}r;
plan(skip_all => 'the load client is not built (PAPERBOY_TESTS)')
    if !-x "$dir/load" || !-x "$dir/load_server";

# 100 messages to 5 subscribers; each 7th is treated so: 14 of them, none the
# last.
my ($MESSAGES, $SUBSCRIBERS, $EACH, $FAULTS) = (100, 5, 7, 14);
my %CLEAN = (expected => 500, delivered => 500, missing => 0, duplicates => 0,
    reorders => 0, gaps => 0, late_first => 0, misdelivered => 0, damaged => 0,
    open => 5, open_after => 5, failed => 0,
    protocol_errors => 0, publish_errors => 0, published => 100,
    answered => 0, idle_answered => 0);

# A server with these words: its process and its port.
sub serve (@words) {
    my $pid = open2(my $said, my $unused, "$dir/load_server", 0, @words);
    chomp(my $port = <$said>);
    return ($pid, $port);
}

# What the client found at a server with these words, and its status.
sub against ($words, @more) {
    my ($pid, $port) = serve(@$words);
    my $host  = "127.0.0.1:$port";
    my @found = fanout($host, $host, '--path', '/sub?id=%r-%c',
        '--server-pids', $pid, @more);
    kill TERM => $pid;
    waitpid $pid, 0;
    return @found;
}

sub fanout ($subscribe, $publish, @more) {
    return load('fanout', '--target', $subscribe, '--publish-url',
        "http://$publish/pub?id=%r-%c", '--settle', 0, '--drain', 1,
        '--linger', 0.3, '-c', $SUBSCRIBERS, '-m', $MESSAGES, @more);
}

# What it said as JSON, its status, and what it said to people.
sub load (@words) {
    my $errors = File::Temp->new;
    my $pid = open2(my $out, my $in, 'sh', '-c', 'exec "$@" 2>"$0"', "$errors",
        "$dir/load", @words);
    my $text = join '', <$out>;
    waitpid $pid, 0;
    my $status = $? >> 8;
    return ($text ? JSON::PP::decode_json($text) : {}, $status,
        join '', <$errors>);
}

sub found ($name, $run, $status, %other) {
    my ($found, $got) = @$run;
    my %want = (%CLEAN, %other);
    is_deeply({ map { $_ => $found->{$_} } keys %want }, \%want, $name);
    is($got, $status, "$name: status $status");
    return $found;
}

# A fault that spoils each message that it concerns, and nothing else.
sub spoils ($name, $words, @more) {
    my $all = $FAULTS * $SUBSCRIBERS;
    my $run = [against($words, @more)];
    found($name, $run, 1, delivered => 500 - $all, damaged => $all);
    like($run->[2], qr/ $all DAMAGED$/, "$name: in words");
    return;
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

found('messages to subscribers of another channel',
    [against(['cross=7'], '--channels', 5)], 1, expected => 100,
    delivered => 90, missing => 10, gaps => 10, misdelivered => 10);

# What is in a message.
my @WHOLE = ('--publish-body', '{"it":"%P"}', '--check', 'whole');
found('one that sends fragments', [against(['parts'])], 0);
found('a body of one\'s own', [against([], '--publish-body', '{"it":"%P"}')], 0);
found('one that is checked as a whole', [against([], @WHOLE)], 0);
found('messages that are checked by their marks alone',
    [against([], '--check', 'marked')], 0);
for my $fault ("damage=$EACH", "short=$EACH", "long=$EACH") {
    spoils($fault, [$fault]);
    spoils("$fault in fragments", [$fault, 'parts']);
    spoils("$fault, the body one's own", [$fault], @WHOLE);
}
for my $fault ("damage=$EACH", "short=$EACH") {
    spoils("$fault, between marks", [$fault], '--check', 'marked');
}

# A short message has no last third, and an empty one no byte.
{
    my ($pid, $port) = serve('damage=1');
    my $ws = Paperboy::WebSocket->new(port => $port, path => '/sub?id=x');
    for (['ab', 'ac'], ['b', 'c'], ['', '']) {
        my ($body, $comes) = @$_;
        Paperboy::HTTP::request(port => $port, method => 'POST',
            path => '/pub?id=x', body => $body);
        is($ws->recv, "text:$comes", "\"$body\" is damaged");
    }
    kill TERM => $pid;
    waitpid $pid, 0;
}

# Frames that nobody has agreed upon: those before them count.
for (['rsv1=7', 'RSV1 without compression'], ['rsv2=7', 'RSV2 or RSV3'],
    ['rsv1=7 parts', 'RSV1 without compression']) {
    my ($words, $why) = @$_;
    my $found = found($words, [against([split / /, $words], '-m', 10)], 1,
        published => 10, expected => 50, delivered => 30,
        protocol_errors => 5, open_after => 0);
    is_deeply($found->{errors}, { $why => 5 }, "$words: and why");
}

# What follows in a frame that is answered.
found('messages behind what is answered',
    [against([], '--publish-body', 'PING %P', '--reply', 'PING=PONG')], 0,
    answered => 500);

# Where a channel begins and ends, the warm-up's included.
my %LATE = (missing => 15, gaps => 5, late_first => 5);
found('the first ones are left out', [against(['late=3'])], 1, %LATE,
    delivered => 485);
my $run = [against(['late=3'], '--warmup', 20)];
found('the first ones of the warm-up', $run, 1, %LATE);
like($run->[2], qr/ 15 MISSING, 5 LATE FIRST$/, 'in words');
found('the last ones', [against(['last=98'])], 1, delivered => 485,
    missing => 15);
found('the last ones of the warm-up',
    [against(['last=18'], '--warmup', 20, '-m', 0)], 1, expected => 0,
    delivered => 0, published => 0, missing => 15);

subtest 'Paperboy is not blamed' => sub {
    my $files = File::Temp->newdir;
    self_signed($files);
    my $nginx = nginx(workers => 1, dir => $files, http => <<'END');
paperboy_origin any;
paperboy_zone main 4m;
server {
    listen 127.0.0.1:%%PORT%%;
    listen 127.0.0.1:%%PORT_tls%% ssl;
    ssl_certificate %%DIR%%/tls.crt;
    ssl_certificate_key %%DIR%%/tls.key;
    location /sub { paperboy raw; paperboy_channel $arg_id; paperboy_deflate 1; }
    location /native { paperboy native; }
    location /beating { paperboy native; paperboy_ping_interval 200ms; }
    location /pub { paperboy_publish any; paperboy_channel $arg_id; }
}
END
    my ($plain, $tls) = map { '127.0.0.1:' . $nginx->port($_) } '', 'tls';
    my @raw    = ('--path', '/sub?id=%r-%c');
    my @native = ('--path', '/native', '--reply', '{}={}', '--hello',
        '{"id":1,"connect":{}}', '--hello',
        '{"id":2,"subscribe":{"channel":"%r-%c"}}', '--publish-body',
        '{"it":"%P"}');
    found('raw',      [fanout($plain, $plain, @raw)], 0);
    found('over TLS', [fanout($tls, $plain, @raw, '--tls')], 0);
    my $found = found('compressed', [fanout($plain, $plain, @raw, '--deflate')],
        0);
    is($found->{compressed}, 500, 'all of them are');
    found('compressed, over TLS, many channels',
        [fanout($tls, $plain, @raw, '--tls', '--deflate', '--channels', 5)], 0,
        expected => 100, delivered => 100);
    found('native', [fanout($plain, $plain, @native)], 0);
    found('native, many channels',
        [fanout($plain, $plain, @native, '--channels', 5)], 0,
        expected => 100, delivered => 100);
    my ($idle) = load('hold', '--target', $plain, '-c', 3, '--path',
        '/beating', '--reply', '{}={}', '--hello', '{"id":1,"connect":{}}',
        '--settle', 1, '--duration', 0);
    is($idle->{open_after}, 3, 'heartbeats are answered');
    cmp_ok($idle->{idle_answered}, '>=', 3, 'and counted while it is idle');
    cmp_ok($idle->{answered}, '>=', $idle->{idle_answered}, 'and in all');
};

# A server that agrees to what wasn't offered.
subtest 'an extension that nobody asked for' => sub {
    my $listen = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1')
        or die "listen: $!";
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        my $client = $listen->accept;
        my ($key, $line) = '';
        while (defined($line = <$client>) && $line =~ /\S/) {
            $key = $1 if $line =~ /^Sec-WebSocket-Key: (\S+)/i;
        }
        print $client "HTTP/1.1 101 Switching Protocols\r\n",
            'Sec-WebSocket-Accept: ',
            sha1_base64("${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11"),
            "=\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
        sysread $client, my $rest, 1;
        POSIX::_exit(0);
    }
    my ($found, $status) = load('hold', '--target',
        '127.0.0.1:' . $listen->sockport, '-c', 1, '--settle', 0,
        '--duration', 0);
    kill TERM => $pid;
    waitpid $pid, 0;
    is_deeply([@$found{qw(open failed)}, $status], [0, 1, 1], 'is refused');
    is_deeply($found->{errors}, { 'an extension that was not offered' => 1 },
        'and why');
};

# The kernel's floor without its reader.
subtest 'a floor whose reader ends' => sub {
    my $errors = File::Temp->new;
    my $pid = open2(my $out, my $in, 'sh', '-c', 'exec "$@" 2>"$0"', "$errors",
        "$dir/load_floor", 10, 1_000_000_000, 1, 0, 'any', 'any');
    my $reader = wait_for('the reader', sub {
        open my $children, '<', "/proc/$pid/task/$pid/children" or return;
        return (split / /, <$children> // '')[0];
    });
    kill KILL => $reader;
    waitpid $pid, 0;
    is($? >> 8, 2, 'ends');
    is(join('', <$errors>), "load: the reader has ended\n", 'and says why');
};

sub refuses ($says, @words) {
    my ($found, $status, $said) = fanout('127.0.0.1:1', '127.0.0.1:1', @words);
    is($status, 2, "@words");
    like($said, qr/^load: .*\Q$says\E/, 'and why');
    return;
}
refuses('--publish-body: needs %P or #seq:%s#', '--publish-body', 'nothing');
refuses('has to be the first', '--publish-body', '#ts:%t##seq:%s#');
refuses('#ts:%t# is needed', '--publish-body', '#seq:%s# %t', '--check', 'whole');
refuses('expected whole or marked', '--check',  'some');
refuses('expected rst or clean',    '--close',  'soon');
refuses('expected a whole number',  '-c',       'many');
refuses('expected a number',        '--settle', 'long');

my ($hold, $status) = load('hold', '--target', '127.0.0.1:1', '-c', 3,
    '--settle', 0, '--duration', 0);
is_deeply([@$hold{qw(open failed)}, $status], [0, 3, 1], 'nobody is there');
is_deeply($hold->{errors}, { 'connect: Connection refused' => 3 }, 'and why');
is((load('dance'))[1], 2, 'a mode that there is not');
done_testing;
