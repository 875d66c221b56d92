# Tokens that are revoked: what they opened ends, and they open nothing more.
use v5.36;
use Paperboy::Cli;
use Paperboy::Test;
use File::Temp ();
use JSON::PP ();

my $dir    = File::Temp->newdir;
my $secret = 'secret ' x 10;
file_with("$dir/secret", $secret);
file_with("$dir/key",    "the key of the API\n" =~ tr/ /-/r);

my $locations = <<'END';
    location /native { paperboy native; }
    location /raw { paperboy raw; paperboy_channel $arg_c $arg_d; }
    location /classic { paperboy classic; }
    location /sse { paperboy sse; paperboy_channel $arg_c; }
    location /shop/raw {
        paperboy raw;
        paperboy_channel $arg_c;
        paperboy_namespace shop;
    }
    location /publish { paperboy_publish; paperboy_channel $arg_c; }
    location /status { paperboy_status; }
    location /open { paperboy_jwt_key off; paperboy_publish any; paperboy_channel $arg_c; }
    location /api { paperboy_api any; paperboy_jwt_key off; }
    location /guarded/api {
        paperboy_api;
        paperboy_api_key file=%%DIR%%/key;
        paperboy_jwt_key off;
    }
    location /shop/api {
        paperboy_api any;
        paperboy_jwt_key off;
        paperboy_namespace shop;
    }
END
my $conf = <<"END";
paperboy_zone main 8m;
paperboy_jwt_key HS256 file=%%DIR%%/secret;
paperboy_max_revocations 1000;
paperboy_revocation_ttl 1h;
server {
    listen 127.0.0.1:%%PORT%% reuseport;
    paperboy_origin any;
$locations}
END
my $nginx = nginx(dir => $dir, workers => 2, log_level => 'info', http => $conf);

my $json = JSON::PP->new->canonical;
my $id   = 0;

# Issued a minute ago: revoking what was issued up to now is about it.
sub token (%claims) {
    return jwt({ exp => time + 3600, iat => time - 60, %claims }, key => $secret);
}

sub ask ($path, $method, %parameters) {
    my $answer = $nginx->http(POST => "$path/$method",
        body => $json->encode(\%parameters));
    is($answer->{status}, 200, "$method is answered") if $answer->{status} != 200;
    my $reply = $answer->json;
    return $reply->{error} ? $reply->{error}{code} : 'done';
}

sub revoke (%what) { return ask('/api', revoke => %what) }

sub command ($ws, $method, %parameters) {
    $ws->text($json->encode({ id => ++$id, $method => \%parameters }));
    my $event = $ws->recv;
    my ($text) = $event =~ /^text:(.*)$/s or return $event;
    my $reply = $json->decode($text);
    return $reply->{error} ? $reply->{error}{code} : 'done';
}

sub connected (%claims) {
    my $ws = $nginx->ws('/native');
    is(command($ws, connect => token => token(%claims)), 'done', 'connected');
    return $ws;
}

# Until both workers know: each is asked often enough to have been asked.
sub wait_until_refused ($path) {
    my $row = 0;
    return wait_for("$path is refused", sub {
        $row = $nginx->ws($path)->status == 401 ? $row + 1 : 0;
        return $row >= 20;
    });
}

subtest 'by its id' => sub {
    my %token = (sub => 'ann', channels => ['news'], jti => 'one');
    my @native = map { connected(%token) } 1 .. 4;
    my $other  = connected(%token, jti => 'two');
    my $raw    = $nginx->ws('/raw?c=news&token=' . token(%token));
    my $sse    = $nginx->events('/sse?c=news&token=' . token(%token));
    is($raw->status, 101, 'raw');
    is($sse->status, 200, 'sse');
    is(revoke(jti => 'one'), 'done', 'revoked');
    is($_->recv, 'close:3005', 'native ends') for @native;
    is($raw->recv, 'close:3005', 'raw ends');
    like($sse->recv, qr{"code":3005,"reason":"the token was revoked"}, 'sse ends');
    wait_until_refused('/raw?c=news&token=' . token(%token));
    like($nginx->ws('/raw?c=news&token=' . token(%token))->answer->{body},
        qr/the token was revoked/, 'the answer says why');
    is(command($nginx->ws('/native'), connect => token => token(%token)), 109,
        'native clients are told to get another');
    is($nginx->events('/sse?c=news&token=' . token(%token))->status, 401, 'sse');
    $nginx->http(POST => '/open?c=news', body => '1');
    like($other->recv, qr/"push":/, 'another token of the same user stays');
    is($nginx->http(POST => '/publish?c=news', body => '1', headers => [
                'Authorization: Bearer ' . token(%token, scope => 'publish')
            ])->{status}, 401, 'it publishes nothing');
    my $status = $nginx->status;
    is($status->{revoked_connections}, 6, 'those that ended are counted');
    is($status->{revocations}, 1, 'and what is remembered');
};

subtest 'of a user' => sub {
    my %token = (sub => 'bob', channels => ['news']);
    my $bob   = connected(%token);
    my $eve   = connected(%token, sub => 'eve');
    is(revoke(user => 'bob'), 'done', 'revoked');
    is($bob->recv, 'close:3005', 'it ends');
    wait_until_refused('/raw?c=news&token=' . token(%token));
    is($nginx->ws('/raw?c=news&token='
                . jwt({ %token, exp => time + 9 }, key => $secret))->status,
        401, 'one that does not say when it was issued');
    is(revoke(user => 'bob', issued_before => time - 30), 'done', 'again');
    $nginx->http(POST => '/open?c=news', body => '1');
    like($eve->recv, qr/"push":/, 'others stay');
    is(revoke(user => 'joe', issued_before => time - 30), 'done', 'the old ones');
    wait_until_refused('/raw?c=news&token=' . token(%token, sub => 'joe'));
    is($nginx->ws('/raw?c=news&token='
                . token(%token, sub => 'joe', iat => time - 10))->status,
        101, 'a newer one is good');
};

subtest 'a channel' => sub {
    my %token = (sub => 'kim', channels => ['a', 'b']);
    my $kim   = connected(%token);
    my $raw   = $nginx->ws('/raw?c=a&d=b&token=' . token(%token));
    my $alone = $nginx->ws('/raw?c=a&token=' . token(%token));
    is(revoke(user => 'kim', channel => 'a'), 'done', 'revoked');
    like($kim->recv, qr/"channel":"a".*"unsubscribe":\{"code":2501/,
        'native is unsubscribed');
    is($alone->recv, 'close:3005',
        'raw without another ends');
    $nginx->http(POST => "/open?c=$_", body => '7') for 'a', 'b';
    like($kim->recv, qr/"channel":"b"/, 'the other is as it was');
    is($raw->recv, 'text:7', 'raw too');
    my $status = $nginx->status;
    is($status->{revoked_subscriptions}, 2, 'both are counted');
    is(command($kim, subscribe => channel => 'a'), 103, 'it may not come back');
    wait_until_refused('/raw?c=a&token=' . token(%token));
    is($nginx->ws('/raw?c=b&token=' . token(%token))->status, 101,
        'the other may be had');
    my $other = $nginx->ws('/raw?c=a&token=' . token(%token, sub => 'liz'));
    is($other->status, 101, 'others may');
    is(revoke(channel => 'a'), 'done', 'of all');
    is($other->recv, 'close:3005', 'ends');
};

subtest 'the token of a channel' => sub {
    my $ws = connected(sub => 'max');
    my $of = sub (%more) {
        return token(sub => 'max', channel => 'c', jti => 'sub', %more);
    };
    is(command($ws, subscribe => channel => 'c', token => $of->()), 'done', 'in');
    is(revoke(jti => 'sub'), 'done', 'revoked');
    like($ws->recv, qr/"channel":"c".*"unsubscribe":\{"code":2501/, 'out');
    is(command($ws, subscribe => channel => 'c', token => $of->()), 109,
        'another is to be got');
    is(command($ws, subscribe => channel => 'c', token => $of->(jti => 'sub2')),
        'done', 'and is good');
};

subtest 'what is renewed' => sub {
    my $ws = connected(sub => 'pat', jti => 'old');
    is(command($ws, refresh => token => token(sub => 'pat', jti => 'new')),
        'done', 'refreshed');
    is(revoke(jti => 'old'), 'done', 'the old one is revoked');
    is(command($ws, refresh => token => token(sub => 'pat', jti => 'old')), 109,
        'it renews nothing');
    is(revoke(jti => 'new'), 'done', 'the new one is revoked');
    is($ws->recv, 'close:3005', 'and it ends');
};

# Its clients show a token for each channel.
subtest 'classic' => sub {
    my %token  = (iss => 'paperboy', userId => 'tom');
    my $in     = sub ($channel, %more) {
        return token(%token, channel => $channel, %more);
    };
    my $one = $nginx->ws('/classic');
    my $two = $nginx->ws('/classic');
    for my $channel ('x', 'y') {
        $one->text($in->($channel, jti => "one $channel"));
        is($one->recv, "text:subscribed:$channel", "subscribed to $channel");
    }
    $two->text($in->('x', jti => 'two'));
    is($two->recv, 'text:subscribed:x', 'another');
    is(revoke(jti => 'one y'), 'done', 'the second is revoked');
    like($one->recv, qr/^close/, 'ends');
    $nginx->http(POST => '/open?c=x', body => '1');
    like($two->recv, qr/"payload":1/, 'the other stays');
    $one = $nginx->ws('/classic');
    $one->text($in->('y', jti => 'one y'));
    $one->text($in->('x', jti => 'fresh'));
    is($one->recv, 'text:subscribed:x', 'the old token opens nothing');
    is(revoke(user => 'tom'), 'done', 'of the user');
    like($_->recv, qr/^close/, 'ends') for $one, $two;
};

subtest 'namespaces' => sub {
    my $shop = $nginx->ws('/shop/raw?c=n&token=' . token(sub => 'ann', channel => 'n', jti => 'ns'));
    my $here = $nginx->ws('/raw?c=n&token=' . token(sub => 'ann', channel => 'n', jti => 'ns'));
    is(revoke(jti => 'ns'), 'done', 'revoked here');
    is($here->recv, 'close:3005', 'ends here');
    $nginx->http(POST => '/open?c=n', body => '1');
    is($nginx->ws('/shop/raw?c=n&token=' . token(sub => 'ann', channel => 'n', jti => 'ns'))->status,
        101, 'not there');
    is(ask('/shop/api', revoke => jti => 'ns'), 'done', 'revoked there');
    is($shop->recv, 'close:3005', 'ends there');
};

subtest 'by its age alone' => sub {
    my $old = $nginx->ws('/shop/raw?c=n&token=' . token(channel => 'n'));
    my $new = $nginx->ws('/shop/raw?c=n&token=' . token(channel => 'n', iat => time - 5));
    is(ask('/shop/api', revoke => issued_before => time - 30), 'done', 'revoked');
    is($old->recv, 'close:3005', 'the old one ends');
    is($nginx->ws('/shop/raw?c=n&token=' . token(channel => 'n', iat => time - 5))->status,
        101, 'a newer one is good');
};

subtest 'from the command line' => sub {
    my $url = 'http://127.0.0.1:' . $nginx->port . '/guarded/api';
    my @key = ('--key-file', "$dir/key");
    my $of  = sub (%more) { return '/raw?c=n&token=' . token(channel => 'n', %more) };
    my $ws  = $nginx->ws($of->(sub => 'amy'));
    is(run(undef, 'revoke', @key, '--sub', 'amy', '--ttl', '10m', $url)->{code},
        0, 'revoked');
    is($ws->recv, 'close:3005', 'it ends');
    is(run(undef, 'revoke', @key, '--jti', 'cli', '--sub', 'joy', '--channel',
            'n', '--issued-before', time, $url)->{code}, 0, 'all that there is');
    wait_until_refused($of->(sub => 'joy', jti => 'cli'));
    refused(run(undef, 'revoke', '--sub', 'amy', $url), 1, qr/401/, 'no key');
    refused(run(undef, 'revoke', @key, '--sub', 'amy', '--ttl', '1d', $url), 1,
        qr/bad request/, 'too long');
    refused(run(undef, 'revoke', @key, $url), 2, qr/which tokens/, 'nothing');
    refused(run(undef, 'revoke', @key, '--jti', 'a', '--issued-before', 'now',
            $url), 2, qr/--issued-before/, 'no time');
    refused(run(undef, 'revoke', @key, '--jti', 'a', '--ttl', 'x', $url), 2,
        qr/--ttl/, 'no ttl');
    like(out(run(undef, 'revoke', '--help')), qr/--issued-before/, 'help');
};

subtest 'what cannot be' => sub {
    is(revoke(), 107, 'nothing');
    is(revoke(jti => 'x' x 257), 107, 'too long');
    is(revoke(jti => 'x', ttl => 3601), 107, 'longer than is remembered');
    is(revoke(user => 'x', issued_before => 2**32), 107, 'beyond time');
    is(revoke(channel => 'x' x 500), 107, 'no channel');
    is($nginx->http(POST => '/api/revoke', body => '{"jti":7}')->{status}, 400,
        'a number is no id');
    is($nginx->http(POST => '/api/batch', body => $json->encode({
                commands => [{ revoke => { jti => 'batch' } },
                    { revoke => {} }] }))->{body},
        '{"replies":[{"revoke":{}},{"error":{"code":107,"message":"bad request"}}]}',
        'in a batch');
    wait_until_refused('/raw?c=n&token=' . token(channel => 'n', jti => 'batch'));
};

subtest 'for a time' => sub {
    my $path = '/raw?c=n&token=' . token(channel => 'n', jti => 'soon');
    is(revoke(jti => 'soon', ttl => 2), 'done', 'revoked');
    wait_until_refused($path);
    wait_for('it is good again', sub { $nginx->ws($path)->status == 101 });
};

subtest 'after a reload and a death' => sub {
    my $path = '/raw?c=n&token=' . token(channel => 'n', jti => 'batch');
    $nginx->reload($conf);
    is($nginx->ws($path)->status, 401, 'refused by new workers') for 1 .. 10;
    $nginx->expect_log(qr/exited on signal 9/);
    $nginx->kill_worker(($nginx->workers)[0]);
    is($nginx->ws($path)->status, 401, 'and after a death') for 1 .. 10;
    my $ws = connected(sub => 'kill', channels => ['n']);
    is(revoke(user => 'kill'), 'done', 'revoked');
    is($ws->recv, 'close:3005', 'as before');
    $nginx->reload($conf =~ s/revocations 1000/revocations 5000/r);
    is($nginx->ws($path)->status, 401, 'with a table of another size')
        for 1 .. 10;
};

subtest 'no more than may be' => sub {
    my $small = nginx(workers => 1, dir => File::Temp->newdir, http => <<'END');
paperboy_zone main 8m;
paperboy_max_revocations 3;
server {
    listen 127.0.0.1:%%PORT%%;
    location /api { paperboy_api any; paperboy_origin any; }
}
END
    my @codes = map {
        my $reply = $small->http(POST => '/api/revoke',
            body => qq({"jti":"$_"}))->json;
        $reply->{error} ? $reply->{error}{code} : 'done';
    } 1 .. 2;
    my $batch = $json->encode({ commands =>
            [map { { revoke => { jti => "b$_" } } } 1 .. 3] });
    my $replies = $small->http(POST => '/api/batch', body => $batch)->json;
    push @codes, map { $_->{error} ? $_->{error}{code} : 'done' }
        @{ $replies->{replies} };
    is_deeply(\@codes, ['done', 'done', 'done', 106, 106],
        'told, not forgotten, of one request too');
};

conf_refused('paperboy_zone main 8m; paperboy_revocation_ttl 0;'
        . 'server { location / { paperboy; } }',
    'no time', qr/paperboy_revocation_ttl/);
conf_refused('paperboy_zone main 8m; paperboy_max_revocations 0;'
        . 'server { location / { paperboy; } }',
    'none', qr/paperboy_max_revocations/);

finish;
