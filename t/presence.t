# Who is in a channel: over workers, whatever the dialect, and after a worker
# was killed.
use v5.36;
use Paperboy::Test;
use File::Temp ();
use JSON::PP ();

my $dir    = File::Temp->newdir;
my $secret = 'secret ' x 10;
file_with("$dir/secret", $secret);

my $nginx = nginx(dir => $dir, workers => 2, http => <<'END');
paperboy_zone main 8m;
paperboy_origin any;
paperboy_channel_rule room:* presence join_leave;
paperboy_channel_rule open:* presence read_presence=any;
paperboy_channel_rule shut   presence read_presence=nobody;
server {
    listen 127.0.0.1:%%PORT%% reuseport;
    add_header X-Worker $pid always;
    location /native { paperboy native; }
    location /keyed {
        paperboy native;
        paperboy_jwt_key HS256 file=%%DIR%%/secret;
    }
    location /raw { paperboy raw; paperboy_channel $arg_c; }
    location /status { paperboy_status; }
}
END

my $json = JSON::PP->new->canonical->allow_nonref;

sub reply ($ws) {
    my $event = $ws->recv;
    my ($text) = $event =~ /^text:(.*)$/s or return $event;
    return $json->decode($text);
}

sub connected ($path = '/native', $token = undef) {
    my $ws = $nginx->ws($path);
    $ws->text($json->encode(
        { id => 1, connect => { $token ? (token => $token) : () } }));
    my $done = reply($ws)->{connect};
    return ($ws, $done->{client});
}

sub ask ($ws, $method, %parameters) {
    $ws->text($json->encode({ id => 2, $method => \%parameters }));
    my $reply;
    do { $reply = reply($ws) } until !ref $reply || $reply->{id};
    return $reply->{error} // $reply->{$method} // $reply;
}

sub present ($ws, $channel) {
    return ask($ws, presence => channel => $channel)->{presence};
}

subtest 'who is in a channel, on whichever worker' => sub {
    my @all = map { [connected] } 1 .. 8;
    ask($_->[0], subscribe => channel => 'room:a') for @all;
    my @raw = map { $nginx->ws('/raw?c=room:a') } 1 .. 2;
    my $there = present($all[0][0], 'room:a');
    is(keys %$there, 10, 'all of them');
    is_deeply($there->{ $_->[1] }, { client => $_->[1], user => '' },
        'by their ids') for @all;
    is_deeply(ask($all[7][0], presence_stats => channel => 'room:a'),
        { num_clients => 10, num_users => 1 }, 'and how many');
    $raw[0]->close;
    ask($all[1][0], unsubscribe => channel => 'room:a');
    $all[2][0]->close;
    wait_for('those who left to be gone', sub {
        keys %{ present($all[0][0], 'room:a') } == 7;
    });
    is($nginx->status->{subscriptions}, 7, 'as many as subscribe');
};

subtest 'who may ask' => sub {
    my ($in) = connected;
    my ($out) = connected;
    ask($in, subscribe => channel => $_) for 'room:b', 'open:b', 'shut', 'plain';
    is(ask($out, presence => channel => 'room:b')->{code}, 103,
        'not who is not there');
    ok(present($out, 'open:b'), 'unless the rule says so');
    is(ask($in, presence => channel => 'shut')->{code}, 103, 'nobody');
    is(ask($in, presence => channel => 'plain')->{code}, 108,
        'without a rule nobody is known');
};

subtest 'what tokens say of their bearers' => sub {
    my ($ws, $id) = connected('/keyed', jwt({ sub => 'ann', channels => [],
        info => { color => 'red' },
        caps => [{ channels => ['*'], match => 'wildcard', allow => ['prs'] }],
    }, key => $secret));
    ask($ws, subscribe => channel => 'room:t', token => jwt({ sub => 'ann',
        channel => 'room:t', info => [1] }, key => $secret));
    is_deeply(present($ws, 'room:t'), { $id => { user => 'ann', client => $id,
        conn_info => { color => 'red' }, chan_info => [1] } },
        'user and both infos');
    is_deeply(ask($ws, presence_stats => channel => 'room:t'),
        { num_clients => 1, num_users => 1 }, 'counted');
    my ($other) = connected('/keyed', jwt({ sub => 'bob' }, key => $secret));
    is(ask($other, presence => channel => 'room:t')->{code}, 103,
        'a token without that scope');
};

subtest 'a killed worker takes its members along' => sub {
    my @all;
    my %of;
    while (keys %of < 2 || @all < 12) {
        push @all, [connected];
        push @{ $of{ $all[-1][0]->header('X-Worker') } }, $all[-1];
    }
    my ($stay, $die) = sort keys %of;
    my ($hears) = @{ $of{$stay} };
    ask($hears->[0], subscribe => channel => 'room:c', join_leave => \1);
    my @others = grep { $_ != $hears } @all;
    ask($_->[0], subscribe => channel => 'room:c') for @others;
    is(keys %{ present($hears->[0], 'room:c') }, @all, 'all are there');
    $nginx->expect_log(qr/exited on signal 9/);
    $nginx->kill_worker($die);
    my %gone = map { $_->[1] => 1 } @{ $of{$die} };
    while (%gone) {
        my $event = $hears->[0]->recv;
        my ($id) = $event =~ /"leave":\{"info":\{"user":"","client":"(\w+)"/
            or next;
        ok(delete $gone{$id}, "$id was there and is told to have left, once");
    }
    is(keys %{ present($hears->[0], 'room:c') }, @{ $of{$stay} },
        'those of the other worker are there');
};

subtest 'many members' => sub {
    my $n = 300;
    my ($ws) = connected;
    ask($ws, subscribe => channel => 'open:big');
    my @raw = map { $nginx->ws('/raw?c=open:big') } 1 .. $n;
    is(ask($ws, presence_stats => channel => 'open:big')->{num_clients}, $n + 1,
        'are counted');
    is(keys %{ present($ws, 'open:big') }, $n + 1, 'and listed');
    undef @raw;
    wait_for('them to be gone', sub {
        ask($ws, presence_stats => channel => 'open:big')->{num_clients} == 1;
    });
};

finish;
