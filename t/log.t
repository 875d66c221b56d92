# paperboy_log, paperboy_log_format: one line when a connection ends.
use v5.36;
use Paperboy::Test;
use File::Temp ();

my $dir    = File::Temp->newdir;
my $secret = 'secret ' x 10;
file_with("$dir/secret", $secret);

my $nginx = nginx(dir => $dir, http => <<'END');
paperboy_zone main 4m;
paperboy_origin any;
paperboy_log_format full '$remote_addr|$paperboy_user|$paperboy_channels'
    '|$paperboy_messages_received|$paperboy_messages_sent'
    '|$paperboy_bytes_received|$paperboy_bytes_sent'
    '|$paperboy_close_code|$paperboy_closed_by|$paperboy_close_reason'
    '|$paperboy_duration|$arg_x|$http_user_agent';
paperboy_log_format json escape=json '{"code":"$paperboy_close_code",'
    '"reason":"$paperboy_close_reason","agent":"$http_user_agent"}';
server {
    listen 127.0.0.1:%%PORT%%;
    paperboy_log %%DIR%%/full.log full;
    location /echo { paperboy echo; }
    location /ws { paperboy raw; paperboy_channel a $arg_c; }
    location /key {
        paperboy raw;
        paperboy_channel a;
        paperboy_jwt_key HS256 file=%%DIR%%/secret;
        paperboy_token $arg_token;
    }
    location /proxied {
        paperboy echo;
        set_real_ip_from 127.0.0.1;
        real_ip_header X-Forwarded-For;
    }
    location /json { paperboy echo; paperboy_log %%DIR%%/json.log json; }
    location /default { paperboy echo; paperboy_log %%DIR%%/default.log; }
    location /off { paperboy echo; paperboy_log off; }
    location /publish { paperboy_publish any; }
}
END

my $seen = 0;

# The fields of the next line.
sub line () {
    my @lines;
    wait_for('a line', sub {
        @lines = split /\n/, $nginx->log('full.log');
        return @lines > $seen;
    });
    return [split /\|/, $lines[ $seen++ ], -1];
}

subtest 'a client that closes' => sub {
    my $ws = $nginx->ws('/echo?x=1', headers => ['User-Agent' => 'me "too"']);
    $ws->text('hello');
    $ws->recv;
    $ws->close(1000, 'bye | bye');
    my @line = @{ line() };
    is($line[0], '127.0.0.1', 'address');
    is($line[1], '-', 'no user');
    is($line[2], '-', 'no channels');
    is($line[3], 1, 'messages received');
    is($line[4], 1, 'messages sent');
    cmp_ok($line[5], '>=', 11, 'bytes received');
    cmp_ok($line[6], '>=', 7, 'bytes sent');
    is("@line[7, 8]", '1000 client', 'code and who closed');
    is("$line[9]|$line[10]", 'bye | bye', 'and why');
    like($line[11], qr/^\d+\.\d{3}$/, 'duration');
    is($line[12], 1, 'an argument of the request');
    is($line[13], 'me \x22too\x22', 'a header, escaped');
};

subtest 'ends of every kind' => sub {
    $nginx->ws('/echo')->close;
    is("@{line()}[7, 8]", '1005 client', 'a close without a code');
    my $ws = $nginx->ws('/echo');
    $ws->send_frame(3);
    $ws->recv;
    $ws->drop;
    is("@{line()}[7, 8]", '1002 server', 'a violation');
    $nginx->ws('/echo')->drop;
    is("@{line()}[7, 8]", '1006 client', 'an end without a word');
    $nginx->ws('/echo')->reset;
    is("@{line()}[7, 8]", '1006 client', 'a reset');
};

subtest 'user and channels' => sub {
    my $ws = $nginx->ws('/ws?c=b');
    $nginx->http(POST => '/publish?channel=b', body => 'x') for 1 .. 3;
    $ws->recv for 1 .. 3;
    $ws->close;
    my @line = @{ line() };
    is(join(' ', sort split /, ?/, $line[2]), 'a b', 'channels');
    is("@line[3, 4]", '0 3', 'messages of the broadcast');
    my $token = jwt({ sub => "j\xc3\xb6e|", exp => time + 60 }, key => $secret);
    $nginx->ws("/key?token=$token")->close;
    like(line()->[1], qr/^j/, 'user');
};

subtest 'the address of a client behind a proxy' => sub {
    $nginx->ws('/proxied', headers => ['X-Forwarded-For' => '192.0.2.7'])
        ->close(1000);
    is(line()->[0], '192.0.2.7', 'is the one that realip says');
};

subtest 'other formats' => sub {
    $nginx->ws('/json', headers => ['User-Agent' => 'a "b" \ c'])
        ->close(4000, "why \"not\"\n");
    my $line = wait_for('a line', sub { $nginx->log('json.log') });
    is_deeply(JSON::PP->new->utf8->decode($line),
        { code => '4000', reason => "why \"not\"\n", agent => 'a "b" \ c' },
        'escape=json');
    $nginx->ws('/default')->close(1000);
    like(wait_for('a line', sub { $nginx->log('default.log') }),
        qr/^127\.0\.0\.1 .*1000.*\n$/, 'a default format');
    $nginx->ws('/off')->close(1000);
    $nginx->ws('/echo')->close(1001);
    is(line()->[7], 1001, 'off writes none');
};

subtest 'reopening' => sub {
    rename "$dir/full.log", "$dir/full.log.1";
    $nginx->signal('USR1');
    wait_for('a new file', sub { -e "$dir/full.log" });
    my $ok = wait_for('a line in it', sub {
        $nginx->ws('/echo')->close(4001);
        $nginx->log('full.log') =~ /4001/;
    });
    ok($ok, 'logs in the new file');
};

conf_refused('paperboy_log %%DIR%%/x.log nonsense;', 'an unknown format',
    qr/nonsense/);
conf_refused('paperboy_log syslog:server=127.0.0.1;', 'a log over the network',
    qr/logged to a file/);
conf_refused('paperboy_log %%DIR%%/$host.log;', 'a name with a variable',
    qr/logged to a file/);
like(conf_error(q{paperboy_log_format x '$nonsense_variable';}),
    qr/\[emerg\].*nonsense_variable/, 'an unknown variable');
conf_refused(q{paperboy_log_format x 'a'; paperboy_log_format x 'b';},
    'the same name twice', qr/format/);

finish;
