# The way in which applications authorise with nginx: they answer with
# X-Accel-Redirect to an internal location with `paperboy`.
use v5.36;
use Paperboy::Test;

my $nginx = nginx(http => <<'END');
paperboy_zone main 4m;
server {
    listen 127.0.0.1:%%PORT_app%%;
    location / {
        if ($arg_user = '') { return 403 'who are you?'; }
        add_header X-Accel-Redirect /channels/for-$arg_user;
        return 200;
    }
}
server {
    listen 127.0.0.1:%%PORT%%;
    location /app { proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /app-keepalive {
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }
    location ~ ^/channels/(.+)$ {
        internal;
        paperboy raw;
        paperboy_channel $1;
        paperboy_origin any;
    }
    location /error { error_page 418 = /channels/teapot; return 418; }
    location /named { try_files /nothing @named; }
    location @named {
        paperboy raw;
        paperboy_channel named;
        paperboy_origin any;
    }
    location /publish { paperboy_publish any; }
}
END

sub publish ($channel, $body) {
    return $nginx->http(POST => "/publish?channel=$channel",
        body => $body)->json;
}

is($nginx->ws('/channels/for-joe')->status, 404, 'internal means internal');
is($nginx->ws('/app')->status, 403, 'the application says no');

for my $path ('/app', '/app-keepalive') {
    my $ws = $nginx->ws("$path?user=joe",
        early => Paperboy::WebSocket::frame(9, 'early'));
    is($ws->status, 101, 'the application says yes');
    is($ws->recv, 'pong:early', 'frames that came early are kept');
    publish('for-jane', 'hello jane');
    publish('for-joe',  'hello joe');
    is($ws->recv, 'text:hello joe', 'a message');
    is($ws->close(1000), 'close:1000 eof', 'the end');
}

my $ws = $nginx->ws('/error');
is($ws->status, 101, 'by error_page');
publish('teapot', 'short and stout');
is($ws->recv, 'text:short and stout', 'a message');

$ws = $nginx->ws('/named');
is($ws->status, 101, 'a named location');
publish('named', 'hello');
is($ws->recv, 'text:hello', 'a message');

is($nginx->http(POST => '/app?user=joe', body => 'x')->{status}, 400,
    'a POST becomes a GET, but no handshake');

finish;
