# A token that is good no more, while the 101 of whom it let in waits for the
# socket.
use v5.36;
use Paperboy::HTTP;
use Paperboy::Socket;
use Paperboy::Test;
use File::Temp ();
use JSON::PP ();

my $json   = JSON::PP->new->canonical;
my $secret = 'secret ' x 10;
my $dir    = File::Temp->newdir;
file_with("$dir/secret", $secret);

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
    location /wide/raw { paperboy raw; paperboy_channel \$arg_c;
        add_header X-Wide \$wide always; }
    location /wide/native { paperboy native; add_header X-Wide \$wide always; }
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
            %claims }, key => $secret);
}

sub ask ($method, %parameters) {
    my $reply = $nginx->http(POST => "/api/$method",
        body => $json->encode(\%parameters))->json;
    is($reply->{error}, undef, "$method is done");
    return $reply->{result};
}

sub opaque () {
    return ask(token_create => ttl => 3600, user => 'opal', channels => ['x'])->{token};
}

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

finish;
