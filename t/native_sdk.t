# A public SDK, unmodified, is a client: the one for JavaScript, or the program
# that PAPERBOY_SDK names (t/sdk/run). Without it (npm ci in t/sdk) there is
# nothing to test.
use v5.36;
use Paperboy::Test;
use File::Temp ();
use IPC::Open2 qw(open2);

my $sdk = "$Paperboy::Nginx::ROOT/t/sdk";
my @program =
    $ENV{PAPERBOY_SDK}
    ? split / /, $ENV{PAPERBOY_SDK}
    : ('node', "$sdk/sdk.mjs");
plan skip_all => 'no SDK: npm ci in t/sdk brings it'
    unless $ENV{PAPERBOY_SDK} || -d "$sdk/node_modules/centrifuge";

my $dir    = File::Temp->newdir;
my $secret = 'secret-' x 10;
file_with("$dir/secret", $secret);

my $nginx = nginx(dir => $dir, http => <<'END');
paperboy_zone main 4m;
paperboy_origin any;
paperboy_client_publish on;
server {
    listen 127.0.0.1:%%PORT%%;
    location /open { paperboy; paperboy_jwt_key off; }
    paperboy_jwt_key HS256 file=%%DIR%%/secret;
    location /keyed { paperboy; }
    location /given {
        paperboy;
        paperboy_channel news;
        paperboy_max_subscriptions 2;
    }
}
END

my $url = 'ws://127.0.0.1:' . $nginx->port('');
my $pid = open2(my $out, my $in, @program, $url, $secret);
$in->autoflush(1);
my $planned;
while (my $line = <$out>) {
    if ($line =~ /^(not )?ok \d+ - (.*)/) {
        ok(!$1, $2);
    } elsif ($line eq "restart\n") {
        $nginx->stop;
        $nginx->start;
        print {$in} "done\n";
    } elsif ($line =~ /^1\.\.\d+/) {
        $planned = 1;
    } else {
        diag $line if $line =~ /^# got/;
        note $line;
    }
}
waitpid $pid, 0;
ok($planned, 'all of them ran');

finish;
