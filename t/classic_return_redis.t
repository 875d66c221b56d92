# What a client of the classic protocol missed while it was away, over two nodes
# with one Redis: back ends let it in again, or the edge does. On one node:
# t/classic_return.t.
use v5.36;
use Paperboy::Cuts qw(payload through_cuts);
use Paperboy::Redis;
use Paperboy::Test;
use JSON::PP ();
use Time::HiRes qw(sleep time);

plan skip_all => "no $Paperboy::Redis::BINARY" if !Paperboy::Redis::is_there();

local $ENV{PAPERBOY_JWT_SECRET} = my $secret = 'secret ' x 10;
my $json    = JSON::PP->new->canonical->allow_nonref;
my $redis   = Paperboy::Redis->new->start;
my $backend = $redis->client;
my $url     = 'redis://127.0.0.1:' . $redis->port;
my @nodes   = map {
    nginx(workers => 2, log_level => 'info', http => <<"END") } 1, 2;
paperboy_zone main 16m;
paperboy_drain 300ms;
paperboy_redis $url;
paperboy_classic_redis $url;
paperboy_origin any;
paperboy_channel_rule * history=10000;
# Which is about nobody's notes.
paperboy_channel_rule left* history=1;
server {
    listen 127.0.0.1:%%PORT%% reuseport;
    location /ws { paperboy classic; }
    location /edge {
        paperboy classic;
        paperboy_jwt_key HS256 env=PAPERBOY_JWT_SECRET;
    }
    location /publish { paperboy_publish any; }
    location /status { paperboy_status; }
    location /ready { paperboy_ready; }
}
END
wait_for('nodes that are ready', sub {
    !grep { $_->http(GET => '/ready')->{status} != 200 } @nodes;
});
wait_for('workers that listen to back ends', sub {
    $backend->command(PUBSUB => 'NUMSUB', 'paperboy-taker')->[1] == 4;
});

sub say_to ($topic, %body) {
    return $backend->command(PUBLISH => "paperboy-$topic",
        $json->encode(\%body));
}

sub message ($channel, $payload) {
    return say_to('message', userId => undef, channel => $channel,
        payload => $payload, timestamp => int(time * 1000));
}

# What a back end does with the next request; `then`: right after it.
sub authorize ($channel, $then = sub { }) {
    my $taken = $backend->command(BLPOP => 'paperboy-subscription-request', 5)
        or return fail('a request comes');
    say_to('subscription-authorized', token => undef, userId => 'ann',
        wsId => $json->decode($taken->[1])->{wsId}, channel => $channel);
    return $then->();
}

sub ask ($node, $channel, $path) {
    my $ws = $node->ws($path);
    $ws->text(jwt({ iss => 'paperboy', userId => 'ann', channel => $channel,
                exp => int(time) + 600 }, key => $secret));
    return $ws;
}

sub enter ($node, $channel, $path, @then) {
    my $ws = ask($node, $channel, $path);
    authorize($channel, @then) if $path eq '/ws';
    is($ws->recv, "text:subscribed:$channel", "let into $channel by $path");
    return $ws;
}

sub publish ($channel, @payloads) {
    for my $payload (@payloads) {
        my $answer = $nodes[0]->http(POST => "/publish?channel=$channel",
            body => $json->encode($payload));
        is($answer->{status}, 200, 'published') if $answer->{status} != 200;
    }
    return;
}

sub heard ($ws, $channel) {
    publish($channel, 'the last');
    my @heard;
    while (1) {
        my $payload = payload($ws->recv);
        last if $payload eq 'the last' || $payload =~ /^(?:eof|close)/;
        push @heard, $payload;
    }
    return \@heard;
}

sub await_clients ($node, $count) {
    return wait_for("$count connections", sub {
        $node->status->{connections} == $count;
    });
}

# All that was noted is in Redis.
sub await_note ($count) {
    return wait_for("$count notes", sub {
        my $noted = 0;
        for my $key (@{ $backend->command(KEYS => "*\0left\0*") }) {
            next if $backend->command(TYPE => $key) ne 'stream';
            $noted += $backend->command(XLEN => $key);
        }
        $noted >= $count;
    });
}

my $noted = 0;

sub cut ($node, $ws) {
    $ws->drop;
    return await_note(++$noted);
}

for my $path (qw(/edge /ws)) {
    my $name = substr $path, 1;
    subtest "on another node: $path" => sub {
        my $ws = enter($nodes[0], "far-$name", $path);
        publish("far-$name", 'heard');
        is(payload($ws->recv), 'heard', 'what it heard');
        cut($nodes[0], $ws);
        publish("far-$name", 'missed', 'missed too');
        $ws = enter($nodes[1], "far-$name", $path);
        is_deeply(heard($ws, "far-$name"), ['missed', 'missed too'],
            'it is brought what it missed');
        is_deeply(heard(enter($nodes[0], "far-$name", $path), "far-$name"),
            [], 'which nobody else is, on no node');
    };

    subtest "cut 20 times: $path" => sub {
        my $at = 0;
        through_cuts(
            rounds  => 20,
            publish => $nodes[0],
            channel => "steady-$name",
            enter   => sub ($round) {
                return enter($nodes[$round % 2], "steady-$name", $path);
            },
            gone => sub { await_note(++$noted) },
        );
    };
}

subtest 'what a back end sends as it lets in' => sub {
    my $ws = enter($nodes[0], 'snapshot', '/ws');
    cut($nodes[0], $ws);
    message('snapshot', $_) for 1, 2;
    $ws = enter($nodes[1], 'snapshot', '/ws',
        sub { message('snapshot', $_) for 3, 4 });
    is_deeply(heard($ws, 'snapshot'), [1 .. 4], 'comes once, and in order');
};

subtest 'many at once' => sub {
    my @gone = map { enter($nodes[$_ % 2], 'crowd', '/edge') } 1 .. 6;
    $_->drop for @gone;
    await_note($noted += 6);
    publish('crowd', 'missed');
    my @back = map { ask($nodes[$_ % 2], 'crowd', '/edge') } 1 .. 8;
    is($_->recv, 'text:subscribed:crowd', 'is let in') for @back;
    publish('crowd', 'the last');
    my @first = map { payload($_->recv) } @back;
    is(scalar(grep { $_ eq 'missed' } @first), 6,
        'as many are brought it as have gone');
};

subtest 'without Redis' => sub {
    my $stays = enter($nodes[0], 'lonely', '/edge');
    $redis->freeze;
    my $ws = ask($nodes[0], 'lonely', '/edge');
    is($ws->recv, 'text:subscribed:lonely', 'one that hangs holds nobody up');
    $redis->thaw;
    is_deeply(heard($ws, 'lonely'), [], 'and it goes on');
    $redis->stop;
    wait_for('nodes that know', sub {
        $nodes[0]->http(GET => '/ready')->{status} == 503;
    });
    $ws = ask($nodes[0], 'lonely', '/edge');
    is($ws->recv, 'text:subscribed:lonely', 'nor does one that is away');
    my $before = $nodes[0]->status->{connections};
    $_->drop for $ws, $stays;
    await_clients($nodes[0], $before - 2);
    $redis->start;
    $backend = $redis->client;
    wait_for('nodes that are ready', sub {
        !grep { $_->http(GET => '/ready')->{status} != 200 } @nodes;
    });
    is_deeply(heard(enter($nodes[0], 'lonely', '/edge'), 'lonely'), [],
        'who went meanwhile is not noted');
};

subtest 'nginx is stopped' => sub {
    my $ws = enter($nodes[1], 'stopped', '/edge');
    publish('stopped', 'heard');
    is(payload($ws->recv), 'heard', 'what it heard');
    $nodes[1]->stop('QUIT');
    publish('stopped', 'missed');
    $ws = enter($nodes[0], 'stopped', '/edge');
    is_deeply(heard($ws, 'stopped'), ['missed'], 'it goes on at another node');
};

$_->expect_log(qr/paperboy(?:_classic)?_redis: (?:lost|can't)/) for @nodes;
finish;
