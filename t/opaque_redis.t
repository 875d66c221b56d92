# Opaque tokens where several nodes share a Redis: on all of them, on one that
# is started later, and on one that is started anew.
use v5.36;
use JSON::PP ();
use Paperboy::Redis;
use Paperboy::Test;

plan skip_all => "no $Paperboy::Redis::BINARY" if !Paperboy::Redis::is_there();

my $redis = Paperboy::Redis->new->start;
my $url   = 'redis://127.0.0.1:' . $redis->port;

sub node ($ready = 1) {
    my $node = nginx(workers => 2,
        http => <<"END");
paperboy_zone main 8m;
paperboy_redis $url timeout=1s;
paperboy_opaque_tokens on;
paperboy_origin any;
server {
    listen 127.0.0.1:%%PORT%%;
    location /raw { paperboy raw; paperboy_channel \$arg_c; }
    location /native { paperboy native; }
    location /api { paperboy_api any; }
    location /ready { paperboy_ready; }
}
END
    return $node if !$ready;
    wait_until_ready($node);
    return $node;
}

sub wait_until_ready ($node) {
    return wait_for('a node that is ready',
        sub { $node->http(GET => '/ready')->{status} == 200 });
}

sub ask ($node, $method, %parameters) {
    return $node->http(POST => "/api/$method",
        body => JSON::PP::encode_json(\%parameters))->json;
}

sub create ($node, %wish) {
    return ask($node, token_create => ttl => 3600, channels => ['n'], %wish)
        ->{result}{token};
}

sub status ($node, $token) {
    return $node->ws("/raw?c=n&token=$token")->status;
}

# Each worker of it is asked, or as good as.
sub is_always ($node, $token, $status, $name) {
    my $row = 0;
    wait_for($name, sub {
        $row = status($node, $token) == $status ? $row + 1 : 0;
        return $row == 10;
    });
    return is($row, 10, $name);
}

# All that Redis has in its streams.
sub stored () {
    my @streams = grep { $redis->command(TYPE => $_) eq 'stream' }
        @{ $redis->command(KEYS => '*') };
    return JSON::PP->new->latin1->encode(
        [map { $redis->command(XRANGE => $_, '-', '+') } @streams]);
}

my ($one, $two) = (node(), node());
my $token = create($one, user => 'ann');
my $ended = create($two);

subtest 'a parameter that is none' => sub {
    is(ask($one, token_create => ttl => 9, $_ => 1)->{error}{code}, 107,
        "$_ makes no token")
        for 'chanels', 'limits', 'exp';
};

subtest 'on all nodes' => sub {
    is_always($_, $token, 101, 'good') for $one, $two;
    is_always($_, $ended, 101, 'good') for $one, $two;
    my @clients = map { $_->ws("/raw?c=n&token=$ended") } $one, $two, $two;
    my $native  = $two->ws('/native');
    $native->text(qq({"id":1,"connect":{"token":"$ended"}}));
    like($native->recv, qr/"connect"/, 'connected');
    my $other = $two->ws("/raw?c=n&token=$token");
    ok(ask($one, token_end => token => $ended)->{result}{ended}, 'ended on one');
    is($_->recv, 'close:3005', 'ends') for @clients, $native;
    is_always($_, $ended, 401, 'and opens nothing') for $one, $two;
    ask($one, publish => channel => 'n', data => 1);
    is($other->recv, 'text:1', 'others stay');
};

# What is used on one node is prolonged on the other.
subtest 'sliding' => sub {
    my $slides = create($one, ttl => 6, sliding => \1);
    my $fixed  = create($one, ttl => 6);
    is_always($two, $_, 101, 'good on the other') for $slides, $fixed;
    my $open = $two->ws("/raw?c=n&token=$slides");
    wait_for('the fixed one is over', sub { status($one, $fixed) == 401 });
    my $until = time + 4;
    wait_for('some time passes', sub { time > $until });
    is_always($one, $slides, 101, 'what is open elsewhere keeps its token');
    ask($one, publish => channel => 'n', data => 2);
    is($open->recv, 'text:2', 'and is open');
    my $later = node();
    is(status($later, $slides), 101, 'a node that comes later knows until when');
    $later->stop;
};

subtest 'nothing but hashes is in Redis' => sub {
    my $all = stored();
    like($all, qr/\\"sub\\":\\"ann\\"/, 'what is kept is there');
    is(index($all, substr $_, 4), -1, 'no token is') for $token, $ended;
};

subtest 'a node that comes later' => sub {
    my $three = node();
    is(status($three, $token), 101, 'knows what is good');
    is(status($three, $ended), 401, 'and what is not');
    $three->stop;
};

subtest 'a node that begins anew' => sub {
    $two->stop;
    $two->start;
    my $status = wait_for('it knows', sub {
        my $now = status($two, $token);
        is($now, 503, 'it says so until then') if $now != 101 && $now != 503;
        return $now == 101;
    });
    ok($status, 'it is good');
    is(status($two, $ended), 401, 'what has ended has');
};

subtest 'without Redis' => sub {
    $_->expect_log(qr/./) for $one, $two;
    wait_until_ready($two);
    my $idle = create($one, channels => []);
    my $open = $one->ws('/native');
    $open->text(qq({"id":1,"connect":{"token":"$idle"}}));
    like($open->recv, qr/"connect"/, 'connected');
    $redis->stop;
    is(status($one, $token), 101, 'what was known is known');
    is(ask($one, token_create => ttl => 9)->{error}{code}, 100, 'none is made');
    is(ask($one, token_end => token => $token)->{error}{code}, 100, 'none ends');
    is(status($one, $token), 101, 'it is as good as before');
    my $new = node(0);
    $new->expect_log(qr/./);
    is(status($new, $token), 503, 'a node that knows nothing says so');
    like($new->http(GET => '/ready')->{body}, qr/"opaque_tokens"/, 'there too');
    is(ask($new, token_create => ttl => 9)->{error}{code}, 100, 'it makes none');
    $redis->start;
    wait_for('it knows', sub { status($new, $token) == 101 });
    for my $ending ($idle, $token) {
        wait_for('it ends', sub {
            my $answer = ask($two, token_end => token => $ending);
            return $answer->{result} && $answer->{result}{ended};
        });
    }
    is($open->recv, 'close:3005', 'what is open ends');
    is_always($_, $token, 401, 'everywhere') for $one, $two, $new;
};

# It hears of no use meanwhile, and forgets what isn't used there.
subtest 'longer without Redis than a token lives' => sub {
    $_->expect_log(qr/./) for $one, $two;
    my $slides = create($one, ttl => 5, sliding => \1);
    is_always($two, $slides, 101, 'good on the other');
    my $open = $one->ws("/raw?c=n&token=$slides");
    $redis->freeze;
    my $until = time + 8;
    wait_for('the other has forgotten it', sub { time > $until });
    is(status($two, $slides), 401, 'there it is over');
    $redis->thaw;
    wait_for('it is told of it', sub { status($two, $slides) == 101 });
    is(status($one, $slides), 101, 'where it is used it was good all the time');
    wait_until_ready($_) for $one, $two;
};

# What it forgets, the nodes tell it again.
subtest 'a Redis that has lost all' => sub {
    $_->expect_log(qr/./) for $one, $two;
    my $kept = create($one, user => 'kim');
    my $gone = create($one, user => 'kim');
    is_always($two, $_, 101, 'good') for $kept, $gone;
    ok(ask($two, token_end => token => $gone)->{result}{ended}, 'ended');
    is_always($one, $gone, 401, 'on all nodes');
    $redis->command('FLUSHALL');
    wait_for('it was told again', sub { stored() =~ /\\"kim\\"/ });
    my $three = node();
    $three->expect_log(qr/./);
    is_always($three, $kept, 101, 'one that comes later knows');
    is(status($three, $gone), 401, 'what has ended has');
    is_always($_, $kept, 101, 'it is good') for $one, $two;
    is_always($_, $gone, 401, 'or has ended') for $one, $two;
};

finish;
