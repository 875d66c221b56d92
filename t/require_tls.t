# paperboy_require_tls: a request on plain HTTP is told no.
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
    listen 127.0.0.1:%%PORT%%;
    listen 127.0.0.1:%%PORT_tls%% ssl;
    paperboy_require_tls on;
    location /echo { paperboy echo; }
    location /proxied {
        paperboy echo;
        paperboy_require_tls $http_x_forwarded_proto;
    }
    location /off { paperboy echo; paperboy_require_tls off; }
}
END

is($nginx->ws('/echo')->status, 403, 'plain is refused');
is($nginx->ws('/echo')->header('Content-Type'), 'application/json', 'in JSON');
is($nginx->ws('/echo', port => 'tls', tls => 1)->status, 101, 'TLS is not');
is($nginx->ws('/echo', headers => ['X-Forwarded-Proto' => 'https'])->status,
    403, 'a header that nobody trusts is nothing');
is($nginx->ws('/proxied', headers => ['X-Forwarded-Proto' => 'https'])->status,
    101, 'a trusted scheme is');
is($nginx->ws('/proxied', headers => ['X-Forwarded-Proto' => 'http'])->status,
    403, 'and its no is a no');
is($nginx->ws('/proxied')->status, 403, 'and so is its silence');
is($nginx->ws('/off')->status, 101, 'off');

conf_refused('paperboy_require_tls maybe;', 'a bad value', qr/maybe/);

finish;
