# paperboy_max_bad_tokens: each token of a command is checked, also one that
# opens nothing, so that a connection may show a few of these alone.
use v5.36;
use Paperboy::Test;
use File::Temp ();

my $dir    = File::Temp->newdir;
my $secret = 'secret ' x 10;
my ($key)  = ec_key($dir, 'key');
local $ENV{PAPERBOY_JWT_SECRET} = $secret;

my $nginx = nginx(dir => $dir, http => <<'END');
paperboy_zone main 8m;
paperboy_origin any;
paperboy_channel_rule open subscribe=any;
server {
    listen 127.0.0.1:%%PORT%%;
    paperboy_jwt_key HS256 env=PAPERBOY_JWT_SECRET;
    location /classic { paperboy classic; }
    location /few { paperboy classic; paperboy_max_bad_tokens 2; }
    location /native { paperboy native; }
    location /notiflux {
        paperboy notiflux;
        paperboy_jwt_key ES256 file=%%DIR%%/key.pub;
    }
    location /status { paperboy_status; }
}
END

sub token (%more) {
    return jwt({ iss => 'paperboy', userId => 'ann', exp => time + 600, %more },
        key => $secret);
}

my $good    = token(channel => 'news');
my %dialect = (
    classic => {
        bad => ['nonsense', token(channel => 'news', iss => 'else'),
            token(userId => 'bob', channel => 'news')],
        good    => $good,
        granted => 'text:subscribed:news',
    },
    notiflux => {
        bad  => ['/subscribe news x', "/subscribe news $good"],
        good => '/subscribe news ' . jwt({ sub => 'ann', exp => time + 600,
                scope => 'subscribe', topics => ['news'] },
            key => $key, alg => 'ES256') . ' ',
        also    => '/what?',
        granted => 'text:Unknown command',
    },
    native => {
        bad => ['{"id":2,"subscribe":{"channel":"news","token":"x"}}',
            '{"id":3,"subscribe":{"channel":"b","token":"' . $good . '"}}'],
        good => qq({"id":4,"subscribe":{"channel":"news","token":"$good"}}),
        granted => qr/^text:\{"id":4,"subscribe":/,
        refused => qr/^text:\{"id":[23],"error":\{"code":103,/,
        also    => undef,
    },
);

sub client ($name, $path = "/$name") {
    my $ws = $nginx->ws($path);
    if ($name eq 'native') {
        $ws->text('{"id":1,"connect":{"token":"' . token() . '"}}');
        like($ws->recv, qr/"connect"/, 'connected');
    } elsif ($name eq 'classic') {
        $ws->text($good);
        is($ws->recv, 'text:subscribed:news', 'let in');
    }
    return $ws;
}

sub show_bad ($ws, $name, $count) {
    my @bad = @{ $dialect{$name}{bad} };
    $ws->text($bad[ $_ % @bad ]) for 1 .. $count;
    my $refused = $dialect{$name}{refused} or return;
    is((grep { $ws->recv =~ $refused } 1 .. $count), $count, 'each is refused');
    return;
}

for my $name (sort keys %dialect) {
    subtest $name => sub {
        my $how = $dialect{$name};
        my $ws  = client($name);
        show_bad($ws, $name, 16);
        $ws->text($_) for grep {defined} $how->{good}, $how->{also};
        like($ws->recv, ref $how->{granted} ? $how->{granted}
            : qr/^\Q$how->{granted}\E$/, 'a few are no harm');
        $ws = client($name);
        show_bad($ws, $name, 17);
        is($ws->recv, 'close:3013', 'one more ends the connection');
        is($ws->{reason}, 'too many requests', 'and says why');
    };
}

subtest 'the limit is the location\'s' => sub {
    my $ws = client('classic', '/few');
    show_bad($ws, 'classic', 3);
    is($ws->recv, 'close:3013', 'paperboy_max_bad_tokens');
    $ws = client('classic', '/few');
    show_bad($ws, 'classic', 2);
    $ws->text($good);
    is($ws->recv, 'text:subscribed:news', 'who comes back may try again');
};

subtest 'where all may, no token is bad' => sub {
    my $ws = client('native');
    $ws->text('{"id":5,"subscribe":{"channel":"open"}}');
    like($ws->recv, qr/"id":5,"subscribe"/, 'without one');
    $ws = $nginx->ws('/notiflux');
    for (1 .. 20) {
        $ws->text('/subscribe open x');
        $ws->text('/unsubscribe open');
    }
    $ws->text('/what?');
    is($ws->recv, 'text:Unknown command', 'as many as one likes');
};

wait_for('those who were closed', sub { $nginx->status->{closed}{3013} >= 4 });
is($nginx->status->{closed}{3013}, 4, 'they are counted');
conf_refused('server { location / { paperboy_max_bad_tokens 0; } }', 'none',
    qr/paperboy_max_bad_tokens: expected at least 1/);

finish;
