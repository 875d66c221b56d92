# Two nodes with one Redis: what is published at one is heard at the other;
# readiness; Redis that goes and comes.
use v5.36;
use List::Util qw(sum);
use Paperboy::Redis;
use Paperboy::Test;

plan skip_all => "no $Paperboy::Redis::BINARY" if !Paperboy::Redis::is_there();

# All of it with the rights that the documentation says are enough.
my ($rights) = do { local (@ARGV, $/) = ('docs/redis.md'); <> }
    =~ /^ACL SETUSER (paperboy on .*?)^```/ms;
my $redis = Paperboy::Redis->new(
    users => [$rights =~ s/PASSWORD/secret/r =~ s/\s+/ /gr])->start;
my $url = 'redis://paperboy:secret@127.0.0.1:' . $redis->port;

sub node (%option) {
    my $more = $option{more} // '';
    return nginx(workers => 2, http => <<"END");
paperboy_zone main 8m;
paperboy_redis $url timeout=1s;
paperboy_channel_rule kept:* history=100;
paperboy_channel_rule near:* without_broker=local;
paperboy_channel_rule safe:* replicas=1 replicas_timeout=100ms;
paperboy_origin any;
$more
server {
    listen 127.0.0.1:%%PORT%%;
    location /ws { paperboy raw; paperboy_channel \$arg_c; }
    location /sse { paperboy sse; paperboy_channel \$arg_c; }
    location /native { paperboy; }
    location /publish { paperboy_publish any; }
    location /api { paperboy_api any; }
    location /status { paperboy_status; }
    location /ready { paperboy_ready; }
}
END
}

sub await_ready (@nodes) {
    for my $node (@nodes) {
        wait_for('a node that is ready',
            sub { $node->http(GET => '/ready')->{status} == 200 });
    }
    return;
}

sub publish ($node, $channel, $message, %header) {
    return $node->http(
        POST   => "/publish?channel=$channel",
        body   => $message,
        headers => [%header]
    );
}

# Until so many nodes hear what is published in the channel.
sub await_listeners ($channel, $count) {
    return wait_for("$count that listen to $channel",
        sub { $redis->listeners($channel) == $count });
}

my @nodes = (node(), node());
await_ready(@nodes);
pass('both are ready');

subtest 'what one publishes, both hear' => sub {
    my @raw = map { $_->ws('/ws?c=a') } @nodes, @nodes;
    await_listeners('a', 2);
    my $answer = publish($nodes[0], 'a', 'one');
    is($answer->{status}, 200, 'published');
    is($answer->json->{offset}, 1, 'at the first position');
    is(publish($nodes[1], 'a', 'two')->json->{offset}, 2,
        'the other node goes on');
    for my $client (@raw) {
        is($client->recv, 'text:one', 'the first');
        is($client->recv, 'text:two', 'the second');
    }
    my $stream = $nodes[1]->events('/sse?c=a');
    my $native = $nodes[1]->ws('/native');
    $native->text('{"id":1,"connect":{}}');
    $native->recv;
    $native->text('{"id":2,"subscribe":{"channel":"a"}}');
    like($native->recv, qr/"subscribe"/, 'a native client');
    publish($nodes[0], 'a', '{"n":3}');
    is($stream->recv, 'message:{"n":3}', 'a stream of events hears');
    like($native->recv, qr/"data":\{"n":3\}/, 'and a native client');
};

subtest 'a message comes to a node once' => sub {
    my $before = $nodes[1]->status->{redis_imported};
    my @raw    = map { $nodes[1]->ws('/ws?c=once') } 1 .. 6;
    await_listeners('once', 1);
    publish($nodes[0], 'once', $_) for 1 .. 10;
    for my $client (@raw) {
        is_deeply([map { $client->recv } 1 .. 10], [map {"text:$_"} 1 .. 10],
            'in order');
    }
    is($nodes[1]->status->{redis_imported} - $before, 10, 'by one worker');
};

subtest 'history is everybody\'s' => sub {
    publish($nodes[0], 'kept:1', $_) for 1 .. 5;
    my $answer = $nodes[1]->http(
        POST => '/api/history',
        body => '{"channel":"kept:1","limit":10}'
    )->json;
    is_deeply([map { $_->{data} } @{ $answer->{result}{publications} }],
        [1 .. 5], 'the other node tells it');
};

subtest 'an idempotency key holds on both' => sub {
    my %key = ('Idempotency-Key' => 'k');
    my $first  = publish($nodes[0], 'idem', 'x', %key)->json;
    my $second = publish($nodes[1], 'idem', 'x', %key)->json;
    is($second->{offset}, $first->{offset}, 'the same position');
    ok($second->{repeated}, 'and it says so');
};

subtest 'replicas that are not there' => sub {
    my $answer = publish($nodes[0], 'safe:1', 'x');
    is($answer->{status}, 503, 'refused');
    is($answer->json->{error}, 'not_replicated', 'why');
    is($answer->{header}{'retry-after'}, 1, 'when to come back');
};

subtest 'Redis goes and comes' => sub {
    # This Redis has kept nothing when it comes back.
    my $client = $nodes[1]->ws('/ws?c=outage');
    my $near   = $nodes[0]->ws('/ws?c=near:1');
    await_listeners('outage', 1);
    publish($nodes[0], 'outage', 'before');
    is($client->recv, 'text:before', 'before');
    is_deeply($redis->command('ACL', 'LOG'), [], 'Redis has denied nothing');
    $redis->kill9;
    for my $node (@nodes) {
        my $not = wait_for('no node is ready', sub {
            my $answer = $node->http(GET => '/ready');
            return $answer->{status} == 503 && $answer;
        });
        is_deeply($not->json->{reasons}, ['redis_delivery'], 'why not');
    }
    my $answer = publish($nodes[0], 'outage', 'lost');
    is($answer->{status}, 503, 'a publish is refused');
    is($answer->json->{error}, 'unavailable', 'why');
    is($answer->{header}{'retry-after'}, 1, 'when to come back');
    my $api = $nodes[0]->http(
        POST => '/api/publish',
        body => '{"channel":"outage","data":1}'
    )->json;
    is($api->{error}{code}, 100, 'by the API too');
    is(publish($nodes[0], 'near:1', 'here')->{status}, 200,
        'best effort is taken');
    is($near->recv, 'text:here', 'and heard on this node');
    cmp_ok($nodes[0]->status->{redis_refused}, '>=', 2, 'they are counted');
    $redis->start;
    await_ready(@nodes);
    is(publish($nodes[0], 'outage', 'after')->{status}, 200,
        'all goes on by itself');
    my $event = $client->recv;
    $event = $client->recv if $event eq 'text:after';
    like($event, qr/^(?:text:after|close:)/, 'and is heard, or a gap is told');
    cmp_ok($nodes[0]->status->{redis_reconnects}, '>=', 1,
        'the connection was made anew');
};

subtest 'a reload, and a stop with clients' => sub {
    my $client = $nodes[0]->ws('/ws?c=reload');
    await_listeners('reload', 1);
    $nodes[0]->reload;
    await_ready(@nodes);
    publish($nodes[1], 'reload', 'x');
    is($client->recv, 'text:x', 'the old worker still hears');
    is_deeply($redis->command('ACL', 'LOG'), [], 'Redis has denied nothing');
};

# The connections that listen: how many topics each listens to, by its id.
sub topics () {
    return { $redis->command(CLIENT => LIST => TYPE => 'pubsub')
            =~ /^id=(\d+) .* sub=(\d+) /mg };
}

subtest 'a worker that is left behind relays no longer' => sub {
    my $before = topics();
    my $node   = node();
    await_ready($node);
    my @own     = grep { !exists $before->{$_} } keys %{ topics() };
    my @clients = map { $node->ws("/ws?c=left$_") } 1 .. 10;
    wait_for('all topics', sub {
        my $topics = topics();
        10 <= sum(map { $topics->{$_} } @own);
    });
    $node->reload;
    wait_for('others to have them', sub {
        my $topics = topics();
        !grep { ($topics->{$_} // 0) > 1 } @own;    # that of their probes
    });
    publish($nodes[1], "left$_", $_) for 1 .. 10;
    is($clients[ $_ - 1 ]->recv, "text:$_", "client $_ hears") for 1 .. 10;
    ok((grep { exists topics()->{$_} } @own), 'by a worker that is still there');
};

finish;
