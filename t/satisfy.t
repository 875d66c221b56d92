# The checks beside nginx's own: allow and deny, auth_basic, auth_request,
# satisfy. Under `satisfy any` another module's yes replaces the token, never
# the origin.
use v5.36;
use Paperboy::Test;
use File::Temp ();

my $dir    = File::Temp->newdir;
my $secret = 'secret ' x 10;
file_with("$dir/secret", $secret);
file_with("$dir/users",  "joe:{PLAIN}pass\n");

my $nginx = nginx(dir => $dir, http => <<'END');
paperboy_zone main 4m;
paperboy_jwt_key HS256 file=%%DIR%%/secret;
paperboy_token $arg_token;
server {
    listen 127.0.0.1:%%PORT%%;
    location /denied { paperboy echo; deny all; }
    location /all { paperboy echo; satisfy all; deny all; }
    location /any-allow { paperboy echo; satisfy any; allow all; }
    location /any-deny { paperboy echo; satisfy any; deny all; }
    location /any-channel {
        paperboy raw;
        paperboy_channel a;
        satisfy any;
        allow all;
    }
    location /any-basic {
        paperboy echo;
        satisfy any;
        auth_basic x;
        auth_basic_user_file %%DIR%%/users;
    }
    location /request { paperboy echo; auth_request /ask; }
    location /any-page {
        paperboy echo;
        satisfy any;
        deny all;
        error_page 401 403 =200 /refused;
    }
    location /refused { return 200 refused; }
    location /publish-any { paperboy_publish; satisfy any; allow all; }
    location /publish-any-deny { paperboy_publish; satisfy any; deny all; }
    location /status { paperboy_status; }
    location /publish-denied { paperboy_publish any; deny all; }
    location /publish-allowed {
        paperboy_publish any;
        allow 127.0.0.1;
        deny all;
    }
    location /ask {
        internal;
        if ($request_uri ~ ask=yes) { return 204; }
        return 403;
    }
}
END

my $token = jwt({ exp => time + 3600 }, key => $secret);

sub status ($path, %option) { return $nginx->ws($path, %option)->status }

is(status("/denied?token=$token"), 403, 'deny is heard');
is(status("/all?token=$token"),    403, 'satisfy all');
like(status('/all'), qr/^40[13]$/, 'satisfy all without a token');

is(status('/any-allow'), 101, 'satisfy any: allow replaces the token');
is($nginx->ws('/any-allow')->header('WWW-Authenticate'), undef,
    'which nobody asks for any more');
is(status("/any-allow?token=$token"), 101, 'or both say yes');
is(status('/any-allow', origin => 'https://evil.example'), 403,
    'but not the origin');
is(status("/any-allow?token=$token", origin => 'https://evil.example'), 403,
    'nor do both');
is(status("/any-deny?token=$token"), 101, 'the token replaces allow');
isnt(status('/any-deny'), 101, 'neither');
is(status("/any-deny?token=$token", origin => 'https://evil.example'), 403,
    'a token does not replace the origin');
is(status('/any-channel'), 101, 'a channel without a token');

my @basic = (headers => [Authorization => 'Basic am9lOnBhc3M=']);
is(status('/any-basic', @basic), 101, 'a password replaces the token');
is(status("/any-basic?token=$token"), 101, 'the token replaces it');
is(status('/any-basic'), 401, 'neither');

is(status("/request?ask=yes&token=$token"), 101, 'auth_request says yes');
is(status("/request?token=$token"), 403, 'no');
is(status('/request?ask=yes'), 401, 'yes, but no token');

sub publish ($path) {
    return $nginx->http(POST => "$path?channel=a", body => 'x')->{status};
}

is(publish('/publish-any'), 200, 'allow replaces the token of a publish');
is($nginx->http(POST => '/publish-any?channel=a', body => 'x',
        headers => [Origin => 'https://evil.example'])->{status}, 403,
    'but not the origin');
subtest 'satisfy any leaves a trace of what is refused in the end' => sub {
    my %seen = (lines => 0);
    my $new  = sub {
        my $lines = () = $nginx->log =~ /paperboy refused by/g;
        my %now   = (lines => $lines, %{ $nginx->status->{refused} });
        my %more  = map { $_ => $now{$_} - ($seen{$_} // 0) } keys %now;
        %seen = %now;
        return { map { $more{$_} ? ($_ => $more{$_}) : () } keys %more };
    };
    $new->();
    is(status('/any-allow'), 101, 'an upgrade that allow lets in');
    is_deeply($new->(), {}, 'leaves none');
    is(status("/any-deny?token=$token"), 101, 'one that the token lets in');
    is_deeply($new->(), {}, 'nor does');
    is(publish('/publish-any'), 200, 'a publish that allow lets in');
    is_deeply($new->(), {}, 'nor does');
    is(status('/any-deny'), 401, 'one that nobody lets in');
    is_deeply($new->(), { lines => 1, token => 1 }, 'leaves a line');
    is(status('/any-basic'), 401, 'one without a password either');
    is_deeply($new->(), { lines => 1, token => 1 }, 'leaves a line');
    is(status('/any-allow', origin => 'https://evil.example'), 403,
        'one from a foreign page');
    is_deeply($new->(), { lines => 1, origin => 1 }, 'leaves a line');
    is(publish('/publish-any-deny'), 401, 'a publish');
    is_deeply($new->(), { lines => 1, token => 1 }, 'leaves a line');

    # These are noted when the request has ended, a moment after the answer.
    my $before = $seen{lines};
    my $noted  = sub {
        wait_for('a line', sub {
            $before < (() = $nginx->log =~ /paperboy refused by/g);
        });
        $before++;
        return $new->();
    };
    is(status('/any-page'), 200, 'one for which there is a page');
    is_deeply($noted->(), { lines => 1, token => 1 }, 'leaves a line');
    like($nginx->log, qr{paperboy refused by[^\n]*uri: "/any-page"},
        'with its URI');
    is(status('/any-basic', origin => 'https://evil.example'), 401,
        'one that two modules refuse, each for its reason');
    is_deeply($noted->(), { lines => 1, origin => 1 }, 'leaves a line of ours');
};

is(publish('/publish-denied'), 403, 'deny guards a publish');
is(publish('/publish-allowed'), 200, 'allow admits it');

finish;
