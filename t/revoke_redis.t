# Tokens that are revoked where several nodes share a Redis: on all of them, on
# one that is started later, and on one that is started anew.
use v5.36;
use JSON::PP ();
use Paperboy::Redis;
use Paperboy::Test;

plan skip_all => "no $Paperboy::Redis::BINARY" if !Paperboy::Redis::is_there();

my $redis  = Paperboy::Redis->new->start;
my $url    = 'redis://127.0.0.1:' . $redis->port;
my $secret = 'secret ' x 10;
local $ENV{PAPERBOY_JWT_SECRET} = $secret;

sub node ($ready = 1) {
    my $node = nginx(workers => 2,
        http => <<"END");
paperboy_zone main 8m;
paperboy_redis $url timeout=1s;
paperboy_jwt_key HS256 env=PAPERBOY_JWT_SECRET;
paperboy_origin any;
server {
    listen 127.0.0.1:%%PORT%%;
    location /raw { paperboy raw; paperboy_channel \$arg_c; }
    location /api { paperboy_jwt_key off; paperboy_api any; }
    location /ready { paperboy_ready; }
}
END
    return $node if !$ready;
    wait_for('a node that is ready',
        sub { $node->http(GET => '/ready')->{status} == 200 });
    return $node;
}

sub path (%claims) {
    return '/raw?c=news&token=' . jwt({ channel => 'news', exp => time + 3600,
            iat => time - 60, %claims }, key => $secret);
}

sub revoke ($node, %what) {
    return $node->http(POST => '/api/revoke',
        body => JSON::PP::encode_json(\%what))->{body};
}

my ($one, $two) = (node(), node());

subtest 'on all nodes' => sub {
    my @clients = map { $_->ws(path(jti => 'a', sub => 'ann')) } $one, $two, $two;
    my $other   = $two->ws(path(jti => 'b', sub => 'bob'));
    is(revoke($one, jti => 'a'), '{"result":{}}', 'revoked on one');
    is($_->recv, 'close:3005', 'ends') for @clients;
    for my $node ($one, $two) {
        my $row = 0;
        wait_for('it is refused', sub {
            $row = $node->ws(path(jti => 'a'))->status == 401 ? $row + 1 : 0;
            return $row == 10;
        });
    }
    is(revoke($one, user => 'bob'), '{"result":{}}', 'of a user');
    is($other->recv, 'close:3005', 'ends');
};

subtest 'a node that comes later' => sub {
    my $three = node();
    is($three->ws(path(jti => 'a'))->status, 401, 'knows of a token');
    is($three->ws(path(sub => 'bob'))->status, 401, 'and of a user');
    is($three->ws(path(sub => 'eve'))->status, 101, 'others are let in');
    $three->stop;
};

subtest 'a node that begins anew' => sub {
    $two->stop;
    $two->start;
    my $status = wait_for('it knows', sub {
        my $now = $two->ws(path(jti => 'a'))->status;
        is($now, 503, 'nobody is let in before') if $now != 401 && $now != 503;
        return $now == 401;
    });
    ok($status, 'it is refused');
};

subtest 'without Redis' => sub {
    $_->expect_log(qr/./) for $one, $two;
    $redis->stop;
    is($one->ws(path(jti => 'a'))->status, 401, 'what was known is known');
    like(revoke($one, jti => 'c'), qr/"code":100/, 'no more is revoked');
    my $new = node(0);
    $new->expect_log(qr/./);
    is($new->ws(path(sub => 'eve'))->status, 503,
        'a node that knows nothing lets nobody in by a token');
    like($new->http(GET => '/ready')->{body}, qr/"revocations"/, 'and says so');
    $redis->start;
    wait_for('it lets in', sub { $new->ws(path(sub => 'eve'))->status == 101 });
};

finish;
