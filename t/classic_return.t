# What a client of the classic protocol missed while it was away is brought to
# it when it is let in again: it says nothing of where it was. With back ends,
# and over two nodes: t/classic_return_redis.t.
use v5.36;
use Paperboy::Cuts qw(payload through_cuts);
use Paperboy::Test;
use File::Temp ();
use JSON::PP ();
use Time::HiRes qw(sleep time);

my $dir    = File::Temp->newdir;
my $secret = 'secret ' x 10;
local $ENV{PAPERBOY_JWT_SECRET} = $secret;
my ($certificate, $key) = self_signed($dir);

my $conf = <<"END";
paperboy_zone main 16m;
paperboy_drain 300ms;
paperboy_jwt_key HS256 env=PAPERBOY_JWT_SECRET;
paperboy_channel_rule brief* history=3;
paperboy_channel_rule no* publish=nobody;
paperboy_channel_rule * history=10000;
ssl_certificate $certificate;
ssl_certificate_key $key;
server {
    listen 127.0.0.1:%%PORT%% reuseport;
    listen 127.0.0.1:%%PORT_tls%% ssl reuseport;
    listen 127.0.0.1:%%PORT_narrow%% sndbuf=32k reuseport;
    add_header X-Worker \$pid always;
    paperboy_origin https://app.example https://other.example;
    location /ws { paperboy classic; }
    location /off { paperboy classic; paperboy_classic_return 0; }
    location /moment { paperboy classic; paperboy_classic_return 1s; }
    location /shop { paperboy classic; paperboy_namespace shop; }
    location /lively {
        paperboy classic;
        paperboy_ping_interval 200ms;
        paperboy_ping_timeout 200ms;
    }
    location /slow { paperboy classic; paperboy_send_timeout 300ms; }
    location /small {
        paperboy classic;
        paperboy_send_timeout 300ms;
        paperboy_send_buffer 100k;
    }
    location /deflate { paperboy classic; paperboy_deflate on; }
    location /deflate/lively {
        paperboy classic;
        paperboy_deflate on;
        paperboy_ping_interval 200ms;
        paperboy_ping_timeout 200ms;
    }
    location /publish { paperboy_jwt_key off; paperboy_publish any; }
    location /api { paperboy_jwt_key off; paperboy_api any; }
    location /status { paperboy_status; }
}
END
my $nginx = nginx(dir => $dir, workers => 2, log_level => 'info',
    http => $conf);
my $json = JSON::PP->new->canonical->allow_nonref;

sub token ($channel, $user = 'ann') {
    return jwt({ iss => 'paperboy', userId => $user, channel => $channel,
            exp => int(time) + 600 }, key => $secret);
}

# A connection with a subscription to each of the channels.
sub enter ($channels, %option) {
    my $ws = $nginx->ws(delete $option{path} // '/ws',
        origin => 'https://app.example', %option);
    for my $channel (ref $channels ? @$channels : $channels) {
        $ws->text(token($channel, $option{user} // 'ann'));
        is($ws->recv, "text:subscribed:$channel", "subscribed to $channel");
    }
    return $ws;
}

sub publish ($channel, @payloads) {
    for my $payload (@payloads) {
        my $answer = $nginx->http(POST => "/publish?channel=$channel",
            body => $json->encode($payload));
        is($answer->{status}, 200, 'published') if $answer->{status} != 200;
    }
    return;
}

sub next_of ($ws) { return payload($ws->recv) }

# What has come in the channel, up to what is published now.
sub heard ($ws, $channel) {
    publish($channel, 'the last');
    my @heard;
    while (1) {
        my $payload = next_of($ws);
        last if $payload eq 'the last' || $payload =~ /^(?:eof|close)/;
        push @heard, $payload;
    }
    return \@heard;
}

# nginx has seen that so many are there.
sub await_clients ($count) {
    return wait_for("$count connections", sub {
        $nginx->status->{connections} == $count;
    });
}

sub cut ($ws, $how = 'drop') {
    my $count = $nginx->status->{connections};
    $ws->$how;
    return await_clients($count - 1);
}

# Goes, and misses two messages.
sub miss ($channel, $ws, $how = 'drop') {
    cut($ws, $how);
    publish($channel, 'missed', 'missed too');
    return;
}

for my $how (qw(drop reset)) {
    subtest "cut: $how" => sub {
        my $channel = "cut-$how";
        publish($channel, 'before');
        my $ws = enter($channel);
        publish($channel, 'heard');
        is(next_of($ws), 'heard', 'what it heard');
        miss($channel, $ws, $how);
        my $recovered = $nginx->status->{recovered};
        $ws = enter($channel);
        is_deeply(heard($ws, $channel), ['missed', 'missed too'],
            'first it is subscribed, then it is brought what it missed');
        is($nginx->status->{recovered}, $recovered + 1, 'which is counted');
        is_deeply(heard(enter($channel), $channel), [], 'once');
    };
}

subtest 'on another worker' => sub {
    my $ws     = enter('elsewhere');
    my $worker = $ws->header('X-Worker');
    miss('elsewhere', $ws);
    my $other;
    for (1 .. 100) {
        $other = $nginx->ws('/ws', origin => 'https://app.example');
        last if $other->header('X-Worker') ne $worker;
    }
    isnt($other->header('X-Worker'), $worker, 'another worker');
    $other->text(token('elsewhere'));
    is($other->recv, 'text:subscribed:elsewhere', 'is where it comes back');
    is_deeply(heard($other, 'elsewhere'), ['missed', 'missed too'], 'all of it');
};

subtest 'several channels' => sub {
    my @channels = qw(one two three);
    my $ws       = enter(\@channels);
    cut($ws);
    publish($_, "$_ a", "$_ b") for @channels;
    $ws = $nginx->ws('/ws', origin => 'https://app.example');
    for my $channel (reverse @channels) {
        $ws->text(token($channel));
        is_deeply([map { next_of($ws) } 1 .. 3],
            ["subscribed:$channel", "$channel a", "$channel b"],
            "each in its order: $channel");
    }
};

subtest 'who gets nothing' => sub {
    for my $code (1000, 1001, undef) {
        my $channel = 'left-' . ($code // 'silently');
        my $ws      = enter($channel);
        my $count   = $nginx->status->{connections};
        $ws->close(defined $code ? $code : ());
        await_clients($count - 1);
        publish($channel, 'missed');
        is_deeply(heard(enter($channel), $channel), [],
            'who left on purpose: ' . ($code // 'no code'));
    }
    for (
        ['another user',   user    => 'bob'],
        ['another browser', headers => ['User-Agent' => 'lynx']],
        ['another page',    origin  => 'https://other.example'],
        ['another namespace', path  => '/shop'],
        ['where it is off', path    => '/off'],
    ) {
        my ($name, %option) = @$_;
        my $channel = 'for-' . $name =~ s/ /-/gr;
        miss($channel, enter($channel));
        my $ws = enter($channel, %option);
        if ($name =~ /namespace/) {
            ok(!$ws->readable(0.3), $name);
        } else {
            is_deeply(heard($ws, $channel), [], $name);
        }
    }
    miss('nothing', enter('nothing'));
    is_deeply(heard(enter('nothing'), 'nothing'), [], 'a rule without history');
    miss('never', enter('never', path => '/off'));
    is_deeply(heard(enter('never'), 'never'), [], 'who left where it is off');
    miss('moment', enter('moment', path => '/moment'));
    sleep 2.1;
    is_deeply(heard(enter('moment', path => '/moment'), 'moment'), [],
        'who comes too late');
    my $ws = enter(['gone', 'stays']);
    $ws->text('unsubscribe:gone');
    is_deeply(heard($ws, 'stays'), [], 'it leaves a channel');
    cut($ws);
    publish($_, 'missed') for qw(gone stays);
    $ws = enter('gone');
    is_deeply(heard($ws, 'gone'), [], 'of that one it gets nothing');
    $ws->text(token('stays'));
    is_deeply([map { next_of($ws) } 1, 2], ['subscribed:stays', 'missed'],
        'of others it does');
};

subtest 'sent away' => sub {
    my $ws     = enter('orders');
    my $count  = $nginx->status->{connections};
    my $answer = $nginx->http(POST => '/api/disconnect',
        headers => ['Content-Type', 'application/json'],
        body => '{"user":"ann"}');
    is($answer->{status}, 200, 'a back end disconnects it');
    wait_for('the end', sub { $ws->recv =~ /^close:/ });
    $ws->drop;
    publish('orders', 'missed');
    is_deeply(heard(enter('orders'), 'orders'), [], 'it gets nothing');
};

subtest 'two of a user' => sub {
    my @tabs = (enter('tabs'), enter('tabs'));
    cut($_) for @tabs;
    publish('tabs', 'missed');
    my @back = map { enter('tabs') } 1 .. 3;
    publish('tabs', 'the last');
    my @heard = map { my $ws = $_; [next_of($ws)] } @back;
    is_deeply(\@heard, [['missed'], ['missed'], ['the last']],
        'each is brought it; a third is not');
};

subtest 'what is gone' => sub {
    my $channel = 'brief';
    my $ws      = enter($channel);
    cut($ws);
    publish($channel, 1 .. 5);
    my $before = $nginx->status->{not_recovered};
    is_deeply(heard(enter($channel), $channel), [],
        'of more than is kept it gets nothing');
    is($nginx->status->{not_recovered}, $before + 1, 'which is counted');
    like($nginx->log, qr/\[info\].*paperboy what a client missed while it was away is gone, client: 127/,
        'and in the log');
};

subtest 'no answer to a ping' => sub {
    my $ws    = enter('pings', path => '/lively');
    my $count = $nginx->status->{connections};
    publish('pings', 'received');
    await_clients($count - 1);
    publish('pings', 'missed');
    is_deeply(heard(enter('pings'), 'pings'), ['missed'],
        'what its kernel has received it has');
};

# A client whose kernel takes no more: what it has received is read only after
# nginx has given it up. The last message that it has whole, and what it is
# brought at another location.
sub stall ($channel, $path, $back, %option) {
    my $ws = enter($channel, path => $path, receive_buffer => 16_384, %option);
    my $count = $nginx->status->{connections};
    my $fill  = join '', map { chr(97 + rand 26) } 1 .. 1500;
    publish($channel, map { "$_ $fill" } 1 .. 200);
    await_clients($count - 1);
    my $last = 0;
    while ((my $event = eval { $ws->recv } // 'eof') ne 'eof') {
        next if $event eq 'ping:';
        my ($number) = payload($event) =~ /^(\d+) / or last;
        is($number, $last + 1, 'in order') if $number != $last + 1;
        $last = $number;
    }
    ok($last > 0 && $last < 200, "it has some and lacks some: $last");
    $ws = enter($channel, path => $back, %option);
    return ($last, map { /^(\d+) / } @{ heard($ws, $channel) });
}

# A ping is counted as if it were of a message, what is compressed isn't always
# as long, and TLS adds to each write.
sub is_again ($last, $more, @numbers) {
    cmp_ok($numbers[0], '<=', $last + 1, 'none is missing');
    cmp_ok($numbers[0], '>=', $last + 1 - $more, "at most $more come twice");
    return is_deeply(\@numbers, [$numbers[0] .. 200], 'in order');
}

subtest 'bytes that were never received' => sub {
    for (
        ['nginx',  0, '/slow',           '/ws', port => 'narrow'],
        ['kernel', 1, '/lively',         '/ws'],
        ['deflate', 5, '/deflate/lively', '/deflate',
            deflate => 'permessage-deflate'],
        ['TLS', 20, '/lively', '/ws', port => 'tls', tls => 1],
    ) {
        my ($name, $more, @where) = @$_;
        note $name;
        my ($last, @numbers) = stall("stalled-$name", @where);
        is_again($last, $more, @numbers);
    }
    my $before = $nginx->status->{not_recovered};
    my ($last, @numbers) = stall('stalled-much', '/small', '/small',
        port => 'narrow');
    is_deeply(\@numbers, [], 'of more than it may be brought nothing comes');
    is($nginx->status->{not_recovered}, $before + 1, 'which is counted');
};

subtest 'cut 20 times under a steady stream' => sub {
    my $count = $nginx->status->{connections} + 1;
    # Reloaded: the old worker closes it.
    my $reload = sub ($ws) {
        my @more;
        $nginx->reload;
        while ((my $event = $ws->recv) !~ /^close/) {
            push @more, payload($event);
        }
        $ws->close;
        return @more;
    };
    through_cuts(
        rounds  => 20,
        publish => $nginx,
        channel => 'steady',
        enter   => sub ($) { enter('steady') },
        gone    => sub { await_clients($count - 1) },
        amid    => { 7 => $reload, 14 => $reload },
    );
};

subtest 'a worker is killed' => sub {
    my $ws = enter('killed');
    $nginx->expect_log(qr/exited on signal 9/);
    $nginx->kill_worker($ws->header('X-Worker'));
    publish('killed', 'missed');
    is_deeply(heard(enter('killed'), 'killed'), [], 'leaves no note');
};

subtest 'the directive' => sub {
    my $refused = sub ($time, $name, $pattern) {
        conf_refused("paperboy_zone main 8m; server { location / {"
                . " paperboy classic; paperboy_classic_return $time; } }",
            $name, $pattern);
    };
    $refused->('11m', 'too long',
        'paperboy_classic_return: expected from 0 to 10m');
    $refused->('soon', 'no time', 'invalid value');
};

finish;
