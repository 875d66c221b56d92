# paperboy_token_cache: a token of a public key is verified once for all workers
# of a node and their successors, and stays no longer good than it was.
use v5.36;
use Paperboy::Test;
use File::Temp ();

my $dir = File::Temp->newdir;
my ($key,   $public) = ec_key($dir, 'key',   256);
my ($other, $none)   = ec_key($dir, 'other', 256);
file_with("$dir/secret", 'secret ' x 10);

sub conf ($public, $cache = '') {
    return <<"END";
$cache
paperboy_zone main 4m;
paperboy_origin any;
paperboy_token \$arg_token;
server {
    listen 127.0.0.1:%%PORT%%;
    location /ws { paperboy echo; paperboy_jwt_key ES256 file=$dir/$public.pub; }
    location /native {
        paperboy native;
        paperboy_jwt_key ES256 file=$dir/$public.pub;
    }
    location /secret { paperboy echo; paperboy_jwt_key HS256 file=$dir/secret; }
    location /status { paperboy_status; }
}
END
}

my $nginx = nginx(workers => 2, log_level => 'info', http => conf('key'));
my $token = jwt({ sub => 'ann', exp => time + 3600 },
    key => $key, alg => 'ES256');

sub answer ($token, $path = '/ws') {
    return $nginx->ws("$path?token=$token")->status;
}

sub cache () {
    my $now = $nginx->status->{token_cache};
    return "$now->{hits} of " . ($now->{hits} + $now->{misses});
}

is(cache(), '0 of 0', 'empty');
cmp_ok($nginx->status->{token_cache}{tokens}, '>', 60_000,
    'there is room for some');
is(answer($token), 101, 'a good token') for 1 .. 10;
is(cache(), '9 of 10', 'is verified once, by whichever worker');

subtest 'in commands too' => sub {
    for my $n (1, 2) {
        my $ws = $nginx->ws('/native');
        $ws->text(qq({"id":1,"connect":{"token":"$token"}}));
        like($ws->recv, qr/"client":/, 'connected');
    }
    is(cache(), '11 of 12', 'found');
};

subtest 'a secret is quicker than the cache' => sub {
    my $signed = jwt({ sub => 'ann' }, key => 'secret ' x 10);
    is(answer($signed, '/secret'), 101) for 1 .. 2;
    is(cache(), '11 of 12', 'not looked up');
};

subtest 'what is bad stays bad' => sub {
    my $forged = $token =~ s/\.(.)([^.]*)\z/'.' . ($1 eq 'A' ? 'B' : 'A') . $2/er;
    is(answer($forged), 401, 'another signature') for 1 .. 2;
    my $foreign = jwt({ sub => 'ann' }, key => $other, alg => 'ES256');
    is(answer($foreign), 401, 'another key') for 1 .. 2;
    is(cache(), '11 of 16', 'never found');
};

subtest 'an expired token' => sub {
    my $short = jwt({ sub => 'ann', exp => int(time) + 2 },
        key => $key, alg => 'ES256');
    is(answer($short), 101, 'is good until then');
    ok(wait_for('its end', sub { answer($short) == 401 }), 'and no longer');
    like($nginx->log, qr/the token has expired/, 'as the log says');
};

subtest 'a reload' => sub {
    my ($before) = cache() =~ /^(\d+)/;
    $nginx->reload;
    is(answer($token), 101, 'good as it was');
    my ($after) = cache() =~ /^(\d+)/;
    is($after, $before + 1, 'new workers know it');
    $nginx->reload(conf('other'));
    is(answer($token), 401, 'its key is gone');
    $nginx->reload(conf('key', 'paperboy_token_cache off;'));
    is(answer($token), 101, 'without a cache') for 1 .. 2;
    is($nginx->status->{token_cache}{tokens}, 0, 'there is none');
    $nginx->reload(conf('key', 'paperboy_token_cache 64k;'));
    is(answer($token), 101, 'another size') for 1 .. 2;
    is(cache(), '1 of 2', 'is another cache');
};

subtest 'errors' => sub {
    conf_refused("paperboy_token_cache $_; server { listen 127.0.0.1:%%PORT%%; }",
        $_, qr/\Q$_\E: expected off, or a size of 64k or more/)
        for '63k', '-1', 'much';
    conf_refused('paperboy_token_cache off; paperboy_token_cache 1m;',
        'twice', qr/is duplicate/);
};

finish();
