# Going away gracefully: on a reload or a stop clients are told to come back,
# spread over a time, and none holds a worker up.
use v5.36;
use Paperboy::Test;

my $conf = <<'END';
paperboy_origin any;
paperboy_zone main 8m;
paperboy_ping_interval 1h;
server {
    listen 127.0.0.1:%%PORT%%;
    keepalive_requests 1000000;
    location /ws { paperboy raw; paperboy_channel a; }
    location /native { paperboy native; }
    location /publish { paperboy_publish any; paperboy_channel a; }
    location /status { paperboy_status; }
}
END

sub drained ($time) { return "paperboy_drain $time;\n$conf" }

# Publishes until all clients have been closed. Their events, and how many
# different messages were the last that one of them got.
sub publish_until_closed ($nginx, $publish, @clients) {
    my $n      = 0;
    my %events = map { $_ => [] } @clients;
    wait_for('the end of all', sub {
        $publish->(++$n);
        for my $client (grep { !$_->{eof} } @clients) {
            $client->take while $client->readable(0);
            push @{ $events{$client} }, $client->take_events;
        }
        return !grep { !@$_ || $_->[-1] !~ /^close/ } values %events;
    });
    my %last;
    for my $list (values %events) {
        my @numbers = map { /^text:(\d+)$/ } @$list;
        is_deeply(\@numbers, [1 .. @numbers], 'served until then');
        $last{ scalar @numbers } = 1;
    }
    return scalar keys %last, map { $_->[-1] } @events{@clients};
}

subtest 'a reload, with paperboy_drain' => sub {
    my $nginx   = nginx(http => drained('2s'));
    my @clients = map { $nginx->ws('/ws') } 1 .. 30;
    $nginx->reload;
    my ($moments, @ends) = publish_until_closed($nginx, sub ($n) {
        $nginx->http(POST => '/publish', body => $n);
    }, @clients);
    is_deeply(\@ends, [('close:1001') x 30], 'each is told');
    is($clients[0]{reason}, 'the server goes away', 'why');
    cmp_ok($moments, '>=', 4, 'not at once');
    $_->drop for @clients;
    ok(wait_for('the old workers have gone',
            sub { $nginx->workers(1) == 2 }), 'old workers end');
};

subtest 'a reload, with worker_shutdown_timeout' => sub {
    my $nginx   = nginx(main => 'worker_shutdown_timeout 2s;', http => $conf);
    my @clients = map { $nginx->ws('/ws') } 1 .. 30;
    $nginx->reload;
    my ($moments, @ends) = publish_until_closed($nginx, sub ($n) {
        $nginx->http(POST => '/publish', body => $n);
    }, @clients);
    is_deeply(\@ends, [('close:1001') x 30], 'each is told');
    cmp_ok($moments, '>=', 4, 'not at once');
    ok(wait_for('the old workers have gone',
            sub { $nginx->workers(1) == 2 }), 'old workers end');
};

subtest 'a reload, with both: the shorter counts' => sub {
    my $nginx = nginx(main => 'worker_shutdown_timeout 1s;',
        http => drained('1h'));
    my @clients = map { $nginx->ws('/ws') } 1 .. 3;
    $nginx->reload;
    is($_->recv, 'close:1001', 'told') for @clients;
    ok(wait_for('the old workers have gone',
            sub { $nginx->workers(1) == 2 }), 'old workers end');
};

subtest 'a stop, without either' => sub {
    my $nginx   = nginx(http => $conf);
    my @clients = map { $nginx->ws('/ws') } 1 .. 30;
    # Its commands go to a worker that goes away.
    my $publisher = $nginx->ws('/ws');
    $nginx->signal('QUIT');
    my ($moments, @ends) = publish_until_closed($nginx,
        sub ($n) { select undef, undef, undef, 0.02 }, @clients);
    is_deeply(\@ends, [('close:1001') x 30], 'each is told');
    ok(wait_for('nginx has gone', sub { !$nginx->is_alive }),
        'and clients that say nothing to it hold nobody up');
};

subtest 'native clients' => sub {
    my $nginx   = nginx(http => drained('500ms'));
    my @clients = map {
        my $ws = $nginx->ws('/native');
        $ws->text('{"id":1,"connect":{}}');
        like($ws->recv, qr/^text:.*"connect"/, 'connected');
        $ws;
    } 1 .. 5;
    $nginx->signal('QUIT');
    for my $client (@clients) {
        is($client->recv,    'close:3001', 'are told in their own code');
        is($client->{reason}, 'shutdown',  'to come back');
    }
    ok(wait_for('nginx has gone', sub { !$nginx->is_alive }), 'nginx ends');
};

subtest 'workers that stayed after reloads' => sub {
    my $nginx = nginx(http => $conf);
    my @clients;
    for (1 .. 3) {
        push @clients, map { $nginx->ws('/ws') } 1 .. 3;
        $nginx->reload;
    }
    push @clients, $nginx->ws('/ws');
    $nginx->http(POST => '/publish', body => 'still');
    is($_->recv, 'text:still', 'serve on') for @clients;
    $nginx->signal('QUIT');
    is($_->recv, 'close:1001', 'and learn of the end') for @clients;
    ok(wait_for('nginx has gone', sub { !$nginx->is_alive }), 'nginx ends');
};

subtest 'a client that reads nothing' => sub {
    my $nginx = nginx(http => drained('1s')
            . 'paperboy_close_timeout 1h; paperboy_send_timeout 1h;'
            . 'paperboy_send_buffer 16m;');
    my $deaf = $nginx->ws('/ws');
    my $ws   = $nginx->ws('/ws');
    my $body = 'x' x 60_000;
    wait_for('a full socket', sub {
        $nginx->http(POST => '/publish', body => $body);
        $ws->take while $ws->readable(0);
        $ws->take_events;
        return $nginx->status->{backlog_bytes} > 100_000;
    });
    $nginx->signal('QUIT');
    my $event;
    do { $event = $ws->recv } until $event !~ /^text/;
    is($event, 'close:1001', 'another is told');
    ok(wait_for('nginx has gone', sub { !$nginx->is_alive }),
        'does not hold the end up');
};

subtest 'who comes to a worker that goes away' => sub {
    my $nginx = nginx(workers => 1, http => drained('4s'));
    my @told  = map { $nginx->ws('/ws') } 1 .. 20;
    my $late  = $nginx->connection;
    my ($begin, $rest) = (<<'END' =~ s/\n/\r\n/gr, <<'END' =~ s/\n/\r\n/gr);
GET /ws HTTP/1.1
Host: localhost
Upgrade: websocket
Connection: Upgrade
END
Sec-WebSocket-Version: 13
Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==

END
    $late->write($begin);
    # The next request is read after what came before it.
    $nginx->status;
    $nginx->signal('QUIT');
    wait_for('somebody was told', sub { grep { $_->readable(0) } @told });
    $late->write($rest);
    my $answer = $late->answer;
    is($answer->{status}, 503, 'is refused');
    is($answer->{header}{'retry-after'}, 1, 'with a hint');
    is($answer->json->{error}, 'unavailable', 'and its reason');
    ok(wait_for('nginx has gone', sub { !$nginx->is_alive }), 'nginx ends');
};

subtest 'at once' => sub {
    my $nginx   = nginx(http => drained('0'));
    my @clients = map { $nginx->ws('/ws') } 1 .. 5;
    $nginx->reload;
    is($_->recv, 'close:1001', 'told') for @clients;
    ok(wait_for('the old workers have gone',
            sub { $nginx->workers(1) == 2 }), 'old workers end');
};

subtest 'TERM' => sub {
    my $nginx   = nginx(http => drained('1h'));
    my @clients = map { $nginx->ws('/ws') } 1 .. 5;
    $nginx->signal('TERM');
    is($_->recv, 'close:1001', 'told') for @clients;
    ok(wait_for('nginx has gone', sub { !$nginx->is_alive }), 'nginx ends');
};

conf_refused('paperboy_drain soon;', 'a time that is none', qr/invalid value/);
conf_refused('server { paperboy_drain 1s; }', 'not of a server',
    qr/not allowed here/);

finish;
