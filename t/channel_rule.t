# paperboy_channel_rule and paperboy_max_history: what is kept, who gets it back
# and who may what, in the native dialect.
use v5.36;
use Paperboy::Test;
use JSON::PP ();

my $http = <<'END';
paperboy_zone main 4m;
paperboy_origin any;
paperboy_channel_rule kept:*      history=5;
paperboy_channel_rule kept:bytes  history=100 history_size=30;
paperboy_channel_rule kept:age    history=100 history_age=1s;
paperboy_channel_rule kept:no     read_history=nobody history=5;
paperboy_channel_rule full:*      history=100000 full=refuse;
paperboy_channel_rule one         max_subscribers=1;
paperboy_channel_rule closed      subscribe=nobody;
paperboy_channel_rule tokens      subscribe=token;
paperboy_channel_rule said        publish=any;
paperboy_channel_rule told        join_leave;
server {
    listen 127.0.0.1:%%PORT%% reuseport;
    location /native { paperboy native; }
    location /few { paperboy native; paperboy_max_history 2; }
    location /raw { paperboy raw; paperboy_channel $arg_c; }
    location /named { paperboy native; paperboy_channel $arg_c; }
    location /given { paperboy native; paperboy_channel kept:given; }
    location /publish { paperboy_publish any; paperboy_max_message_size 100k; }
    location /status { paperboy_status; }
}
END
my $nginx = nginx(http => $http, workers => 2);
my $json = JSON::PP->new->canonical->allow_nonref;

sub connected ($path = '/native', $subs = '') {
    my $ws = $nginx->ws($path);
    $ws->text(qq({"id":1,"connect":{$subs}}));
    my $reply = reply($ws);
    ok($reply->{connect}, 'connected') or diag explain $reply;
    return ($ws, $reply->{connect});
}

sub reply ($ws) {
    my $event = $ws->recv;
    my ($text) = $event =~ /^text:(.*)$/s or return $event;
    return $json->decode($text);
}

sub ask ($ws, $method, %parameters) {
    $ws->text($json->encode({ id => 2, $method => \%parameters }));
    my $reply = reply($ws);
    return $reply->{error} // $reply->{$method} // $reply;
}

sub publish ($channel, @data) {
    my $answer;
    for (@data) {
        $answer = $nginx->http(POST => "/publish?channel=$channel", body => $_);
    }
    return $answer;
}

sub data ($answer) { return [map { $_->{data} } @{ $answer->{publications} }] }

subtest 'a channel keeps as many as its rule says' => sub {
    publish('kept:a', 1 .. 7);
    my ($ws) = connected;
    my $done = ask($ws, subscribe => channel => 'kept:a');
    is($done->{offset}, 7, 'its position');
    ok($done->{recoverable}, 'that it can be recovered is told');
    my $all = ask($ws, history => channel => 'kept:a', limit => -1);
    is_deeply(data($all), [3 .. 7], 'the last five');
    is($all->{epoch}, $done->{epoch}, 'of this epoch');
    is_deeply(data(ask($ws, history => channel => 'kept:a', limit => 2,
        reverse => \1)), [7, 6], 'backwards');
    is_deeply(data(ask($ws, history => channel => 'kept:a', limit => 2,
        since => { epoch => $done->{epoch}, offset => 4 })), [5, 6], 'a page');
    is(ask($ws, history => channel => 'kept:a',
        since => { epoch => 'ab', offset => 4 })->{code}, 112, 'another epoch');
    is(ask($ws, history => channel => 'kept:b', limit => 1)->{code}, 103,
        'who is not in a channel does not read it');
    is(ask($ws, history => channel => 'other', limit => 1)->{code}, 108,
        'a channel without a rule keeps nothing');
    ask($ws, subscribe => channel => 'kept:no');
    is(ask($ws, history => channel => 'kept:no')->{code}, 103, 'nobody');
};

subtest 'bytes and age are limits too' => sub {
    my ($ws) = connected;
    ask($ws, subscribe => channel => $_) for 'kept:bytes', 'kept:age';
    publish('kept:bytes', map { '"' . $_ x 8 . '"' } 'a' .. 'd');
    reply($ws) for 1 .. 4;
    is_deeply(data(ask($ws, history => channel => 'kept:bytes', limit => -1)),
        ['b' x 8, 'c' x 8, 'd' x 8], '30 bytes');
    publish('kept:age', 1);
    reply($ws);
    is_deeply(data(ask($ws, history => channel => 'kept:age', limit => -1)),
        [1], 'what is young is there');
    wait_for('what is old to go', sub {
        !@{ ask($ws, history => channel => 'kept:age', limit => -1)
            ->{publications} };
    });
};

subtest 'who comes back gets what it missed' => sub {
    my ($ws) = connected;
    my $at = ask($ws, subscribe => channel => 'kept:c');
    $ws->close;
    publish('kept:c', 1 .. 3);
    for (1 .. 4) {    # on whichever worker
        my ($again) = connected;
        my $done = ask($again, subscribe => channel => 'kept:c', recover => \1,
            epoch => $at->{epoch}, offset => 1);
        ok($done->{was_recovering} && $done->{recovered}, 'recovered');
        is_deeply(data($done), [2, 3], 'and no more');
        is($done->{offset}, 3, 'up to here');
    }
    publish('kept:c', 4 .. 9);
    my ($late) = connected;
    my $done = ask($late, subscribe => channel => 'kept:c', recover => \1,
        epoch => $at->{epoch}, offset => 1);
    ok($done->{was_recovering} && !$done->{recovered}, 'too late');
    is_deeply(data($done), [], 'and nothing in part');
    my ($few) = connected('/few');
    $done = ask($few, subscribe => channel => 'kept:c', recover => \1,
        epoch => $at->{epoch}, offset => 6);
    ok(!$done->{recovered}, 'more than paperboy_max_history');
    ($few) = connected('/few');
    $done = ask($few, subscribe => channel => 'kept:c', recover => \1,
        epoch => $at->{epoch}, offset => 7);
    is_deeply(data($done), [8, 9], 'paperboy_max_history');
    my $status = $nginx->status;
    is($status->{recovered}, 5, 'who was recovered is counted');
    is($status->{not_recovered}, 2, 'and who was not');
};

subtest 'who missed nothing is told so, rule or not' => sub {
    my ($ws) = connected;
    my $at = ask($ws, subscribe => channel => 'plain');
    my ($again) = connected;
    my $done = ask($again, subscribe => channel => 'plain', recover => \1,
        epoch => $at->{epoch}, offset => 0);
    ok($done->{recovered}, 'nothing was missed');
    publish('plain', 1);
    ($again) = connected;
    $done = ask($again, subscribe => channel => 'plain', recover => \1,
        epoch => $at->{epoch}, offset => 0);
    ok($done->{was_recovering} && !$done->{recovered}, 'and that one was');
};

subtest 'subscriptions of the server recover in connect' => sub {
    my ($ws, $done) = connected('/given');
    my $at = $done->{subs}{'kept:given'};
    $ws->close;
    publish('kept:given', 1, 2);
    ($ws, $done) = connected('/given',
        '"subs":' . $json->encode({ 'kept:given' =>
            { recover => \1, epoch => $at->{epoch}, offset => 1 } }));
    my $given = $done->{subs}{'kept:given'};
    ok($given->{recovered}, 'recovered');
    is_deeply(data($given), [2], 'what it missed');
};

subtest 'history outlives reloads and workers' => sub {
    my ($ws) = connected;
    my $at = ask($ws, subscribe => channel => 'kept:d');
    publish('kept:d', 1 .. 3);
    $nginx->reload;
    publish('kept:d', 4);
    $nginx->expect_log(qr/exited on signal 9/);
    $nginx->kill_worker($_) for $nginx->workers;
    my ($again) = connected;
    my $done = ask($again, subscribe => channel => 'kept:d', recover => \1,
        epoch => $at->{epoch}, offset => 0);
    is_deeply(data($done), [1 .. 4], 'all of it');
};

subtest 'a full zone refuses where the rule says so' => sub {
    my $big = 'x' x 90_000;
    my $refused;
    for (1 .. 100) {
        my $answer = publish('full:a', $big);
        last if ($refused = $answer->{status} == 503 ? $answer : undef);
    }
    is($refused && $refused->json->{error}, 'zone_full', 'zone_full');
    is(publish('kept:e', $big)->{status}, 200,
        'one that evicts takes the place of the oldest');
    ok($nginx->status->{zone}{history_evictions} > 0, 'which is counted')
        if exists $nginx->status->{zone}{history_evictions};
};

subtest 'who may' => sub {
    my ($ws) = connected;
    is(ask($ws, subscribe => channel => 'closed')->{code}, 103, 'nobody');
    is(ask($ws, subscribe => channel => 'tokens')->{code}, 103, 'token');
    is($nginx->ws('/raw?c=closed')->status, 403, 'nor by raw');
    is($nginx->ws('/raw?c=tokens')->status, 403, 'nor that');
    for my $channel (qw(closed tokens)) {
        my $given = $nginx->ws("/named?c=$channel");
        $given->text('{"id":1,"connect":{}}');
        is($given->recv, 'close:3507', "$channel: nor where it is given");
    }
    is(ask($ws, publish => channel => 'said', data => 1)->{code}, undef,
        'anyone publishes where the rule says so');
    is(ask($ws, publish => channel => 'kept:f', data => 1)->{code}, 103,
        'and where it does not, not');
    ask($ws, subscribe => channel => 'one');
    my ($second) = connected;
    is(ask($second, subscribe => channel => 'one')->{code}, 106, 'one is enough');
    is($nginx->ws('/raw?c=one')->status, 503, 'by whichever dialect');
};

subtest 'who comes and goes is told to who asks' => sub {
    my ($hears) = connected;
    ask($hears, subscribe => channel => 'told', join_leave => \1);
    like($hears->recv, qr/"join":\{"info":/, 'itself');
    my ($comes) = connected;
    ask($comes, subscribe => channel => 'told');
    like($hears->recv, qr/"join":\{"info":\{"user":"","client":"[0-9a-f]{32}"\}\}/,
        'another');
    $comes->close;
    like($hears->recv, qr/"leave":\{"info":/, 'and how it goes');
};

subtest 'configuration' => sub {
    my @bad = (
        ['a', 'invalid number of arguments', 'no parameter'],
        ['a histry=5', 'no such parameter of a rule', 'a typo'],
        ['a history=0', 'expected a number of publications', 'none'],
        ['a history=-1', 'expected a number of publications', 'less'],
        ['a history=x', 'expected a number of publications', 'no number'],
        ['a history_age=1m', 'means nothing without history=', 'age alone'],
        ['a history_size=1m', 'means nothing without history=', 'size alone'],
        ['a full=evict', 'means nothing without history=', 'full alone'],
        ['a history=1 history_age=x', 'expected a time', 'no time'],
        ['a history=1 history_age=0', 'expected a time', 'no time at all'],
        ['a history=1 history_size=x', 'expected a size', 'no size'],
        ['a history=1 full=maybe', 'expected evict or refuse', 'neither'],
        ['a subscribe=all', 'expected location, any, token, user, own or nobody', 'who?'],
        ['a max_subscribers=0', 'expected a number of subscribers', 'nobody'],
        ['$arg_a presence', 'has no variables', 'a variable'],
        ['"" presence', 'empty, or it has a rule already', 'no pattern'],
        ['a* presence; paperboy_channel_rule a* presence',
            'it has a rule already', 'twice'],
    );
    conf_refused("paperboy_channel_rule $_->[0];", $_->[2], qr/\Q$_->[1]\E/)
        for @bad;
    conf_refused('server { paperboy_channel_rule a presence; }', 'in a server',
        qr/not allowed here/);
    conf_refused("server { location / { paperboy_max_history $_; } }",
        "paperboy_max_history $_", qr/expected from 1 to 1000000/)
        for 0, 1_000_001;
};

finish;
