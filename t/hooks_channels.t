# paperboy_hook with channel_first and channel_last: an application is told when
# a channel gets its first subscriber on the node and when it loses its last,
# over all workers, whatever becomes of them.
use v5.36;
use Paperboy::Test;
use Paperboy::Callback;
use File::Temp ();
use JSON::PP ();

my $json   = JSON::PP->new->canonical;
my $app    = Paperboy::Callback->new;
my $both   = 'events=channel_first,channel_last delay=0';
my $dir    = File::Temp->newdir;
my $secret = 'secret ' x 10;
file_with("$dir/secret", $secret);

# `hook`: the server's.
sub conf ($hook = undef, $main = '') {
    $hook //= "paperboy_hook /told $both;";
    return <<"END";
paperboy_zone main 8m seats=16 $main;
paperboy_origin any;
paperboy_channel_rule one max_subscribers=1;
paperboy_channel_rule who presence join_leave history=10;
server {
    listen 127.0.0.1:%%PORT%% reuseport;
    keepalive_requests 100000;
    add_header X-Worker \$pid always;
    $hook
    location /raw { paperboy raw; paperboy_channel \$arg_c; }
    location /native { paperboy native; paperboy_user \$arg_user; }
    location /sse { paperboy sse; paperboy_channel \$arg_c; }
    location /off { paperboy raw; paperboy_channel \$arg_c; paperboy_hook off; }
    location /keyed {
        paperboy_jwt_key HS256 file=$dir/secret;
        location /keyed/raw { paperboy raw; paperboy_channel \$arg_c; }
        location /keyed/classic { paperboy classic; }
    }
    location /api { paperboy_api any; }
    location /status { paperboy_status; }
    location ~ ^/told {
        internal;
        proxy_pass http://127.0.0.1:@{[ $app->port ]};
        proxy_http_version 1.1;
    }
}
END
}

my $nginx = nginx(workers => 2, http => conf());

# All that was told of channels, of the present nginx.
my @all;

# The next so many events that were posted to `path`, by their numbers.
sub events ($count, $path = '/told') {
    state %early;
    my @events = splice @{ $early{$path} //= [] };
    while (@events < $count) {
        my $posted = $app->next // last;
        my @posted = @{ $json->decode($posted->{body})->{events} };
        push @all, grep { $_->{seq} } @posted if $posted->{path} eq '/told';
        push @{ $posted->{path} eq $path ? \@events : $early{ $posted->{path} } },
            @posted;
    }
    is(scalar(@events), $count, "$count events");
    return sort { ($a->{seq} // 0) <=> ($b->{seq} // 0) } @events;
}

# "+a": channel a has its first; "-a": it has lost its last.
sub short (@events) {
    return map { ($_->{type} eq 'channel_first' ? '+' : '-')
            . join '/', grep {defined} @$_{qw(namespace channel)} } @events;
}

sub are ($name, @expected) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is_deeply([short(events(scalar @expected))], \@expected, $name);
}

# Since what a client does is told before it is answered, and posted at once.
sub no_more ($name) { return is($app->waiting, 0, $name) }

sub client ($path) {
    my $ws = $nginx->ws($path);
    is($ws->status, 101, $path);
    return $ws;
}

sub ask ($ws, $command) { $ws->text($command); return $ws->recv }

# It subscribes to `c` natively, once it is in.
sub native ($c, $ws = client('/native')) {
    ask($ws, '{"id":1,"connect":{}}');
    like(ask($ws, qq({"id":2,"subscribe":{"channel":"$c"}})), qr/"subscribe":/, $c);
    return $ws;
}

# The same, of the worker `pid`.
sub native_of ($pid, $c) {
    for (1 .. 200) {
        my $ws = $nginx->ws('/native');
        return native($c, $ws) if $ws->header('X-Worker') == $pid;
    }
    die "no client of $pid";
}

# Of each channel first and last came by turns; what is there now.
sub by_turns (@events) {
    my (%is, @wrong);
    for my $event (sort { $a->{seq} <=> $b->{seq} } @events) {
        my $name = substr((short($event))[0], 1);
        my $is = $event->{type} eq 'channel_first' ? 1 : 0;
        push @wrong, "$event->{seq} $name" if $is == ($is{$name} // 0);
        $is{$name} = $is;
    }
    is("@wrong", '', 'first and last came by turns');
    my %seen;
    is(scalar(grep { $seen{ $_->{seq} }++ } @events), 0, 'no number came twice');
    return \%is;
}

# Stops it, and goes on with another.
sub next_nginx (%option) {
    by_turns(@all);
    is($nginx->status->{hook_events_lost}, 0, 'nothing was lost');
    $nginx->stop;
    $app->next while $app->waiting;
    @all   = ();
    $nginx = nginx(workers => 2, %option);
    return;
}

subtest 'the first and the last' => sub {
    my $one = client('/raw?c=news');
    my ($first) = events(1);
    is_deeply([sort keys %$first], [qw(channel seq time type)], 'what it says');
    is($first->{type}, 'channel_first', 'the first');
    is($first->{channel}, 'news', 'of a channel');
    cmp_ok(abs($first->{time} - time * 1000), '<', 600_000, 'the time in ms');
    cmp_ok($first->{seq}, '<', 2**53, 'a number that JavaScript can hold');
    my $two = client('/off?c=news');
    my $three = $nginx->events('/sse?c=news');
    is($three->status, 200, 'a stream');
    $one->close(1000);
    $two->close(1000);
    no_more('others come and go');
    undef $three;
    my ($last) = events(1);
    is_deeply([short($last)], ['-news'], 'the last');
    cmp_ok($last->{seq}, '>', $first->{seq}, 'with a higher number');
};

subtest 'natively' => sub {
    my $ws = client('/native');
    $ws->text(qq({"id":1,"connect":{}}\n)
            . qq({"id":2,"subscribe":{"channel":"a"}}\n)
            . qq({"id":3,"subscribe":{"channel":"b"}}\n)
            . qq({"id":4,"unsubscribe":{"channel":"a"}}));
    are('subscriptions', '+a', '+b', '-a');
    $ws->close(1000);
    are('and the end', '-b');
};

subtest 'two workers, in both orders' => sub {
    for my $order ([0, 1], [1, 0]) {
        my @two = map { native_of($_, 'w') } $nginx->workers;
        are('both are there', '+w');
        $two[$order->[0]]->close(1000);
        no_more('one is left');
        $two[$order->[1]]->close(1000);
        are('none is left', '-w');
    }
};

subtest 'what is refused, limited or Paperboy\'s own' => sub {
    my $one = client('/raw?c=one');
    are('a channel for one', '+one');
    isnt($nginx->ws('/raw?c=one')->status, 101, 'the second is refused');
    $one->close(1000);
    are('it has lost it', '-one');
    my $who = native('who');
    are('with presence and join', '+who');
    for my $what (['presence', { channel => 'who' }], ['channels', {}],
        ['history', { channel => 'nobody', limit => 1 }],
        ['publish', { channel => 'nobody', data => 1 }],
        ['disconnect', { user => 'nobody' }],
        ['unsubscribe', { user => 'nobody', channel => 'nowhere' }],
        ['revoke', { user => 'nobody' }]) {
        is($nginx->http(POST => "/api/$what->[0]",
            body => $json->encode($what->[1]))->{status}, 200, $what->[0]);
    }
    my $token = jwt({ iss => 'paperboy', userId => 'ann', channel => 'said',
        exp => time + 600 }, key => $secret);
    my $classic = client('/keyed/classic');
    $classic->text($token);
    is($classic->recv, 'text:subscribed:said', 'a user has a channel, too');
    are('only what clients see', '+said');
    $classic->close(1000);
    $who->close(1000);
    is_deeply([sort { $a cmp $b } short(events(2))], ['-said', '-who'], 'both end');
    no_more('and nothing else');
};

subtest 'whose time is over, and whose token is revoked' => sub {
    my %claims = (channels => ['x'], scope => 'subscribe', iat => time - 60);
    my $token = sub (%more) { return jwt({ %claims, %more }, key => $secret) };
    my $ws = client('/keyed/raw?c=x&token=' . $token->(exp => time + 3));
    are('it has come', '+x');
    like($ws->recv, qr/^close:/, 'its time is over');
    are('it has gone', '-x');
    $ws = client('/keyed/raw?c=x&token='
            . $token->(exp => time + 600, jti => 'one'));
    are('another', '+x');
    $nginx->http(POST => '/api/revoke', body => '{"jti":"one"}');
    like($ws->recv, qr/^close:/, 'its token is revoked');
    are('it has gone', '-x');
    $ws = native('y', client('/native?user=ann'));
    are('a client', '+y');
    $nginx->http(POST => '/api/disconnect', body => '{"user":"ann"}');
    are('is sent away', '-y');
};

subtest 'a worker that is killed' => sub {
    $nginx->expect_log(qr/exited on signal 9/);
    my ($victim, $other) = $nginx->workers;
    my @all = map { native_of(@$_) }
        [$victim, 'shared'], [$other, 'shared'], [$victim, 'alone'];
    are('they have come', '+shared', '+alone');
    $nginx->kill_worker($victim);
    are('others tell its last', '-alone');
    no_more('who is elsewhere is there');
    $all[1]->close(1000);
    are('until it goes', '-shared');
};

subtest 'a worker that is told to end' => sub {
    my ($victim, $other) = $nginx->workers;
    my @all = map { native_of(@$_) }
        [$victim, 'shared'], [$other, 'shared'], [$victim, 'alone'];
    are('they have come', '+shared', '+alone');
    kill TERM => $victim;
    are('others tell its last', '-alone');
    $all[1]->close(1000);
    are('and that', '-shared');
};

subtest 'a reload' => sub {
    my $old = client('/raw?c=r');
    my $two = client('/raw?c=s');
    is_deeply([short(events(2))], ['+r', '+s'], 'before');
    $nginx->reload;
    my $new = client('/raw?c=r');
    no_more('clients of the old workers still count');
    $old->close(1000);
    $two->close(1000);
    are('they go', '-s');
    $new->close(1000);
    are('as do those of the new ones', '-r');
};

subtest 'a hook that comes and goes with a reload' => sub {
    next_nginx(http => conf('paperboy_hook /told events=connect;'));
    my $old = native('a');
    events(1);
    $nginx->reload(conf());
    are('who was there is told of', '+a');
    ask($old, '{"id":3,"subscribe":{"channel":"b"}}');
    are('and whom old workers serve', '+b');
    ask($old, '{"id":4,"unsubscribe":{"channel":"b"}}');
    are('until it goes', '-b');
    my $new = client('/raw?c=a');
    $old->close(1000);
    no_more('another is there');
    $nginx->reload(conf('paperboy_hook /told events=connect;'));
    $new->close(1000);
    are('an old worker tells what it knows of', '-a');
    my $last = client('/raw?c=a');
    events(1);
    $last->close(1000);
    no_more('nobody wants to know any more');
};

subtest 'with what clients do' => sub {
    next_nginx(http => conf(<<'END'));
    paperboy_hook /told-all delay=0
        events=connect,disconnect,subscribe,unsubscribe,channel_first,channel_last;
END
    my $said = sub ($count) {
        my ($had, @said) = (0);
        while (@said < $count) {
            my $posted = $app->next // last;
            push @said, map { $_->{type} . ($_->{channel} ? " $_->{channel}" : '') }
                @{ $json->decode($posted->{body})->{events} };
        }
        return \@said;
    };
    my $ws = native('a');
    is_deeply($said->(3), ['connect', 'channel_first a', 'subscribe a'], 'the first');
    $ws->close(1000);
    is_deeply($said->(3), ['unsubscribe a', 'channel_last a', 'disconnect'],
        'the last');
};

subtest 'namespaces' => sub {
    next_nginx(http => conf(<<"END"));
    location /shop/ { paperboy_namespace shop; paperboy_hook /told $both;
        location /shop/raw { paperboy raw; paperboy_channel \$arg_c; } }
    location /of/ { paperboy_namespace \$arg_ns; paperboy_hook /told-any $both;
        location /of/raw { paperboy raw; paperboy_channel \$arg_c; } }
    location /one/ { paperboy_hook /told-one events=channel_last delay=0;
        location /one/raw { paperboy raw; paperboy_channel \$arg_c; } }
END
    for my $path ('/raw?c=a', '/shop/raw?c=b', '/of/raw?c=c&ns=shop',
        '/of/raw?c=d&ns=other', '/one/raw?c=e') {
        client($path)->close(1000);
    }
    is_deeply([short(events(4))], ['+shop/b', '-shop/b', '+shop/c', '-shop/c'],
        'those of the location\'s namespace, wherever they come from');
    is_deeply([short(events(10, '/told-any'))],
        ['+a', '-a', '+shop/b', '-shop/b', '+shop/c', '-shop/c', '+other/d',
            '-other/d', '+e', '-e'], 'all, where it has variables');
    is_deeply([short(events(2, '/told-one'))], ['-a', '-e'],
        'those in none, and what was asked for');
    no_more('nobody else\'s');
};

subtest 'at random' => sub {
    next_nginx(http => conf());
    $nginx->expect_log(qr/exited on signal 9/);
    srand 11;
    my %there;
    my $settle = sub {
        my $open = 0;
        $open += @$_ for values %there;
        wait_for('the last to have gone',
            sub { $nginx->status->{connections} == $open });
        wait_for('all to be told', sub { $nginx->status->{hook_waiting} == 0 });
    };
    for my $step (1 .. 400) {
        if ($step % 150 == 0) {
            $settle->();
            my ($victim) = $nginx->workers;
            $nginx->kill_worker($victim);
            @$_ = grep { $_->header('X-Worker') != $victim } @$_ for values %there;
        }
        my $c = 'c' . int rand 8;
        my $all = $there{$c} //= [];
        if (rand() < 0.5 && @$all < 4) {
            push @$all, $nginx->ws("/raw?c=$c");
        } elsif (@$all) {
            my $ws = splice @$all, int rand @$all, 1;
            # Most don't wait until their end has been seen.
            rand() < 0.2 ? $ws->close(1000) : $ws->send_close(1000);
        }
    }
    $settle->();
    # Of the dead one's channels it is told within a second or two.
    wait_for('the last word of each', sub {
        push @all, @{ $json->decode($app->next->{body})->{events} }
            while $app->waiting;
        my %is = map { $_->{channel} => $_->{type} eq 'channel_first' }
            sort { $a->{seq} <=> $b->{seq} } @all;
        return !grep { !$is{$_} != !@{ $there{$_} } } keys %there;
    });
    cmp_ok(scalar(@all), '>', 50, 'many were told');
    my $is = by_turns(@all);
    for my $c (sort keys %there) {
        is($is->{$c} // 0, @{ $there{$c} } ? 1 : 0, "the highest number of $c is so");
    }
    my %pids;
    $pids{ $_->header('X-Worker') }++ for map {@$_} values %there;
    is(scalar(keys %pids), 2, 'in two workers');
};

subtest 'a zone in a file' => sub {
    next_nginx(http => conf(undef, 'file=zone.paperboy'));
    my $ws = client('/raw?c=kept');
    my ($first) = events(1);
    $nginx->stop;
    $nginx->start;
    my ($last) = events(1);
    is_deeply([short($last)], ['-kept'], 'whom a restart has cut is told of');
    cmp_ok($last->{seq}, '>', $first->{seq}, 'with a higher number');
    undef $ws;
    # And without a file.
    next_nginx(http => conf());
    $ws = client('/raw?c=new');
    my ($later) = events(1);
    cmp_ok($later->{seq}, '>', $last->{seq}, 'as a later zone\'s are');
    $ws->close(1000);
    are('it goes', '-new');
};

subtest 'the configuration' => sub {
    my $refused = sub ($events) {
        return conf_refused("server { paperboy_hook /a events=$events; }", $events,
            qr/expected connect, .*channel_first and channel_last, with commas/);
    };
    $refused->($_) for 'channel_first,channel_first', 'channel', 'channel_last,';
    is(conf_error("server { paperboy_hook /a $both; }"), '', 'a good one');
};

finish;
