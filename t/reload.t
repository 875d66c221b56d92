# A reload under traffic: both generations deliver until the old one's last
# client has gone.
use v5.36;
use Paperboy::Test;

my $conf = <<'END';
paperboy_origin any;
paperboy_zone main 8m;
add_header X-Worker $pid always;
server {
    listen 127.0.0.1:%%PORT%%;
    keepalive_requests 1000000;
    location /ws { paperboy raw; paperboy_channel a; }
    location /publish { paperboy_publish any; paperboy_channel a; }
    location /status { paperboy_status; }
}
END
my $nginx = nginx(workers => 2, http => $conf);

sub publish ($body) {
    return $nginx->http(POST => '/publish', body => $body)->json;
}

my @clients = map { $nginx->ws('/ws') } 1 .. 6;
my $sent    = 0;
for my $round (1 .. 4) {
    publish(++$sent) for 1 .. 20;
    $nginx->reload;
    publish(++$sent) for 1 .. 20;
    push @clients, $nginx->ws('/ws');
}
is(publish(++$sent)->{subscribers}, scalar @clients, 'all generations count');

# An old worker may end its clients in its own time, with 1001: who is ended
# has all that was published until then.
my @events = Paperboy::WebSocket::gather(
    sub ($client, $list) {
        @$list && $list->[-1] =~ /^(?:text:$sent|close:1001)$/
    }, @clients);
my $served = 0;
for my $list (@events) {
    my $told    = @$list && $list->[-1] eq 'close:1001' ? pop @$list : undef;
    my @numbers = map { /^text:(\d+)$/ } @$list;
    my $from    = $numbers[0];
    my $to      = $told ? $numbers[-1] : $sent;
    is_deeply(\@numbers, [$from .. $to], 'complete, in order, once');
    $served++ unless $told;
}
cmp_ok($served, '>=', 4, 'and most are served to the end');

$_->drop for @clients;
ok(wait_for('the old workers have gone',
        sub { $nginx->workers(1) == 2 }), 'old workers end with their clients');
is(publish('x')->{subscribers}, 0, 'nobody is left');
ok(wait_for('no connection is counted',
        sub { $nginx->status->{connections} == 0 }), 'nor counted');

subtest 'worker_shutdown_timeout ends what is left' => sub {
    my $other = nginx(main => 'worker_shutdown_timeout 500ms;', http => $conf);
    my $ws    = $other->ws('/ws');
    $other->reload;
    like($ws->recv, qr/^(?:close:1001|eof)$/, 'a client');
    ok(wait_for('the old workers have gone',
            sub { $other->workers(1) == 2 }), 'and the workers');
};

subtest 'QUIT' => sub {
    my $other = nginx(main => 'worker_shutdown_timeout 2s;', http => $conf);
    my @ws    = map { $other->ws('/ws') } 1 .. 5;
    $other->signal('QUIT');
    like($_->recv, qr/^(?:close:1001|eof)$/, 'a client is told') for @ws;
    $_->drop for @ws;
    ok(wait_for('nginx has gone', sub { !$other->is_alive }), 'and nginx ends');
};

subtest 'reloads give seats back' => sub {
    my $other = nginx(workers => 2,
        http => $conf =~ s/main 8m/main 8m seats=4/r);
    for my $round (1 .. 5) {
        my $ws = $other->ws('/ws');
        $other->reload;
        $other->http(POST => '/publish', body => "$round");
        is($ws->recv, "text:$round", "reload $round");
        $ws->drop;
        wait_for('the old workers have gone', sub { $other->workers(1) == 2 });
    }
};

# The listening sockets are the workers' own: connections come to all of them.
my $spread = $conf =~ s/%%PORT%%/%%PORT%% reuseport/r;

# Clients until each of the workers has one.
sub clients_of_all ($other) {
    my (%served, @clients);
    wait_for('a client of each worker', sub {
        my $ws = $other->ws('/ws');
        if ($ws->status == 101) {
            $served{ $ws->header('X-Worker') } = 1;
            push @clients, $ws;
        }
        return !grep { !$served{$_} } $other->workers;
    });
    return @clients;
}

subtest 'half of the seats are enough for a reload' => sub {
    my $other = nginx(workers => 16,
        http => $conf =~ s/main 8m/main 8m seats=32/r);
    for my $round (1 .. 3) {
        my @old = map { $other->ws('/ws') } 1 .. 16;
        is_deeply([map { $_->status } @old], [(101) x 16], 'all have a seat');
        $other->reload;
        $_->drop for @old;
        wait_for('the old workers have gone',
            sub { $other->workers(1) == 16 });
    }
    wait_for('all work', sub { $other->status->{workers} == 16 });
    unlike($other->log, qr/no seat/, 'at once');
};

subtest 'a worker without a seat gets one that comes free' => sub {
    my $other = nginx(workers => 2,
        http => $spread =~ s/main 8m/main 8m seats=4/r);
    $other->expect_log(qr/\[alert\].*no seat for this worker/);
    my @old = clients_of_all($other);
    $other->reload;
    push @old, clients_of_all($other);
    $other->reload;
    wait_for('both are without', sub {
        2 == (() = $other->log =~ /no seat for this worker/g);
    });
    is_deeply([map { $other->ws('/ws')->status } 1 .. 10], [(503) x 10],
        'two generations have them all');
    is($other->http(POST => '/publish', body => 'x')->{status}, 503,
        'no publish either');
    $_->drop for @old;
    wait_for('the old workers have gone', sub { $other->workers(1) == 2 });
    my @new = clients_of_all($other);
    is_deeply([map { $other->ws('/ws')->status } 1 .. 20], [(101) x 20],
        'upgrades work again');
    is($other->http(POST => '/publish', body => 'again')->{status}, 200,
        'publishes too');
    is($_->recv, 'text:again', 'to all') for @new;
    is(scalar(() = $other->log =~ /no seat for this worker/g), 2,
        'a line of the log for each');
};

subtest 'a zone that comes back with more seats' => sub {
    my $plain = <<'END';
server { listen 127.0.0.1:%%PORT%% reuseport; }
END
    my $other = nginx(workers => 3,
        http => $spread =~ s/main 8m/main 8m seats=1/r);
    $other->expect_log(qr/\[alert\].*no seat for this worker/);
    $other->reload($plain);
    wait_for('the old workers have gone', sub { $other->workers(1) == 3 });
    $other->reload($spread =~ s/main 8m/main 8m seats=8/r);
    my @clients = clients_of_all($other);
    is_deeply([map { $other->ws('/ws')->status } 1 .. 20], [(101) x 20],
        'all its workers serve');
    $other->http(POST => '/publish', body => 'hello');
    is($_->recv, 'text:hello', 'and hear') for @clients;
};

subtest 'reloads that begin with the module and end with it' => sub {
    my $plain = <<'END';
server { listen 127.0.0.1:%%PORT%%; location / { return 200 plain; } }
END
    my $other = nginx(http => $plain);
    $other->reload($conf);
    my $ws = $other->ws('/ws');
    $other->http(POST => '/publish', body => 'hello');
    is($ws->recv, 'text:hello', 'begun');
    $other->reload($plain);
    is($other->http(GET => '/ws')->{body}, 'plain', 'ended');
    # Should the module come back, it has another zone: who stayed in this
    # one would hear nothing, and not know.
    like($ws->recv, qr/^close:1001/, 'its clients are told to go');
    $ws->drop;
    ok(wait_for('the old workers have gone',
            sub { $other->workers(1) == 2 }), 'old workers end');
    $other->reload($conf);
    is($other->ws('/ws')->status, 101, 'begun again');
};

finish;
