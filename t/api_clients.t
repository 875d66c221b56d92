# What back ends order of clients by paperboy_api: it reaches them on all
# workers, and nobody else.
use v5.36;
use Paperboy::Test;
use File::Temp ();
use JSON::PP ();

my $dir    = File::Temp->newdir;
my $secret = 'secret ' x 10;
file_with("$dir/secret", $secret);

my $nginx = nginx(dir => $dir, workers => 3, http => <<'END');
paperboy_zone main 8m;
paperboy_origin any;
paperboy_jwt_key HS256 file=%%DIR%%/secret;
paperboy_channel_rule kept:* history=100;
paperboy_channel_rule room:* presence;
server {
    listen 127.0.0.1:%%PORT%% reuseport;
    add_header X-Worker $pid always;
    location /api { paperboy_api any; }
    location /shop/api { paperboy_api any; paperboy_namespace shop; }
    location /native { paperboy native; }
    location /shop/native { paperboy native; paperboy_namespace shop; }
    location /several {
        paperboy native;
        paperboy_max_subscriptions 2;
    }
    location /raw { paperboy raw; paperboy_channel $arg_c $arg_d; }
    location /events { paperboy sse; paperboy_channel $arg_c $arg_d; }
    location /status { paperboy_status; }
}
END

my $json = JSON::PP->new->canonical->allow_nonref;

sub order ($method, $parameters, $path = '/api') {
    my $answer = $nginx->http(POST => "$path/$method",
        body => $json->encode($parameters));
    my $reply = $answer->json;
    return $reply->{error}{code} if $reply->{error};
    return $json->encode($reply->{result});
}

sub token ($user, %claims) {
    return jwt({ sub => $user, channels => [],
        caps => [{ channels => ['*'], match => 'wildcard', allow => ['sub'] }],
        %claims }, key => $secret);
}

# A native connection of the user's, and its id.
sub native ($user, $path = '/native', @channels) {
    my $ws = $nginx->ws($path);
    my @commands = ({ id => 1, connect => { token => token($user) } },
        map { { id => 2, subscribe => { channel => $_ } } } @channels);
    $ws->text(join "\n", map { $json->encode($_) } @commands);
    my ($client) = $ws->recv =~ /"client":"(\w+)"/;
    return ($ws, $client);
}

sub raw ($user, $query) {
    return $nginx->ws("/raw?$query", token => jwt({ sub => $user,
        scope => 'subscribe' }, key => $secret));
}

# Whether it is still served.
sub is_there ($ws) {
    $ws->text('{"id":9,"ping":{}}');
    return $ws->recv eq 'text:{"id":9,"ping":{}}';
}

# As many as it takes for each worker to have one.
sub on_all_workers ($make) {
    my (@all, %workers);
    while (keys %workers < 3) {
        push @all, $make->();
        my $ws = ref $all[-1] eq 'ARRAY' ? $all[-1][0] : $all[-1];
        $workers{ $ws->header('X-Worker') } = 1;
    }
    return @all;
}

subtest 'disconnect' => sub {
    my @ann = on_all_workers(sub { [native('ann')] });
    my @raw = on_all_workers(sub { raw('ann', 'c=a') });
    my ($bob) = native('bob');
    my ($shop) = native('ann', '/shop/native');
    is(order(disconnect => { user => 'ann' }), '{}', 'is taken');
    for (map { $_->[0] } @ann) {
        is($_->recv, 'close:3503', 'all of the user\'s, on all workers');
        is($_->{reason}, 'force disconnect', 'are told why');
    }
    is($_->recv, 'close:3503', 'whatever they speak') for @raw;
    ok(is_there($bob), 'others stay');
    ok(is_there($shop), 'those of other namespaces too');
    is(order(disconnect => { user => 'ann' }, '/shop/api'), '{}', 'theirs');
    is($shop->recv, 'close:3503', 'ends them');
};

subtest 'disconnect one' => sub {
    my ($one, $id) = native('ann');
    my ($two, $other) = native('ann');
    my ($three, $third) = native('ann');
    order(disconnect => { user => 'bob', client => $id });
    ok(is_there($one), 'not by another\'s name');
    is(order(disconnect => { client => $id,
        disconnect => { code => 4321, reason => 'go, "now"' } }), '{}',
        'by its id alone');
    is($one->recv, 'close:4321', 'with a code');
    is($one->{reason}, 'go, "now"', 'and a reason of the application\'s');
    order(disconnect => { user => 'ann', whitelist => [$third] });
    is($two->recv, 'close:3503', 'all');
    ok(is_there($three), 'but some');
};

subtest 'unsubscribe' => sub {
    my @ann = on_all_workers(sub { [native('ann', '/native', 'u', 'v')] });
    my ($bob) = native('bob', '/native', 'u');
    is(order(unsubscribe => { user => 'ann', channel => 'u' }), '{}', 'is taken');
    is($_->[0]->recv, 'text:{"push":{"channel":"u","unsubscribe":'
            . '{"code":2000,"reason":"server unsubscribe"}}}', 'told') for @ann;
    order(publish => { channel => $_, data => 1 }) for 'u', 'v';
    like($_->[0]->recv, qr/"channel":"v","pub"/, 'other channels stay') for @ann;
    like($bob->recv, qr/"channel":"u","pub"/, 'and other users');
    order(unsubscribe => { user => 'ann', channel => '' });
    like($ann[0][0]->recv, qr/"channel":"v","unsubscribe"/, 'all channels');
};

subtest 'unsubscribe those who have no other channels' => sub {
    my $raw = raw('ann', 'c=u&d=v');
    order(unsubscribe => { user => 'ann', channel => 'u' });
    order(publish => { channel => $_, data => $_ }) for 'u', 'v';
    is($raw->recv, 'text:"v"', 'from one');
    order(unsubscribe => { user => 'ann', channel => 'v' });
    is($raw->recv, 'close:3503', 'the last ends it');
    is($raw->{reason}, 'unsubscribed by the server', 'and says so');
};

subtest 'those who listen to events' => sub {
    # Somebody else: an order of before may still be on its way to a worker.
    my @token = (Authorization => 'Bearer ' . jwt({ sub => 'eve',
        scope => 'subscribe' }, key => $secret));
    my @eve = on_all_workers(sub {
        my $events = $nginx->events('/events?c=u&d=v', headers => [@token]);
        return [$events];
    });
    order(unsubscribe => { user => 'eve', channel => 'u' });
    order(publish => { channel => $_, data => $_ }) for 'u', 'v';
    order(disconnect => { user => 'eve' });
    for (map { $_->[0] } @eve) {
        is($_->recv, 'message:"v"', 'leave a channel');
        is($_->recv, 'close:{"code":3503,"reason":"force disconnect"}',
            'and are sent away');
    }
};

subtest 'subscribe' => sub {
    my @ann = on_all_workers(sub { [native('ann')] });
    is(order(subscribe => { user => 'ann', channel => 'room:s',
        data => { for => 'you' }, info => { color => 'red' } }), '{}',
        'is taken');
    like($_->[0]->recv, qr/^text:\{"push":\{"channel":"room:s","subscribe":
        \{"epoch":"\w+","offset":0,"recoverable":true,"positioned":true,
        "data":\{"for":"you"\}\}\}\}$/x, 'told') for @ann;
    order(subscribe => { user => 'ann', channel => 'room:s' });
    order(publish => { channel => 'room:s', data => 1 });
    like($_->[0]->recv, qr/"pub":\{"data":1/, 'once') for @ann;
    my $there = $json->decode(order(presence => { channel => 'room:s' }));
    is_deeply($there->{presence}{ $ann[0][1] }, { user => 'ann',
        client => $ann[0][1], chan_info => { color => 'red' } }, 'is there');
    my ($full) = native('eve', '/several', 'a', 'b');
    order(subscribe => { user => 'eve', channel => 'c' });
    ok(is_there($full), 'who has as many as it may stays so');
};

subtest 'subscribe from a position, and for a time' => sub {
    my @positions = map {
        $json->decode(order(publish => { channel => 'kept:s', data => $_ }))
    } 1 .. 3;
    my ($ws) = native('ann');
    order(subscribe => { user => 'ann', channel => 'kept:s',
        recover_since => $positions[0] });
    like($ws->recv, qr/"subscribe":\{"epoch":"\w+","offset":1,/, 'from there');
    like($ws->recv, qr/"data":$_,"offset":$_/, 'what it missed') for 2, 3;
    order(publish => { channel => 'kept:s', data => 4 });
    like($ws->recv, qr/"data":4,"offset":4/, 'and what comes');
    my ($other) = native('bob');
    order(subscribe => { user => 'bob', channel => 'kept:s',
        recover_since => { epoch => 'abc', offset => 1 } });
    like($other->recv, qr/"offset":4/, 'what is not kept is not');
    order(subscribe => { user => 'bob', channel => 'x',
        expire_at => time + 2 });
    like($other->recv, qr/"channel":"x","subscribe"/, 'for a time');
    like($other->recv, qr/"channel":"x","unsubscribe":\{"code":2501/, 'over');
};

subtest 'refresh' => sub {
    my ($ws) = native('ann');
    my $raw = raw('ann', 'c=r');
    order(refresh => { user => 'ann', expire_at => time + 3600,
        info => { new => 1 } });
    like($ws->recv, qr/^text:\{"push":\{"refresh":\{"expires":true,"ttl":\d+\}\}\}$/,
        'told how long');
    order(refresh => { user => 'ann' });
    is($ws->recv, 'text:{"push":{"refresh":{}}}', 'for ever');
    order(refresh => { user => 'ann', expire_at => time + 2 });
    like($ws->recv, qr/refresh/, 'for a time');
    is($_->recv, 'close:3005', 'then it ends') for $ws, $raw;
    my ($expired) = native('ann');
    order(refresh => { user => 'ann', expired => \1 });
    is($expired->recv, 'close:3005', 'or at once');
    my ($past) = native('ann');
    order(refresh => { user => 'ann', expire_at => 1 });
    is($past->recv, 'close:3005', 'or before');
};

subtest 'what is no order' => sub {
    is(order($_ => { channel => 'a' }), 107, "$_: of whom")
        for qw(subscribe unsubscribe disconnect refresh);
    is(order($_ => { user => 'ann', channel => 'a', session => 'x' }), 108,
        "$_: no sessions") for qw(subscribe unsubscribe disconnect refresh);
    is(order(@$_), 107, $json->encode($_))
        for [subscribe => { user => 'ann' }],
            [subscribe => { user => 'ann', channel => 'a', b64info => '?' }],
            [subscribe => { user => 'ann', channel => 'a', expire_at => -1 }],
            [unsubscribe => { user => 'ann', channel => 'x' x 256 }],
            [refresh => { user => 'ann', expire_at => -1 }],
            map { [disconnect => { user => 'ann', disconnect => $_ }] }
            { code => 1000 }, { code => 5000 },
            { code => 4000, reason => 'x' x 124 };
    is(order(subscribe => { user => 'ann', channel => 'a',
        override => { presence => { value => \1 } } }), 108,
        'the rule says who is known');
};

subtest 'orders that come together are obeyed in their order' => sub {
    my ($ws) = native('ann');
    my @commands = map { { subscribe => { user => 'ann', channel => "o$_" } },
        { unsubscribe => { user => 'ann', channel => "o$_" } } } 1 .. 20;
    $nginx->http(POST => '/api/batch',
        body => $json->encode({ commands => \@commands }));
    for my $i (1 .. 20) {
        like($ws->recv, qr/"o$i","subscribe"/, 'in');
        like($ws->recv, qr/"o$i","unsubscribe"/, 'and out');
    }
};

subtest 'who has no user' => sub {
    my $ws = $nginx->ws('/raw?c=n', token => jwt({ scope => 'subscribe' },
        key => $secret));
    my ($ann) = native('ann');
    order(disconnect => { user => '' });
    is($ws->recv, 'close:3503', 'is meant by an empty one');
    ok(is_there($ann), 'nobody else');
};

wait_for('the ends are counted', sub { $nginx->status->{closed}{3503} >= 6 });
finish;
