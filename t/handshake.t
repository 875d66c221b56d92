# The opening handshake (RFC 6455 section 4.2): what is accepted, and how each
# malformed one is refused.
use v5.36;
use Paperboy::Test;

my $nginx = nginx(http => <<'END');
paperboy_origin any;
server {
    listen 127.0.0.1:%%PORT%%;
    client_header_buffer_size 1k;
    large_client_header_buffers 4 8k;
    location /echo { paperboy echo; }
    location /page { return 200 page; }
    location /filtered {
        paperboy echo;
        ssi on;
        ssi_types *;
        sub_filter a b;
        sub_filter_types *;
        gzip on;
        gzip_types *;
        charset utf-8;
        expires 1h;
        add_header X-Added yes always;
    }
}
END

sub status (%option) { return $nginx->ws('/echo', %option)->status }
sub frame  (@frame)  { return Paperboy::WebSocket::frame(@frame) }

subtest 'an accepted handshake' => sub {
    my $ws = $nginx->ws('/echo', key => 'dGhlIHNhbXBsZSBub25jZQ==');
    is($ws->status, 101, 'status');
    is($ws->answer->{reason}, 'Switching Protocols', 'reason');
    is($ws->header('Sec-WebSocket-Accept'), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
        'accept');
    is(lc $ws->header('Upgrade'), 'websocket', 'upgrade');
    is(lc $ws->header('Connection'), 'upgrade', 'connection');
    for (qw(Sec-WebSocket-Protocol Sec-WebSocket-Extensions Content-Length
        Transfer-Encoding Content-Type)) {
        is($ws->header($_), undef, "no $_");
    }
    $ws->text('hello');
    is($ws->recv, 'text:hello', 'and a message');
};

subtest 'other ways to write it' => sub {
    my @good = (
        ['Upgrade in capitals'   => { Upgrade    => 'WebSocket' }],
        ['a list in Connection'  => { Connection => 'keep-alive, Upgrade' }],
        ['Connection in capitals' => { Connection => 'UPGRADE' }],
        ['a list in Upgrade'     => { Upgrade    => 'foo/1, websocket' }],
    );
    is(status(set => $_->[1]), 101, $_->[0]) for @good;
    is(status(set => { Connection => 'keep-alive' },
            headers => [Connection => 'Upgrade']), 101,
        'Connection in two lines');
    is(status(path => '/echo?a=b'), 101, 'arguments');
};

subtest 'malformed handshakes' => sub {
    my @bad = (
        ['no Upgrade'            => { Upgrade    => undef }],
        ['another Upgrade'       => { Upgrade    => 'h2c' }],
        ['no Connection'         => { Connection => undef }],
        ['another Connection'    => { Connection => 'keep-alive' }],
        ['no key'                => { 'Sec-WebSocket-Key' => undef }],
        ['an empty key'          => { 'Sec-WebSocket-Key' => '' }],
        ['a key of 15 bytes' =>
            { 'Sec-WebSocket-Key' => 'AAAAAAAAAAAAAAAAAAAA' }],
        ['a key of 17 bytes' =>
            { 'Sec-WebSocket-Key' => 'AAAAAAAAAAAAAAAAAAAAAAA=' }],
        ['a key that is no base64' =>
            { 'Sec-WebSocket-Key' => 'dGhlIHNhbXBsZSBub25jZ!==' }],
        ['no headers at all' => { map { $_ => undef } qw(Upgrade Connection
            Sec-WebSocket-Key Sec-WebSocket-Version) }],
        ['extensions that break the grammar' =>
            { 'Sec-WebSocket-Extensions' => 'permessage-deflate;;=' }],
    );
    is(status(set => $_->[1]), 400, $_->[0]) for @bad;
    is(status(headers => ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ==']),
        400, 'two keys');
    is(status(version => 'HTTP/1.0'), 400, 'HTTP/1.0');
    is(status(set => { Host => undef }), 400, 'no Host');
};

subtest 'other versions' => sub {
    for my $version (qw(0 7 8 12 14 99 255 256 013 x)) {
        my $ws = $nginx->ws('/echo',
            set => { 'Sec-WebSocket-Version' => $version });
        is($ws->status, 426, "version $version");
        is($ws->header('Sec-WebSocket-Version'), '13', 'ours is told');
    }
};

subtest 'other methods' => sub {
    for my $method (qw(POST HEAD PUT DELETE OPTIONS PATCH)) {
        my $ws = $nginx->ws('/echo', method => $method);
        is($ws->status, 405, $method);
        is($ws->header('Allow'), 'GET', 'GET is told');
    }
};

subtest 'bytes that came with the request' => sub {
    my $ws = $nginx->ws('/echo', early => frame(1, 'early'));
    is($ws->recv, 'text:early', 'one frame');

    $ws = $nginx->ws('/echo',
        early => join '', map { frame(1, "$_ " . 'x' x 100) } 1 .. 60);
    is_deeply([map { $ws->recv } 1 .. 60],
        [map { "text:$_ " . 'x' x 100 } 1 .. 60], 'more than the buffer holds');

    $ws = $nginx->ws('/echo', headers => [Cookie => 'c' x 6000],
        early => join '', map { frame(1, "$_") } 1 .. 60);
    is_deeply([map { $ws->recv } 1 .. 60], [map { "text:$_" } 1 .. 60],
        'behind large headers');

    $ws = $nginx->ws('/echo', early => substr frame(1, 'split'), 0, 4);
    is($ws->status, 101, 'a part of a frame');

    $ws = $nginx->ws('/echo', early => frame(8, pack 'n', 1000));
    is($ws->recv . ' ' . $ws->recv, 'close:1000 eof', 'a close');
};

subtest 'a frame split between request and later' => sub {
    my $bytes = frame(1, 'split');
    for my $at (1 .. length($bytes) - 1) {
        my $ws = $nginx->ws('/echo', early => substr $bytes, 0, $at);
        $ws->write(substr $bytes, $at);
        is($ws->recv, 'text:split', "after $at bytes");
    }
};

subtest 'a connection that served requests before' => sub {
    my $connection = $nginx->connection;
    my $upgrade    = Paperboy::HTTP::format_request(path => '/echo',
        headers => [
            Upgrade                 => 'websocket',
            Connection              => 'Upgrade',
            'Sec-WebSocket-Version' => 13,
            'Sec-WebSocket-Key'     => 'dGhlIHNhbXBsZSBub25jZQ==',
        ]);
    my $page = Paperboy::HTTP::format_request(path => '/page');
    $connection->write($page . $page . $upgrade . frame(1, 'pipelined'));
    is($connection->answer->{body}, 'page', 'the first');
    is($connection->answer->{body}, 'page', 'the second');
    is($connection->answer->{status}, 101, 'the upgrade');
    bless $connection, 'Paperboy::WebSocket';
    is($connection->recv, 'text:pipelined', 'and a message');
};

subtest 'a client that takes no answer' => sub {
    my $other = nginx(workers => 1, http => <<'CONF');
paperboy_origin any;
server {
    listen 127.0.0.1:%%PORT%% sndbuf=4k;
    keepalive_requests 1000;
    send_timeout 500ms;
    location /echo {
        paperboy echo;
        paperboy_ping_interval 200ms;
        paperboy_ping_timeout 200ms;
        paperboy_send_timeout 500ms;
        paperboy_close_timeout 200ms;
    }
    location /page { return 200 page; }
    location /status { paperboy_status; }
}
CONF
    my ($worker) = $other->workers;
    my $sockets  = sub { scalar(() = glob "/proc/$worker/fd/*") };
    my $before   = $sockets->();
    my $page     = Paperboy::HTTP::format_request(path => '/page');
    my $upgrade  = Paperboy::HTTP::format_request(path => '/echo',
        headers => [
            Upgrade                 => 'websocket',
            Connection              => 'Upgrade',
            'Sec-WebSocket-Version' => 13,
            'Sec-WebSocket-Key'     => 'dGhlIHNhbXBsZSBub25jZQ==',
        ]);
    # Among these are some whose 101 fits the socket in part.
    my $connect = sub {
        return map {
            my $client = $other->connection(receive_buffer => 1024);
            $client->write($page x $_ . $upgrade);
            $client;
        } 10 .. 60;
    };
    my $nothing_left = sub {
        $other->status->{connections} == 0 && $sockets->() <= $before + 1;
    };
    my @clients = $connect->();
    wait_for('upgrades', sub { $other->status->{upgrades} >= 20 });
    ok(wait_for('no connection', $nothing_left), 'is ended in time');
    $_->reset for $connect->();
    ok(wait_for('no connection', $nothing_left), 'and when it goes by itself');
};

subtest 'a handshake byte by byte' => sub {
    my $connection = $nginx->connection;
    my $upgrade    = Paperboy::HTTP::format_request(path => '/echo',
        headers => [
            Upgrade                 => 'websocket',
            Connection              => 'Upgrade',
            'Sec-WebSocket-Version' => 13,
            'Sec-WebSocket-Key'     => 'dGhlIHNhbXBsZSBub25jZQ==',
        ]);
    Paperboy::WebSocket::send_bytewise($connection,
        $upgrade . frame(1, 'slowly'));
    is($connection->answer->{status}, 101, 'the upgrade');
    bless $connection, 'Paperboy::WebSocket';
    is($connection->recv, 'text:slowly', 'and a message');
};

subtest 'a refused connection is kept' => sub {
    my $connection = $nginx->connection;
    $connection->write(
        Paperboy::HTTP::format_request(path => '/echo', method => 'DELETE')
            . Paperboy::HTTP::format_request(path => '/page'));
    is($connection->answer->{status}, 405, 'a refusal');
    is($connection->answer->{body}, 'page', 'and the next request');
};

subtest 'filters that would have a say' => sub {
    my $ws = $nginx->ws('/filtered', headers => ['Accept-Encoding' => 'gzip']);
    is($ws->status, 101, 'let it pass');
    is($ws->header('X-Added'), 'yes', 'a header that is added');
    $ws->text('<!--# echo var="uri" -->a');
    is($ws->recv, 'text:<!--# echo var="uri" -->a', 'messages as they are');
};

subtest 'a request with a body is no handshake' => sub {
    my $bytes = frame(1, 'smuggled');
    my $ws    = $nginx->ws('/echo', early => $bytes,
        headers => ['Content-Length' => length $bytes]);
    is($ws->status, 400, 'a length');
    $ws = $nginx->ws('/echo', early => "0\r\n\r\n",
        headers => ['Transfer-Encoding' => 'chunked']);
    is($ws->status, 400, 'chunked');
};

finish;
