# limit_rate is for downloads: neither the 101 nor what follows is one.
use v5.36;
use Paperboy::Test;

my $nginx = nginx(http => <<'END');
paperboy_origin any;
limit_rate 50;
server {
    listen 127.0.0.1:%%PORT%%;
    location / { paperboy echo; }
}
END

my $ws = $nginx->ws('/');
is($ws->status, 101, 'an answer of more bytes than a second may have');
$ws->text('x' x 10_000);
is($ws->recv, 'text:' . 'x' x 10_000, 'and as many of them as there are');

finish;
