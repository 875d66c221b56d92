# However full a zone is, access can be taken away: there is room for
# revocations, ends of opaque tokens and orders.
use v5.36;
use Paperboy::Test;
use File::Temp ();
use JSON::PP ();

my $dir    = File::Temp->newdir;
my $secret = 'secret ' x 10;
file_with("$dir/secret", $secret);

my $nginx = nginx(dir => $dir, workers => 1, http => <<'END');
paperboy_zone main 1m seats=16;
paperboy_jwt_key HS256 file=%%DIR%%/secret;
paperboy_max_opaque_tokens 2000;
paperboy_channel_rule kept history=10;
paperboy_origin any;
server {
    listen 127.0.0.1:%%PORT%%;
    keepalive_requests 1000000;
    location /native { paperboy native; }
    location /raw {
        paperboy raw;
        paperboy_opaque_tokens on;
        paperboy_channel news;
    }
    location /publish {
        paperboy_publish any;
        paperboy_jwt_key off;
        paperboy_channel $arg_c;
    }
    location /api { paperboy_api any; paperboy_jwt_key off; }
    location /status { paperboy_status; }
}
END
my $json = JSON::PP->new->canonical;

sub ask ($method, %parameters) {
    return $nginx->http(POST => "/api/$method", body => $json->encode(\%parameters))
        ->json;
}

sub create ($info = '') {
    return ask(token_create => ttl => 3600, channels => ['news'], info => $info);
}

sub publish ($channel) {
    return $nginx->http(POST => "/publish?c=$channel", body => 'x' x 2000)->{status};
}

sub standing ($token) { return $nginx->ws("/raw?token=$token")->status }

# One that may subscribe to as many channels as it likes.
sub connected ($user) {
    my $token = jwt({ exp => time + 3600, iat => time - 60, sub => $user, jti => $user,
            caps => [{ channels => ['room:*'], match => 'wildcard', allow => ['sub'] }]
        }, key => $secret);
    my $client = $nginx->ws('/native');
    $client->text(qq({"id":1,"connect":{"token":"$token"}}));
    $client->recv =~ /"connect"/ or fail("$user connects");
    return $client;
}

sub subscribe ($client, $channel) {
    $client->text(qq({"id":2,"subscribe":{"channel":"room:$channel"}}));
    return $client->recv;
}

subtest 'of opaque tokens' => sub {
    my (@tokens, $answer);
    while (@tokens < 2000) {
        $answer = create('i' x 900);
        push @tokens, $answer->{result}{token} // last;
    }
    is($answer->{error}{code}, 100, 'there is no room for one more');
    cmp_ok(scalar @tokens, '>', 50, 'after many');
    is(publish('kept'), 200, 'but to keep what others publish');
    ok(ask(revoke => user => 'bob')->{result}, 'to revoke');
    ok(ask(token_end => token => $_)->{result}{ended}, 'to end one')
        for @tokens[0, 1];
    is(standing($tokens[1]), 401, 'which is refused then');
    is(standing($tokens[2]), 101, 'the next is good');
    ask(token_end => token => $_) for @tokens;
    wait_for('there is room again', sub { create('i' x 900)->{result} });
};

subtest 'of subscriptions' => sub {
    my $opaque = create()->{result}{token};
    my ($answer, @clients) = '';
    while (@clients < 300 && $answer !~ /"error"/) {
        push @clients, connected('eve');
        for (1 .. 100) {
            $answer = subscribe($clients[-1], @clients * 100 + $_);
            last if $answer =~ /"error"/;
        }
    }
    like($answer, qr/"code":100\b/, 'there is no room for one more');
    ok(ask(token_end  => token => $opaque)->{result}{ended}, 'but to end a token');
    is(standing($opaque), 401, 'which is refused then');
    ok(ask(disconnect => user => 'nobody')->{result}, 'to order');
    ok(ask(revoke     => jti  => 'eve')->{result},    'and to revoke');
    like($_->recv, qr/^close:3005/, 'what filled it ends')
        for @clients[0, -1];
    like(subscribe(connected('ann'), 'new'), qr/"subscribe"/, 'there is room again');
    is(publish('kept'), 200, 'for others, too');
};

done_testing;
