# paperboy echo: every message back.
use v5.36;
use Paperboy::Test;

my $nginx = nginx(http => <<'END');
paperboy_origin any;
server {
    listen 127.0.0.1:%%PORT%%;
    location /echo { paperboy echo; }
}
END

my $ws = $nginx->ws('/echo');
$ws->text('text');
is($ws->recv, 'text:text', 'text');
$ws->binary("\0\xff");
is($ws->recv, "binary:\0\xff", 'binary');
$ws->text('');
is($ws->recv, 'text:', 'an empty message');
$ws->write(join '', map { Paperboy::WebSocket::frame(1, $_) } 1 .. 1000);
is_deeply([map { $ws->recv } 1 .. 1000], [map { "text:$_" } 1 .. 1000],
    'many at once, in order');
my $other = $nginx->ws('/echo');
$ws->text('mine');
$other->text('yours');
is($ws->recv,    'text:mine',  'each client');
is($other->recv, 'text:yours', 'has its own');
is($ws->close(1000), 'close:1000 eof', 'the end');

subtest 'a client that sends before it reads' => sub {
    # It is slowed down, not buffered without bound and not ended.
    my $client = $nginx->ws('/echo', receive_buffer => 4096);
    my $body   = 'x' x 4000;
    my $pid    = fork // die;
    if (!$pid) {
        $client->text("$_ $body") for 1 .. 2000;
        POSIX::_exit(0);
    }
    select undef, undef, undef, 0.5;
    my $good = grep { $client->recv eq "text:$_ $body" } 1 .. 2000;
    is($good, 2000, 'gets 8 MB back, in order');
    waitpid $pid, 0;
};

conf_refused('server { location / { paperboy nonsense; } }',
    'an unknown dialect', qr/nonsense/);
conf_refused('server { location / { paperboy echo raw; } }', 'two',
    qr/paperboy/);
conf_refused('server { location / { paperboy echo; paperboy echo; } }',
    'twice', qr/duplicate/);
conf_refused('paperboy echo;', 'outside a location', qr/not allowed/);

finish;
