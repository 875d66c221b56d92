# Back ends that publish by Redis, without HTTP: each entry of the inbox is
# published once, by one of the nodes, whatever dies. The examples in
# conf-examples/redis-publish do so too.
use v5.36;
use Digest::SHA qw(sha256_hex);
use Paperboy::Redis;
use Paperboy::Test;
use Time::HiRes qw(sleep time);

plan skip_all => "no $Paperboy::Redis::BINARY" if !Paperboy::Redis::is_there();

my $INBOX    = 'paperboy:{0}:inbox';
my $EXAMPLES = "$Paperboy::Nginx::ROOT/conf-examples/redis-publish";

# With the rights that the documentation says are enough.
my $document = do { local (@ARGV, $/) = ('docs/redis.md'); <> };
my @rights = map { s/PASSWORD/secret/r =~ s/\s+/ /gr }
    $document =~ /^ACL SETUSER ((?:paperboy|backend) on .*?)^```/msg;
is(scalar @rights, 2, 'the rights of nodes and of back ends');
my $redis = Paperboy::Redis->new(
    persistence => 'aof always',
    users       => \@rights
)->start;

sub node ($inbox = 'inbox') {
    my $port = $redis->port;
    return nginx(workers => 2, http => <<"END");
paperboy_zone main 8m;
paperboy_redis redis://paperboy:secret\@127.0.0.1:$port timeout=1s $inbox;
paperboy_channel_rule kept:* history=10;
paperboy_origin any;
server {
    listen 127.0.0.1:%%PORT%%;
    location /ws { paperboy raw; paperboy_channel \$arg_c; }
    location /other {
        paperboy raw;
        paperboy_channel \$arg_c;
        paperboy_namespace other;
    }
    location /api { paperboy_api any; }
    location /status { paperboy_status; }
    location /ready { paperboy_ready; }
}
END
}

my @nodes = (node(), node());
for my $node (@nodes) {
    wait_for('a node that is ready',
        sub { $node->http(GET => '/ready')->{status} == 200 });
}

sub add (%fields) { return $redis->command(XADD => $INBOX, '*', %fields) }

sub message ($channel, $data, %more) {
    return add(channel => $channel, data => $data, %more);
}

sub settled ($seconds = 10) {
    my $deadline = time + $seconds;
    while (time < $deadline) {
        return 1 if $redis->command(XLEN => $INBOX) == 0;
        sleep 0.05;
    }
    return 0;
}

sub sum ($name) {
    my $sum = 0;
    $sum += $_->status->{$name} for @nodes;
    return $sum;
}

# A raw client isn't told from where on it hears; so each is spoken to until it
# does.
sub await_hearing ($channel, @clients) {
    for my $client (@clients) {
        for (1 .. 50) {
            add(channel => @$channel, data => 'hello?');
            last if $client->readable(0.2);
        }
    }
    settled();
    add(channel => @$channel, data => 'hello!');
    for my $client (@clients) { 1 while $client->recv ne 'text:hello!' }
    settled();
    return;
}

sub listeners ($channel, @nodes) {
    my @clients = map { $_->ws("/ws?c=$channel") } @nodes;
    await_hearing([$channel], @clients);
    return @clients;
}

# All that comes before the last message, in any order.
sub heard ($client, $channel) {
    message($channel, 'the last');
    my @all;
    while (1) {
        my $event = $client->recv;
        return [sort @all] if $event eq 'text:the last';
        push @all, $event;
        return \@all if $event =~ /^close/;
    }
}

# The keys of a channel are in its bucket: FNV-1a, its lowest byte.
sub bucket ($channel) {
    my $hash = 0x25;
    $hash = (($hash ^ ord) * 0xb3) & 0xff for split //, $channel;
    return $hash;
}

my %example = (
    Python     => ['/usr/bin/python3', "$EXAMPLES/publish.py"],
    JavaScript => ['node',             "$EXAMPLES/publish.mjs"],
    Perl       => [$^X,                "$EXAMPLES/publish.pl"],
);
my %is_there = (
    Python     => system('/usr/bin/python3 -c "import redis" 2>&-') == 0,
    JavaScript => -d "$EXAMPLES/node_modules/redis",
    Perl       => eval { require Redis; 1 },
);
for my $language (sort keys %example) {
    subtest "the example in $language" => sub {
        plan skip_all => "NOT TESTED: no client for Redis in $language"
            if !$is_there{$language};
        my @clients = listeners('examples', @nodes);
        my $user    = $language eq 'Perl' ? '' : 'backend:secret@';
        my $url     = "redis://${user}127.0.0.1:" . $redis->port;
        is(system(@{ $example{$language} }, $url, 'examples', "h\xc3\xa9llo $_"),
            0, 'published')
            for 1, 2;
        my @texts = map {"text:h\xc3\xa9llo $_"} 1, 2;
        is_deeply(heard($clients[0], 'examples'), \@texts, 'heard once');
        is_deeply([map { $clients[1]->recv } 1 .. 3],
            [@texts, 'text:the last'], 'and on the other node');
    };
}

subtest 'nodes share the entries' => sub {
    my @clients = listeners('shared', @nodes);
    my $before  = sum('redis_inbox');
    message('shared', $_) for 1 .. 400;
    ok(settled(), 'all are taken, and nothing is left');
    is(sum('redis_inbox') - $before, 400, 'each by one node');
    message('shared', 'the last');
    for my $client (@clients) {
        my @all = map { $client->recv } 1 .. 401;
        is(pop @all, 'text:the last', 'nothing came twice');
        is_deeply([sort @all], [sort map {"text:$_"} 1 .. 400], 'nor is missing');
    }
};

subtest 'what an entry may say' => sub {
    my ($client) = listeners('fields', $nodes[0]);
    my $other = $nodes[1]->ws('/other?c=fields');
    await_hearing([fields => (namespace => 'other')], $other);
    message('fields', 'once', key => 'k') for 1 .. 3;
    is($client->recv, 'text:once', 'a key publishes once');
    ok(settled(), 'and is settled');
    message('fields', "\xff\x00", binary => 1);
    is($client->recv, "binary:\xff\x00", 'any bytes');
    message('fields', 'theirs', namespace => 'other');
    is($other->recv, 'text:theirs', 'another namespace');
    message('kept:a', $_) for 1 .. 3;
    ok(settled(), 'published');
    my $answer = $nodes[1]->http(
        POST => '/api/history',
        body => '{"channel":"kept:a","limit":10}'
    )->json;
    is(scalar @{ $answer->{result}{publications} }, 3, 'the rule holds');
};

subtest 'entries that are none' => sub {
    $_->expect_log(qr/the inbox .* is thrown away/) for @nodes;
    my ($client) = listeners('bad', $nodes[0]);
    my $before = sum('redis_inbox_refused');
    add(data => 'x');
    add(channel => 'bad');
    message('n' x 256, 'x');
    message('bad', "\xff");
    message('bad', 'x' x (1024 * 1024 + 1));
    add(channel => 'bad', data => 'x', surprise => 1);
    is_deeply(heard($client, 'bad'), [], 'none is published');
    ok(settled(), 'none is left');
    is(sum('redis_inbox_refused') - $before, 6, 'they are counted');
    my $log = join '', map { $_->log } @nodes;
    like($log, qr/the inbox \Q$INBOX\E: entry \d+-\d+ is thrown away: \w/,
        'and told');
};

subtest 'a worker dies with entries that it has taken' => sub {
    $_->expect_log(qr/WRONGTYPE|exited on signal 9/) for @nodes;
    my @clients = listeners('dying', @nodes);
    my @keys = map {
        'paperboy:{' . bucket('dying') . '}:i:' . sha256_hex("dying\0$_")
    } 1 .. 20;
    $redis->command(LPUSH => $_, 'in the way') for @keys;
    message('dying', $_, key => $_) for 1 .. 20;
    wait_for('entries that each node has taken', sub {
        my $by = $redis->command(XPENDING => $INBOX, 'paperboy')->[3];
        return @{ $by // [] } == 2;
    });
    # Clients of one worker are lost with it: this node's aren't asked.
    for my $worker ($nodes[0]->workers) { $nodes[0]->kill_worker($worker) }
    $redis->command(DEL => @keys);
    ok(settled(60), 'others publish them');
    is_deeply(heard($clients[1], 'dying'), [sort map {"text:$_"} 1 .. 20],
        'each once');
};

subtest 'Redis goes and comes' => sub {
    my ($client) = listeners('restart', $nodes[1]);
    $redis->kill9;
    $redis->start;
    message('restart', $_) for 1 .. 20;
    ok(settled(30), 'all are published');
    is_deeply(heard($client, 'restart'), [sort map {"text:$_"} 1 .. 20],
        'each once');
};

is_deeply([grep { "@$_" !~ /default/ } @{ $redis->command('ACL', 'LOG') }], [],
    'Redis has denied nothing');

subtest 'it is closed unless it is opened' => sub {
    $_->stop for @nodes;
    my $node = node('');
    wait_for('a node that is ready',
        sub { $node->http(GET => '/ready')->{status} == 200 });
    my $client = $node->ws('/ws?c=closed');
    message('closed', 'x');
    sleep 0.5;
    is($redis->command(XLEN => $INBOX), 1, 'nobody takes it');
    is($node->status->{redis_inbox}, 0, 'nor publishes it');
};

finish;
