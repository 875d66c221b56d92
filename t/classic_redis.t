# The classic protocol with back ends over Redis: requests, who is let in, what
# is sent to channels and users, on two nodes of two workers; with and without
# paperboy_redis. The back end is the test, as the document has it.
use v5.36;
use Paperboy::Redis;
use Paperboy::Test;
use File::Temp ();
use JSON::PP ();
use Time::HiRes qw(sleep time);

plan skip_all => "no $Paperboy::Redis::BINARY" if !Paperboy::Redis::is_there();

my $REQUESTS = 'paperboy-subscription-request';
my $json     = JSON::PP->new->canonical;

# With the rights that the documentation says are enough.
my $document = do { local (@ARGV, $/) = ('docs/classic.md'); <> };
my ($rights) = $document =~ /^ACL SETUSER (classic on .*?)^```/ms;
$rights = $rights =~ s/PASSWORD/secret/r =~ s/\s+/ /gr;
our $redis = Paperboy::Redis->new(
    persistence => 'aof always',
    users       => [$rights]
)->start;
our $backend = $redis->client;

sub url () { return 'redis://classic:secret@127.0.0.1:' . $redis->port }

sub node ($more = '', %option) {
    my $url = url();
    $option{parameters} //= '';
    return nginx(workers => $option{workers} // 2, log_level => 'info',
        http => <<"END");
paperboy_zone main 8m;
paperboy_classic_redis $url timeout=1s $option{parameters};
$more
paperboy_origin any;
paperboy_ping_interval 5m;    # what comes is compared with what was sent
paperboy_channel_rule closed subscribe=nobody;
server {
    listen 127.0.0.1:%%PORT%% reuseport;
    add_header X-Worker \$pid always;
    location /ws { paperboy classic; }
    location /brief { paperboy classic; paperboy_connect_timeout 500ms; }
    location /old { paperboy classic; paperboy_classic_unsubscribe user; }
    location /few { paperboy classic; paperboy_max_subscriptions 2; }
    location /shop { paperboy classic; paperboy_namespace shop; }
    location /pages { paperboy classic; paperboy_origin https://app.example; }
    location /edge {
        paperboy classic;
        paperboy_jwt_key HS256 env=PAPERBOY_JWT_SECRET;
    }
    location /notify {
        paperboy classic;
        paperboy_jwt_key HS256 env=PAPERBOY_JWT_SECRET;
        paperboy_classic_notify on;
    }
    location /raw { paperboy raw; paperboy_channel \$arg_c; }
    location /sse { paperboy sse; paperboy_channel \$arg_c; }
    location /native { paperboy native; paperboy_channel \$arg_c; }
    location /publish { paperboy_publish any; }
    location /status { paperboy_status; }
    location /ready { paperboy_ready; }
}
END
}
local $ENV{PAPERBOY_JWT_SECRET} = my $secret = 'secret ' x 10;

our @nodes;

sub sum ($name) {
    my $sum = 0;
    $sum += $_->status->{$name} for @nodes;
    return $sum;
}

# --- the back end -----------------------------------------------------------

sub say_to ($topic, $text) {
    return $backend->command(PUBLISH => "paperboy-$topic", $text);
}

sub authorize ($id, $user, $channel = undef) {
    return say_to('subscription-authorized', $json->encode(
        { wsId => $id, token => undef, userId => $user, channel => $channel }));
}

sub close_channel ($user, $channel) {
    return say_to('subscription-close', $json->encode(
        { wsId => undef, token => undef, userId => $user, channel => $channel }));
}

# As a connector writes it; gives the text.
sub message ($user, $channel, $payload) {
    my $text = sprintf '{"userId":%s,"channel":%s,"payload":%s,"timestamp":%d}',
        (map { defined ? qq{"$_"} : 'null' } $user, $channel), $payload,
        time * 1000;
    say_to('message', $text);
    return $text;
}

sub to_channel ($channel, $payload) { return message(undef, $channel, $payload) }
sub to_user    ($user,    $payload) { return message($user, undef,   $payload) }

# The next request: id and token.
sub request () {
    my $taken = $backend->command(BLPOP => $REQUESTS, 5)
        or return fail('a request comes');
    return @{ $json->decode($taken->[1]) }{qw(wsId token)};
}

# --- clients ----------------------------------------------------------------

# One that is let into the channel: the connection, and its id.
sub enter ($node, $user, $channel = undef, $path = '/ws') {
    my $ws = $node->ws($path);
    $ws->text('token');
    my ($id) = request();
    authorize($id, $user, $channel);
    return ($ws, $id) if !defined $channel;
    is($ws->recv, "text:subscribed:$channel", "$user is let into $channel");
    return ($ws, $id);
}

# On each worker of each node.
sub everywhere ($user, $channel) {
    my @clients;
    for my $node (@nodes) {
        my %of;
        for (1 .. 100) {
            my ($ws) = enter($node, $user, $channel);
            $of{ $ws->header('X-Worker') } //= $ws;
            last if keys %of == 2;
        }
        is(scalar keys %of, 2, 'clients on both workers');
        push @clients, values %of;
    }
    return @clients;
}

# All that has come, up to what is sent now.
sub heard ($channel, @clients) {
    my $last = 'text:' . to_channel($channel, '"the last"');
    my @all;
    for my $client (@clients) {
        my @events;
        while (1) {
            my $event = $client->recv;
            last if $event eq $last;
            push @events, $event;
            last if $event =~ /^(?:close|eof)/;
        }
        push @all, \@events;
    }
    return @all;
}

# What back ends say is heard by all of them: each node counts it once. Of two
# workers both listen, and so are connected.
sub listening () {
    wait_for('workers that are connected', sub {
        my $heard = $backend->command(PUBSUB => 'NUMSUB', 'paperboy-taker');
        return $heard->[1] == map { $_->workers } @nodes;
    });
    return wait_for('nodes that listen', sub {
        my %before = map { $_ => $_->status->{classic_messages} } @nodes;
        to_user('probe', 0);
        sleep 0.2;
        return 0 if grep { $_->http(GET => '/ready')->{status} != 200 } @nodes;
        return !grep { $_->status->{classic_messages} == $before{$_} } @nodes;
    });
}

# --- what both ways have in common --------------------------------------------

sub flow ($name) {
    subtest "$name: a request, and its answer" => sub {
        my $ws = $nodes[0]->ws('/ws');
        $ws->text('any.text "at" all');
        my $taken = $backend->command(BLPOP => $REQUESTS, 5);
        my $body  = $json->decode($taken->[1]);
        is_deeply([sort keys %$body], [qw(token wsId)], 'id and token');
        is($body->{token}, 'any.text "at" all', 'unread');
        like($body->{wsId}, qr/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/,
            'a UUID');
        to_channel('news', '"too early"');
        authorize($body->{wsId}, 'ann', 'news');
        is($ws->recv, 'text:subscribed:news', 'authorised, and told so');
        my $text = to_channel('news', '{ "n": 1.10 }');
        is($ws->recv, "text:$text", 'a message comes as it was sent');
        authorize($body->{wsId}, 'ann', 'news');
        is($ws->recv, 'text:subscribed:news', 'again: confirmed again');
        authorize($body->{wsId}, 'bob', 'sport');
        authorize($body->{wsId}, 'ann', 'closed');
        authorize($body->{wsId}, 'ann', 'sport');
        is($ws->recv, 'text:subscribed:sport', 'no other user, nor what a rule closes');
        is_deeply([heard('news', $ws)], [[]], 'and nothing came twice');
    };

    subtest "$name: authorised for no channel" => sub {
        my ($ws) = enter($nodes[1], 'ann', undef, '/brief');
        my $text = to_user('ann', '"hello"');
        is($ws->recv, "text:$text", 'it hears what its user is sent');
        to_user('bob', '"hello"');
        sleep 0.7;
        $text = to_user('ann', '"still there"');
        is($ws->recv, "text:$text", 'and isn\'t closed');
    };

    subtest "$name: a back end that never answers" => sub {
        my $ws = $nodes[0]->ws('/brief');
        $ws->text("token $_") for 1 .. 3;
        is($ws->recv, 'close:3502', 'the close, and nothing else');
        is($backend->command(LLEN => $REQUESTS), 3, 'the requests wait');
        $backend->command(DEL => $REQUESTS);
    };

    subtest "$name: all of a channel, all of a user's" => sub {
        my @ann = everywhere('ann', 'news');
        my ($bob) = enter($nodes[0], 'bob', 'news');
        my @texts = map {"text:$_"} map { to_channel('news', $_) } 1 .. 50;
        is_deeply([heard('news', @ann, $bob)], [(\@texts) x 5],
            'each message once, in its order');
        @texts = map {"text:$_"} map { to_user('ann', $_) } 1 .. 50;
        is_deeply([heard('news', @ann, $bob)], [(\@texts) x 4, []],
            'a user\'s reach all of its connections, and no other\'s');
        my $text = message('ann', 'news', '"both"');
        is_deeply([heard('news', @ann, $bob)], [(["text:$text"]) x 4, []],
            'the user counts where both are named');
        $ann[0]->text('unsubscribe:news');
        $ann[0]->text('token');
        authorize((request())[0], 'ann', 'other');
        is($ann[0]->recv, 'text:subscribed:other', 'one has left');
        to_channel('news', '"for the others"');
        is_deeply([map { scalar @$_ } heard('news', @ann[1 .. 3], $bob)],
            [1, 1, 1, 1], 'its user\'s other connections stay');
        close_channel('ann', 'news');
        close_channel('ann', 'nothing');
        my $last = 'text:' . to_user('ann', '"the last"');
        to_channel('news', '"for bob"');
        is($_->recv, $last, 'a close is for all of the user\'s') for @ann;
        is_deeply([map { scalar @$_ } heard('news', $bob)], [1],
            'and for nobody else');
        $last = 'text:' . to_user('ann', '"and now"');
        is($_->recv, $last, 'none of them heard more') for @ann;
    };

    # What an application sends as soon as it has authorised.
    subtest "$name: the first snapshot" => sub {
        my (@clients, %texts);
        for my $n (1 .. 60) {
            my $ws = $nodes[$n % 2]->ws('/ws');
            $ws->text("$n");
            push @clients, $ws;
        }
        for (@clients) {
            my ($id, $n) = request();
            authorize($id, "user$n", "room$n");
            $texts{$n} = [
                "subscribed:room$n", to_channel("room$n", qq{"to the room $n"}),
                to_user("user$n", qq{"to you, $n"}),
                to_channel("room$n", qq{"again"})
            ];
        }
        my $wrong = 0;
        for my $n (1 .. 60) {
            my @heard = map { $clients[ $n - 1 ]->recv } 1 .. 4;
            # Between a channel and a user there is no order.
            my @expected = map {"text:$_"} @{ $texts{$n} };
            my ($user)   = splice @expected, 2, 1;
            my @rest     = grep { $_ ne $user } @heard;
            next if "@rest" eq "@expected" && @rest == 3;
            diag explain [\@heard, \@expected] if !$wrong++;
        }
        is($wrong, 0, 'each client has all of its own, once');
        to_user("user$_", '"the last"') for 1 .. 60;
        is(scalar(grep { $_->recv !~ /the last/ } @clients), 0, 'and no more');
    };

    subtest "$name: malformed messages" => sub {
        my @clients = everywhere('ann', 'news');
        my $before  = sum('classic_malformed');
        my @bad     = (
            ['message', 'hidden'],
            ['message', ''],
            ['message', '[]'],
            ['message', '{"channel":"news"'],
            ['message', '{"channel":5,"payload":1}'],
            ['message', '{"channel":"news","channel":"b","payload":1}'],
            ['message', "{\"channel\":\"news\",\"payload\":\"\xff\"}"],
            ['message', '{"payload":1}'],
            ['message', '{"channel":"' . 'n' x 600 . '","payload":1}'],
            ['message', '[' x 5000 . ']' x 5000],
            ['subscription-authorized', '{"userId":"ann","channel":"b"}'],
            ['subscription-authorized', '{"wsId":"x","userId":{}}'],
            ['subscription-close', '{"userId":"ann"}'],
            ['subscription-close', 'null'],
            ['taker', 'x' x 100],
        );
        say_to(@$_) for @bad;
        authorize('nobody', 'ann', 'news');
        is_deeply([heard('news', @clients)], [([]) x 4], 'nothing comes of them');
        # All workers that listen find each of them.
        is((sum('classic_malformed') - $before) % 14, 0, 'they are counted');
        cmp_ok(sum('classic_malformed') - $before, '>=', 28, 'on both nodes');
        like($nodes[0]->log, qr/paperboy_classic_redis: a message of paperboy-\S+ is thrown away: it/,
            'and told');
        unlike($nodes[0]->log, qr/hidden/, 'without what they say');
        unlike($_->log, qr/exited on signal/, 'no worker has died') for @nodes;
    };

    subtest "$name: everybody's channels" => sub {
        my ($ws)    = enter($nodes[0], 'ann', 'room');
        my $raw     = $nodes[1]->ws('/raw?c=room');
        my $sse     = $nodes[1]->events('/sse?c=room');
        my $native  = $nodes[1]->ws('/native?c=room');
        $native->text('{"id":1,"connect":{}}');
        like($native->recv, qr/"connect"/, 'connected natively');
        # Until all of them hear.
        for my $client ($raw, $sse) {
            for (1 .. 50) {
                to_channel('room', '"?"');
                last if $client->readable(0.2);
            }
        }
        my $text = to_channel('room', '{"a": 1}');
        my $last = sub ($client, $pattern) {
            for (1 .. 200) { return 1 if $client->recv =~ $pattern }
            return 0;
        };
        ok($last->($ws,     qr/^text:\Q$text\E$/), 'classic: the text');
        ok($last->($raw,    qr/^text:\{"a": 1\}$/),    'raw: the payload');
        ok($last->($sse,    qr/^message:\{"a": 1\}$/), 'a stream: the payload');
        ok($last->($native, qr/"pub":\{"data":\{"a": 1\},"offset":\d+\}/),
            'native: the payload, and nothing of the envelope');
        my $answer = $nodes[0]->http(POST => '/publish?channel=room', body => 7);
        is($answer->{status}, 200, 'published by HTTP');
        like($ws->recv, qr/^text:\{"userId":null,"channel":"room","payload":7,"timestamp":\d{13}\}$/,
            'comes in the classic form');
    };

    return;
}

# A message each few milliseconds, while `do` is done.
sub stream ($channel, $do, $count = 300) {
    my @texts;
    for my $n (1 .. $count) {
        push @texts, 'text:' . to_channel($channel, $n);
        $do->($n) if $n == int $count / 3;
        sleep 0.005;
    }
    return \@texts;
}

sub faults ($name) {
    subtest "$name: workers die and are reloaded" => sub {
        $nodes[0]->expect_log(qr/exited on signal 9/);
        my @clients = everywhere('ann', 'steady');
        my ($one, $two, @far) = @clients;
        my $texts = stream(steady => sub ($) {
            kill KILL => $one->header('X-Worker');
        });
        is_deeply([heard('steady', $two, @far)], [($texts) x 3],
            'kill -9: nobody else misses anything');
        # The other of those that listened from the beginning.
        ($one) = grep { $_->header('X-Worker') ne $two->header('X-Worker') }
            map { (enter($nodes[0], 'ann', 'steady'))[0] } 1 .. 12;
        ok($one, 'a client of the new worker');
        $texts = stream(steady => sub ($) {
            kill KILL => $two->header('X-Worker');
        });
        is_deeply([heard('steady', $one, @far)], [($texts) x 3],
            'nor when the next one dies');
        listening();
        @clients = everywhere('ann', 'steady');
        $texts   = stream(steady => sub ($) { $nodes[0]->reload });
        is_deeply([heard('steady', @clients)], [($texts) x 4],
            'nor in a reload');
        $_->close for @clients[0, 1];
        my ($new) = enter($nodes[0], 'ann', 'steady');
        is_deeply([heard('steady', $new)], [[]], 'it goes on');
    };

    subtest "$name: Redis is restarted" => sub {
        my ($ws) = enter($nodes[0], 'ann', 'news');
        $redis->kill9;
        my $answer;
        wait_for('a node that is not ready', sub {
            $answer = $nodes[0]->http(GET => '/ready');
            return $answer->{body} =~ /"classic_redis"/;
        });
        is($answer->{status}, 503, 'paperboy_ready tells it');
        my $cut = $nodes[0]->ws('/brief');
        $cut->text('token');
        is($cut->recv, 'close:3502', 'without Redis: the close, and nothing else');
        my $waits = $nodes[0]->ws('/ws');
        $waits->text('token');
        $redis->start;
        $backend = $redis->client;
        my $id;
        ($id) = request() for 1, 2;
        authorize($id, 'ann');
        my $hears = wait_for('a request that has waited for Redis', sub {
            to_user('ann', '"there?"');
            $waits->readable(0.3);
        });
        ok($hears, 'who asks meanwhile is heard when it is back');
        listening();
        my $text = to_channel('news', '"again"');
        my $event = '';
        for (1 .. 200) { last if ($event = $ws->recv) eq "text:$text" }
        is($event, "text:$text", 'who was there hears on');
        my ($new) = enter($nodes[1], 'bob', 'news');
        is_deeply([heard('news', $new)], [[]], 'others are let in');
        like($nodes[0]->log, qr/paperboy_classic_redis: lost \S+: .* back ends of the classic protocol are neither asked nor heard/,
            'the log says what was missing');
    };
    return;
}

# --- each node for itself -----------------------------------------------------

my $thrown = qr/is thrown away|paperboy_classic_redis: (?:lost|can't use)/;
@nodes = (node(), node());
$_->expect_log($thrown) for @nodes;
listening();
flow('alone');

subtest 'the old way to leave' => sub {
    my ($one) = enter($nodes[0], 'ann', 'news', '/old');
    my ($two) = enter($nodes[0], 'ann', 'news', '/old');
    $one->text('unsubscribe:news');
    sleep 0.3;
    to_channel('news', 1);
    my $text = to_user('ann', 2);
    is($_->recv, "text:$text", 'all of the user\'s connections') for $one, $two;
};

subtest 'where the back end decides, pages alone may come' => sub {
    my %status = ('https://app.example' => 101, 'http://app.example' => 403,
        'https://app.example.evil' => 403);
    is($nodes[0]->ws('/pages', origin => $_)->status, $status{$_}, $_)
        for sort keys %status;
    is($nodes[0]->ws('/pages')->status, 403, 'nobody without an origin');
    is($nodes[0]->ws('/ws')->status, 101, 'unless any may');
};

subtest 'requests are bounded' => sub {
    my $ws = $nodes[0]->ws('/few');
    $ws->text("token $_") for 1 .. 5;
    my ($id) = request();
    is((request())[1], 'token 2', 'as many as it may have subscriptions');
    sleep 0.2;
    is($backend->command(LLEN => $REQUESTS), 0, 'no more in five seconds');
    authorize($id, 'ann', 'a');
    authorize($id, 'ann', 'b');
    authorize($id, 'ann', 'c');
    is($ws->recv, "text:subscribed:$_", "subscribed to $_") for qw(a b);
    is_deeply([heard('a', $ws)], [[]], 'but to no third');
    $ws->text('x' x 9000);
    sleep 0.2;
    is($backend->command(LLEN => $REQUESTS), 0, 'nor a token of 9 KB');
    like($nodes[0]->log, qr/subscription_limit: more requests in 5 seconds/,
        'the log says so');
};

subtest 'at the edge' => sub {
    my $token = jwt({ iss => 'paperboy', userId => 'ann', channel => 'news',
            exp => time + 60 }, key => $secret);
    my $ws = $nodes[0]->ws('/edge');
    $ws->text($token);
    is($ws->recv, 'text:subscribed:news', 'a token is checked here');
    my $told = $nodes[1]->ws('/notify');
    $told->text('bad');
    $told->text($token);
    is($told->recv, 'text:subscribed:news', 'without waiting for the back end');
    my ($id, $seen) = request();
    is($seen, $token, 'which hears of it, if asked');
    is($backend->command(LLEN => $REQUESTS), 0, 'of that alone');
    authorize($id, 'ann', 'news');
    authorize($id, 'ann', 'other');
    my $user = to_user('ann', 1);
    is($_->recv, "text:$user", 'what its user is sent comes, no confirmation')
        for $ws, $told;
    close_channel('ann', 'news');
    to_channel('news', 2);
    $user = to_user('ann', 3);
    is($_->recv, "text:$user", 'the back end may close') for $ws, $told;
};

subtest 'another namespace' => sub {
    my $ws = $nodes[0]->ws('/shop');
    $ws->text('token');
    sleep 0.2;
    is($backend->command(LLEN => $REQUESTS), 0, 'isn\'t asked for');
    my $shop = node('', parameters => 'namespace=shop requests=5');
    wait_for('the node in the shop', sub {
        to_channel('probe', 0);
        sleep 0.2;
        $shop->status->{classic_messages} > 0;
    });
    my ($there) = enter($shop, 'ann', 'news', '/shop');
    is_deeply([heard('news', $there)], [[]], 'unless it is the back end\'s');
    $shop->expect_log(qr/no back end takes requests/);
    for (1 .. 8) {
        my $client = $shop->ws('/shop');
        $client->text($_);
        wait_for('a request', sub { $shop->status->{classic_requests} > $_ });
    }
    cmp_ok($backend->command(LLEN => $REQUESTS), '<=', 5,
        'requests= bounds what waits for a back end');
    is($backend->command(LINDEX => $REQUESTS, -1) =~ /"token":"(\d)"/ && $1, 8,
        'the oldest go');
    like($shop->log, qr/no back end takes requests from $REQUESTS: the oldest of more than 5 are thrown away/,
        'and the log says so');
    $backend->command(DEL => $REQUESTS);
    $shop->stop;
};

faults('alone');
my $denied = $redis->command('ACL', 'LOG');
is_deeply($denied, [], 'Redis has denied nothing') or diag explain $denied;
$_->stop for @nodes;

subtest 'over TLS' => sub {
    my $dir = File::Temp->newdir;
    my ($crt, $key) = self_signed($dir);
    my $tls = Paperboy::Redis->new(tls => [$crt, $key])->start;
    my $node = nginx(http => <<"END");
paperboy_zone main 8m;
paperboy_classic_redis rediss://localhost:${\ $tls->tls_port};
paperboy_redis_ssl_trusted_certificate $crt;
paperboy_origin any;
server {
    listen 127.0.0.1:%%PORT%%;
    location /ws { paperboy classic; }
    location /status { paperboy_status; }
}
END
    local ($redis, $backend, @nodes) = ($tls, $tls->client, $node);
    wait_for('a node that listens', sub {
        to_user('probe', 0);
        sleep 0.2;
        $node->status->{classic_messages} > 0;
    });
    my ($ws) = enter($node, 'ann', 'news');
    is_deeply([heard('news', $ws)], [[]], 'asked and heard');
    $node->stop;
};

# --- nodes with the same channels -----------------------------------------------

my $broker = 'paperboy_redis redis://127.0.0.1:' . $redis->port . ' timeout=1s;';
@nodes = map { node($broker) } 1, 2;
$_->expect_log($thrown) for @nodes;
$_->expect_log(qr/paperboy_redis: (?:lost|can't use)|orders may be lost/)
    for @nodes;
listening();
flow('with paperboy_redis');
faults('with paperboy_redis');

# --- what can't be configured ----------------------------------------------------

subtest 'the directive' => sub {
    my %refused = (
        ''                                => qr/expected a URL/,
        'redis://127.0.0.1 redis://[::1]' => qr/several servers/,
        'http://127.0.0.1'                => qr/paperboy_classic_redis: /,
        'redis://127.0.0.1 cluster'       => qr/cluster: no such parameter/,
        'redis://127.0.0.1 sentinel=a'    => qr/no such parameter/,
        'redis://127.0.0.1 prefix=a'      => qr/no such parameter/,
        'redis://127.0.0.1 secret'        =>
            qr/paperboy_classic_redis: no such parameter/,
        'redis://127.0.0.1 timeout=x'     => qr/timeout=x: expected a time/,
        'redis://127.0.0.1 requests=0'    => qr/requests=: expected a number/,
        'redis://127.0.0.1 namespace='    => qr/namespace=: expected/,
        'redis://127.0.0.1 user=a'        => qr/user= needs password/,
    );
    for my $text (sort keys %refused) {
        next if $text eq '';
        conf_refused("paperboy_classic_redis $text;", $text, $refused{$text});
    }
    conf_refused('paperboy_classic_redis redis://127.0.0.1; '
            . 'paperboy_classic_redis redis://127.0.0.1;', 'twice',
        qr/is duplicate/);
    conf_refused('paperboy_redis_ssl_verify on; '
            . 'paperboy_classic_redis redis://127.0.0.1;', 'TLS without TLS',
        qr/paperboy_redis_ssl_verify: means nothing/);
};

finish;
