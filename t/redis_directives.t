# paperboy_redis and its kin: what nginx -t takes and what it refuses, with
# file, line and reason, and without passwords.
use v5.36;
use File::Temp;
use Paperboy::Test;

my $dir = File::Temp->newdir;
my ($certificate, $key) = self_signed($dir);
my $password = file_with("$dir/password", "pa ss#word\n");
my $empty    = file_with("$dir/empty",    "\n");
my $url      = 'redis://127.0.0.1:6379';
my $tls      = 'rediss://127.0.0.1:6379';
my $trusted  = "paperboy_redis_ssl_trusted_certificate $certificate;";
local $ENV{PAPERBOY_TEST_PASSWORD} = 'from the environment';

sub taken ($text, $name) {
    return is(conf_error($text), '', $name);
}

subtest 'URLs' => sub {
    taken("paperboy_redis $_;", $_)
        for $url, 'redis://localhost', 'redis://[::1]:6380/3',
        'redis://user:secret@127.0.0.1', 'unix:/run/redis.sock',
        'unix:/run/redis.sock?db=2';
    taken("paperboy_redis $tls; $trusted", $tls);
    conf_refused("paperboy_redis http://127.0.0.1;", 'another scheme',
        qr/paperboy_redis: /);
    conf_refused("paperboy_redis $url/x;", 'a database that is none',
        qr/paperboy_redis: .*database/);
    conf_refused("paperboy_redis unix:" . '/x' x 54 . ';', 'a long path',
        qr/at most 107 bytes/);
    conf_refused('paperboy_redis prefix=x:;', 'no URL', qr/expected a URL/);
    conf_refused("paperboy_redis $url; paperboy_redis $url;", 'two',
        qr/paperboy_redis: is duplicate/);
    conf_refused("server { paperboy_redis $url; }", 'in a server',
        qr/not allowed here/);
    conf_refused('paperboy_redis redis://nowhere.invalid;',
        'a host that nobody knows', qr/doesn't know the host "nowhere.invalid"/);
    taken('resolver 127.0.0.1; paperboy_redis redis://nowhere.invalid;',
        'with a resolver it is asked for later');
};

subtest 'several servers' => sub {
    taken("paperboy_redis $url redis://127.0.0.1:6380 $_;", $_)
        for 'cluster', 'sentinel=main';
    conf_refused("paperboy_redis $url redis://127.0.0.1:6380;",
        'that are neither', qr/several servers are Sentinels/);
    conf_refused("paperboy_redis $url cluster sentinel=main;", 'that are both',
        qr/one of sentinel= and cluster/);
    conf_refused("paperboy_redis $url redis://:x\@127.0.0.1 cluster;",
        'with different passwords', qr/one user, password and database/);
    conf_refused("paperboy_redis $url/1 cluster;", 'a database of a cluster',
        qr/no database but 0/);
    conf_refused("paperboy_redis $url sentinel=;", 'no name',
        qr/sentinel=: expected the name/);
    conf_refused("paperboy_redis $url sentinel_user=a;", 'a user of none',
        qr/mean nothing without sentinel=/);
    conf_refused("paperboy_redis $url sentinel=a sentinel_user=b;",
        'without a password', qr/needs sentinel_password_file=/);
    taken("paperboy_redis $url sentinel=a sentinel_user=b "
            . "sentinel_password_file=$password password_file=$password;",
        'passwords of their own');
    taken("paperboy_redis $url sentinel=a "
            . 'sentinel_password_env=PAPERBOY_TEST_PASSWORD;',
        'from the environment');
    conf_refused("paperboy_redis $url sentinel=a sentinel_password_file=$empty;",
        'that is empty', qr/no password there/);
};

subtest 'the inbox' => sub {
    taken("paperboy_redis $url inbox;", 'open');
    conf_refused("paperboy_redis $url inbox=on;", 'with a value',
        qr/inbox=: no such parameter/);
};

subtest 'passwords' => sub {
    taken("paperboy_redis $url user=a password_file=$password;", 'of a file');
    taken("paperboy_redis $url password_env=PAPERBOY_TEST_PASSWORD;",
        'of the environment');
    conf_refused("paperboy_redis $url password_file=$dir/none;", 'no file',
        qr{password_file=\S+/none: no password there});
    conf_refused("paperboy_redis $url password_env=PAPERBOY_NONE;",
        'no variable', qr/password_env=PAPERBOY_NONE: no password there/);
    conf_refused("paperboy_redis $url password_file=$empty;", 'an empty one',
        qr/no password there/);
    conf_refused("paperboy_redis $url user=a;", 'a user without',
        qr/user= needs password_file=/);
    conf_refused(
        "paperboy_redis redis://:x\@127.0.0.1 password_file=$password;",
        'in both places', qr/not both/);
    conf_refused("paperboy_redis $url password_file=$password "
            . 'password_env=PAPERBOY_TEST_PASSWORD;',
        'two', qr/there is a password already/);
    for my $wrong ('redis://u:hunter2@127.0.0.1:x',
        'redis://u:hunter2@127.0.0.1 user=a', 'redis://u:hunter2@nowhere.invalid',
        "$url password=hunter2", "$url hunter2", 'u:hunter2@127.0.0.1',
        "$url redis://:hunter2\@127.0.0.1 cluster") {
        my $error = conf_error("paperboy_redis $wrong;");
        like($error, qr/\[emerg\]/, $wrong =~ s/hunter2/.../r);
        unlike($error, qr/hunter2/, 'shows no password');
    }
};

subtest 'numbers, sizes and times' => sub {
    taken("paperboy_redis $url $_;", $_)
        for qw(prefix=p: timeout=500ms queue=1m window=10 window_size=64k
        window_age=10s idle=1d linger=1s), 'retry=50ms max_retry=1s';
    for my $name (qw(timeout retry max_retry window_age idle linger)) {
        conf_refused("paperboy_redis $url $name=$_;", "$name=$_",
            qr/\Q$name=$_\E: expected a time above 0/) for '0', 'x', '';
    }
    for my $name (qw(queue window_size)) {
        conf_refused("paperboy_redis $url $name=$_;", "$name=$_",
            qr/\Q$name=$_\E: expected a size/) for '0', '100', 'x', '-1m';
    }
    conf_refused("paperboy_redis $url window=$_;", "window=$_",
        qr/\Qwindow=$_\E: expected a number of messages/)
        for '0', '1.5', '10000001';
    conf_refused("paperboy_redis $url 'prefix=$_';", "prefix=$_",
        qr/from 1 to 64 bytes, without braces/) for '', 'a' x 65, '{a}';
    conf_refused("paperboy_redis $url retry=3s;", 'retry over max_retry',
        qr/max_retry= is less than retry=/);
    conf_refused("paperboy_redis $url idle=30s;", 'idle under the window',
        qr/idle= is less than window_age=/);
    conf_refused("paperboy_redis $url nonsense=1;", 'no such parameter',
        qr/nonsense=: no such parameter/);
};

subtest 'TLS' => sub {
    conf_refused("paperboy_redis $tls;", 'nobody is trusted',
        qr/needs paperboy_redis_ssl_trusted_certificate/);
    taken("paperboy_redis $tls; paperboy_redis_ssl_verify off;",
        'everybody is');
    taken(
        "paperboy_redis $tls; $trusted paperboy_redis_ssl_name redis.example;"
            . 'paperboy_redis_ssl_protocols TLSv1.3;'
            . "paperboy_redis_ssl_certificate $certificate;"
            . "paperboy_redis_ssl_certificate_key $key;",
        'all of it'
    );
    conf_refused("paperboy_redis $tls; $trusted $_ $certificate;", $_,
        qr/paperboy_redis_ssl_certificate: needs/)
        for 'paperboy_redis_ssl_certificate',
        'paperboy_redis_ssl_certificate_key';
    like(
        conf_error("paperboy_redis $tls; paperboy_redis_ssl_trusted_certificate"
                . " $dir/none;"),
        qr{\[emerg\].*/none},
        'no such file'
    );
    conf_refused("paperboy_redis $tls; $trusted paperboy_redis_ssl_protocols x;",
        'no such protocol', qr/invalid value "x"/);
    conf_refused("paperboy_redis $tls; $trusted paperboy_redis_ssl_verify x;",
        'neither on nor off', qr/must be "on" or "off"/);
    conf_refused("paperboy_redis $url; $trusted", 'of a server without',
        qr/trusted_certificate: means nothing without/);
    conf_refused("$_;", "$_ without a server", qr/: means nothing without/)
        for 'paperboy_redis_ssl_verify on', 'paperboy_redis_ssl_name a',
        'paperboy_redis_ssl_protocols TLSv1.2';
};

subtest 'waiting for replicas, and doing without' => sub {
    taken("paperboy_redis $url; paperboy_redis_wait 1 500ms;"
            . 'paperboy_channel_rule a replicas=2 replicas_timeout=1s;'
            . 'paperboy_channel_rule b replicas=0;'
            . 'paperboy_channel_rule c without_broker=local;', 'all of it');
    conf_refused('paperboy_redis_wait 1 1s;', 'no Redis',
        qr/paperboy_redis_wait: means nothing without paperboy_redis/);
    conf_refused("paperboy_channel_rule room:* $_;", "$_ without Redis",
        qr/room:\*: \w+= means nothing without paperboy_redis/)
        for 'replicas=1', 'without_broker=local';
    conf_refused("paperboy_redis $url; paperboy_redis_wait $_;", "wait $_",
        qr/expected a /) for '0 1s', '1 0', 'x 1s', '101 1s', '1 x';
    conf_refused("paperboy_redis $url; paperboy_redis_wait 1 1s;"
            . 'paperboy_redis_wait 1 1s;', 'two', qr/is duplicate/);
    conf_refused("paperboy_redis $url; paperboy_channel_rule a $_;", $_,
        qr/\Q$_\E: expected/) for 'replicas=x', 'replicas=101',
        'replicas_timeout=0', 'without_broker=maybe';
    conf_refused(
        "paperboy_redis $url; paperboy_channel_rule a replicas_timeout=1s;",
        'a time for none', qr/replicas_timeout=: means nothing without/);
};

subtest 'a zone in a file' => sub {
    conf_refused("paperboy_zone a 4m file=$dir/zone; paperboy_redis $url;",
        'is not for a node with Redis', qr/file=: not with paperboy_redis/);
};

subtest 'a reload' => sub {
    my $server = 'server { listen 127.0.0.1:%%PORT%%;'
        . 'location /status { paperboy_status; } }';
    my $redis = 'paperboy_redis redis://127.0.0.1:1';
    my $nginx = nginx(http => "$redis; $server");
    my $refused = sub ($http, $name) {
        my $before = () = $nginx->log =~ /paperboy_redis can't be added/g;
        $nginx->write_conf($http);
        $nginx->signal('HUP');
        return ok(
            wait_for('a line in the log', sub {
                my $lines = () = $nginx->log =~ /paperboy_redis can't be added/g;
                return $lines > $before;
            }),
            $name
        );
    };
    $nginx->expect_log(qr/paperboy_redis can't be added/);
    $refused->($server, 'without Redis is refused');
    $refused->("$redis/1; $server", 'with another database too');
    $refused->("$redis prefix=p:; $server", 'with another prefix too');
    $nginx->reload("$redis timeout=1s; $server");
    pass('other numbers are taken');
    $nginx->reload("paperboy_redis redis://127.0.0.1:2; $server");
    pass('so is another place');
};

subtest 'without a location nothing is done' => sub {
    my $nginx = nginx(http => <<"END");
paperboy_redis redis://127.0.0.1:1;
server {
    listen 127.0.0.1:%%PORT%%;
    location / { return 204; }
}
END
    is($nginx->http(GET => '/')->{status}, 204, 'nginx serves');
};

finish;
