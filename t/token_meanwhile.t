# A token that is good no more when it would open something: meanwhile a back
# end was asked, the 101 waited for the socket, or a message was on its way.
use v5.36;
use Paperboy::Callback;
use Paperboy::HTTP;
use Paperboy::Socket;
use Paperboy::Test;
use File::Temp ();
use JSON::PP ();
use Time::HiRes qw(sleep);

my $json   = JSON::PP->new->canonical;
my $secret = 'secret ' x 10;
my $dir    = File::Temp->newdir;
file_with("$dir/secret", $secret);

# The application, which has a token revoked, or lets time go by, before it
# says yes.
my $back = Paperboy::Callback->new(handler => sub ($asked) {
    my $order = $asked->{header}{'x-order'} // return 204;
    my ($method, $parameters) = @{ $json->decode($order) };
    if ($method eq 'wait') {
        sleep 0.1 while time <= $parameters->{until};
    } else {
        Paperboy::HTTP::request(
            port   => $asked->{header}{'x-port'},
            method => 'POST',
            path   => "/api/$method",
            body   => $json->encode($parameters));
    }
    return 204;
});
my $port = $back->port;

# Of 400 kB.
my $page  = 'x' x 1000;
my $pages = '${page}' x 20;
my $wide  = '${pages}' x 20;

my $nginx = nginx(workers => 1, dir => $dir, http => <<"END");
paperboy_zone main 4m;
paperboy_origin any;
paperboy_jwt_key HS256 file=%%DIR%%/secret;
paperboy_opaque_tokens on;
paperboy_close_timeout 1m;
map \$uri \$page { default $page; }
map \$uri \$pages { default "$pages"; }
map \$uri \$wide { default "$wide"; }
server {
    listen 127.0.0.1:%%PORT%% sndbuf=4k;
    location /raw { paperboy raw; paperboy_channel \$arg_c; }
    location /asks/raw { paperboy raw; paperboy_channel \$arg_c;
        paperboy_auth_request /ask/; }
    location /asks/native { paperboy native; paperboy_auth_request /ask/; }
    location /asks/sse { paperboy sse; paperboy_channel \$arg_c;
        paperboy_auth_request /ask/; }
    location /nginx-asks { paperboy raw; paperboy_channel \$arg_c;
        auth_request /ask/; }
    location /ask/ {
        internal;
        proxy_pass http://127.0.0.1:$port/;
        proxy_http_version 1.1;
        proxy_set_header X-Port \$server_port;
    }
    location /wide/raw { paperboy raw; paperboy_channel \$arg_c;
        add_header X-Wide \$wide always; }
    location /wide/native { paperboy native; add_header X-Wide \$wide always; }
    location /publish { paperboy_publish; paperboy_channel \$arg_c; }
    location /open/raw { paperboy raw; paperboy_channel \$arg_c;
        paperboy_jwt_key off; paperboy_opaque_tokens off; }
    location /open/publish { paperboy_publish any; paperboy_channel \$arg_c; }
    location /api { paperboy_api any; }
    location /status { paperboy_status; }
}
END

# Issued a minute ago: revoking what was issued up to now is about it.
sub token (%claims) {
    return jwt({ exp => time + 3600, iat => time - 60, channels => ['x'],
            scope => 'subscribe publish', %claims }, key => $secret);
}

sub ask ($method, %parameters) {
    my $reply = $nginx->http(POST => "/api/$method",
        body => $json->encode(\%parameters))->json;
    is($reply->{error}, undef, "$method is done");
    return $reply->{result};
}

sub opaque () {
    return ask(token_create => ttl => 3600, user => 'opal', channels => ['x'],
        scope => 'subscribe publish')->{token};
}

# The status and the body of the answer to who comes with that token.
sub answer ($path, $token, @order) {
    my @headers = @order ? ('X-Order' => $json->encode(\@order)) : ();
    $path .= "?c=x&token=$token";
    my $answer = $path =~ /sse/
        ? $nginx->http(GET => $path, headers => \@headers)
        : $nginx->ws($path, headers => \@headers)->answer;
    return $answer;
}

sub is_refused ($answer, $why, $name) {
    is($answer->{status}, 401, $name);
    like($answer->{body} // '', qr/"message":"$why"/, 'it is told why');
    return like($answer->{header}{'www-authenticate'}, qr/invalid_token/,
        'as of any bad token');
}

subtest 'while a back end is asked' => sub {
    for my $path (qw(/asks/raw /asks/native /asks/sse /nginx-asks)) {
        is(answer($path, token(jti => "at $path"))->{status}, 101, "$path")
            if $path !~ /sse/;
        is_refused(answer($path, token(jti => "of $path"),
                revoke => { jti => "of $path" }),
            'the token was revoked', "$path: revoked");
        my $opaque = opaque();
        is_refused(answer($path, $opaque, token_end => { token => $opaque }),
            'the token was revoked', "$path: ended");
    }
    is_refused(answer('/asks/raw', token(sub => 'ann'),
            revoke => { user => 'ann' }),
        'the token was revoked', 'those of the user');
    is_refused(answer('/asks/raw', token(sub => 'bob'),
            revoke => { user => 'bob', channel => 'x' }),
        'the token was revoked', 'for the channel');
    is(answer('/asks/raw', token(sub => 'kim'),
            revoke => { user => 'kim', channel => 'y' })->{status}, 101,
        'another channel is of no concern');
    my $end = time + 3;
    is_refused(answer('/asks/raw', token(exp => $end), wait => { until => $end }),
        'the token has expired', 'over');
};

# One whose 101 is larger than the socket takes, of which it reads nothing yet.
sub waiting ($path) {
    my $before = $nginx->status->{upgrades};
    my $client = Paperboy::Socket::new('Paperboy::WebSocket',
        port => $nginx->port, receive_buffer => 4096);
    $client->write(Paperboy::HTTP::format_request(
        path    => $path,
        headers => [
            Upgrade                 => 'websocket',
            Connection              => 'Upgrade',
            'Sec-WebSocket-Version' => 13,
            'Sec-WebSocket-Key'     => 'dGhlIHNhbXBsZSBub25jZQ==',
        ]));
    wait_for('it is let in', sub { $nginx->status->{upgrades} > $before });
    return $client;
}

# The first that it hears.
sub first_event ($client) {
    like($client->read_until("\r\n\r\n"), qr{^HTTP/1\.1 101 }, 'it was let in');
    return $client->recv;
}

# When another is gone, the worker has looked at all.
sub is_ended_as_another ($waiting, $another, $code, $name) {
    is($another->recv, "close:$code", "$name: who reads ends");
    $nginx->http(POST => '/open/publish?c=x', body => 'secret');
    is(first_event($waiting), "close:$code",
        "$name: who doesn't read hears nothing more");
    return;
}

subtest 'while its 101 waits for the socket' => sub {
    for my $path (qw(/wide/raw /wide/native)) {
        my $token   = token(jti => $path);
        my $waiting = waiting("$path?c=x&token=$token");
        my $another = $nginx->ws("/raw?c=x&token=$token");
        ask(revoke => jti => $path);
        is_ended_as_another($waiting, $another, 3005, "$path: revoked");
        is($waiting->{reason}, 'the token was revoked', 'and why')
            if $path =~ /raw/;
    }
    my $token   = opaque();
    my $waiting = waiting("/wide/raw?c=x&token=$token");
    my $another = $nginx->ws("/raw?c=x&token=$token");
    ask(token_end => token => $token);
    is_ended_as_another($waiting, $another, 3005, 'ended');
    for my $order (qw(disconnect unsubscribe)) {
        $token   = token(sub => $order);
        $waiting = waiting("/wide/raw?c=x&token=$token");
        $another = $nginx->ws("/raw?c=x&token=$token");
        ask($order => user => $order, $order eq 'unsubscribe' ? (channel => 'x') : ());
        is_ended_as_another($waiting, $another, 3503, $order);
    }
};

subtest 'a client that goes while its 101 waits' => sub {
    my $are = sub ($many) {
        return wait_for("there are $many",
            sub { $nginx->status->{connections} == $many });
    };
    $are->(0);
    my $token = token(sub => 'joe');
    my $gone  = waiting("/wide/raw?c=x&token=$token");
    my $stays = waiting("/wide/raw?c=x&token=$token");
    $are->(2);
    $gone->reset;
    $are->(1);
    my $another = $nginx->ws("/raw?c=x&token=$token");
    ask(disconnect => user => 'joe');
    is_ended_as_another($stays, $another, 3503, 'others');
};

# A publish of which the head is there, and was let in.
sub begun ($token) {
    my $client = $nginx->connection;
    $client->write(Paperboy::HTTP::format_request(
        method  => 'POST',
        path    => '/publish?c=x',
        headers => [
            Authorization    => "Bearer $token",
            'Content-Length' => 4,
            Expect           => '100-continue',
            Connection       => 'close',
        ]));
    is($client->answer->{status}, 100, 'it may, as far as its head says');
    return $client;
}

sub ends ($client, $body) {
    $client->write($body);
    return $client->answer('POST');
}

subtest 'while the body of a message comes' => sub {
    my $heard  = $nginx->ws('/open/raw?c=x');
    my $client = begun(token(jti => 'late'));
    ask(revoke => jti => 'late');
    is_refused(ends($client, 'bad1'), 'the token was revoked', 'revoked');
    $client = begun(token(sub => 'pat'));
    ask(revoke => user => 'pat', channel => 'x');
    is_refused(ends($client, 'bad2'), 'the token was revoked', 'for the channel');
    my $opaque = opaque();
    $client = begun($opaque);
    ask(token_end => token => $opaque);
    is_refused(ends($client, 'bad3'), 'the token was revoked', 'ended');
    my $end = time + 3;
    $client = begun(token(exp => $end));
    wait_for('it is over', sub { time > $end });
    is_refused(ends($client, 'bad4'), 'the token has expired', 'over');
    is(ends(begun(token(sub => 'eve')), 'good')->{status}, 200, 'a good one');
    is($heard->recv, 'text:good', 'and nothing else was published');
};

finish;
