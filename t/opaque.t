# Opaque tokens: the API makes and ends them; they open what a JSON Web Token
# with the same claims would, as long as they are kept.
use v5.36;
use Paperboy::Cli;
use Paperboy::Test;
use File::Temp ();
use JSON::PP ();

my $dir    = File::Temp->newdir;
my $secret = 'secret ' x 10;
file_with("$dir/secret", $secret);
file_with("$dir/key",    'the-key-of-the-API');

my $conf = <<'END';
paperboy_zone main 8m file=%%DIR%%/zone.paperboy;
paperboy_jwt_key HS256 file=%%DIR%%/secret;
paperboy_max_opaque_tokens 500;
paperboy_max_opaque_token_size 512;
paperboy_channel_rule room:* presence history=10;
paperboy_log_format user '$paperboy_user|$paperboy_channels|$paperboy_close_code';
paperboy_log %%DIR%%/paperboy.log user;
server {
    listen 127.0.0.1:%%PORT%% reuseport;
    paperboy_origin any;
    paperboy_opaque_tokens on;
    location /native { paperboy native; paperboy_client_publish on; }
    location /raw { paperboy raw; paperboy_channel $arg_c; paperboy_client_publish on; }
    location /two { paperboy raw; paperboy_channel $arg_c $arg_d; }
    location /sse { paperboy sse; paperboy_channel $arg_c; }
    location /classic { paperboy classic; }
    location /classic/end { paperboy classic; paperboy_token_expiry end; }
    location /notiflux { paperboy notiflux; }
    location /broadcast { paperboy_notiflux_broadcast; }
    location /publish { paperboy_publish; paperboy_channel $arg_c; }
    location /shop/raw {
        paperboy raw;
        paperboy_channel $arg_c;
        paperboy_namespace shop;
    }
    location /alone {
        paperboy raw;
        paperboy_channel $arg_c;
        paperboy_jwt_key off;
    }
    location /jwt {
        paperboy raw;
        paperboy_channel $arg_c;
        paperboy_opaque_tokens off;
    }
    location /open {
        paperboy_jwt_key off;
        paperboy_opaque_tokens off;
        paperboy_publish any;
        paperboy_channel $arg_c;
    }
    location /api { paperboy_api any; }
    location /guarded/api { paperboy_api; paperboy_api_key file=%%DIR%%/key; }
    location /shop/api { paperboy_api any; paperboy_namespace shop; }
    location /status { paperboy_status; }
}
END
my $nginx = nginx(dir => $dir, workers => 2, log_level => 'info', http => $conf);

my $json = JSON::PP->new->canonical;
my $id   = 0;
my @made;

sub ask ($path, $method, %parameters) {
    my $answer = $nginx->http(POST => "$path/$method",
        body => $json->encode(\%parameters));
    is($answer->{status}, 200, "$method is answered") if $answer->{status} != 200;
    return $answer->json;
}

# The whole result, or the code of the error.
sub made ($path, %wish) {
    my $reply = ask($path, token_create => ttl => 3600, %wish);
    push @made, $reply->{result}{token} if $reply->{result};
    return $reply->{result} // $reply->{error}{code};
}

sub create (%wish) {
    my $made = made('/api', %wish);
    return ref $made ? $made->{token} : "error $made";
}

sub end_of ($token, $path = '/api') {
    my $reply = ask($path, token_end => token => $token);
    return $reply->{error} ? $reply->{error}{code}
        : $reply->{result}{ended} ? 'ended' : 'there was none';
}

sub command ($ws, $method, %parameters) {
    $ws->text($json->encode({ id => ++$id, $method => \%parameters }));
    my $event = $ws->recv;
    my ($text) = $event =~ /^text:(.*)$/s or return $event;
    my $reply = $json->decode($text);
    return $reply->{error} ? $reply->{error}{code} : 'done';
}

sub connected ($token) {
    my $ws = $nginx->ws('/native');
    is(command($ws, connect => token => $token), 'done', 'connected');
    return $ws;
}

sub publish ($channel, $data) {
    return $nginx->http(POST => "/open?c=$channel", body => $data)->{status};
}

# Both workers are asked, or as good as.
sub statuses ($path) {
    my %seen = map { $nginx->ws($path)->status => 1 } 1 .. 10;
    return join ' ', sort keys %seen;
}

subtest 'what is made' => sub {
    my $made = made('/api', user => 'ann', channels => ['news'], ttl => 60);
    like($made->{token}, qr/^pbo_[\w-]{32}$/, 'a token');
    like($made->{id},    qr/^pbi_[\w-]{43}$/, 'its id');
    cmp_ok($made->{expire_at}, '>', time + 50, 'its end');
    cmp_ok($made->{expire_at}, '<', time + 61, 'is as asked');
    is(statuses("/raw?c=news&token=$made->{token}"), '101',
        'it is good on all workers at once');
    isnt(create(), create(), 'each is another');
    my $reply = $nginx->http(POST => '/api/batch', body => $json->encode({
        commands => [{ token_create => { ttl => 5 } }, { token_create => {} },
            { token_end => { id => $made->{id} } }] }))->json->{replies};
    like($reply->[0]{token_create}{token}, qr/^pbo_/, 'in a batch');
    is($reply->[1]{error}{code}, 107, 'without a time there is none');
    ok($reply->[2]{token_end}{ended}, 'ended by its id');
    is(statuses("/raw?c=news&token=$made->{token}"), '401', 'on all workers');
};

subtest 'raw and sse' => sub {
    my $token = create(user => 'ann', channel => 'news');
    my $raw   = $nginx->ws("/raw?c=news", token => $token);
    my $sse   = $nginx->events("/sse?c=news&token=$token");
    is($raw->status, 101, 'raw');
    is($sse->status, 200, 'sse');
    is(publish(news => 7), 200, 'published');
    is($raw->recv, 'text:7', 'raw hears');
    like($sse->recv, qr/7/, 'sse hears');
    is(statuses("/raw?c=other&token=$token"), '403', 'another channel is not its');
    $raw->text('x');
    like($raw->recv, qr/^close:/, 'it may not publish');
    my $both = create(channel => 'news', scope => ['subscribe', 'publish']);
    $raw = $nginx->ws('/raw?c=news', protocol => "bearer.$both");
    $raw->text('8');
    is($raw->recv, 'text:8', 'one that may publish, in the subprotocol');
    is($nginx->ws("/alone?c=news&token=$token")->status, 101,
        'where there is no key of JSON Web Tokens');
    is($nginx->ws('/alone?c=news')->status, 401, 'a token is asked for there');
};

subtest 'publishing' => sub {
    my $post = sub ($token) {
        return $nginx->http(POST => '/publish?c=news', body => '1',
            headers => [Authorization => "Bearer $token"])->{status};
    };
    is($post->(create(channels => ['ne*'], scope => 'publish')), 200, 'it may');
    is($post->(create(channels => ['ne*'])), 403, 'it may only subscribe');
    is($post->(create(channel => 'x', scope => 'publish')), 403, 'not there');
    my $ended = create(channels => ['news'], scope => 'publish');
    is(end_of($ended), 'ended', 'ended');
    is($post->($ended), 401, 'it may no longer');
    my $broadcast = sub ($token) {
        return $nginx->http(POST => '/broadcast', body => $json->encode(
                { topic => 'news', message => 'm', token => $token }),
            headers => ['Content-Type' => 'application/json'])->{status};
    };
    is($broadcast->(create(user => 'ann', channel => 'news', scope => 'publish')),
        200, 'notiflux');
    is($broadcast->(create(user => 'ann', channel => 'n*', scope => 'publish')),
        403, 'there names are exact');
    is($broadcast->(create(channel => 'news', scope => 'publish')), 401,
        'there a user is asked for');
    is($broadcast->($ended), 401, 'an ended one');
};

subtest 'native' => sub {
    my $token = create(user => 'ann', channels => ['a', 'b*'], info => { n => 1 },
        caps => [{ channels => ['room:*'], match => 'wildcard',
            allow => [qw(sub pub hst prs)] }]);
    my $ws = $nginx->ws('/native');
    $ws->text(qq({"id":1,"connect":{"token":"$token"}}));
    my $reply = $json->decode($ws->recv =~ s/^text://r);
    is_deeply([keys %{ $reply->{connect}{subs} }], ['a'],
        'subscribed as a JSON Web Token says');
    cmp_ok($reply->{connect}{ttl}, '>', 3000, 'it is told when to renew');
    is(command($ws, subscribe => channel => 'b1'), 'done', 'a pattern');
    is(command($ws, subscribe => channel => 'c'), 103, 'no other');
    is(command($ws, subscribe => channel => 'room:1'), 'done', 'caps');
    $ws->text('{"id":90,"presence":{"channel":"room:1"}}');
    like($ws->recv, qr/"user":"ann".*"conn_info":\{"n":1\}/, 'who and what');
    is(command($ws, history => channel => 'room:1', limit => 1), 'done', 'caps');
    my $of = create(user => 'ann', channel => 'c');
    is(command($ws, subscribe => channel => 'c', token => $of), 'done',
        'the token of a channel');
    is(command($ws, subscribe => channel => 'd', token => $of), 103, 'of that one');
    is(command($ws, subscribe => channel => 'e',
            token => create(user => 'bob', channel => 'e')), 103, 'of its user');
    is(command($ws, refresh => token => create(user => 'ann')), 'done', 'renewed');
    is(command($ws, sub_refresh => channel => 'c', token => $of), 'done',
        'and the channel');
    is(end_of($of), 'ended', 'the channel\'s is ended');
    like($ws->recv, qr/"channel":"c","unsubscribe":\{"code":2501,/, 'it is out');
    is(command($ws, subscribe => channel => 'c', token => $of), 109, 'for good');
    is(command($ws, sub_refresh => channel => 'b1', token => $of), 109, 'everywhere');
    $ws = connected($token);
    is(end_of($token), 'ended', 'the connection\'s is ended');
    is($ws->recv, 'close:3005', 'it ends');
    is(command($nginx->ws('/native'), connect => token => $token), 109,
        'and asks for another');
    is($nginx->ws("/native?token=$token")->status, 401, 'in the request too');
};

subtest 'classic and notiflux' => sub {
    my $token = create(user => 'ann', channel => 'x');
    my $ws    = $nginx->ws('/classic');
    $ws->text('pbo_' . 'A' x 32);
    $ws->text($token);
    is($ws->recv, 'text:subscribed:x', 'classic; nothing for a guess');
    is(end_of($token), 'ended', 'ended');
    like($ws->recv, qr/^close/, 'classic ends');
    $ws = $nginx->ws('/notiflux');
    $token = create(user => 'ann', channel => 'x', scope => 'subscribe');
    $ws->text("/subscribe y $token");
    $ws->text("/subscribe x $token");
    $ws->text('/what?');
    is($ws->recv, 'text:Unknown command', 'notiflux');
    publish($_ => "to $_") for 'y', 'x';
    is($ws->recv, 'text:to x', 'in the topic that it names');
    is(end_of($token), 'ended', 'ended');
    like($ws->recv, qr/^close/, 'notiflux ends');
    $ws = $nginx->ws('/notiflux');
    $ws->text("/subscribe x $token");
    $ws->text('/what?');
    is($ws->recv, 'text:Unknown command', 'shown again');
    publish(x => 'not for it');
    $ws->text('/what?');
    is($ws->recv, 'text:Unknown command', 'it opens nothing');
};

subtest 'what ends, ends everywhere' => sub {
    my $token   = create(user => 'eve', channels => ['news']);
    my @native  = map { connected($token) } 1 .. 4;
    my @raw     = map { $nginx->ws("/raw?c=news&token=$token") } 1 .. 4;
    my @sse     = map { $nginx->events("/sse?c=news&token=$token") } 1 .. 2;
    my $pending = $nginx->ws("/native?token=$token");
    my $other   = connected(create(user => 'eve', channels => ['news']));
    is(end_of($token), 'ended', 'ended');
    is($_->recv, 'close:3005', 'native') for @native, $pending;
    is($_->recv, 'close:3005', 'raw') for @raw;
    is($_->{reason}, 'the token was revoked', 'and why') for @raw;
    like($_->recv, qr/"code":3005,"reason":"the token was revoked"/, 'sse') for @sse;
    publish(news => 1);
    like($other->recv, qr/"push":/, 'another token of the same user stays');
    is(end_of($token), 'there was none', 'once');
    like($nginx->ws("/raw?c=news&token=$token")->answer->{body},
        qr/the token was revoked/, 'the answer says why');
};

subtest 'revoked as others are' => sub {
    my $token = create(user => 'bob', channels => ['n', 'm']);
    my $made  = made('/api', user => 'joe', channels => ['n']);
    my $bob   = $nginx->ws("/two?c=n&d=m&token=$token");
    my $joe   = $nginx->ws("/raw?c=n&token=$made->{token}");
    ask('/api', revoke => user => 'bob', channel => 'n');
    publish($_ => "to $_") for 'n', 'm';
    is($bob->recv, 'text:to m', 'a channel is taken from it');
    is($joe->recv, 'text:to n', 'from nobody else');
    ask('/api', revoke => jti => $made->{id});
    is($joe->recv, 'close:3005', 'by its id');
    is(statuses("/raw?c=n&token=$made->{token}"), '401', 'shown again');
    ask('/api', revoke => user => 'bob');
    is($bob->recv, 'close:3005', 'by its user');
    is(statuses("/raw?c=m&token=$token"), '401', 'shown again');
};

subtest 'until when' => sub {
    my $token = create(user => 'ann', channels => ['n'], ttl => 2);
    my $raw   = $nginx->ws("/raw?c=n&token=$token");
    my $ws    = connected($token);
    my $admit = $nginx->ws('/classic');
    my $ends  = $nginx->ws('/classic/end');
    my $of    = create(user => 'ann', channel => 'n', ttl => 2);
    for ($admit, $ends) {
        $_->text($of);
        is($_->recv, 'text:subscribed:n', 'classic');
    }
    $ends->text(create(user => 'ann', channel => 'm'));
    is($ends->recv, 'text:subscribed:m', 'with another token');
    is($_->recv, 'close:3005', 'it ends what it opened') for $raw, $ws;
    wait_for('it is unknown', sub { $nginx->ws("/raw?c=n&token=$token")->status == 401 });
    like($nginx->ws("/raw?c=n&token=$token")->answer->{body},
        qr/unknown, or has expired/, 'as any other');
    wait_for('its subscription ends', sub {
        publish($_ => qq("to $_")) for 'n', 'm';
        return 1 if $ends->recv =~ /"payload":"to m"/;
        $ends->recv;
        return 0;
    });
    publish(n => '"last"');
    my $heard = $admit->recv;
    $heard = $admit->recv while $heard =~ /"to n"/;
    like($heard, qr/"payload":"last"/, 'where a token only admits all stays');
    is(end_of($token), 'there was none', 'there is nothing to end');
};

# Though paperboy_token_limits is off.
subtest 'how much' => sub {
    my $token = create(user => 'pat', channels => ['n'],
        limits => { connections => 2, messages => '3/h' });
    my $ws = connected($token);
    is(join(' ', map { command($ws, 'ping') } 1 .. 4), 'done done done 111',
        'of few messages');
    my $raw = $nginx->ws("/raw?c=n&token=$token");
    is($raw->status, 101, 'two connections');
    is(statuses("/raw?c=n&token=$token"), '429', 'not three, on no worker');
    like($nginx->ws("/raw?c=n&token=$token")->answer->{body},
        qr/as many connections as the token/, 'told why');
    is(statuses('/raw?c=n&token=' . create(user => 'pat', channels => ['n'])),
        '101', 'another token of the user has none');
    is($nginx->ws("/two?c=n&d=m&token=" . create(user => 'kim',
                channels => ['n', 'm'], limits => { subscriptions => 1 }))->status,
        400, 'too many channels');
    is(made('/api', limits => $_), 107, 'what can\'t be is refused')
        for 7, [], { connection => 1 }, { connections => 0 },
            { messages => 'many' }, { bytes => '1/fortnight' };
    $nginx->reload($conf);
    is(statuses("/raw?c=n&token=$token"), '429', 'after a reload, too');
};

# A use prolongs it, and so does what stays open. To look at one is to use it:
# what was made last says when the others are over.
subtest 'sliding' => sub {
    my %slides = (user => 'ann', channels => ['n'], ttl => 5, sliding => \1);
    my ($idle, $once, $used, $open) = map { create(%slides) } 1 .. 4;
    my $of  = create(user => 'ann', channel => 'o', ttl => 5, sliding => \1);
    my $raw = $nginx->ws("/raw?c=n&token=$open");
    my $ws  = $nginx->ws('/native');
    $ws->text(qq({"id":1,"connect":{"token":"$open"}}));
    unlike($ws->recv, qr/"ttl"|"expires"/, 'natively nothing is to be renewed');
    is(command($ws, subscribe => channel => 'o', token => $of), 'done', 'a channel');
    is($nginx->ws("/raw?c=n&token=$once")->status, 101, 'one is used once');
    my $last = create(user => 'ann', channels => ['n'], ttl => 5);
    wait_for('their time is over', sub {
        $nginx->ws("/raw?c=n&token=$used")->close;
        return $nginx->ws("/raw?c=n&token=$last")->status == 401;
    });
    is(statuses("/raw?c=n&token=$idle"), '401', 'one that nobody used');
    is(statuses("/raw?c=n&token=$once"), '401', 'one that was used once');
    is(statuses("/raw?c=n&token=$used"), '101', 'one that is used is good');
    is(statuses("/raw?c=n&token=$open"), '101', 'one of what is open is');
    publish($_ => 3) for 'n', 'o';
    is($raw->recv, 'text:3', 'which stays open');
    like($ws->recv, qr/"channel":"n"/, 'natively too');
    like($ws->recv, qr/"channel":"o"/, 'a channel as well');
    is(end_of($of), 'ended', 'its token was good');
};

subtest 'after a reload and a death' => sub {
    my $token = create(user => 'ann', channels => ['n']);
    my $ended = create(user => 'ann', channels => ['n']);
    is(end_of($ended), 'ended', 'ended');
    my $path = '/raw?c=n&token=';
    $nginx->reload($conf);
    is(statuses($path . $token), '101', 'new workers know it');
    is(statuses($path . $ended), '401', 'and what has ended');
    $nginx->expect_log(qr/exited on signal 9/);
    for (1 .. 3) {
        $nginx->kill_worker(($nginx->workers)[0]);
        is(statuses($path . $token), '101', 'after a death');
        is(statuses($path . $ended), '401', 'too');
    }
    my $ws = connected($token);
    $nginx->reload($conf =~ s/_tokens 500/_tokens 700/r);
    is(statuses($path . $token), '101', 'with a table of another size');
    is(statuses($path . $ended), '401', 'what has ended has');
    is(end_of($token), 'ended', 'ended');
    is(statuses($path . $token), '401', 'by new workers');
    is($ws->recv, 'close:3005', 'what an old worker opened ends');
    my $kept = create(user => 'ann', channels => ['n']);
    $nginx->stop;
    $nginx->start;
    is(statuses($path . $kept), '101', 'the file of the zone has it');
    is(statuses($path . $token), '401', 'and not what has ended');
};

subtest 'namespaces' => sub {
    my $here  = create(channel => 'n');
    my $there = made('/shop/api', channel => 'n');
    is(statuses("/raw?c=n&token=$here"), '101', 'here');
    is(statuses("/shop/raw?c=n&token=$here"), '401', 'not there');
    is(statuses("/shop/raw?c=n&token=$there->{token}"), '101', 'there');
    is(statuses("/raw?c=n&token=$there->{token}"), '401', 'not here');
    is(end_of($there->{token}), 'there was none', 'not ended from here');
    is($json->encode(ask('/api', token_end => id => $there->{id})),
        '{"result":{"ended":false}}', 'nor by its id');
    is(statuses("/shop/raw?c=n&token=$there->{token}"), '101', 'it is good');
    is(end_of($there->{token}, '/shop/api'), 'ended', 'ended from there');
};

subtest 'tricks' => sub {
    my $token = create(user => 'ann', channels => ['n']);
    my $jwt   = jwt({ sub => 'ann', channels => ['n'], exp => time + 60 },
        key => $secret);
    is(statuses("/raw?c=n&token=$jwt"), '101', 'JSON Web Tokens are as they were');
    is(statuses("/alone?c=n&token=$jwt"), '401', 'where there is no key they are none');
    is(statuses("/jwt?c=n&token=$token"), '401', 'nor is this where it is off');
    is(statuses("/jwt?c=n&token=$jwt"), '101', 'there the others are');
    my ($made) = grep { $_->{token} } made('/api', channels => ['n']);
    my %trick = (
        'a JSON Web Token that begins as one' => "pbo_$jwt",
        'one with the parts of another'       => "$token.e30.x",
        'a JSON Web Token without a signature' => "eyJhbGciOiJub25lIn0.$token.",
        'its id'          => $made->{id},
        'one that is cut' => substr($token, 0, 35),
        'one and more'    => $token . 'A',
        'in capitals'     => uc $token,
        'a NUL behind it' => "$token%00",
        'two'             => "$token,$token",
        'the prefix'      => 'pbo_',
        'a guess'         => 'pbo_' . 'A' x 32,
    );
    is(statuses("/raw?c=n&token=$trick{$_}"), '401', $_) for sort keys %trick;
    is(command($nginx->ws('/native'), connect => token => $trick{$_}),
        'close:3500', "natively: $_")
        for 'its id', 'one that is cut', 'in capitals';
    is(command($nginx->ws('/native'), connect => token => $trick{'a guess'}),
        109, 'natively: a guess');
    is(statuses("/raw?c=n&token=$token"), '101', 'none of it hurt');
};

subtest 'what cannot be' => sub {
    my %wrong = (
        'no time'             => { ttl => 0 },
        'too long a time'     => { ttl => 315_360_001 },
        'too short to slide'  => { ttl => 4, sliding => \1 },
        'a list of users'     => { user => ['ann'] },
        'no channels'         => { channels => 7 },
        'a channel without a name' => { channel => '' },
        'capabilities that are none' => { caps => 'all' },
        'a scope that is no word'    => { scope => 7 },
    );
    is(made('/api', %{ $wrong{$_} }), 107, $_) for sort keys %wrong;
    is(made('/api', info => 'x' x 512), 106, 'more than one may open');
    is($nginx->http(POST => '/api/token_create', body => $_)->{status}, 400,
        "malformed: $_") for '{"ttl":"x"}', '{"ttl":5,"ttl":6}',
        '{"ttl":5,"sliding":1}', '[]', '{';
    is(ask('/api', token_end => %$_)->{error}{code}, 107, 'no token')
        for {}, { token => 'x' }, { id => 'x' }, { token => 'x', id => 'x' };
    is($nginx->http(POST => '/guarded/api/token_create',
            body => '{"ttl":5}')->{status}, 401, 'without the key of the API');
};

subtest 'from the command line' => sub {
    my $url = 'http://127.0.0.1:' . $nginx->port . '/guarded/api';
    my @key = ('--key-file', "$dir/key");
    my $run = run(undef, 'token', 'create', @key, '--ttl', '1h', '--sub', 'amy',
        '--channel', 'n', '--scope', 'subscribe,publish', '--info', '{"a":1}',
        '--limits', '{"connections":1}', $url);
    is($run->{code}, 0, 'made');
    my ($token) = out($run) =~ /^(pbo_[\w-]{32})\n$/;
    push @made, $token;
    my $ws = $nginx->ws("/raw?c=n&token=$token");
    is($ws->status, 101, 'it is good');
    is($nginx->ws("/raw?c=n&token=$token")->status, 429, 'for one connection');
    is(run($token, 'token', 'end', @key, '--ended-file', '-', $url)->{code}, 0,
        'ended');
    is($ws->recv, 'close:3005', 'it ends');
    refused(run($token, 'token', 'end', @key, '--ended-file', '-', $url), 1,
        qr/no such token/, 'again');
    $run = run(undef, 'token', 'create', @key, '--ttl', '9', '--sliding',
        '--channel', 'n', '--channel', 'm*', $url);
    ($token) = out($run) =~ /^(pbo_\S+)$/m;
    is($nginx->ws("/raw?c=m1&token=$token")->status, 101, 'of several channels');
    refused(run(undef, 'token', 'create', '--ttl', '1h', $url), 1, qr/401/, 'no key');
    refused(run(undef, 'token', 'create', @key, $url), 2, qr/--ttl/, 'no time');
    refused(run(undef, 'token', 'create', @key, '--ttl', '9', '--info', '{',
            $url), 2, qr/--info/, 'no JSON');
    refused(run(undef, 'token', 'create', @key, '--ttl', '9', '--limits', '2',
            $url), 1, qr/bad request/, 'no limits');
    refused(run(undef, 'token', 'create', @key, '--ttl', '4', '--sliding', $url),
        1, qr/bad request/, 'too short');
    refused(run(undef, 'token', 'end', @key, $url), 2, qr/which token/, 'none');
    refused(run(undef, 'token', 'end', @key, '--id', 'x', $url), 1,
        qr/bad request/, 'no id');
    like(out(run(undef, 'token', $_, '--help')), qr/--key-file/, "help of $_")
        for 'create', 'end';
};

subtest 'no token is written anywhere' => sub {
    my $text = $nginx->log('paperboy.log') . $nginx->http(GET => '/status')->{body};
    my @said = grep { index($text, $_) >= 0 } @made;
    is(scalar @said, 0, 'nor in the log of connections and the status');
    # In nginx's own lines the request's URL stands, with what a client put there.
    my @ours = grep { !/request: "GET \S*token=/ } split /\n/, $nginx->log;
    is_deeply([grep { /pbo_\w{20}/ } @ours], [], 'nor in the error log');
    open my $zone, '<:raw', "$dir/zone.paperboy" or die;
    my $bytes = do { local $/ = undef; <$zone> };
    is(scalar(grep { index($bytes, $_) >= 0 } @made), 0, 'nor in the zone');
    cmp_ok(scalar @made, '>', 30, 'of many');
};

subtest 'no more than may be' => sub {
    my $small = nginx(dir => File::Temp->newdir, http => <<'END');
paperboy_zone main 8m;
paperboy_max_opaque_tokens 3;
server {
    listen 127.0.0.1:%%PORT%%;
    paperboy_origin any;
    location /api { paperboy_api any; }
    location /raw { paperboy raw; paperboy_channel a; paperboy_opaque_tokens on; }
    location /status { paperboy_status; }
}
END
    my $create = sub ($ttl) {
        return $small->http(POST => '/api/token_create',
            body => qq({"ttl":$ttl}))->json;
    };
    my @made = map { $create->(60) } 1 .. 4;
    is($made[3]{error}{code}, 106, 'told');
    is($small->ws("/raw?token=$_->{result}{token}")->status, 101, 'none is forgotten')
        for @made[0 .. 2];
    $small->http(POST => '/api/token_end',
        body => qq({"id":"$made[0]{result}{id}"}));
    ok($create->(1)->{result}, 'one that ends makes room');
    is($create->(60)->{error}{code}, 106, 'for one');
    ok(wait_for('so does one that expires',
            sub { $create->(60)->{result} }), 'or expires');
    ok(wait_for('so many', sub { $small->status->{opaque_tokens} == 3 }),
        'the status tells how many');
};

subtest 'guesses' => sub {
    my $strict = nginx(dir => File::Temp->newdir, http => <<'END');
paperboy_zone main 8m;
paperboy_opaque_tokens on;
server {
    listen 127.0.0.1:%%PORT%%;
    paperboy_origin any;
    location /api { paperboy_api any; }
    location /raw {
        paperboy raw;
        paperboy_channel a;
        paperboy_limit_bad_tokens 3/h pause=1h;
    }
    location /native { paperboy native; paperboy_max_bad_tokens 2; }
    location /paused { paperboy native; paperboy_limit_bad_tokens 3/h pause=1h; }
}
END
    my $token = $strict->http(POST => '/api/token_create',
        body => '{"ttl":60}')->json->{result}{token};
    my $guess = sub { return 'pbo_' . sprintf '%032d', shift };
    my $ws    = $strict->ws('/native');
    is(command($ws, connect => token => $guess->($_)), 109, 'a guess') for 1, 2;
    is(command($ws, connect => token => $guess->(3)), 109, 'one too many');
    is($ws->recv, 'close:3013', 'is the last of the connection');
    is($strict->ws("/raw?token=$token")->status, 101, 'a good one');
    my $kept = $strict->ws("/raw?token=$token");
    is($strict->ws('/raw?token=' . $guess->($_))->status, 401, 'a guess') for 1 .. 3;
    my @more = map { $strict->ws('/raw?token=' . $guess->($_))->status } 4 .. 5;
    is($more[-1], 429, 'too many lead to a pause');
    is($strict->ws("/raw?token=$token")->status, 429, 'of the address');
    $strict->http(POST => '/api/publish', body => '{"channel":"a","data":1}');
    is($kept->recv, 'text:1', 'what is open stays so');
    is($strict->ws('/paused')->status, 429, 'at all locations that ask for it');
};

subtest 'where nobody takes them' => sub {
    my $off = nginx(dir => File::Temp->newdir, http => <<'END');
paperboy_zone main 8m;
server {
    listen 127.0.0.1:%%PORT%%;
    location /api { paperboy_api any; paperboy_origin any; }
}
END
    for my $method ('token_create', 'token_end') {
        is($off->http(POST => "/api/$method", body => '{"ttl":9,"id":"x"}')
                ->json->{error}{code}, 108, "$method is not available");
    }
};

my $in = sub ($text) {
    return "paperboy_zone main 8m; $text server { location / { paperboy; } }";
};
conf_refused($in->('paperboy_max_opaque_tokens 0;'), 'none',
    qr/paperboy_max_opaque_tokens: expected from 1 to 250000/);
conf_refused($in->('paperboy_max_opaque_token_size 9k;'), 'too much',
    qr/paperboy_max_opaque_token_size: expected from 64 bytes to 8k/);
conf_refused($in->('paperboy_opaque_tokens maybe;'), 'neither',
    qr/invalid value "maybe"/);

finish;
