# What notiflux's times are where nobody sets them: it pings before others do,
# and ends nobody before that who has subscribed to nothing.
use v5.36;
use Paperboy::Test;
use File::Temp ();

my $dir = File::Temp->newdir;
ec_key($dir, 'key');
my $nginx = nginx(dir => $dir, http => <<'END');
paperboy_origin any;
server {
    listen 127.0.0.1:%%PORT%%;
    location /ws {
        paperboy notiflux;
        paperboy_jwt_key ES256 file=%%DIR%%/key.pub;
    }
    location /raw { paperboy raw; paperboy_channel a; }
}
END

my ($notiflux, $raw) = map { $nginx->ws($_) } qw(/ws /raw);
is($notiflux->recv(60), 'ping:', 'who is nowhere stays, and is pinged');
ok(!$raw->readable, 'before others are');
finish;
