# paperboy-cli: token, pub and sub against a server.
use v5.36;
use Paperboy::Test;
use Paperboy::Cli;
use File::Temp ();
use IO::Socket::INET;
use JSON::PP ();
use POSIX ();

my $cli = $Paperboy::Cli::PROGRAM;
my $dir    = File::Temp->newdir;
my $secret = 'secret ' x 10;
file_with("$dir/secret", "$secret\n");
my ($rsa, $rsa_public) = rsa_key($dir, 'rsa');
my ($ec,  $ec_public)  = ec_key($dir, 'ec', 256);
self_signed($dir);
local $ENV{PAPERBOY_TEST_KEY} = $secret;

my $nginx = nginx(dir => $dir, http => <<'END');
paperboy_zone main 4m;
ssl_certificate %%DIR%%/tls.crt;
ssl_certificate_key %%DIR%%/tls.key;
server {
    listen 127.0.0.1:%%PORT%%;
    listen 127.0.0.1:%%PORT_tls%% ssl;
    location /ws { paperboy raw; paperboy_channel $arg_c; paperboy_origin any; }
    location /pinged {
        paperboy raw;
        paperboy_channel $arg_c;
        paperboy_origin any;
        paperboy_ping_interval 1s;
        paperboy_ping_timeout 1s;
    }
    location /same { paperboy raw; paperboy_channel $arg_c; }
    location /guarded {
        paperboy raw;
        paperboy_channel $arg_c;
        paperboy_jwt_key HS256 file=%%DIR%%/secret;
    }
    location /publish { paperboy_publish any; paperboy_channel $arg_channel; }
    location /tokens {
        paperboy_publish;
        paperboy_jwt_key HS256 file=%%DIR%%/secret;
        paperboy_jwt_key RS256 file=%%DIR%%/rsa.pub kid=rsa;
        paperboy_jwt_key ES256 file=%%DIR%%/ec.pub kid=ec;
    }
    location /several { paperboy_publish any; paperboy_channel a b; }
    location /answer {
        paperboy_publish any;
        paperboy_publish_answer 202 taken;
    }
    location /moved { return 301 /elsewhere?token=s3cret; }
    location /page { return 200 page; }
}
END
my $http = 'http://127.0.0.1:' . $nginx->port;
my $ws   = 'ws://127.0.0.1:' . $nginx->port;
my $tls  = 'localhost:' . $nginx->port('tls');

sub json ($run) { return JSON::PP->new->utf8->decode(out($run)) }

sub publish ($channel, $body, @headers) {
    return $nginx->http(POST => "/publish?channel=$channel", body => $body,
        headers => \@headers)->json;
}

# `sub`, once the server has it.
sub listening ($channel, @words) {
    my $run = start(undef, 'sub', @words);
    wait_for('a subscriber',
        sub { publish($channel, 'probe')->{subscribers} == 1 });
    wait_for('a message', sub { out($run) ne '' });
    return $run;
}

sub token (@words) {
    my $run = run(undef, 'token', 'make', @words);
    is($run->{code}, 0, "a token: @words[0, 1]") or diag(err($run));
    return out($run) =~ s/\n\z//r;
}

subtest 'help' => sub {
    for ([], ['pub'], ['sub'], ['token'], ['token', 'make'], ['token', 'show'])
    {
        my $run = run(undef, @$_, '--help');
        is($run->{code}, 0, "@$_ --help");
        like(out($run), qr/^usage: paperboy-cli/, 'says how');
        is(err($run), '', 'and nothing else');
    }
    like(out(run(undef, '--version')), qr/^paperboy-cli \d+\.\d+\.\d+$/,
        'a version');
    is(run(undef)->{code}, 2, 'no command');
    is(run(undef, 'other')->{code}, 2, 'an unknown one');
};

subtest 'token make' => sub {
    my $made = token('--alg', 'HS256', '--key-file', "$dir/secret", '--sub',
        '42', '--channel', 'news', '--scope', 'publish', '--exp', '10m');
    my $answer = $nginx->http(POST => '/tokens?channel=news', body => 'x',
        headers => [Authorization => "Bearer $made"]);
    is($answer->{status}, 200, 'is taken by the server');
    for (['RS256', $rsa, 'rsa'], ['ES256', $ec, 'ec']) {
        my ($alg, $key, $kid) = @$_;
        my $token = token('--alg', $alg, '--key-file', $key, '--kid', $kid,
            '--channel', 'news', '--scope', 'publish', '--exp', '10m');
        is($nginx->http(POST => '/tokens?channel=news', body => 'x',
                headers => [Authorization => "Bearer $token"])->{status},
            200, "$alg is taken too");
    }
    my $env = run(undef, qw(token make --alg HS256 --key-env PAPERBOY_TEST_KEY
            --exp-at 2000000000));
    is($env->{code}, 0, 'a key from the environment');
    is(out($env), jwt({ exp => 2000000000 }, key => $secret) . "\n",
        'and the very token');
    like(err(run(undef, qw(token make --alg HS256 --key-env
                    PAPERBOY_TEST_KEY))), qr/never expires/, 'a warning');
    refused(run(undef, qw(token make --alg RS256 --key-file), $rsa_public), 2,
        qr/private key/, 'a public key signs nothing');
    refused(run(undef, qw(token make --alg ES384 --key-file), $ec), 2,
        qr/curve secp384r1/, 'a key on another curve');
    refused(run(undef, qw(token make --alg ES256 --key-file), $rsa), 2,
        qr/needs an EC key/, 'a key of another kind');
    my ($small) = rsa_key($dir, 'small', 1024);
    refused(run(undef, qw(token make --alg RS256 --key-file), $small), 2,
        qr/this one has 1024/, 'a key that is too small');
    system("openssl pkey -in $rsa -aes256 -passout pass:s3cret"
            . " -out $dir/encrypted.pem") == 0 or die;
    refused(run(undef, qw(token make --alg RS256 --key-file),
            "$dir/encrypted.pem"), 2, qr/openssl pkey/, 'an encrypted one');
    refused(run(undef, qw(token make --alg HS256 --key-file), $rsa_public), 2,
        qr/PEM, not a shared secret/, 'nor is it a secret');
    refused(run(undef, qw(token make --alg HS256 --key-file /none)), 2,
        qr{/none: No such file}, 'no file');
};

subtest 'token show' => sub {
    my $token = jwt({ sub => 'user', exp => time - 90 }, key => $secret);
    my $run   = run("$token\n", qw(token show));
    is($run->{code}, 0, 'shows a token');
    like(out($run), qr/sub +"user"/,               'its claims');
    like(out($run), qr/expired 1 minute ago/,      'its expiry in words');
    like(out($run), qr/signature was not checked/, 'and promises nothing');
    my @key = (qw(--alg HS256 --key-file), "$dir/secret");
    refused(run($token, qw(token show), @key), 1, qr/not good: .* expired/,
        'an expired one');
    $token = jwt({ exp => time + 600 }, key => $secret);
    $run   = run(undef, qw(token show), $token, @key);
    is($run->{code}, 0, 'a good one');
    like(out($run), qr/^good: /m, 'is said to be good');
    $token = jwt({ exp => time + 600 }, key => 'another');
    refused(run($token, qw(token show), @key), 1, qr/signature is wrong/,
        'of another key');
    refused(run('x.y', qw(token show)), 1, qr/no token/, 'no token');
    $token = jwt({ exp => time + 600 }, key => $rsa, alg => 'RS256');
    is(run($token, qw(token show --alg RS256 --key-file), $rsa_public)->{code},
        0, 'RS256');
    refused(run($token, qw(token show --alg RS256 --key-file), $rsa), 2,
        qr/private key/, 'a private key where a public one is needed');
};

subtest 'pub' => sub {
    my $client = $nginx->ws('/ws?c=pub');
    my $run    = run(undef, 'pub', "$http/publish", '--channel', 'pub', 'hello');
    is($run->{code}, 0, 'publishes');
    is(json($run)->{subscribers}, 1,            'and prints the answer');
    is($client->recv,             'text:hello', 'a word');
    run("from stdin\n", 'pub', "$http/publish?channel=pub");
    is($client->recv, 'text:from stdin', 'standard input');
    run("\0\xff\n", 'pub', '--binary', "$http/publish?channel=pub", '-');
    is($client->recv, "binary:\0\xff\n", 'binary');
    my $large = 'x' x 60_000;
    run($large, 'pub', "$http/publish?channel=pub");
    ok($client->recv eq "text:$large", 'a large one');
    run(undef, 'pub', "$ws/publish?channel=pub", '');
    is($client->recv, 'text:', 'an empty one, by a ws URL');
    is(ref json(run(undef, 'pub', "$http/several", 'x')), 'ARRAY', 'several');
    is(out(run(undef, 'pub', "$http/answer?channel=a", 'x')), "taken\n",
        'an answer of the location');
};

subtest 'pub, refused' => sub {
    my $run = run(undef, 'pub', "$http/publish", 'x');
    refused($run, 1, qr/refused: 400 Bad Request: .+ \(channel_name\)/,
        'no channel');
    is(json($run)->{error}, 'channel_name', 'the JSON is printed, too');
    refused(run(undef, 'pub', "$http/tokens?channel=a", 'x'), 1,
        qr/401.*no token.*--token-file/, 'no token');
    file_with("$dir/bad", "a.s3cret.c\n");
    refused(
        run(undef, 'pub', "$http/tokens?channel=a", 'x', '--token-file',
            "$dir/bad"),
        1, qr/401.*malformed/, 'a bad token');
    refused(run(undef, 'pub', "$http/tokens?channel=a", 'x', '--token',
            's3cret'), 2, qr/--token-file FILE/, 'a token in the words');
    file_with("$dir/good", jwt({ channel => 'a', scope => 'publish' },
            key => $secret));
    is(run(undef, 'pub', "$http/tokens?channel=a", 'x', '--token-file',
            "$dir/good")->{code}, 0, 'a good one');
    refused(run('x' x 2_000_000, 'pub', "$http/publish?channel=a"), 1,
        qr/413/, 'too large');
    refused(run(undef, 'pub', "$http/moved", 'x'), 1, qr{301.*/elsewhere},
        'a redirect is not followed');
    refused(run(undef, 'pub', "$http/none", 'x'), 1, qr/404 Not Found$/,
        'nothing there');
    refused(run(undef, 'pub', 'http://127.0.0.1:' . Paperboy::Nginx::free_port()
                . '/?token=s3cret', 'x'), 3, qr/Connection refused/,
        'no server');
    refused(run(undef, 'pub', 'http://no-such-host.invalid/', 'x'), 3,
        qr/no-such-host\.invalid:80: /, 'no host');
    my $silent = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1');
    refused(run(undef, 'pub', 'http://127.0.0.1:' . $silent->sockport, 'x',
            '--timeout', '1s'), 3, qr/--timeout/, 'a server that says nothing');
};

subtest 'sub' => sub {
    my $run = listening('s', "$ws/pinged?c=s");
    publish('s', "two\nlines");
    publish('s', "\0\xff", 'Content-Type' => 'application/octet-stream');
    publish('s', 'x' x 60_000);
    publish('s', 'last');
    wait_for('all of it', sub { out($run) =~ /^last$/m });
    my @lines = grep { $_ ne 'probe' } split /\n/, out($run);
    is_deeply(\@lines, ['two\nlines', 'AP8=', 'x' x 60_000, 'last'],
        'a message is a line');
    sleep 4;
    publish('s', 'after pings');
    ok(wait_for('it lives', sub { out($run) =~ /^after pings$/m }),
        'pings are answered');
    kill INT => $run->{pid};
    is(ended($run), 0, 'Ctrl-C ends it well');
    is(err($run), '', 'without a word');
    ok(wait_for('it has gone', sub { publish('s', '')->{subscribers} == 0 }),
        'the server knows');
};

subtest 'sub, forms and counts' => sub {
    my $run = listening('j', "$http/ws?c=j", '--json', '--count', 2);
    publish('j', "\0\xff", 'Content-Type' => 'application/octet-stream');
    is(ended($run), 0, 'ends after its count');
    like(out($run), qr/^(?:\{"text":"probe"\}\n)+\{"binary":"AP8="\}\n\z/,
        'JSON');
    $run = listening('b', "$ws/ws?c=b", '--binary');
    publish('b', "a\n\0");
    wait_for('it', sub { out($run) =~ /a\n\0$/ });
    like(out($run), qr/^(?:probe)+a\n\0$/, 'bytes');
    kill TERM => $run->{pid};
    is(ended($run), 0, 'SIGTERM is a Ctrl-C');
};

subtest 'sub, whose reader stops or goes' => sub {
    for my $goes (0, 1) {
        pipe my $reader, my $writer or die;
        my $pid = fork // die "fork: $!";
        if (!$pid) {
            open STDOUT, '>&', $writer or die;
            open STDERR, '>', "$dir/stopped.err" or die;
            close $reader;
            exec { $cli } $cli, 'sub', "$ws/ws?c=r" or POSIX::_exit(127);
        }
        close $writer;
        wait_for('a subscriber',
            sub { publish('r', 'probe')->{subscribers} == 1 });
        publish('r', 'z' x 60_000) for 1 .. 3;
        $goes ? close $reader : kill INT => $pid;
        is(ended({ pid => $pid }), 0,
            $goes ? 'ends with head(1)' : 'Ctrl-C ends it all the same');
        is(slurp("$dir/stopped.err"), '', 'without a word');
    }
};

subtest 'sub, refused' => sub {
    refused(run(undef, 'sub', "$ws/ws?c="), 1,
        qr/refused: 400 .* \(\w+\)/, 'no channel');
    refused(run(undef, 'sub', "$ws/same?c=a"), 1, qr/403.*--origin/,
        'no origin');
    refused(run(undef, 'sub', "$ws/same?c=a", '--origin', 'http://evil'), 1,
        qr/403/, 'another origin');
    refused(run(undef, 'sub', "$ws/guarded?c=a"), 1, qr/401.*--token-file/,
        'no token');
    refused(run(undef, 'sub', "$ws/page"), 1, qr/takes no WebSockets/,
        'a page');
    refused(run(undef, 'sub', "$ws/none"), 1, qr/404/, 'nothing there');
    refused(run(undef, 'sub', "$http/publish?channel=a"), 1, qr/405/,
        'a location for publishing');
    my $run = listening('o', "$ws/same?c=o", '--origin', $http);
    kill INT => $run->{pid};
    is(ended($run), 0, 'with its origin it gets in');
};

subtest 'sub, closed' => sub {
    local $ENV{TEST_TOKEN} =
        jwt({ channel => 'a', exp => time + 4 }, key => $secret);
    my $run = run(undef, 'sub', "$ws/guarded?c=a", '--token-env', 'TEST_TOKEN');
    refused($run, 4,
        qr/closed by the server: 3005 .*expired; .* with a new token/,
        'with the token');
};

subtest 'TLS' => sub {
    my @ca = ('--ca-file', "$dir/tls.crt");
    my $run = listening('t', "wss://$tls/ws?c=t", @ca);
    is(run(undef, 'pub', "https://$tls/publish?channel=t", 'private', @ca)
            ->{code}, 0, 'publishes');
    wait_for('it', sub { out($run) =~ /^private$/m });
    publish('t', 'y' x 60_000);
    wait_for('a large one', sub { out($run) =~ /^y{60000}$/m });
    kill INT => $run->{pid};
    is(ended($run), 0, 'Ctrl-C ends it');
    refused(run(undef, 'pub', "https://$tls/publish?channel=t", 'x'), 3,
        qr/certificate is not trusted.*--ca-file/, 'an unknown certificate');
    refused(run(undef, 'sub', "wss://$tls/ws?c=t"), 3,
        qr/certificate is not trusted/, 'for sub, too');
    refused(run(undef, 'pub', 'https://127.0.0.1:' . $nginx->port('tls')
                . '/publish?channel=t', 'x', @ca), 3,
        qr/not trusted: IP address mismatch/, 'one for another host');
    is(run(undef, 'pub', "https://$tls/publish?channel=t", 'x', '--insecure')
            ->{code}, 0, '--insecure takes any');
    refused(run(undef, 'pub', "https://127.0.0.1:" . $nginx->port, 'x'), 3,
        qr/TLS failed/, 'a server without TLS');
    refused(run(undef, 'pub', "https://$tls/", 'x', '--ca-file', '/none'), 2,
        qr/--ca-file/, 'no file of certificates');
};

subtest 'a server that goes away' => sub {
    my $run = listening('end', "$ws/ws?c=end");
    $nginx->stop;
    is(ended($run), 4, 'says to come back');
    like(err($run), qr/1001.*coming back makes sense/, 'with its code');
};

finish;
