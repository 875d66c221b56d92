# A public back-end library, unmodified, asks the HTTP API: the one for
# JavaScript, or the program that PAPERBOY_LIBRARY names (t/api/run). Without it
# (npm ci in t/api) there is nothing to test.
use v5.36;
use Paperboy::Test;
use File::Temp ();
use IPC::Open2 qw(open2);

my $api = "$Paperboy::Nginx::ROOT/t/api";
my @program =
    $ENV{PAPERBOY_LIBRARY}
    ? split / /, $ENV{PAPERBOY_LIBRARY}
    : ('node', "$api/library.mjs");
plan skip_all => 'no library: npm ci in t/api brings it'
    unless $ENV{PAPERBOY_LIBRARY} || -d "$api/node_modules/cent.js";

my $dir = File::Temp->newdir;
file_with("$dir/key", my $key = 'a-key-of-the-tests');
file_with("$dir/secret", my $secret = 'secret ' x 10);

my $nginx = nginx(dir => $dir, http => <<'END');
paperboy_zone main 8m;
paperboy_origin any;
paperboy_channel_rule kept:* history=10;
paperboy_channel_rule room:* presence;
server {
    listen 127.0.0.1:%%PORT%%;
    location /api { paperboy_api; paperboy_api_key file=%%DIR%%/key; }
    location /native {
        paperboy native;
        paperboy_jwt_key HS256 file=%%DIR%%/secret;
    }
}
END

my $ws = $nginx->ws('/native',
    token => jwt({ sub => 'ann', channels => ['room:a'] }, key => $secret));
$ws->text('{"id":1,"connect":{}}');
$ws->recv;

my $pid = open2(my $out, my $in, @program,
    'http://127.0.0.1:' . $nginx->port . '/api', $key);
close $in;
my $planned;
while (my $line = <$out>) {
    if ($line =~ /^(not )?ok \d+ - (.*)/) { ok(!$1, $2) }
    elsif ($line =~ /^1\.\.\d+/)          { $planned = 1 }
    else                                  { diag($line) }
}
waitpid $pid, 0;
ok($planned && $? == 0, 'the library came to its end');
like($ws->recv, qr/"given","subscribe"/, 'the client was subscribed');
like($ws->recv, qr/"given","unsubscribe"/, 'and unsubscribed');
like($ws->recv, qr/"refresh":\{"expires":true/, 'and told how long it stays');
is($ws->recv, 'close:3503', 'and sent away');
finish;
