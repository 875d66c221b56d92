# Last-Event-ID: a client that comes back, wherever and whatever happened
# meanwhile, misses nothing that is kept, and is told where something isn't.
use v5.36;
use Paperboy::Test;

my $conf = <<'END';
paperboy_zone main 8m seats=12;
paperboy_channel_rule kept* history=100000;
paperboy_channel_rule few history=3;
add_header X-Worker $pid always;
server {
    listen 127.0.0.1:%%PORT%% reuseport;
    keepalive_requests 1000000;
    paperboy_channel $arg_c $arg_d $arg_e;
    location /events { paperboy sse; }
    location /publish { paperboy_publish any; }
    location /status { paperboy_status; }
}
END
my $nginx = nginx(workers => 3, http => $conf);
$nginx->expect_log(qr/exited on signal 9/);

my $publisher = $nginx->connection;

sub publish ($channel, $body) {
    $publisher->write(Paperboy::HTTP::format_request(method => 'POST',
        path => "/publish?c=$channel", body => $body));
    return $publisher->answer->json;
}

sub place ($told) { return "$told->{epoch}:$told->{offset}" }

# Events of a stream with that id, up to one that matches.
sub after ($path, $id, $last) {
    return $nginx->events($path, id => $id)->recv_until($last);
}

subtest 'where it was' => sub {
    my @at = map { place(publish(kept => $_)) } 'a' .. 'e';
    is_deeply([after('/events?c=kept', $at[1], ':e$')],
        [qw(message:c message:d message:e)], 'in a header');
    for my $name (qw(last_event_id lastEventId lasteventid)) {
        my $id = $at[2] =~ s/:/%3A/r;
        is_deeply(
            [$nginx->events("/events?c=kept&$name=$id")->recv_until(':e$')],
            [qw(message:d message:e)], "in $name");
    }
    is_deeply([after("/events?c=kept&last_event_id=$at[0]", $at[3], ':e$')],
        ['message:e'], 'the header counts, since the URL stays the same');
    my $here = $nginx->events('/events?c=kept', id => $at[4]);
    is($here->wait_for_id, $at[4], 'where all is known');
    publish(kept => 'f');
    is($here->recv, 'message:f', 'only what is new comes');
    my $empty = $nginx->events('/events?c=kept', id => '');
    like($empty->wait_for_id, qr/:6$/, 'an empty id is none');
    publish(kept => 'g');
    is($empty->recv, 'message:g', 'and begins now');
};

subtest 'a gap' => sub {
    my ($first) = map { place(publish(few => $_)) } 1 .. 9;
    my $before = $nginx->status->{gaps};
    for my $id ($first, 'nonsense', '1:1', '42') {
        my $events = $nginx->events('/events?c=few', id => $id);
        is($events->recv, 'gap:{"channel":"few"}', "after $id");
        like($events->wait_for_id, qr/:9$/, 'it goes on from here');
    }
    is($nginx->status->{gaps}, $before + 4, 'is counted');
    my $events = $nginx->events('/events?c=few', id => $first);
    publish(few => 'ten');
    is_deeply([map { $events->recv } 1 .. 2],
        ['gap:{"channel":"few"}', 'message:ten'], 'and goes on');
    my $nothing = publish(none => 'x');
    is_deeply([after('/events?c=none', "$nothing->{epoch}:0", 'gap')],
        ['gap:{"channel":"none"}'], 'where nothing is kept');
};

# What EventSource does: comes back with what it has, as often as needed.
package Source {
    sub new ($class, $path) {
        return bless { path => $path, events => [], id => undef }, $class;
    }

    sub poll ($self) {
        $self->{stream} //= eval { $nginx->events($self->{path},
            (defined $self->{id} ? (id => $self->{id}) : ())) } // return;
        my $stream = $self->{stream};
        eval { push @{ $self->{events} }, $stream->take_events; 1 };
        $self->{id} = $stream->{last_id} if length $stream->{last_id};
        $self->cut if $stream->{ended} || $stream->status != 200;
        return;
    }

    sub cut ($self) {
        my $stream = delete $self->{stream} // return;
        $stream->drop;
        $self->{cuts}++;
        return;
    }
}

# Publishes a number to each channel in turn, on a connection that is renewed.
my ($connection, %sent);

sub publish_next ($channel) {
    my $body = "$channel " . (($sent{$channel} // 0) + 1);
    for (1 .. 100) {
        $connection //= eval { $nginx->connection };
        my $answer = $connection
            && $connection->write(Paperboy::HTTP::format_request(
                method => 'POST', path => "/publish?c=$channel",
                body => $body))
            && eval { $connection->answer };
        return $sent{$channel}++ if $answer && $answer->{status} == 200;
        undef $connection;
    }
    die "can't publish\n";
}

# `$repeats`: a publish whose worker died may have been made, and is repeated.
sub storm ($name, $rounds, $repeats, $trouble) {
    my @channels = qw(kept1 kept2 kept3);
    my @sources  = (
        (map { Source->new('/events?c=kept1&d=kept2&e=kept3') } 1 .. 4),
        (map { Source->new("/events?c=$_") } @channels),
    );
    my $all = sub { $_->poll for @sources };
    %sent = ();
    wait_for('all to know where they are', sub {
        $all->();
        return !grep { !defined $_->{id} } @sources;
    });
    for my $round (1 .. $rounds) {
        for my $step (1 .. 20) {
            publish_next($channels[rand @channels]);
            $sources[rand @sources]->cut if $step % 3 == 0;
            $all->();
        }
        $trouble->($round);
    }
    publish_next($_) for @channels;
    my %last = map { $_ => "message:$_ $sent{$_}" } @channels;
    wait_for('all to have all', sub {
        $all->();
        return !grep {
            my %seen = map { $_ => 1 } @{ $_->{events} };
            grep { !$seen{$_} } $_->{path} =~ /c=kept1&/ ? values %last
                : $last{ $_->{path} =~ s/.*=//r };
        } @sources;
    });
    for my $source (@sources) {
        my @events = @{ $source->{events} };
        is_deeply([grep { !/^message:kept\d \d+$/ } @events], [], 'no gap');
        for my $channel (grep { $source->{path} =~ /$_/ } @channels) {
            my @numbers = map { /^message:$channel (\d+)$/ ? $1 : () } @events;
            my ($jump) = grep {
                my $by = $numbers[$_] - $numbers[$_ - 1];
                $by != 1 && !($repeats && $by == 0);
            } 1 .. $#numbers;
            ok(!defined $jump && $numbers[0] == 1,
                "$name: $channel is complete, in order, once");
        }
    }
    my $cuts = 0;
    $cuts += $_->{cuts} // 0 for @sources;
    cmp_ok($cuts, '>', 10, 'they were cut off');
    $_->cut for @sources;
    return;
}

subtest 'clients that come and go' => sub {
    storm('cuts', 5, 0, sub ($round) { });
};

subtest 'workers that are killed' => sub {
    storm('kill', 4, 1, sub ($round) {
        my @workers = $nginx->workers;
        $nginx->kill_worker($workers[$round % @workers]);
    });
};

subtest 'reloads' => sub {
    storm('reload', 3, 1, sub ($round) { $nginx->reload });
};

subtest 'a drain' => sub {
    my $other = nginx(workers => 2, http => $conf,
        main => 'worker_shutdown_timeout 1s;');
    my @streams = map { $other->events('/events?c=kept') } 1 .. 6;
    $_->wait_for_id for @streams;
    my $told = $other->http(POST => '/publish?c=kept', body => 'x')->json;
    $other->reload;
    for my $stream (@streams) {
        is($stream->recv, 'message:x', 'a stream of the old worker');
        is($stream->recv, 'close:{"code":1001,"reason":"the server goes away"}',
            'is told to go');
        is($stream->recv, 'eof', 'and ended');
        ok($stream->{complete}, 'in order');
        is($stream->{last_id}, place($told), 'with its place');
    }
    ok(wait_for('the old workers have gone',
            sub { $other->workers(1) == 2 }), 'old workers end');
    my $back = $other->events('/events?c=kept', id => $streams[0]{last_id});
    $other->http(POST => '/publish?c=kept', body => 'y');
    is($back->recv, 'message:y', 'who comes back goes on');
};

subtest 'QUIT and TERM' => sub {
    for my $signal (qw(QUIT TERM)) {
        my $other  = nginx(http => $conf);
        my $stream = $other->events('/events?c=kept');
        $stream->wait_for_id;
        $other->signal($signal);
        like($stream->recv, qr/^close:\{"code":1001,/, "$signal: it is told");
        ok(wait_for('nginx has gone', sub { !$other->is_alive }), 'it ends');
    }
};

finish;
