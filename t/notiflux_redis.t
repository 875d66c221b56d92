# notiflux over two nodes with one Redis: a topic is heard at both, whichever
# takes the broadcast, and by clients of other dialects too.
use v5.36;
use File::Temp ();
use JSON::PP ();
use Paperboy::Redis;
use Paperboy::Test;

plan skip_all => "no $Paperboy::Redis::BINARY" if !Paperboy::Redis::is_there();

my $dir   = File::Temp->newdir;
my ($key) = ec_key($dir, 'key');
my $redis = Paperboy::Redis->new->start;
my $url   = 'redis://127.0.0.1:' . $redis->port;

my @nodes = map { nginx(workers => 2, http => <<"END") } 1, 2;
paperboy_zone main 8m;
paperboy_redis $url timeout=1s;
paperboy_origin any;
server {
    listen 127.0.0.1:%%PORT%% reuseport;
    paperboy_jwt_key ES256 file=$dir/key.pub;
    location /ws { paperboy notiflux; }
    location /broadcast { paperboy_notiflux_broadcast; }
    location /ready { paperboy_ready; }
    location /raw { paperboy raw; paperboy_channel \$arg_c; paperboy_jwt_key off; }
    location /sse { paperboy sse; paperboy_channel \$arg_c; paperboy_jwt_key off; }
    location /native { paperboy; paperboy_jwt_key off; }
    location /publish { paperboy_publish any; }
}
END

sub await_ready () {
    for my $node (@nodes) {
        wait_for('a node that is ready',
            sub { $node->http(GET => '/ready')->{status} == 200 });
    }
    return;
}

sub token ($scope, @topics) {
    return jwt({ sub => 'ann', exp => time + 10, scope => $scope,
            topics => \@topics }, key => $key, alg => 'ES256');
}

sub subscriber ($node, @topics) {
    my $ws    = $node->ws('/ws');
    my $token = token(subscribe => @topics);
    $ws->text("/subscribe $_ $token") for @topics;
    $ws->text('/what?');
    is($ws->recv, 'text:Unknown command', 'a subscriber');
    return $ws;
}

my %token;

sub broadcast ($node, $topic, $message) {
    $token{$topic} //= token(broadcast => $topic);
    return $node->http(
        POST    => '/broadcast',
        headers => ['Content-Type' => 'application/json'],
        body    => JSON::PP->new->encode({ topic => $topic,
                message => $message, token => $token{$topic} }),
    )->{status};
}

await_ready();

subtest 'what one node takes, both hear, each dialect in its form' => sub {
    my @notiflux = map { subscriber($_, 'room') } @nodes, @nodes;
    my @raw      = map { $_->ws('/raw?c=room') } @nodes;
    my @sse      = map { $_->events('/sse?c=room') } @nodes;
    my @native   = map { $_->ws('/native') } @nodes;
    for my $ws (@native) {
        $ws->text(qq({"id":1,"connect":{}}\n)
                . '{"id":2,"subscribe":{"channel":"room"}}');
        until ($ws->recv =~ /"subscribe"/) { }
    }
    $_->wait_for_id for @sse;
    for my $n (0, 1) {
        is(broadcast($nodes[$n], 'room', "broadcast at $n"), 200, "at $n");
        is($_->recv, "text:broadcast at $n", 'notiflux')   for @notiflux;
        is($_->recv, "text:broadcast at $n", 'raw')        for @raw;
        is($_->recv, "message:broadcast at $n", 'sse')     for @sse;
        like($_->recv, qr/"data":"broadcast at $n"/, 'native') for @native;
        $nodes[$n]->http(POST => '/publish?channel=room', body => 'by POST');
        is($_->recv, 'text:by POST', 'the other way round') for @notiflux;
        for (@raw, @sse, @native) { $_->recv }
    }
};

# Where nobody on a node has a topic yet, the node has to ask Redis where it
# stands; a subscription begins there, and nobody is told when. The first event.
sub reached ($ws, $node, $topic) {
    my $number = 0;
    return wait_for("$topic to be heard", sub {
        broadcast($node, $topic, $topic . ++$number);
        return $ws->readable(0.1) && $ws->recv;
    });
}

subtest 'a topic that is new to its node' => sub {
    for my $topic (map {"new:$_:"} 1 .. 5) {
        my $ws = subscriber($nodes[0], $topic);
        like(reached($ws, $nodes[1], $topic), qr/^text:\Q$topic\E\d+$/,
            "$topic is heard");
        broadcast($nodes[ $_ % 2 ], $topic, "then $_") for 1 .. 10;
        my $event;
        do { $event = $ws->recv } while $event =~ /^text:new/;
        is_deeply([$event, map { $ws->recv } 2 .. 10],
            [map {"text:then $_"} 1 .. 10], 'and from then on all, in order');
    }
};

subtest 'Redis is away' => sub {
    my $before = subscriber($nodes[0], 'outage');
    like(reached($before, $nodes[1], 'outage'), qr/^text:/, 'it is heard');
    $redis->stop;
    my $within = $nodes[0]->ws('/ws');
    $within->text('/subscribe fresh ' . token(subscribe => 'fresh'));
    is(broadcast($nodes[1], 'outage', 'lost'), 503, 'a broadcast is refused');
    $redis->start;
    await_ready();
    like(reached($before, $nodes[1], 'outage'), qr/^(?:text:|close:3010)/,
        'who was there hears on, or is told of a gap');
    my $event = reached($within, $nodes[1], 'fresh');
    like($event, qr/^(?:text:|close:(?:1013|3010))/,
        'who came meanwhile hears, or is told to come again');
    $within = subscriber($nodes[0], 'fresh');
    like(reached($within, $nodes[1], 'fresh'), qr/^text:/, 'and then hears');
};

finish;
