# Two nodes with one Redis: who is there, what back ends ask and order, and
# members of workers and nodes that die.
use v5.36;
use JSON::PP ();
use Paperboy::Redis;
use Paperboy::Test;

plan skip_all => "no $Paperboy::Redis::BINARY" if !Paperboy::Redis::is_there();

# With the rights that the documentation says are enough.
my ($rights) = do { local (@ARGV, $/) = ('docs/redis.md'); <> }
    =~ /^ACL SETUSER (paperboy on .*?)^```/ms;
my $redis = Paperboy::Redis->new(
    users => [$rights =~ s/PASSWORD/secret/r =~ s/\s+/ /gr])->start;
my $url = 'redis://paperboy:secret@127.0.0.1:' . $redis->port;

sub node () {
    my $node = nginx(workers => 2, http => <<"END");
paperboy_zone main 8m;
paperboy_redis $url timeout=1s;
paperboy_channel_rule room:* presence join_leave history=10;
paperboy_origin any;
server {
    listen 127.0.0.1:%%PORT%%;
    location /native { paperboy; }
    location /ws { paperboy raw; paperboy_channel \$arg_c; }
    location /api { paperboy_api any; }
    location /ready { paperboy_ready; }
}
END
    wait_for('a node that is ready',
        sub { $node->http(GET => '/ready')->{status} == 200 });
    return $node;
}

sub ask ($node, $method, $parameters = {}) {
    my $answer = $node->http(
        POST => "/api/$method",
        body => JSON::PP::encode_json($parameters),
    );
    is($answer->{status}, 200, "$method is answered") if $answer->{status} != 200;
    return $answer->json;
}

sub result ($node, $method, $parameters = {}) {
    return ask($node, $method, $parameters)->{result};
}

# The next event that matches, and what came before it is passed over.
sub heard ($client, $pattern) {
    while ((my $event = $client->recv) ne 'eof') {
        return $event if $event =~ $pattern;
    }
    return "nothing that matches $pattern";
}

sub client ($node, $channel) {
    my $client = $node->ws('/native');
    $client->text('{"id":1,"connect":{}}');
    my ($id) = heard($client, qr/"id":1/) =~ /"client":"([^"]+)"/;
    $client->text(qq({"id":2,"subscribe":{"channel":"$channel","join_leave":true}}));
    heard($client, qr/"id":2/);
    return ($client, $id);
}

sub clients ($node, $channel) {
    my $members = result($node, presence => { channel => $channel });
    return join ' ', sort keys %{ $members->{presence} // {} };
}

my ($one, $two) = (node(), node());

subtest 'who is there' => sub {
    my ($a, $a_id) = client($one, 'room:1');
    my ($b, $b_id) = client($two, 'room:1');
    my $both = join ' ', sort $a_id, $b_id;
    for my $node ($one, $two) {
        wait_for('both', sub { clients($node, 'room:1') eq $both });
        is(result($node, presence_stats => { channel => 'room:1' })
                ->{num_clients}, 2, 'counted');
    }
    like(heard($a, qr/"join".*\Q$b_id\E/), qr/"join"/, 'one hears it come');
    $b->close;
    like(heard($a, qr/"leave".*\Q$b_id\E/), qr/"leave"/, 'and leave');
    wait_for('one', sub { clients($one, 'room:1') eq $a_id });
};

subtest 'all nodes' => sub {
    my @clients = map { $_->ws('/ws?c=count') } $one, $two, $two;
    push @clients, $one->ws('/ws?c=only');
    for my $node ($one, $two) {
        wait_for('their counts', sub {
            my $found = result($node, channels => {}) // return;
            ($found->{channels}{count}{num_clients} // 0) == 3;
        });
        is_deeply(
            result($node, channels => { pattern => '*o*' })->{channels},
            { count => { num_clients => 3 }, only => { num_clients => 1 } },
            'channels of both nodes, none of our own'
        );
        wait_for('both nodes', sub {
            @{ result($node, 'info')->{nodes} } == 2;
        });
        my @nodes = @{ result($node, 'info')->{nodes} };
        isnt($nodes[0]{uid}, $nodes[1]{uid}, 'two nodes');
        wait_for('their clients', sub {
            my $sum = 0;
            $sum += $_->{num_clients} for @{ result($node, 'info')->{nodes} };
            $sum == 4;
        });
    }
    is(result($one, 'info')->{nodes}[0]{num_channels}, 3,
        'channels of our own are not counted');
};

subtest 'orders reach all nodes' => sub {
    my ($client, $id) = client($two, 'room:2');
    is_deeply(ask($one, subscribe => {
        user => '', client => $id, channel => 'more' }), { result => {} },
        'subscribe');
    like(heard($client, qr/"subscribe"/), qr/"more"/, 'at the other node');
    ask($one, unsubscribe => { user => '', client => $id, channel => 'more' });
    like(heard($client, qr/"unsubscribe"/), qr/"more"/, 'unsubscribe');
    ask($one, refresh => { user => '', client => $id, expired => JSON::PP::true });
    is(heard($client, qr/^close/), 'close:3005', 'refresh');
    ($client, $id) = client($two, 'room:2');
    ask($one, disconnect => { user => '', client => $id });
    is(heard($client, qr/^close/), 'close:3503', 'disconnect');
    wait_for('nobody', sub { clients($one, 'room:2') eq '' });
};

subtest 'a worker that is killed takes its members with it' => sub {
    my ($stays, $stays_id) = client($one, 'room:3');
    my ($dies, $dies_id) = client($two, 'room:3');
    wait_for('both',
        sub { clients($one, 'room:3') eq join ' ', sort $stays_id, $dies_id });
    $two->kill_worker($_) for $two->workers;
    local $Paperboy::Socket::TIMEOUT = 40;
    like(heard($stays, qr/"leave"/), qr/\Q$dies_id\E/,
        'it is told to have left');
    is(clients($two, 'room:3'), $stays_id, 'and is gone');
    wait_for('the node',
        sub { $two->http(GET => '/ready')->{status} == 200 });
};

subtest 'what Redis forgot is entered again' => sub {
    my ($a, $a_id) = client($one, 'room:4');
    my ($b, $b_id) = client($two, 'room:4');
    my $both = join ' ', sort $a_id, $b_id;
    wait_for('both', sub { clients($one, 'room:4') eq $both });
    my @forgotten = grep { /\}:(?:[ldb]|[ph]:.*)$/ } @{ $redis->command(KEYS => '*') };
    cmp_ok(scalar @forgotten, '>', 2, 'members and leases');
    $redis->command(DEL => @forgotten);
    wait_for('both again', sub {
        clients($one, 'room:4') eq $both && clients($two, 'room:4') eq $both });
    pass('they are');
};

subtest 'nobody answers for others' => sub {
    my $was = @{ result($one, 'info')->{nodes} };
    is($was, 2, 'two nodes');
    $two->pause($_) for $two->workers;
    is(ask($one, channels => {})->{error}{code}, 100,
        'a node that does not answer is an error');
    kill CONT => $_ for $two->workers;
    wait_for('an answer', sub { ask($one, channels => {})->{result} });
    wait_for('the other, ready again',
        sub { $two->http(GET => '/ready')->{status} == 200 });
    $two->stop;
    wait_for('one node', sub { @{ result($one, 'info')->{nodes} } == 1 });
    pass('one that has gone is not asked');
    $redis->stop;
    for my $method ('info', 'channels') {
        is(ask($one, $method)->{error}{code}, 100, "no Redis: no $method");
    }
    is(ask($one, presence => { channel => 'room:4' })->{error}{code}, 100,
        'nor presence');
};

$_->expect_log(qr/exited on signal 9/) for $two;
finish;
