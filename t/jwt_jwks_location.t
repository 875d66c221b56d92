# The subrequests by which workers ask a location for keys (paperboy_jwks
# location=): what may go wrong with them, and that nothing is left of them.
use v5.36;
use Paperboy::Test;
use Paperboy::Callback;
use File::Temp ();
use Time::HiRes qw(sleep);

my $dir = File::Temp->newdir;
my ($private, $public) = ec_key($dir, 'ec');
file_with("$dir/one.json", jwks(jwk($public, kid => 'k')));
my $token = jwt({ sub => 'ann' }, key => $private, alg => 'ES256',
    header => { kid => 'k' });
my $cut = Paperboy::Callback->new(
    raw => qq(HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{"keys":[));

sub locations (@names) {
    return join '', map { <<"END" } @names;
    location /$_ {
        paperboy echo;
        paperboy_jwks location=/keys/$_ retry=1s timeout=1s;
    }
END
}

my @good = qw(static text error_page named cached);
my @bad  = qw(slow refused cut missing empty moved loop upgrade);
my $http = <<"END";
paperboy_zone main 4m;
paperboy_origin any;
paperboy_token \$arg_token;
proxy_cache_path %%DIR%%/cache keys_zone=keys:1m;
server {
    listen 127.0.0.1:%%PORT%%;
    access_log %%DIR%%/access.log;
    log_subrequest on;
    root %%DIR%%;
    @{[ locations(@good, @bad) ]}
    location /native { paperboy native; paperboy_jwks location=/keys/missing; }
    location /status { paperboy_status; }
    location /basic { stub_status; }
    location /keys/ { internal; return 404; }
    location = /keys/static { internal; alias %%DIR%%/one.json; }
    location = /keys/text { internal; return 200 '@{[ jwks(jwk($public, kid => 'k')) ]}'; }
    location = /keys/error_page { internal; error_page 404 = /one.json; return 404; }
    location = /keys/named {
        internal;
        error_page 404 = \@issuer;
        return 404;
    }
    location \@issuer { proxy_pass http://127.0.0.1:%%PORT_issuer%%; rewrite ^ /one.json break; }
    location = /keys/cached {
        internal;
        proxy_pass http://127.0.0.1:%%PORT_issuer%%/one.json;
        proxy_cache keys;
        proxy_cache_valid 1h;
        proxy_buffering on;
    }
    location = /one.json { internal; }
    location = /keys/slow {
        internal;
        proxy_pass http://127.0.0.1:%%PORT_issuer%%/slow/one.json;
    }
    location = /keys/refused { internal; proxy_pass http://127.0.0.1:1/; }
    location = /keys/cut {
        internal;
        proxy_http_version 1.1;
        proxy_pass http://127.0.0.1:@{[ $cut->port ]}/;
    }
    location = /keys/empty { internal; return 204; }
    location = /keys/moved { internal; return 302 /keys/static; }
    location = /keys/loop { internal; rewrite ^ /keys/loop last; }
    location = /keys/upgrade { internal; paperboy echo; }
}
server {
    listen 127.0.0.1:%%PORT_issuer%%;
    access_log %%DIR%%/issuer.log;
    location / { root %%DIR%%; }
    location /slow/ { alias %%DIR%%/; limit_rate 20; }
}
END
my $nginx = nginx(dir => $dir, workers => 2, http => $http);

sub answer ($path) { return $nginx->ws("$path?token=$token")->status }

subtest 'what answers' => sub {
    for my $name (@good) {
        ok(wait_for($name, sub {
            return 4 == grep { answer("/$name") == 101 } 1 .. 4;
        }), $name);
    }
    my $asked = () = $nginx->log('issuer.log') =~ m{GET /one.json}g;
    cmp_ok($asked, '<=', 4, 'a cache is asked in place of the issuer');
};

subtest 'what does not' => sub {
    my %why = (
        slow    => 'there is no answer, or none that is complete',
        refused => 'the answer is 502',
        cut     => 'there is no answer, or none that is complete',
        missing => 'the answer is 404',
        empty   => 'the answer is 204',
        moved   => 'the answer is 302',
        loop    => 'the answer is 500',
        upgrade => 'the answer is 400',
    );
    for my $name (sort keys %why) {
        ok(wait_for("$name in the log", sub {
            $nginx->log =~ m{paperboy_jwks "/keys/$name": $why{$name}; no token};
        }), "$name: $why{$name}");
        is(answer("/$name"), 503, 'and no token is taken yet');
    }
    like($nginx->log, qr{no answer in time .*a request by itself to "/keys/slow"},
        'its own line says which request it is');
};

subtest 'in commands' => sub {
    my $ws = $nginx->ws('/native');
    $ws->text(qq({"id":1,"connect":{"token":"$token"}}));
    is($ws->recv,
        'text:{"id":1,"error":{"code":100,"message":"internal server error",'
            . '"temporary":true}}', 'a client is to try again');
};

subtest 'nothing is left' => sub {
    my $open = sub {
        my ($active) = $nginx->http(GET => '/basic')->{body} =~ /: (\d+)/;
        return $active;
    };
    ok(wait_for('the end of all', sub { $open->() <= 3 }), 'no connection');
    my ($worker) = $nginx->workers;
    my $count = sub { my @all = glob "/proc/$worker/fd/*"; return scalar @all };
    my ($least, $most) = (1e9, 0);
    for (1 .. 30) {
        my $now = $count->();
        $least = $now if $now < $least;
        $most  = $now if $now > $most;
        sleep 0.1;
    }
    cmp_ok($most - $least, '<', 20, 'no descriptor');
    unlike($nginx->log('access.log'), qr{" 499 }, 'no client that went away');
};

subtest 'a reload while a location is asked' => sub {
    $nginx->reload for 1 .. 2;
    ok(wait_for('keys', sub { answer('/text') == 101 }), 'keys are there again');
    is(answer('/static'), 101, 'of all');
};

subtest 'without a master' => sub {
    my $alone = nginx(main => 'master_process off;', workers => 1,
        http => $http =~ s/\b(location=\/keys\/static) retry=1s/$1 refresh=1s retry=1s/r);
    my $status = sub { $alone->ws("/static?token=$token")->status };
    file_with("$alone->{dir}/one.json", '{}');
    ok(wait_for('no keys', sub { $status->() == 503 }), 'none at first');
    file_with("$alone->{dir}/one.json", jwks(jwk($public, kid => 'k')));
    ok(wait_for('keys', sub { $status->() == 101 }), 'then there are');
    # nginx gives the next cycle no connections: it serves nobody any more, but
    # has to end.
    $alone->expect_log(qr/worker_connections are not enough/);
    $alone->signal('HUP');
    ok(wait_for('a reload', sub { $alone->log =~ /reconfiguring/ }), 'a reload');
    sleep 1.5;
    $alone->signal('QUIT');
    ok(wait_for('its end', sub { !$alone->is_alive }), 'and its end');
    is($?, 0, 'by itself');
};

finish;
