# paperboy sse: what a stream of events looks like, over HTTP/1.1; who gets
# one; paperboy_sse_event and paperboy_sse_retry.
use v5.36;
use Paperboy::Test;
use File::Temp ();

my $dir    = File::Temp->newdir;
my $secret = 'secret ' x 10;
file_with("$dir/secret", $secret);

my $nginx = nginx(dir => $dir, http => <<'END');
paperboy_zone main 4m;
paperboy_log_format end '$uri $paperboy_close_code $paperboy_closed_by '
    '$paperboy_messages_sent "$paperboy_channels" $paperboy_user';
log_format access '$uri $status $paperboy_user';
gzip on;
gzip_types *;
gzip_min_length 0;
server {
    listen 127.0.0.1:%%PORT%%;
    paperboy_log %%DIR%%/paperboy.log end;
    access_log %%DIR%%/access.log access;
    paperboy_channel $arg_c $arg_d;
    location /events { paperboy sse; }
    location /named {
        paperboy sse;
        paperboy_sse_event channel;
        paperboy_sse_retry 100s;
    }
    location ~ "(?s)^/decoded/(?<name>.+)$" {
        paperboy sse;
        paperboy_sse_event channel;
        paperboy_channel $name;
    }
    location /app { paperboy sse; paperboy_origin https://app.example; }
    location /shared {
        paperboy sse;
        paperboy_origin https://app.example;
        paperboy_cors on credentials;
    }
    location /any { paperboy sse; paperboy_origin any; }
    location /token {
        paperboy sse;
        paperboy_jwt_key HS256 file=%%DIR%%/secret;
    }
    location /basic {
        paperboy sse;
        paperboy_jwt_key HS256 file=%%DIR%%/secret;
        satisfy any;
        allow all;
    }
    location /slow-lane { paperboy sse; limit_rate 1; }
    location /include { ssi on; ssi_types *;
        return 200 '[<!--# include virtual="/events?c=a" -->]'; }
    location /filled { ssi on; ssi_types *; paperboy sse; }
    location /piece { return 200 piece; }
    location /few { paperboy sse; paperboy_max_subscriptions 1; }
    location /raw { paperboy raw; paperboy_origin any; }
    location /publish { paperboy_publish any; }
    location /status { paperboy_status; }
}
END

sub publish ($channel, $body, @headers) {
    return $nginx->http(POST => "/publish?c=$channel", body => $body,
        headers => \@headers)->json;
}

subtest 'a stream' => sub {
    my $events = $nginx->events('/events?c=first');
    is($events->status, 200, 'is answered');
    is($events->header('Content-Type'), 'text/event-stream', 'as events');
    is($events->header('Cache-Control'), 'no-store', 'nobody keeps it');
    is($events->header('X-Accel-Buffering'), 'no', 'nor holds it back');
    is($events->header('Transfer-Encoding'), 'chunked', 'chunked');
    like($events->wait_for_id, qr/^[0-9a-f]+:0$/, 'says where it begins');
    cmp_ok($events->{retry}, '>=', 1500, 'and when to come again:');
    cmp_ok($events->{retry}, '<', 4500, 'about 3 s');

    my $told = publish(first => 'hello');
    is($told->{subscribers}, 1, 'is a subscriber');
    is($events->recv, 'message:hello', 'gets a publication');
    is($events->{last_id}, "$told->{epoch}:$told->{offset}",
        'whose id is its position');
    publish(first => "two\nlines\r\nand\rmore\n");
    is($events->recv, "message:two\nlines\nand\nmore\n", 'lines');
    publish(first => '');
    is($events->recv, 'message:', 'nothing at all');
    publish(first => "\0\xff\n", 'Content-Type' => 'application/octet-stream');
    is($events->recv, 'binary:AP8K', 'binary');
    my $status = $nginx->status;
    is($status->{connections}, 1, 'counts as a connection');
    is($status->{messages_sent}, 4, 'with its messages');
    $events->drop;
    ok(wait_for('it is not counted any more',
            sub { $nginx->status->{connections} == 0 }), 'and goes');
    like($nginx->log('paperboy.log'),
        qr{^/events 1006 client 4 "first" -$}m, 'which is logged');
    ok(wait_for('a line in the access log', sub {
            $nginx->log('access.log') =~ m{^/events 200 -$}m;
        }), "also by nginx, whose request it was");
};

subtest 'several channels' => sub {
    my $events = $nginx->events('/named?c=one&d=two');
    $events->wait_for_id;
    cmp_ok($events->{retry}, '>=', 50_000, 'paperboy_sse_retry');
    my $one = publish(one => 'a');
    is($events->recv, 'one:a', 'events are named after them');
    my $two = publish(two => 'b');
    is($events->recv, 'two:b', 'each');
    my @at = sort map { s/^[0-9a-f]+=//r } split /,/, $events->{last_id};
    is_deeply(\@at, [sort map {"$_->{epoch}:$_->{offset}"} $one, $two],
        'an id has the positions in both');
    publish(one => 'x', 'Content-Type' => 'application/octet-stream');
    is($events->recv, 'binary:one:eA==', 'binary');

    my $plain = $nginx->events('/events?c=one&d=two');
    $plain->wait_for_id;
    publish($_ => $_) for qw(two one);
    is_deeply([sort map { $plain->recv } 1 .. 2], [qw(message:one message:two)],
        'without names by default');
};

subtest 'a channel that names no events' => sub {
    for my $name (qw(open message error close gap binary binary:x)) {
        my $refused = $nginx->events("/named?c=$name");
        is($refused->status, 400, $name);
        is($refused->json->{error}, 'channel_name', 'says what is wrong');
        is($nginx->events("/events?c=$name")->status, 200, 'but names none');
    }
    is($nginx->events('/decoded/a%0Aid:%209')->status, 400, 'a line end');
    is($nginx->events('/decoded/a%20b')->status, 200, 'a space is none');
};

subtest 'requests that get none' => sub {
    my $post = $nginx->http(POST => '/events?c=a', body => 'x');
    is($post->{status}, 405, 'POST');
    is($post->{header}{allow}, 'GET, HEAD', 'says what is allowed');
    my $head = $nginx->http(HEAD => '/events?c=a');
    is($head->{status}, 200, 'HEAD');
    is($head->{header}{'content-type'}, 'text/event-stream', 'is answered');
    is($nginx->http(GET => '/events?c=a', body => 'x')->{status}, 400,
        'a body');
    is($nginx->events('/events')->json->{error}, 'channel_name', 'no channel');
    is($nginx->events('/few?c=a&d=b')->json->{error}, 'subscription_limit',
        'more channels than it may have');
    like($nginx->http(GET => '/include')->{body}, qr/^\[.*\]$/s,
        'a subrequest');
    ok(wait_for('nobody is left',
            sub { $nginx->status->{connections} == 0 }), 'and all are gone');
};

sub status ($path, @headers) {
    my $events = $nginx->events($path, headers => \@headers);
    return $events->status;
}

subtest 'origins' => sub {
    is(status('/events?c=a'), 200, 'no origin: the same, or curl');
    is(status('/events?c=a', Origin => 'http://localhost'), 200, 'the same');
    is(status('/events?c=a', Origin => 'http://evil.example'), 403, 'another');
    for my $site (qw(same-origin none)) {
        is(status('/events?c=a', 'Sec-Fetch-Site' => $site), 200, $site);
    }
    for my $site (qw(cross-site same-site)) {
        is(status('/events?c=a', 'Sec-Fetch-Site' => $site), 403, $site);
        is(status('/any?c=a', 'Sec-Fetch-Site' => $site), 200, "$site, any");
    }
    is(status('/app?c=a'), 403, 'no origin where only another is admitted');
    is(status('/app?c=a', Origin => 'https://app.example'), 200, 'that one');
    my $shared = $nginx->events('/shared?c=a', origin => 'https://app.example');
    is($shared->status, 200, 'a page of another origin');
    is($shared->header('Access-Control-Allow-Origin'), 'https://app.example',
        'may read it');
    is($shared->header('Access-Control-Allow-Credentials'), 'true',
        'with cookies');
    my $preflight = $nginx->http(OPTIONS => '/shared?c=a', headers => [
        Origin => 'https://app.example',
        'Access-Control-Request-Method' => 'GET',
    ]);
    is($preflight->{status}, 204, 'and ask before');
    is($preflight->{header}{'access-control-allow-methods'}, 'GET', 'for GET');
};

subtest 'tokens' => sub {
    my $token = sub (%claims) { jwt({ exp => time + 60, %claims },
        key => $secret) };
    my $refused = $nginx->events('/token?c=a');
    is($refused->status, 401, 'none');
    is($refused->json->{error}, 'unauthorized', 'in JSON');
    my $good = $token->(sub => 'joe', channel => 'a');
    my $events = $nginx->events("/token?c=a&token=$good");
    is($events->status, 200, 'in the query');
    is(status('/token?c=a', Authorization => "Bearer $good"), 200,
        'in a header');
    is(status("/token?c=b&token=$good"), 403, 'for another channel');
    is(status("/token?c=a&d=b&token=$good"), 403, 'for one of two');
    is(status('/token?c=a&token=' . $token->(exp => time - 9)), 401, 'expired');
    is(status('/basic?c=a'), 200, 'another module replaces it');
    $events->drop;
    ok(wait_for('its line', sub {
            $nginx->log('paperboy.log') =~ m{^/token 1006 client 0 "a" joe$}m;
        }), 'the log tells the user');

    my $short = $nginx->events('/token?c=a&token='
            . $token->(exp => time + 2, channel => 'a'));
    is($short->recv, 'close:{"code":3005,"reason":"the token has expired"}',
        'what a token opened ends with it');
    is($short->recv, 'eof', 'for good');
    ok($short->{complete}, 'in order');
};

subtest 'beside raw' => sub {
    my $events = $nginx->events('/events?c=both');
    my $raw    = $nginx->ws('/raw?c=both');
    $events->wait_for_id;
    my @sent = map { "$_ " . 'x' x ($_ * 37 % 5000) } 1 .. 300;
    my $publisher = $nginx->connection;
    $publisher->write(join '', map {
        Paperboy::HTTP::format_request(method => 'POST', body => $_,
            path => '/publish?c=both')
    } @sent);
    $publisher->answer for @sent;
    is_deeply([map { $events->recv =~ s/^message://r } @sent], \@sent,
        'the same');
    is_deeply([map { $raw->recv =~ s/^text://r } @sent], \@sent, 'as raw');
};

subtest 'on the way' => sub {
    my $lane = $nginx->events('/slow-lane?c=rate');
    $lane->wait_for_id;
    publish(rate => 'y' x 10_000);
    is($lane->recv, 'message:' . 'y' x 10_000, 'limit_rate holds nothing up');
    my $zip = $nginx->events('/events?c=zip',
        headers => ['Accept-Encoding' => 'gzip']);
    is($zip->header('Content-Encoding'), undef, 'nothing is compressed');
    my $filled = $nginx->events('/filled?c=filled');
    $filled->wait_for_id;
    for my $word (qw(one two)) {
        publish(filled => qq(a <!--# include virtual="/piece" --> of $word));
        is($filled->recv, "message:a piece of $word", 'ssi fills in');
    }
    my $old = $nginx->connection;
    $old->write("GET /events?c=old HTTP/1.0\r\nHost: localhost\r\n\r\n");
    like($old->read_until("\r\n\r\n"), qr/^HTTP\/1.1 200/, 'HTTP/1.0');
    $old->read_until("id: ");
    publish(old => 'hello');
    like($old->read_until("hello\n\n"), qr/data: hello\n\n$/, 'is served too');
};

subtest 'nginx -t' => sub {
    conf_refused('server { location / { paperboy sse; } }', 'no channel',
        qr/paperboy sse: needs paperboy_channel/);
    conf_refused("paperboy_sse_event $_; server { location / { paperboy echo; } }",
        "paperboy_sse_event $_", qr/invalid value "$_"/) for qw(on names);
    conf_refused('paperboy_sse_retry 0; server { location / { paperboy echo; } }',
        'no time at all', qr/paperboy_sse_retry: expected a time above 0/);
};

finish;
