# `if` inside a location of ours: what it answers by itself is its own, all
# else goes on as in the location.
use v5.36;
use Paperboy::Test;

my $nginx = nginx(http => <<'CONF');
paperboy_zone main 4m;
server {
    listen 127.0.0.1:%%PORT_app%%;
    location / { return 200 "application $request_method"; }
}
server {
    listen 127.0.0.1:%%PORT%%;
    location /proxied {
        paperboy echo;
        if ($http_upgrade = "") { proxy_pass http://127.0.0.1:%%PORT_app%%; }
    }
    location /returned {
        paperboy echo;
        if ($http_upgrade = "") { return 200 page; }
    }
    location /published {
        paperboy_publish any;
        paperboy_channel a;
        if ($request_method = GET) {
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }
    }
    location /set {
        paperboy echo;
        if ($http_upgrade) { set $x y; }
    }
    location /ws { paperboy raw; paperboy_channel a; paperboy_origin any; }
    location /named { error_page 418 = @announce; return 418; }
    location @announce {
        paperboy_publish;
        paperboy_channel a;
        if ($request_method = POST) { set $x y; }
    }
    location /internal { error_page 418 = /announce; return 418; }
    location /announce {
        internal;
        paperboy_publish;
        paperboy_channel a;
        if ($uri) { set $x y; }
    }
}
CONF

my @page    = (origin => 'http://localhost');
my @foreign = (origin => 'https://evil.example');

subtest 'a proxy in it' => sub {
    is($nginx->http(GET => '/proxied')->{body}, 'application GET',
        'answers ordinary requests');
    is($nginx->http(POST => '/proxied', body => 'x')->{body},
        'application POST', 'of every method');
    my $ws = $nginx->ws('/proxied', @page);
    is($ws->status, 101, 'and upgrades are upgrades');
    $ws->text('hello');
    is($ws->recv, 'text:hello', 'with messages');
    is($nginx->ws('/proxied', @foreign)->status, 403, 'that are checked');
};

subtest 'a page in it' => sub {
    is($nginx->http(GET => '/returned')->{body}, 'page', 'is answered');
    is($nginx->ws('/returned', @page)->status, 101, 'an upgrade is one');
    is($nginx->ws('/returned', @foreign)->status, 403, 'and is checked');
};

subtest 'a proxy beside a publish' => sub {
    my $ws = $nginx->ws('/ws');
    is($nginx->http(GET => '/published')->{body}, 'application GET',
        'answers what is no publish');
    is($nginx->http(POST => '/published', body => 'x')->{status}, 200,
        'a publish is one');
    is($ws->recv, 'text:x', 'and arrives');
};

subtest 'one that answers nothing' => sub {
    is($nginx->ws('/set', @page)->status, 101, 'changes nothing');
    is($nginx->ws('/set', @foreign)->status, 403, 'nor any check');
};

subtest 'one that matches in a location of nginx itself' => sub {
    my $ws = $nginx->ws('/ws');
    for my $path ('/named', '/internal') {
        is($nginx->http(POST => $path, body => $path)->{status}, 200,
            "$path publishes");
        is($ws->recv, "text:$path", 'and it arrives');
    }
};

finish;
