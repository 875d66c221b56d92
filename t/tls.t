# WebSockets over TLS.
use v5.36;
use Paperboy::Test;
use File::Temp ();
use IO::Select ();
use Socket qw(MSG_PEEK);
use Time::HiRes qw(sleep);

my $dir = File::Temp->newdir;
self_signed($dir);
my $nginx = nginx(dir => $dir, http => <<'END');
paperboy_origin any;
paperboy_zone main 4m;
ssl_certificate %%DIR%%/tls.crt;
ssl_certificate_key %%DIR%%/tls.key;
server {
    listen 127.0.0.1:%%PORT%% ssl;
    client_header_buffer_size 8k;
    location /echo { paperboy echo; paperboy_deflate 1; }
    location /large {
        paperboy echo;
        paperboy_max_message_size 1m;
        paperboy_send_buffer 8m;
    }
    location /raw { paperboy raw; paperboy_channel a; }
    location /patient {
        paperboy raw;
        paperboy_channel a;
        paperboy_send_buffer 64m;
    }
    location /publish { paperboy_publish any; }
    location /status { paperboy_status; }
}
END

sub ws ($path, %option) { return $nginx->ws($path, tls => 1, %option) }
sub frame (@frame) { return Paperboy::WebSocket::frame(@frame) }

subtest 'messages' => sub {
    my $ws = ws('/echo');
    is($ws->status, 101, 'a handshake');
    $ws->text('hello');
    is($ws->recv, 'text:hello', 'a message');
    $ws->send_bytewise(frame(1, 'in records of a byte'));
    is($ws->recv, 'text:in records of a byte', 'byte by byte');
    is($ws->close(1000), 'close:1000 eof', 'the end');
    $ws = ws('/echo', deflate => 'permessage-deflate');
    $ws->deflated(1, 'compressed ' x 100);
    is($ws->recv, 'text:' . 'compressed ' x 100, 'compressed');
};

subtest 'early frames' => sub {
    my $ws = ws('/echo', early => join '', map { frame(1, "$_") } 1 .. 100);
    is_deeply([map { $ws->recv } 1 .. 100], [map { "text:$_" } 1 .. 100],
        'in the record of the request');
    $ws = ws('/echo', early => frame(1, 'x' x 15_000));
    is($ws->recv, 'text:' . 'x' x 15_000, 'one that TLS holds back in part');
};

subtest 'large messages' => sub {
    my $ws   = ws('/large');
    my $data = join '', map { chr(97 + $_ % 26) } 1 .. 1_000_000;
    for (1 .. 3) {
        $ws->text($data);
        ok($ws->recv eq "text:$data", "1 MB, $_");
    }
};

subtest 'a broadcast' => sub {
    my @clients = map { ws('/raw') } 1 .. 20;
    for my $n (1 .. 50) {
        $nginx->http(POST => '/publish?channel=a', tls => 1, body => "$n");
    }
    for my $client (@clients) {
        is_deeply([map { $client->recv } 1 .. 50],
            [map { "text:$_" } 1 .. 50], 'complete and in order');
    }
};

# The records of application data that wait at the client's end, unread.
sub records ($ws) {
    open my $socket, '+<&', $ws->{socket}->fileno or die "dup: $!";
    IO::Select->new($socket)->can_read(5) or return 0;
    sleep 0.2;  # whatever else comes
    recv $socket, my $bytes, 1 << 16, MSG_PEEK;
    my $count = 0;
    while (length $bytes) {
        my ($type, $length) = unpack 'C x2 n', $bytes;
        substr $bytes, 0, 5 + $length, '';
        ++$count if $type == 23;
    }
    return $count;
}

subtest 'what waits together' => sub {
    my $publisher = $nginx->connection(tls => 1);
    my $request   = Paperboy::HTTP::format_request(
        method => 'POST', path => '/publish?channel=a', body => 'x');
    my $ws = ws('/raw');
    for my $count (1, 8) {
        $publisher->write($request x $count);
        is_deeply([map { $publisher->answer->{status} } 1 .. $count],
            [(200) x $count], "$count published at once");
        is(records($ws), 1, 'leave in one record');
        is_deeply([map { $ws->recv } 1 .. $count], [('text:x') x $count],
            'and all are in it');
    }
};

subtest 'a client that reads late' => sub {
    # What the socket doesn't take is tried again from elsewhere in memory.
    my @late = map { ws('/patient', receive_buffer => 4096) } 1 .. 2;
    my $publisher = $nginx->connection(tls => 1);
    my $body      = join '', map { chr(97 + $_ % 26) } 1 .. 40_000;
    for my $n (1 .. 100) {
        $publisher->write(Paperboy::HTTP::format_request(
            method => 'POST', path => '/publish?channel=a',
            body   => "$n $body"));
        is($publisher->answer->{status}, 200, "publish $n");
    }
    for my $client (@late) {
        my $good = grep { $client->recv eq "text:$_ $body" } 1 .. 100;
        is($good, 100, 'has all of it, in order');
    }
};

subtest 'an unclean end' => sub {
    ws('/raw')->drop for 1 .. 5;
    ws('/raw')->reset for 1 .. 5;
    ok(wait_for('no connection is left', sub {
        $nginx->http(GET => '/status', tls => 1)->json->{connections} == 0;
    }), 'leaves nothing behind');
};

finish;
