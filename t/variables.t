# The variables $paperboy_*, as nginx's own log and maps see them.
use v5.36;
use Paperboy::Test;
use File::Temp ();

my $dir    = File::Temp->newdir;
my $secret = 'secret ' x 10;
file_with("$dir/secret", $secret);

my $nginx = nginx(dir => $dir, http => <<'END');
paperboy_zone main 4m;
log_format seen '$status|$paperboy_user|$paperboy_channels|$uri';
server {
    listen 127.0.0.1:%%PORT%%;
    access_log %%DIR%%/access.log seen;
    location /key {
        paperboy raw;
        paperboy_channel a b;
        paperboy_jwt_key HS256 file=%%DIR%%/secret;
        paperboy_token $arg_token;
    }
    location /open { paperboy echo; paperboy_origin any; }
    location /header {
        paperboy echo;
        paperboy_jwt_key HS256 file=%%DIR%%/secret;
        paperboy_token $arg_token;
        add_header X-User "<$paperboy_user>" always;
    }
    location /other { return 200 "<$paperboy_user$paperboy_channels>"; }
}
END

sub token (%claims) {
    return jwt({ exp => time + 60, %claims }, key => $secret);
}

sub line () {
    state $seen = 0;
    my @lines;
    wait_for('a line', sub {
        @lines = split /\n/, $nginx->log('access.log');
        return @lines > $seen;
    });
    return $lines[ $seen++ ];
}

$nginx->ws('/key?token=' . token(sub => 'joe'));
is(line(), '101|joe|a, b|/key', 'the access log at the upgrade');
$nginx->ws('/key?token=' . token(userId => 42));
is(line(), '101|42|a, b|/key', 'another claim, a number');
$nginx->ws('/key');
like(line(), qr/^401\|-\|/, 'a refusal has no user');
$nginx->ws('/open');
is(line(), '101|-|-|/open', 'neither user nor channels');
is($nginx->ws('/header?token=' . token(sub => 'jane'))->header('X-User'),
    '<jane>', 'a header of the answer');
line();
is($nginx->http(GET => '/other')->{body}, '<>', 'elsewhere they are empty');
line();

finish;
