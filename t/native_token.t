# Tokens of native clients: in the request, in connect, for channels; what they
# permit, and when it ends.
use v5.36;
use Paperboy::Test;
use File::Temp ();
use JSON::PP ();
use Time::HiRes qw(sleep);

my $dir    = File::Temp->newdir;
my $secret = 'secret ' x 10;
file_with("$dir/secret", $secret);

my $nginx = nginx(dir => $dir, http => <<'END');
paperboy_zone main 4m;
paperboy_jwt_key HS256 file=%%DIR%%/secret;
server {
    listen 127.0.0.1:%%PORT%%;
    location /native { paperboy native; paperboy_client_publish on; }
    location /given {
        paperboy native;
        paperboy_channel news;
        paperboy_max_subscriptions 2;
    }
    location /lively { paperboy native; paperboy_ping_interval 1s; }
    location /admit { paperboy native; paperboy_token_expiry admit; }
    location /any {
        satisfy any;
        allow 127.0.0.1;
        deny all;
        paperboy native;
        paperboy_channel news;
        paperboy_origin any;
    }
    location /none {
        satisfy any;
        deny all;
        paperboy native;
    }
}
END

my $json = JSON::PP->new->canonical;
my $hour = time + 3600;

sub token (%claims) { return jwt({ exp => $hour, %claims }, key => $secret) }

sub reply ($ws) {
    my $event = $ws->recv;
    my ($text) = $event =~ /^text:(.*)$/s or return $event;
    return $json->decode($text);
}

my $id = 0;

sub ask ($ws, $method, %parameters) {
    $ws->text($json->encode({ id => ++$id, $method => \%parameters }));
    return reply($ws);
}

sub code ($ws, $method, %parameters) {
    my $reply = ask($ws, $method, %parameters);
    return $reply unless ref $reply;
    return $reply->{error} ? $reply->{error}{code} : 'done';
}

# Connects with a token of these claims: the connection, and what it was told.
sub with (%claims) {
    my $ws    = $nginx->ws('/native');
    my $reply = ask($ws, connect => token => token(%claims));
    ok($reply->{connect}, 'connected') or diag explain $reply;
    return ($ws, $reply->{connect});
}

sub connect_code ($path, @parameters) {
    return code($nginx->ws($path), connect => @parameters);
}

subtest 'the token of the connection' => sub {
    is(connect_code('/native'), 101, 'none');
    is(connect_code('/native', token => token(sub => 'a')), 'done', 'in connect');
    is(connect_code('/native?token=' . token()), 'done', 'in the request');
    is($nginx->ws('/native?token=bad')->status, 401, 'a bad one there');
    is(connect_code('/native', token => 'bad'), 'close:3500', 'a bad one');
    is(connect_code('/native', token => token(exp => time - 5)), 109,
        'an expired one');
    is(connect_code('/native', token => jwt({}, key => 'another')),
        'close:3500', 'of another key');
    is(connect_code('/native?token=' . token(), token => 'bad'), 'close:3500',
        'the one in connect counts');
    is(connect_code('/native', token => token(caps => [
                    { channels => ['a'], allow => ['sub'], match => 'regex' }
                ])), 'close:3500', 'capabilities that are not understood');
    my $ws = $nginx->ws('/native');
    is(code($ws, 'connect'), 101, 'one that comes without');
    is(code($ws, 'subscribe', channel => 'a'), 'close:3501', 'has no say');
    $ws = $nginx->ws('/native');
    code($ws, 'connect');
    is(code($ws, connect => token => token()), 'done', 'but may try again');
};

subtest 'satisfy any' => sub {
    my $ws    = $nginx->ws('/any');
    my $reply = ask($ws, 'connect');
    ok($reply->{connect}{subs}{news}, 'another module admits');
    is(code($ws, subscribe => channel => 'a'), 103, 'and permits no more');
    is($nginx->ws('/none')->status, 401, 'a token to come opens nothing');
    is(connect_code('/none?token=' . token()), 'done', 'one that is there does');
};

subtest 'what it subscribes to' => sub {
    my ($ws, $done) = with(channels => ['a', 'b', 'c-*'],
        subs => { d => { data => { welcome => 1 } }, a => {} });
    is_deeply([sort keys %{ $done->{subs} }], [qw(a b d)],
        'the names in channels and in subs');
    is_deeply($done->{subs}{d}{data}, { welcome => 1 }, 'with their data');
    is(code($ws, subscribe => channel => 'a'), 105, 'once');
    is(code($ws, subscribe => channel => 'c-1'), 'done', 'a pattern permits');
    is(code($ws, subscribe => channel => 'e'), 103, 'nothing else');
    (undef, $done) = with(channels => ['a'], scope => 'publish');
    ok(!$done->{subs}, 'not without the scope');
    is(connect_code('/given', token => token(channel => 'other')),
        'close:3507', 'a token that is not for the channel of the location');
    is(connect_code('/given', token => token(channels => ['a', 'b'])),
        'close:3507', 'nor is one for others');
    is(connect_code('/given', token => token(channels => ['news', 'a', 'b'])),
        'close:3505', 'more channels than may be');
    is(connect_code('/given', token => token(channels => ['news', 'a'])),
        'done', 'just as many');
};

subtest 'what it permits' => sub {
    my ($ws) = with(channel => 'a', caps => [
            { channels => ['b', 'x*'], allow => ['sub', 'pub', 'prs'] },
            { channels => ['w-*'], allow => ['sub'], match => 'wildcard' },
            { channels => ['a'], allow => ['pub'] },
        ]);
    my %subscribe = (a => 'done', b => 'done', x1 => 103, 'x*' => 'done',
        'w-1' => 'done', w => 103, c => 103);
    is(code($ws, subscribe => channel => $_), $subscribe{$_}, "subscribe $_")
        for sort keys %subscribe;
    my %publish = (a => 'done', b => 'done', 'w-1' => 103, c => 103);
    is(code($ws, publish => channel => $_, data => 1),
        $publish{$_}, "publish $_")
        for reverse sort keys %publish;
    ($ws) = with(scope => 'subscribe publish');
    is(code($ws, subscribe => channel => 'a'), 103,
        'a token that names no channel permits none');
    ($ws) = with(scope => 'subscribe publish', channel => '*');
    is(code($ws, subscribe => channel => 'z'), 'done', 'all');
    is(code($ws, publish => channel => 'z2', data => {}), 'done', 'to publish');
};

subtest 'the token of a channel' => sub {
    my ($ws) = with(sub => '42');
    my $subscribe = sub (%claims) {
        code($ws, subscribe => channel => 'room', token => token(%claims));
    };
    my %good = (sub => '42', channel => 'room');
    is($subscribe->(%good, channel => 'other'), 103, 'of another channel');
    is($subscribe->(%good, channel => 'roo*'), 103, 'a pattern');
    is($subscribe->(sub => '42'), 103, 'no channel');
    is($subscribe->(%good, sub => '43'), 103, 'another user');
    is($subscribe->(channel => 'room'), 103, 'no user');
    is($subscribe->(%good, scope => 'publish'), 103, 'another scope');
    is($subscribe->(%good, exp => time - 1), 109, 'expired');
    is(code($ws, subscribe => channel => 'room', token => 'x'), 103, 'garbage');
    is($subscribe->(%good), 'done', 'good');
    ($ws) = with();
    is($subscribe->(%good), 103, 'nobody is not somebody');
    is($subscribe->(channel => 'room'), 'done', 'but nobody');
};

subtest 'the end of a connection' => sub {
    my ($ws, $done) = with(exp => time + 100);
    ok($done->{expires}, 'it expires');
    cmp_ok($done->{ttl}, '<=', 90, 'told early enough');
    cmp_ok($done->{ttl}, '>=', 85, 'and no earlier');
    ($ws, $done) = with(exp => time + 2, sub => 'me');
    is($done->{ttl}, 1, 'a short one');
    my $error =
        ask($ws, refresh => token => token(sub => 'me', exp => time - 1))->{error};
    is($error->{code}, 109, 'an expired token does not renew');
    ok($error->{temporary}, 'but another one may');
    my $renewed = ask($ws, refresh => token =>
            token(sub => 'me', exp => time + 4, channel => 'late'))->{refresh};
    ok($renewed->{expires} && $renewed->{client} eq $done->{client}, 'renewed');
    is(code($ws, subscribe => channel => 'late'), 'done',
        'with what the new one permits');
    sleep 2;
    is(code($ws, 'ping'), 'done', 'it goes on');
    is($ws->recv, 'close:3005', 'until it is over');
    is($ws->{reason}, 'connection expired', 'connection expired');
    for (['of another user', token(sub => 'you')], ['garbage', 'x'], ['none']) {
        ($ws) = with(sub => 'me');
        is(code($ws, refresh => token => $_->[1] // ''), 'close:3500', $_->[0]);
    }
    ($ws, $done) = with(exp => $hour, expire_at => 0);
    ok(!$done->{expires}, 'expire_at 0: never');
    ($ws, $done) = with(exp => $hour, expire_at => time + 2);
    is($ws->recv, 'close:3005', 'expire_at: its own end');
    $ws = $nginx->ws('/admit');
    my $reply = ask($ws, connect => token => token(exp => time + 1));
    ok(!$reply->{connect}{expires}, 'a token that only admits');
    sleep 2;
    is(code($ws, 'ping'), 'done', 'ends nothing');
};

subtest 'a client that renews often is pinged all the same' => sub {
    my $ws = $nginx->ws('/lively');
    ask($ws, connect => token => token(sub => 'me'));
    my $heard = '';
    for (1 .. 30) {
        $heard = ask($ws, refresh => token => token(sub => 'me'));
        last if ref $heard && !%$heard;
        sleep 0.1;
    }
    is_deeply($heard, {}, 'a ping among the answers');
};

subtest 'the end of a subscription' => sub {
    my ($ws) = with(channel => 'free');
    ask($ws, subscribe => channel => 'free');
    my $token = sub (%claims) { token(channel => 'room', %claims) };
    my $done = ask($ws, subscribe => channel => 'room',
        token => $token->(exp => time + 2))->{subscribe};
    ok($done->{expires}, 'it expires');
    is($done->{ttl}, 1, 'soon');
    $done = ask($ws, sub_refresh => channel => 'room',
        token => $token->(exp => time + 4))->{sub_refresh};
    ok($done->{expires}, 'renewed');
    my $error = ask($ws, sub_refresh => channel => 'room',
        token => $token->(exp => time - 1))->{error};
    is($error->{code}, 109, 'an expired token does not renew');
    ok($error->{temporary}, 'but another one may');
    is(code($ws, sub_refresh => channel => 'room', token => 'x'), 103,
        'not with garbage');
    is(code($ws, sub_refresh => channel => 'room', token => token()), 103,
        'nor with another');
    is(code($ws, sub_refresh => channel => 'none', token => $token->()), 103,
        'nor where it is not subscribed');
    sleep 2;
    is(code($ws, 'ping'), 'done', 'it goes on');
    is($json->encode(reply($ws)), '{"push":{"channel":"room","unsubscribe":'
            . '{"code":2501,"reason":"subscription expired"}}}',
        'until it is over');
    is(code($ws, subscribe => channel => 'room', token => $token->()), 'done',
        'and begins again');
    is(code($ws, subscribe => channel => 'free'), 105, 'others are untouched');
};

finish;
