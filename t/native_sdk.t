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
paperboy_zone main 4m log=64k;
paperboy_origin any;
paperboy_client_publish on;
paperboy_channel_rule kept:*  history=100 presence join_leave;
paperboy_channel_rule short:* history=2;
add_header X-Worker $pid always;
server {
    listen 127.0.0.1:%%PORT%%;
    location /open { paperboy; paperboy_jwt_key off; }
    location /publish { paperboy_publish any; }
    paperboy_jwt_key HS256 file=%%DIR%%/secret;
    location /keyed { paperboy; }
    location /given {
        paperboy;
        paperboy_channel news;
        paperboy_max_subscriptions 2;
    }
}
END

# Publishes to each channel what is more than the log holds, while the worker
# sleeps. A publish is refused until the worker is passed over.
sub stall ($worker, @channels) {
    $nginx->pause($worker);
    my $filler = 'x' x 4096;
    for my $n (1 .. 40) {
        for my $channel (@channels) {
            wait_for('room in the log', sub {
                $nginx->http(POST => "/publish?channel=$channel",
                    body => qq({"n":$n,"filler":"$filler"}))->{status} == 200;
            });
        }
    }
    kill CONT => $worker;
    return;
}

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
    } elsif ($line =~ /^stall (.*)/) {
        stall(split / /, $1);
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
