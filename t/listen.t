# Sockets of other kinds than plain TCP: Unix domain, the PROXY protocol.
use v5.36;
use Paperboy::Test;
use File::Temp ();

my $dir = File::Temp->newdir;
my $nginx = nginx(dir => $dir, http => <<'END');
paperboy_origin any;
paperboy_log_format end
    '$remote_addr $proxy_protocol_addr $paperboy_close_code';
paperboy_log %%DIR%%/paperboy.log end;
server {
    listen unix:%%DIR%%/socket;
    listen 127.0.0.1:%%PORT%%;
    listen 127.0.0.1:%%PORT_proxy%% proxy_protocol;
    location /ws { paperboy raw; paperboy_channel a; }
    location /echo { paperboy echo; }
    location /publish { paperboy_publish any; paperboy_channel a; }
    location /proxied { proxy_pass http://unix:%%DIR%%/socket:/echo; }
    location /tunnel {
        proxy_pass http://unix:%%DIR%%/socket:/ws;
        proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection upgrade;
    }
}
END

my @unix = (unix => "$dir/socket");
my $ws   = $nginx->ws('/ws', @unix);
is($ws->status, 101, 'a Unix domain socket');
is($nginx->http(POST => '/publish', body => 'hello')->json->{subscribers}, 1,
    'subscribes');
is($ws->recv, 'text:hello', 'and hears');
is($ws->close(4001), 'close:4001 eof', 'and closes');

my @proxy = (port => 'proxy',
    prefix => "PROXY TCP4 192.0.2.7 192.0.2.8 1234 80\r\n");
$ws = $nginx->ws('/echo', @proxy,
    early => Paperboy::WebSocket::frame(1, 'early'));
is($ws->recv, 'text:early', 'the PROXY protocol');
is($ws->close(4002), 'close:4002 eof', 'and its end');
ok(wait_for('its line', sub {
    $nginx->log('paperboy.log') =~ /^127\.0\.0\.1 192\.0\.2\.7 4002$/m
}), 'is logged with the address that it told');

$ws = $nginx->ws('/tunnel');
is($ws->status, 101, 'through another nginx');
$nginx->http(POST => '/publish', body => 'tunnelled');
is($ws->recv, 'text:tunnelled', 'messages pass');
is($ws->close(4003), 'close:4003 eof', 'and so does the close');
is($nginx->ws('/proxied')->status, 400, 'which has to be told to upgrade');

finish;
