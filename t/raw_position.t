# raw with positions: who comes back says where it was, and misses nothing.
use v5.36;
use Paperboy::Test;
use IPC::Open2 qw(open2);

my $conf = <<'END';
paperboy_zone main 16m;
paperboy_origin any;
paperboy_channel_rule kept* history=1000;
paperboy_channel_rule few history=2;
server {
    listen 127.0.0.1:%%PORT%% reuseport;
    add_header X-Worker $pid always;
    location /ws {
        paperboy raw;
        paperboy_channel $arg_channel $arg_d;
        paperboy_subprotocol app;
        paperboy_client_publish on;
    }
    location /shop {
        paperboy raw;
        paperboy_channel $arg_channel;
        paperboy_namespace shop;
    }
    location /publish { paperboy_publish any; }
    location /shop/publish { paperboy_publish any; paperboy_namespace shop; }
    location /echo { paperboy echo; }
    location /status { paperboy_status; }
}
END
my $nginx = nginx(workers => 3, http => $conf);

sub publish ($channel, $body, %option) {
    my $answer = $nginx->http(
        POST => ($option{path} // '') . "/publish?channel=$channel",
        body => $body, headers => $option{headers} // []);
    my $json = $answer->json;
    return "$json->{epoch}:$json->{offset}";
}

sub positioned ($query, $path = '/ws') {
    return $nginx->ws("$path?$query", protocol => 'paperboy.position');
}

subtest 'the subprotocol' => sub {
    my $ws = positioned('channel=a');
    is($ws->header('Sec-WebSocket-Protocol'), 'paperboy.position', 'agreed on');
    my ($begin) = $ws->recv =~ /^text:(\S+:0) a$/;
    ok($begin, 'where it begins');
    my $first = publish(a => "one\ntwo");
    is($ws->recv, "text:$first a\none\ntwo", 'a position before each message');
    is($first =~ s/:.*//r, $begin =~ s/:.*//r, 'in the epoch of the beginning');
    my $second = publish(a => "\0\xff",
        headers => ['Content-Type' => 'application/octet-stream']);
    is($ws->recv, "binary:$second a\n\0\xff", 'binary too');
    $ws->text('mine');
    like($ws->recv, qr/^text:\S+:3 a\nmine$/, 'what it says goes as it is');
    my $plain = $nginx->ws('/ws?channel=a');
    is($plain->header('Sec-WebSocket-Protocol'), undef, 'not where not offered');
    publish(a => 'plain');
    is($plain->recv, 'text:plain', 'and no position then');
    my $app = $nginx->ws('/ws?channel=a', protocol => 'app, paperboy.position');
    is($app->header('Sec-WebSocket-Protocol'), 'app', 'the client chooses');
    publish(a => 'app');
    is($app->recv, 'text:app', 'and gets what it chose');
    is($nginx->ws('/echo', protocol => 'paperboy.position')
            ->header('Sec-WebSocket-Protocol'), undef, 'raw alone has it');
};

subtest 'coming back' => sub {
    my @at = map { publish(kept => $_) } 1 .. 5;
    for my $ws ($nginx->ws("/ws?channel=kept&since=$at[1]"),
        $nginx->ws('/ws?channel=kept&since=' . $at[1] =~ s/:/%3A/r)) {
        is($ws->recv, "text:$_", 'what was missed') for 3 .. 5;
    }
    my $ws = positioned("channel=kept&since=$at[2]");
    is($ws->recv, "text:$at[3] kept\n4", 'with positions');
    is($ws->recv, "text:$at[4] kept\n5", 'all');
    my $none = positioned("channel=kept&since=$at[4]");
    is($none->recv, "text:$at[4] kept", 'nothing was missed');
    my $next = publish(kept => 6);
    is($_->recv, "text:$next kept\n6", 'and what comes') for $ws, $none;
    is($nginx->ws("/ws?channel=kept&since=")->status, 101, 'from now on');
};

subtest 'what can not be had is told' => sub {
    my @at = map { publish(few => $_) } 1 .. 5;
    my ($epoch) = $at[0] =~ /(.*):/;
    for my $since ($at[0], 'abc:3', "$epoch:99") {
        my $ws = $nginx->ws("/ws?channel=few&since=$since");
        is($ws->status, 101, "$since: open");
        is($ws->recv, 'close:3010', 'and told');
    }
    my $ws = positioned("channel=few&since=$at[2]");
    is($ws->recv, "text:$at[3] few\n4", 'what is kept comes');
};

subtest 'several channels' => sub {
    my @one = map { publish(kept1 => $_) } 1 .. 2;
    my @two = map { publish(kept2 => $_) } 1 .. 3;
    my $ws = positioned("channel=kept1&d=kept2&since=$one[0],$two[1]");
    my @got = sort map { $ws->recv } 1 .. 2;
    is_deeply(\@got, [sort "text:$one[1] kept1\n2", "text:$two[2] kept2\n3"],
        'each from its own');
    $ws = positioned("channel=kept1&d=kept2&since=,$two[1]");
    @got = sort map { $ws->recv } 1 .. 2;
    is_deeply(\@got, [sort "text:$one[1] kept1", "text:$two[2] kept2\n3"],
        'or from now on');
};

subtest 'namespaces' => sub {
    my $at = publish(kept => 'x', path => '/shop');
    my $next = publish(kept => 'y', path => '/shop');
    my $ws = positioned("channel=kept&since=$at", '/shop');
    is($ws->recv, "text:$next kept\ny", 'names are plain');
};

subtest 'what is no position' => sub {
    $nginx->expect_log(qr/paperboy refused/);
    for my $since (qw(1 x:1 1:x 0:1 1:1:1 1:-1 1:01),
        '1:1,1:1', ',', '1:1%00') {
        my $answer = $nginx->ws("/ws?channel=kept&since=$since")->answer;
        is($answer->{status}, 400, "'$since'");
        is($answer->json->{error}, 'bad_request', 'says so');
    }
    is($nginx->ws('/ws?channel=kept&d=kept1&since=1:1')->status, 400,
        'one for two channels');
    is($nginx->ws('/echo?since=x')->status, 101, 'echo has no channels');
};

# Reads up to the message that says so, and keeps the last position.
sub read_on ($state, $last) {
    while (($state->{got}[-1] // '') ne $last) {
        my $ws = $state->{ws} //= positioned('channel=keptlong'
            . ($state->{since} ? "&since=$state->{since}" : ''));
        my $event = eval { $ws->recv } // 'eof';
        if ($event =~ /^text:(\S+) keptlong(?:\n(.*))?$/) {
            $state->{since} = $1;
            push @{ $state->{got} }, $2 if defined $2;
        } else {
            delete $state->{ws};
        }
    }
    return;
}

subtest 'over reloads and deaths nothing is missed or comes twice' => sub {
    my @clients = map { my $ws = positioned('channel=keptlong');
        { ws => $ws, got => [] } } 1 .. 6;
    my $count = 0;
    $nginx->expect_log(qr/exited on signal 9/);
    for my $round (1 .. 4) {
        publish(keptlong => ++$count) for 1 .. 20;
        read_on($_, $count) for @clients[0 .. 2];
        publish(keptlong => ++$count) for 1 .. 20;
        $round % 2 ? $nginx->kill_worker($_) : 0 for $nginx->workers;
        $nginx->reload unless $round % 2;
        publish(keptlong => ++$count) for 1 .. 20;
    }
    read_on($_, $count) for @clients;
    is("@{ $_->{got} }", join(' ', 1 .. $count), 'all, in order, once')
        for @clients;
};

subtest 'without a library: the lines of the documentation' => sub {
    my $sdk = "$Paperboy::Nginx::ROOT/t/sdk";
    plan skip_all => 'no WebSocket for Node.js: npm ci in t/sdk brings it'
        unless -d "$sdk/node_modules/ws";
    my $pid = open2(my $out, my $in, 'node', "$sdk/position.mjs",
        'ws://127.0.0.1:' . $nginx->port);
    $out->autoflush(1);
    wait_for('it listens', sub { $nginx->status->{subscriptions} > 0
            && publish('kept-page' => 'first') });
    my $said = <$out>;
    is($said, "first\n", 'a message') while ($said // '') ne "first\n";
    my @pids = $nginx->workers;
    $nginx->kill_worker($_) for @pids;
    publish('kept-page' => $_) for 'second', 'third';
    is(scalar(<$out>), "$_\n", 'and what it missed') for 'second', 'third';
    kill TERM => $pid;
    waitpid $pid, 0;
};
finish;
