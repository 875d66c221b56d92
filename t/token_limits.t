# paperboy_token_limits: how much a token, or a back end, says that its bearer
# may: connections, messages, bytes, subscriptions; less than the location does,
# and never more.
use v5.36;
use Paperboy::Test;
use JSON::PP ();

my $secret = 'secret ' x 10;
local $ENV{PAPERBOY_JWT_SECRET} = $secret;

my $json  = JSON::PP->new->canonical;
my $nginx = nginx(workers => 2, http => <<'END');
paperboy_zone main 8m;
paperboy_limit_zone 256k;
paperboy_origin any;
paperboy_jwt_key HS256 env=PAPERBOY_JWT_SECRET;
paperboy_token_limits on;
paperboy_client_publish on;
server {
    listen 127.0.0.1:%%PORT%% reuseport;
    location /status { paperboy_status; }
    location /native {
        paperboy native;
        paperboy_namespace $arg_space;
        paperboy_max_subscriptions 3;
    }
    location /given { paperboy native; paperboy_channel a b; }
    location /raw { paperboy raw; paperboy_channel a; }
    location /two { paperboy raw; paperboy_channel a b; }
    location /sse { paperboy sse; paperboy_channel a; }
    location /classic { paperboy classic; }
    location /notiflux { paperboy notiflux; }
    location /off { paperboy native; paperboy_token_limits off; }
    location /named {
        paperboy native;
        paperboy_token_claim limits https://example.com/limits;
    }
    location /issuer {
        paperboy_issuer me {
            key HS256 env=PAPERBOY_JWT_SECRET;
            claim limits quota;
        }
        paperboy native;
    }
    location /strict {
        paperboy native;
        paperboy_limit_messages connection 3/h;
        paperboy_limit_connections user 1;
    }
    location /publish { paperboy_publish; }
    location /asked { paperboy native; paperboy_auth_request /say/some; }
    location /asked-wrong { paperboy raw; paperboy_channel a;
        paperboy_auth_request /say/wrong; }
    location /asked-raw {
        paperboy raw;
        paperboy_channel a;
        paperboy_jwt_key off;
        paperboy_auth_request /say/some;
    }
    location = /say/some {
        return 200 '{"user":"bob","limits":{"messages":"3/h","connections":2}}';
    }
    location = /say/wrong { return 200 '{"limits":{"message":1}}'; }
}
END

sub idle () {
    return wait_for('all to leave',
        sub { $nginx->status->{connections} == 0 });
}

sub token ($limits, %more) {
    return jwt({ sub => 'ann', exp => time + 600, channels => '*',
            scope => 'subscribe publish',
            (defined $limits ? (limits => $limits) : ()), %more },
        key => $secret);
}

my $id = 0;

# The replies to commands that are sent in one message, in their order: codes of
# errors, 0 where there was none; or how it ended.
sub ask ($ws, @commands) {
    my @ids = map { ++$id } @commands;
    $ws->text(join "\n",
        map { $json->encode({ id => $ids[$_], %{ $commands[$_] } }) }
            0 .. $#ids);
    my %code;
    while (keys %code < @commands) {
        my $event = $ws->recv;
        my ($text) = $event =~ /^text:(.*)$/s or return $event;
        for my $reply (map { $json->decode($_) } split /\n/, $text) {
            $code{ $reply->{id} } = $reply->{error}{code} // 0
                if $reply->{id};
        }
    }
    return @code{@ids};
}

sub pings ($ws, $n) { return join ' ', ask($ws, ({ ping => {} }) x $n) }

# A client that has shown its token in band, and what it was answered.
sub native ($path, $token) {
    my $ws = $nginx->ws($path);
    return ($ws, join ' ', ask($ws, { connect => { token => $token } }));
}

sub connected ($path, $limits, %more) {
    my ($ws, $answer) = native($path, token($limits, %more));
    is($answer, '0', 'connected');
    return $ws;
}

sub room ($path, $token, $name) {
    return ok(wait_for('room', sub { (native($path, $token))[1] eq '0' }), $name);
}

subtest 'connections' => sub {
    my $two  = token({ connections => 2 });
    my @open = map { [native('/native', $two)] } 1 .. 2;
    is($_->[1], '0', 'in band') for @open;
    my ($before) = $nginx->status->{refused}{connection_limit};
    is((native('/native', $two))[1], 'close:3504', 'and not one more');
    my $refusal = $nginx->ws('/native', token => $two);
    is($refusal->status, 429, 'nor in the request');
    is($refusal->answer->json->{error}, 'connection_limit', 'with its name');
    like($refusal->answer->json->{message}, qr/as the token, or the back end/,
        'and why');
    like($refusal->header('Retry-After'), qr/^[1-9]\d*$/, 'when to come again');
    is($nginx->status->{refused}{connection_limit}, $before + 2, 'both count');
    is($nginx->ws('/raw', token => $two)->status, 429, 'of all locations');
    is($nginx->events('/sse', headers => [Authorization => "Bearer $two"])
            ->status, 429, 'streams, too');
    is((native('/native?space=else', $two))[1], '0', 'elsewhere it is another');
    is((native('/native', token({ connections => 2 }, sub => 'bob')))[1], '0',
        'another user isn\'t harmed');
    my $three = connected('/native', { connections => 3 });
    is((native('/native', token({ connections => 3 })))[1], 'close:3504',
        'another token allows another number');
    my @free = map { connected('/native', undef) } 1 .. 3;
    is((native('/native', $two))[1], 'close:3504', 'those without don\'t count');
    $three->close(1000);
    $open[0][0]->close(1000);
    room('/native', $two, 'who leaves makes room');
};

subtest 'who names no user' => sub {
    idle;
    my @open = map { [native('/native', token({ connections => 1 }, sub => undef,
                    userId => undef))] } 1 .. 2;
    is($_->[1], 'close:3500', 'null is none') for @open;
    my $nobody = jwt({ exp => time + 60, limits => { connections => 1 } },
        key => $secret);
    my @all = map { [native('/native', $nobody)] } 1 .. 3;
    is($_->[1], '0', 'isn\'t counted') for @all;
};

subtest 'a killed worker' => sub {
    idle;
    my $one = token({ connections => 1 }, sub => 'late');
    my $ws  = $nginx->ws('/raw', token => $one);
    is($nginx->ws('/raw', token => $one)->status, 429, 'as many');
    $nginx->expect_log(qr/exited on signal 9/);
    $nginx->kill_worker($_) for $nginx->workers;
    ok(wait_for('room', sub { $nginx->ws('/raw', token => $one)->status == 101 }),
        'takes its connections along');
};

subtest 'messages' => sub {
    my $before = $nginx->status->{limited_messages};
    my $ws     = connected('/native', { messages => '3/h' });
    is(pings($ws, 5), '0 0 0 111 111', 'over it each is answered so');
    is(pings($ws, 1), '111', 'still');
    is($nginx->status->{limited_messages}, $before + 3, 'it is counted');
    is(pings($ws, 1), 'close:3013', 'who goes on is sent away');
    is(pings(connected('/native', undef), 9), join(' ', (0) x 9),
        'another connection isn\'t harmed');
    is(pings(connected('/native', { messages => '1/h burst=4' }), 5),
        '0 0 0 0 111', 'a burst');
    is(pings(connected('/native', { messages => '1/h burst=1000000000' }), 3),
        '0 0 0', 'a burst of which nobody sees the end');
    my $raw = $nginx->ws('/raw', token => token({ messages => '2/h' }));
    for (1 .. 2) {
        $raw->text($_);
        is($raw->recv, "text:$_", 'published');
    }
    $raw->text(3);
    is($raw->recv, 'close:3013', 'where nothing is answered it ends');
    like($nginx->log, qr/limited_messages: messages of a client come faster than the token/,
        'the operator is told');
};

subtest 'never more than the location' => sub {
    my $ws = connected('/strict', { messages => '1000/s', connections => 9 },
        sub => 'strict');
    is(pings($ws, 3), '0 0 111', 'messages');
    is((native('/strict', token({ connections => 9 }, sub => 'strict')))[1],
        'close:3504', 'connections');
    $ws = connected('/native', { subscriptions => 9 });
    is(join(' ', ask($ws, map { { subscribe => { channel => $_ } } } qw(a b c d))),
        '0 0 0 106', 'subscriptions');
};

subtest 'bytes' => sub {
    my $before = $nginx->status->{limited_bytes};
    my $ws     = $nginx->ws('/raw', token => token({ bytes => '1/h' }));
    my $chunk  = 'x' x 60_000;
    for (1 .. 2) {
        $ws->text($chunk);
        is($ws->recv, "text:$chunk", 'a message that may be sent passes');
    }
    $ws->text($chunk);
    is($ws->recv, 'close:3013', 'but not one after the other');
    is($nginx->status->{limited_bytes}, $before + 1, 'it is counted');
};

subtest 'subscriptions' => sub {
    my $before = $nginx->status->{limited_subscriptions};
    my $ws     = connected('/native', { subscriptions => 2 });
    is(join(' ', ask($ws, map { { subscribe => { channel => $_ } } } qw(a b c))),
        '0 0 106', 'natively');
    is(join(' ', ask($ws, { unsubscribe => { channel => 'a' } },
                { subscribe => { channel => 'c' } })), '0 0', 'one for another');
    is((native('/given', token({ subscriptions => 1 })))[1], 'close:3505',
        'of the server');
    my $refusal = $nginx->ws('/two', token => token({ subscriptions => 1 }));
    is($refusal->status, 400, 'where they are the location\'s');
    is($refusal->answer->json->{message}, 'more channels than the token allows',
        'and why');
    is($nginx->ws('/two', token => token({ subscriptions => 2 }))->status, 101,
        'as many');
    is($nginx->status->{limited_subscriptions}, $before + 3, 'they are counted');
};

subtest 'a refresh' => sub {
    idle;
    my $ws    = connected('/native', { messages => '2/h' });
    my $renew = sub ($limits, %more) {
        return { refresh => { token => token($limits, %more) } };
    };
    is(join(' ', ask($ws, $renew->(undef))), '0', 'to a token without');
    is(pings($ws, 9), join(' ', (0) x 9), 'ends the limit');
    is(join(' ', ask($ws, $renew->({ messages => '5/h', subscriptions => 1 }))),
        '0', 'to one with');
    is(pings($ws, 6), '0 0 0 0 0 111', 'sets one');
    $ws = connected('/native', { subscriptions => 1 });
    is(join(' ', ask($ws, $renew->({ subscriptions => 2 }),
                map { { subscribe => { channel => $_ } } } qw(a b c))),
        '0 0 0 106', 'to one with more');
    is(join(' ', ask($ws, $renew->({ subscriptions => 1 }),
                { unsubscribe => { channel => 'a' } },
                { subscribe => { channel => 'c' } })), '0 0 106',
        'with less: what is there stays');
    undef $ws;
    idle;
    my @open = map { connected('/native', { connections => 2 }) } 1 .. 2;
    is(join(' ', ask($open[0], $renew->({ connections => 1 }))), '0',
        'who is counted stays');
    is((native('/native', token({ connections => 1 })))[1], 'close:3504',
        'and nobody comes');
    my $free = connected('/native', undef);
    is(join(' ', ask($free, $renew->({ connections => 2 }))), 'close:3504',
        'who isn\'t has to go');
    is(join(' ', ask($open[1], $renew->(undef))), '0', 'who needs it no longer');
    room('/native', token({ connections => 2 }), 'makes room');
    is(join(' ', ask($open[0], $renew->({ messages => 1, x => 1 }))),
        'close:3500', 'limits that are none');
};

subtest 'the token of the request and that of the command' => sub {
    my $ws = $nginx->ws('/native', token => token({ messages => '2/h' }));
    is(join(' ', ask($ws, { connect => {} })) . ' ' . pings($ws, 2), '0 0 111',
        'that of the request');
    $ws = $nginx->ws('/native', token => token({ messages => '1/h' }));
    is(join(' ', ask($ws, { connect => { token => token(undef) } })), '0',
        'that of the command');
    is(pings($ws, 5), '0 0 0 0 0', 'stands for it');
};

subtest 'the token of a channel' => sub {
    my $ws = connected('/native', { messages => '4/h' });
    is(join(' ', ask($ws, { subscribe => { channel => 'x', token => token(
                            { messages => '1/h' }, channel => 'x') } },
                ({ ping => {} }) x 4)), '0 0 0 0 111', 'changes nothing');
};

subtest 'classic and notiflux' => sub {
    my $tell = sub ($channel, $limits) {
        return jwt({ iss => 'paperboy', userId => 'cleo', channel => $channel,
                exp => time + 600,
                (defined $limits ? (limits => $limits) : ()) }, key => $secret);
    };
    my $ws = $nginx->ws('/classic');
    $ws->text($tell->('a', { messages => '4/h', connections => 1 }));
    is($ws->recv, 'text:subscribed:a', 'the first');
    my $other = $nginx->ws('/classic');
    $other->text($tell->('a', { connections => 1 }));
    is($other->recv, 'close:3504', 'too many connections');
    $ws->text($tell->($_, undef)) for qw(b c);
    is($ws->recv, "text:subscribed:$_", 'others may be without') for qw(b c);
    $ws->text($tell->($_, { messages => '100/s' })) for qw(d e f);
    is($ws->recv, "text:subscribed:$_", 'or allow more') for qw(d e);
    is($ws->recv, 'close:3013', 'the strictest holds');
    my $topic = sub ($name, $limits) {
        return "/subscribe $name " . jwt({ sub => 'nora', topic => $name,
                scope => 'subscribe', exp => time + 600, limits => $limits },
            key => $secret);
    };
    $ws = $nginx->ws('/notiflux');
    $ws->text($topic->('a', { messages => '2/h' }));
    $ws->text($topic->($_, {})) for 'b' .. 'd';
    is($ws->recv, 'close:3013', 'as well');
};

subtest 'a back end' => sub {
    my $raw = $nginx->ws('/asked-raw');
    for (1 .. 3) {
        $raw->text($_);
        is($raw->recv, "text:$_", 'within');
    }
    $raw->text(4);
    is($raw->recv, 'close:3013', 'says it, too');
    undef $raw;
    idle;
    my $ws = connected('/asked', undef);
    is(pings($ws, 3), '0 0 111', 'a token in band doesn\'t lift it');
    is(join(' ', ask($ws, { ping => {} })), '111', 'nor time');
    my $less = connected('/asked', { messages => '2/h' });
    is(pings($less, 2), '0 111', 'but may say less');
    is($nginx->ws('/asked')->status, 429, 'connections, before any command');
    is($nginx->ws('/asked-wrong', token => token(undef))->status, 503,
        'what is none lets nobody in');
    like($nginx->log, qr/can't be used: limits is not as in a token/,
        'and is told');
};

subtest 'what is none' => sub {
    for my $limits (5, '10/s', [], { connection => 1 },
        { connections => 0 }, { connections => -1 }, { connections => 1.5 },
        { connections => '5' }, { messages => '10' }, { messages => '1/d' },
        { messages => '1/s burst=0' }, { bytes => JSON::PP::true },
        { subscriptions => {} }, { messages => 1, more => 1 })
    {
        my $text    = $json->allow_nonref->encode($limits);
        my $refusal = $nginx->ws('/raw', token => token($limits));
        is($refusal->status, 401, "limits: $text");
        is($refusal->answer->json->{message}, 'the token\'s limits are malformed',
            'and why');
    }
    is((native('/native', token({ message => 1 })))[1], 'close:3500', 'in band');
    is($nginx->http(POST => '/publish?channel=a', body => 'x', headers =>
                [Authorization => 'Bearer ' . token({ message => 1 })])->{status},
        401, 'of who publishes');
    is((native('/native', token({})))[1], '0', 'nothing is said');
};

subtest 'where they aren\'t believed' => sub {
    my ($ws, $answer) = native('/off', token('five'));
    is($answer, '0', 'another\'s claim of that name');
    is(pings(connected('/off', { messages => '1/h' }), 3), '0 0 0', 'off');
    is(pings(connected('/named', { messages => '1/h' }), 3), '0 0 0',
        'another name');
    is(pings(connected('/named', undef, 'https://example.com/limits' =>
                    { messages => '2/h' }), 3), '0 0 111', 'by its name');
    is(pings(connected('/issuer', undef, iss => 'me',
                quota => { messages => '2/h' }), 3), '0 0 111',
        'by an issuer\'s');
};

subtest 'a reload' => sub {
    idle;
    my $one = token({ connections => 1 }, sub => 'stays');
    my ($ws) = native('/native', $one);
    $nginx->reload;
    is((native('/native', $one))[1], 'close:3504', 'who came before it counts');
};

conf_refused('paperboy_token_limits maybe;', 'neither on nor off',
    qr/invalid value "maybe"/);
conf_refused('paperboy_token_claim limits a b;', 'two names',
    qr/limits: expected the name of one claim/);

finish;
