# What can't be upgraded is refused clearly: HTTP/2, other methods,
# subrequests.
use v5.36;
use Paperboy::Test;
use File::Temp ();

my $dir = File::Temp->newdir;
self_signed($dir);
my $nginx = nginx(dir => $dir, http => <<'END');
paperboy_origin any;
ssl_certificate %%DIR%%/tls.crt;
ssl_certificate_key %%DIR%%/tls.key;
server {
    listen 127.0.0.1:%%PORT%% ssl http2;
    location /echo { paperboy echo; }
}
server {
    listen 127.0.0.1:%%PORT_plain%%;
    ssi on;
    ssi_types *;
    location /echo { paperboy echo; }
    location /include { return 200 '[<!--#include virtual="/echo" -->]'; }
    location /auth { auth_request /echo; try_files nothing @in; }
    location @in { return 200 in; }
    location /mirror { mirror /echo; return 200 mirrored; }
}
END

sub curl (@options) {
    open my $pipe, '-|', qw(curl -sk -m 10 -w), '%{http_version} %{http_code}',
        qw(-o /dev/null), @options
        or die "curl: $!";
    local $/ = undef;
    return <$pipe>;
}

my $url = 'https://localhost:' . $nginx->port . '/echo';
my @resolve = ('--resolve', 'localhost:' . $nginx->port . ':127.0.0.1');
my @upgrade = map { ('-H', $_) } 'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';

like(curl(@resolve, '--http2', $url), qr/^2 505$/, 'GET over HTTP/2');
like(curl(@resolve, '--http2', @upgrade, $url), qr/^2 505$/,
    'a handshake over HTTP/2');
like(curl(@resolve, '--http2', '-X', 'POST', '-d', 'a', $url), qr/^2 405$/,
    'POST over HTTP/2');
is($nginx->ws('/echo', tls => 1)->status, 101, 'HTTP/1.1 on the same port');

my @plain = (port => 'plain');
for my $method (qw(POST HEAD PUT)) {
    is($nginx->http($method => '/echo', @plain)->{status}, 405, $method);
}
my $included = $nginx->http(GET => '/include', @plain);
is($included->{status}, 200, 'a page that includes such a location');
like($included->{body}, qr/^\[.*\]$/s, 'is whole');
isnt($nginx->ws('/include', @plain)->status, 101, 'nor is it upgraded');
is($nginx->ws('/auth', @plain)->status, 500, 'auth_request fails');
is($nginx->ws('/mirror', @plain)->{answer}{body}, 'mirrored', 'a mirror');
is($nginx->http(GET => '/mirror', @plain)->{body}, 'mirrored', 'without too');

finish;
