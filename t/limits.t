# paperboy_limit_*: how many connections, how fast they come, what their clients
# send, and who guesses tokens; counted over two workers.
use v5.36;
use Paperboy::Test;

my $secret = 'secret ' x 10;
local $ENV{PAPERBOY_JWT_SECRET} = $secret;

my $http = <<'END';
paperboy_zone main 8m;
paperboy_origin any;
paperboy_limit_zone 256k;
add_header X-Worker $pid always;
server {
    listen 127.0.0.1:%%PORT%% reuseport;
    set_real_ip_from 127.0.0.1;
    real_ip_header X-Real-IP;
    keepalive_requests 1000000;
    location /status { paperboy_status; }
    location /free { paperboy echo; }
    location /address { paperboy echo; paperboy_limit_connections address 5; }
    location /other {
        paperboy echo;
        paperboy_limit_connections address 6;
        paperboy_limit_connections all 9;
    }
    location /page {
        paperboy echo;
        paperboy_limit_connections $arg_page 2;
    }
    location /events {
        paperboy sse;
        paperboy_channel a;
        paperboy_limit_connections events$arg_none 2;
    }
    location /user {
        paperboy native;
        paperboy_jwt_key HS256 env=PAPERBOY_JWT_SECRET;
        paperboy_limit_connections user 3;
        paperboy_namespace $arg_space;
    }
    location /classic {
        paperboy classic;
        paperboy_jwt_key HS256 env=PAPERBOY_JWT_SECRET;
        paperboy_limit_connections user 1;
        paperboy_namespace classic;
    }
    location /rate {
        paperboy echo;
        paperboy_limit_upgrades $arg_key 1/h burst=7;
    }
    location /either {
        paperboy raw;
        paperboy_channel a;
        paperboy_jwt_key HS256 env=PAPERBOY_JWT_SECRET;
        satisfy any;
        allow all;
        paperboy_limit_upgrades $arg_key 2/h;
    }
    location /slow {
        paperboy echo;
        paperboy_limit_upgrades address 1/h burst=1;
    }
    location /trusted {
        paperboy echo;
        paperboy_limit_connections address 1;
    }
    paperboy_limit_messages connection 4/h;
    location /echo { paperboy echo; }
    location /unlimited { paperboy echo; paperboy_limit_messages off; }
    location /native { paperboy native; paperboy_limit_messages connection 3/h; }
    location /shared {
        paperboy echo;
        paperboy_limit_messages $arg_key 6/h;
    }
    location /of-user {
        paperboy native;
        paperboy_jwt_key HS256 env=PAPERBOY_JWT_SECRET;
        paperboy_limit_messages user 5/h;
    }
    location /bytes {
        paperboy echo;
        paperboy_limit_messages off;
        paperboy_limit_bytes connection 1k/h burst=64k;
    }
    location /guess {
        paperboy native;
        paperboy_limit_messages off;
        paperboy_jwt_key HS256 env=PAPERBOY_JWT_SECRET;
        paperboy_limit_bad_tokens 3/h pause=1h;
    }
    location /publish {
        paperboy_publish;
        paperboy_jwt_key HS256 env=PAPERBOY_JWT_SECRET;
        paperboy_limit_bad_tokens 3/h pause=1h;
    }
}
server {
    listen 127.0.0.1:%%PORT_proxy%% proxy_protocol;
    set_real_ip_from 127.0.0.1;
    real_ip_header proxy_protocol;
    location / { paperboy echo; paperboy_limit_connections address 1; }
}
END
my $nginx = nginx(workers => 2, http => $http);

# A client of this address.
sub from ($address) { return (headers => ['X-Real-IP' => $address]) }

sub idle () {
    return wait_for('all to leave',
        sub { $nginx->status->{connections} == 0 });
}

# Connections at PATH until one is refused, at most `$most`; and the refusal.
sub fill ($path, $most, %option) {
    my @open;
    while (@open < $most) {
        my $ws = $nginx->ws($path, %option);
        return ($ws, @open) if $ws->status != 101;
        push @open, $ws;
    }
    return (undef, @open);
}

sub refused ($ws, $status, $error, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is($ws->status, $status, $name);
    is($ws->answer->json->{error}, $error, 'with its name');
    like($ws->header('Retry-After'), qr/^[1-9]\d*$/, 'and when to come again');
    return;
}

sub workers_of (@clients) { return map { $_->header('X-Worker') } @clients }

# Connections of both workers, however the kernel spreads them.
sub fill_both ($path, $most) {
    my %seen;
    my @all;
    while (keys %seen < 2) {
        my ($refusal, @open) = fill($path, $most);
        %seen = map { $_ => 1 } workers_of(@open);
        @all = ($refusal, @open);
        last if keys %seen == 2;
        $_->close(1000) for @open;
        idle;
    }
    return @all;
}

subtest 'connections of an address' => sub {
    my ($refusal, @open) = fill_both('/address', 7);
    is(@open, 5, 'as many as may be, over both workers');
    refused($refusal, 429, 'connection_limit', 'and not one more');
    is($nginx->ws('/free')->status, 101, 'elsewhere it may');
    my $six = $nginx->ws('/other');
    is($six->status, 101, 'a location with more room counts them too');
    is($nginx->ws('/other')->status, 429, 'together with its own');
    (shift @open)->close(1000);
    $six->close(1000);
    wait_for('both', sub { $nginx->status->{connections} == 4 })
        or return;
    push @open, $nginx->ws('/address');
    is($open[-1]->status, 101, 'who leaves makes room');
    is($nginx->ws('/address')->status, 429, 'for one');
};

subtest 'all' => sub {
    idle;
    my @six = map { $nginx->ws('/other', from('2001:db8::1')) } 1 .. 6;
    is(scalar(grep { $_->status == 101 } @six), 6, 'another address has as many');
    my ($refusal, @open) = fill('/other', 9);
    is(@open, 3, 'of all there are as many as may be');
    refused($refusal, 503, 'connection_limit', 'which is nobody\'s fault');
};

subtest 'by a variable' => sub {
    my ($refusal, @open) = fill('/page?page=a', 9);
    is(@open, 2, 'as many');
    is($nginx->ws('/page?page=b')->status, 101, 'others are others');
    my ($none, @unnamed) = fill('/page', 5);
    is(@unnamed, 5, 'nobody in particular isn\'t counted');
};

subtest 'streams of events' => sub {
    my @open = map { $nginx->events('/events') } 1 .. 2;
    is($nginx->events('/events')->status, 429, 'are connections as well');
    is($nginx->http(HEAD => '/events')->{status}, 200, 'a question is none');
    undef $open[0];
    wait_for('room', sub {
            my $more = $nginx->events('/events');
            return $more->status == 200;
        });
};

subtest 'a killed worker' => sub {
    idle;
    my ($refusal, @open) = fill_both('/address', 7);
    is(@open, 5, 'both have some');
    my ($dead) = workers_of(@open);
    my $left = grep { $_ != $dead } workers_of(@open);
    $nginx->expect_log(qr/exited on signal 9/);
    $nginx->kill_worker($dead);
    my ($again, @more) = fill('/address', 9);
    is(@more, 5 - $left, 'takes its connections along');
    is($again->status, 429, 'and no other\'s');
};

subtest 'a reload' => sub {
    idle;
    my ($refusal, @open) = fill('/address', 9);
    is(@open, 5, 'before it');
    my @old = workers_of(@open);
    $nginx->reload;
    is($nginx->ws('/address')->status, 429, 'who came before it still counts');
    (pop @open)->close(1000);
    my $more = wait_for('room', sub {
            my $ws = $nginx->ws('/address');
            return $ws->status == 101 ? $ws : undef;
        });
    ok(!grep({ $_ == $more->header('X-Worker') } @old), 'in a new worker');
    is($nginx->ws('/address')->status, 429, 'together they are as many');
};
sub token ($user, %more) {
    return jwt({ sub => $user, exp => time + 600, %more }, key => $secret);
}

# A client of the native protocol that has shown its token in band.
sub native ($path, $token) {
    my $ws = $nginx->ws($path);
    $ws->text(qq({"id":1,"connect":{"token":"$token"}}));
    my $answer = $ws->recv;
    return ($ws, $answer);
}

subtest 'connections of a user' => sub {
    my @in_band = map { [native('/user', token('ann'))] } 1 .. 2;
    like($_->[1], qr/^text:.*"connect":/, 'in band') for @in_band;
    my $early = $nginx->ws('/user', token => token('ann'));
    is($early->status, 101, 'and with a token in the request');
    refused($nginx->ws('/user', token => token('ann')), 429,
        'connection_limit', 'not one more in the request');
    is((native('/user', token('ann')))[1], 'close:3504', 'nor in band');
    like((native('/user', token('bob')))[1], qr/"connect":/,
        'another user isn\'t harmed');
    like((native('/user?space=else', token('ann')))[1], qr/"connect":/,
        'one of that name elsewhere is another');
    $early->text('{"id":1,"connect":{}}');
    like($early->recv, qr/"connect":/, 'who is counted connects');
    is((native('/user', token('ann')))[1], 'close:3504', 'and is counted once');
    $early->close(1000);
    wait_for('room', sub {
            my ($ws, $answer) = native('/user', token('ann'));
            return $answer =~ /"connect":/;
        });
};

subtest 'of a user that a subscription names' => sub {
    my $token = jwt({ iss => 'paperboy', userId => 'ann', channel => 'news',
            exp => time + 600 }, key => $secret);
    my @clients = map { $nginx->ws('/classic') } 1 .. 2;
    $clients[0]->text($token);
    is($clients[0]->recv, 'text:subscribed:news', 'the first');
    $clients[1]->text($token);
    is($clients[1]->recv, 'close:3504', 'and not one more');
};

subtest 'upgrades' => sub {
    my $before = $nginx->status->{refused}{upgrade_rate};
    my @all    = map { $nginx->ws('/rate?key=a') } 1 .. 10;
    is(scalar(grep { $_->status == 101 } @all), 7, 'a burst, over both workers');
    refused($all[-1], 429, 'rate_limited', 'and not one more');
    cmp_ok($all[-1]->header('Retry-After'), '>', 3000, 'for almost an hour');
    is($nginx->ws('/rate?key=b')->status, 101, 'others are others');
    is(join(' ', map { $nginx->ws('/either?key=c')->status } 1 .. 3),
        '101 101 429', 'whom another module lets in counts once');
    $nginx->ws('/rate?key=a') for 1 .. 56;
    is($nginx->status->{refused}{upgrade_rate}, $before + 60,
        'each is counted');
    my $lines = () = $nginx->log =~ /opened too fast/g;
    ok($lines >= 1 && $lines < 60, 'and some are logged');
    is($nginx->ws('/slow', origin => 'x')->status, 101, 'by address');
    is($nginx->ws('/slow')->status, 429, 'too');
    is($nginx->ws('/slow', from('2001:db8::1'))->status, 101,
        'of IPv6 as well');
};

subtest 'messages of a connection' => sub {
    my $before = $nginx->status->{limited_messages};
    my $ws     = $nginx->ws('/echo');
    $ws->text($_) for 1 .. 5;
    is($ws->recv, "text:$_", 'within the limit') for 1 .. 4;
    is($ws->recv, 'close:3013', 'over it');
    my $other = $nginx->ws('/echo');
    $other->text('x');
    is($other->recv, 'text:x', 'another connection isn\'t harmed');
    is($nginx->status->{limited_messages}, $before + 1, 'it is counted');
    my $free = $nginx->ws('/unlimited');
    $free->text($_) for 1 .. 9;
    is($free->recv, "text:$_", 'off') for 1 .. 9;
};

subtest 'commands' => sub {
    my $ws = $nginx->ws('/native');
    $ws->text('{"id":1,"connect":{}}');
    $ws->recv;
    $ws->text(join "\n", map { qq({"id":$_,"ping":{}}) } 2 .. 6);
    my @answers = split /\n/, $ws->recv =~ s/^text://r;
    is_deeply([map { /"error":\{"code":(\d+)/ ? $1 : 0 } @answers],
        [0, 0, 111, 111, 111], 'over the limit each is answered so');
    like($answers[-1], qr/"temporary":true/, 'for a while');
    $ws->text('{}');
    $ws->text('{"id":7,"ping":{}}');
    is($ws->recv, 'close:3013', 'who goes on all the same is sent away');
};

subtest 'messages of all that have a name' => sub {
    my @clients = map { $nginx->ws('/shared?key=a') } 1 .. 6;
    for my $client (@clients) {
        $client->text('x');
        is($client->recv, 'text:x', 'within');
    }
    $clients[0]->text('x');
    is($clients[0]->recv, 'close:3013', 'over it');
    my $other = $nginx->ws('/shared?key=b');
    $other->text('x');
    is($other->recv, 'text:x', 'another name isn\'t harmed');
};

subtest 'messages of a user' => sub {
    my @clients = map { (native('/of-user', token('ann')))[0] } 1 .. 2;
    my @errors;
    for my $i (1 .. 8) {
        my $client = $clients[$i % 2];
        $client->text('{"id":2,"ping":{}}');
        push @errors, $client->recv =~ /"error":\{"code":111,/ ? 1 : 0;
    }
    # Who it is comes with the first command, which isn't the user's yet.
    is_deeply(\@errors, [(0) x 5, (1) x 3], 'are counted together');
    my ($bob) = native('/of-user', token('bob'));
    $bob->text('{"id":2,"ping":{}}');
    unlike($bob->recv, qr/error/, 'another user isn\'t harmed');
};

subtest 'bytes' => sub {
    my $before = $nginx->status->{limited_bytes};
    my $ws     = $nginx->ws('/bytes');
    my $chunk  = 'x' x 30_000;
    for (1 .. 2) {
        $ws->text($chunk);
        is($ws->recv, "text:$chunk", 'within');
    }
    $ws->text($chunk);
    is($ws->recv, 'close:3013', 'over it');
    is($nginx->status->{limited_bytes}, $before + 1, 'it is counted');
    my $pings = $nginx->ws('/bytes');
    eval { $pings->ping('x' x 120) } for 1 .. 600;
    my $last = '';
    while ($last ne 'close:3013' && $last ne 'eof') { $last = $pings->recv }
    is($last, 'close:3013', 'pings are bytes, too');
};

subtest 'bad tokens' => sub {
    is($nginx->ws('/guess', token => 'x.y.z')->status, 401, 'a guess') for 1 .. 3;
    is($nginx->ws('/guess', token => token('ann', exp => time - 60))->status,
        401, 'one that was good is none');
    is($nginx->ws('/guess', token => token('ann'))->status, 101, 'a good one');
    my (undef, $answer) = native('/guess', 'x.y.z');
    is($answer, 'close:3500', 'a fourth, in band');
    my $refusal = $nginx->ws('/guess', token => token('ann'));
    refused($refusal, 429, 'paused', 'whatever is shown now');
    cmp_ok($refusal->header('Retry-After'), '>', 3500, 'for as long as is said');
    is($nginx->status->{refused}{paused}, 1, 'it is counted');
    is($nginx->ws('/free')->status, 101, 'elsewhere it may');
    is($nginx->ws('/guess', from('2001:db8::1'),
            token => token('ann'))->status, 101, 'another address may');
    is($nginx->http(POST => '/publish?channel=a', body => 'x')->{status}, 429,
        'guesses for publishing are the same');
    my @else = (headers => ['X-Real-IP' => '192.0.2.7',
            Authorization => 'Bearer x.y.z']);
    is($nginx->http(POST => '/publish?channel=a', body => 'x', @else)->{status},
        401, 'of a real address') for 1 .. 4;
    is($nginx->http(POST => '/publish?channel=a', body => 'x', @else)->{status},
        429, 'it is what pauses');
};

subtest 'real addresses' => sub {
    my $from = sub ($address) {
        return $nginx->ws('/trusted', from($address));
    };
    my @open = map { $from->($_) }
        qw(192.0.2.1 192.0.2.2 2001:db8::1 2001:db8:0:1::1 ::ffff:192.0.2.3);
    is($_->status, 101, 'each has one') for @open;
    is($from->('192.0.2.1')->status, 429, 'and not one more');
    is($from->('2001:db8::ffff:2')->status, 429, 'of IPv6 a network of 64 bits');
    is($from->('192.0.2.3')->status, 429, 'IPv4 in IPv6 is IPv4');
    is($from->('::ffff:192.0.2.4')->status, 101, 'each of them');
    my $proxied = sub ($line) {
        my $port   = $nginx->port('proxy');
        my $socket = Paperboy::Socket->new(port => $port);
        $socket->write("PROXY $line\r\nGET / HTTP/1.1\r\nHost: x\r\n"
                . "Upgrade: websocket\r\nConnection: upgrade\r\n"
                . "Sec-WebSocket-Version: 13\r\n"
                . "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n");
        my ($status) = $socket->read_until("\r\n\r\n") =~ /^HTTP\/1.1 (\d+)/;
        return [$status, $socket];
    };
    my @behind = map { $proxied->("$_ 1 2") } (
        'TCP4 198.51.100.1 127.0.0.1', 'TCP4 198.51.100.2 127.0.0.1',
        'TCP4 198.51.100.1 127.0.0.1', 'TCP6 2001:db8:9::1 ::1',
        'TCP6 2001:db8:9::2 ::1',      'TCP6 2001:db8:9:1::2 ::1',
    );
    is_deeply([map { $_->[0] } @behind], [101, 101, 429, 101, 429, 101],
        'behind a proxy');
};

subtest 'configuration' => sub {
    my $in = sub ($text) { return "server { location / { $text } }" };
    my %wrong = (
        'paperboy_limit_connections login 5;' => qr/login: nothing to count by/,
        'paperboy_limit_connections address 0;' => qr/0: expected a number/,
        'paperboy_limit_connections address;' => qr/address: expected whom/,
        'paperboy_limit_connections connection 2;' => qr/each connection is one/,
        'paperboy_limit_upgrades user 1/s;' => qr/user: not known before/,
        'paperboy_limit_upgrades address 1;' => qr/1: not a rate/,
        'paperboy_limit_upgrades address 0/s;' => qr/0\/s: not a rate/,
        'paperboy_limit_upgrades address 1/d;' => qr/1\/d: not a rate/,
        'paperboy_limit_messages user 1/s burst=0;' => qr/burst=0: expected/,
        'paperboy_limit_messages user;' => qr/user: expected whom/,
        'paperboy_limit_bytes user 1x/s;' => qr/1x\/s: not a rate, such as 64k/,
        'paperboy_limit_bytes user 1k/s burst=31k;' => qr/burst of at least 32k/,
        'paperboy_limit_bad_tokens 5;' => qr/5: expected off, or a rate/,
        'paperboy_limit_bad_tokens 5/m pause=0;' => qr/pause=0: expected burst/,
        'paperboy_limit_bad_tokens 5/m; paperboy_limit_bad_tokens off;' =>
            qr/is duplicate/,
    );
    conf_refused($in->($_), $_, $wrong{$_}) for sort keys %wrong;
    conf_refused('paperboy_limit_zone 64k;', 'a small zone',
        qr/64k: expected a size of 128k or more/);
    is(conf_error($in->('paperboy echo; paperboy_limit_bad_tokens off;'
                . 'paperboy_limit_messages off; paperboy_limit_bytes off;'
                . 'paperboy_limit_upgrades off; paperboy_limit_connections off;')),
        '', 'all off');
};

finish;
