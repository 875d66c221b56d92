# The harness itself: its WebSocket client against the examples of the RFCs,
# its tokens against openssl(1), its nginx without our module.
use v5.36;
use Paperboy::Test;
use File::Temp ();
use MIME::Base64 qw(decode_base64url);
use Socket;

# A client whose server is this test.
sub client (%more) {
    socketpair my $near, my $far, AF_UNIX, SOCK_STREAM, PF_UNSPEC or die;
    my $client = bless { socket => $near, in => '', eof => 0, %more },
        'Paperboy::WebSocket';
    return ($client, $far);
}

subtest 'frames of RFC 6455, section 5.7' => sub {
    is(unpack('H*', Paperboy::WebSocket::frame(1, 'Hello', mask => '')),
        '810548656c6c6f', 'unmasked');
    is(unpack('H*', Paperboy::WebSocket::frame(
            1, 'Hello', mask => "\x37\xfa\x21\x3d")),
        '818537fa213d7f9f4d5158', 'masked');
    is(unpack('H4', Paperboy::WebSocket::frame(2, 'x' x 256, mask => '')),
        '827e', 'a length of 16 bits');

    my ($client, $far) = client();
    syswrite $far, pack 'H*',
        '010348656c' . '890548656c6c6f' . '80026c6f' . '8802' . '03e9';
    is($client->recv, 'ping:Hello', 'a ping between fragments');
    is($client->recv, 'text:Hello', 'fragments are joined');
    is($client->recv, 'close:1001', 'a close');
    syswrite $far, pack('H*', '827f0000000000010000') . 'x' x 65536;
    is(length $client->recv, 65536 + 7, 'a length of 64 bits');
    close $far;
    is($client->recv, 'eof', 'the end');
};

subtest 'the handshake of RFC 6455, section 1.3' => sub {
    my ($client) = client(key => 'dGhlIHNhbXBsZSBub25jZQ==');
    is($client->expected_accept, 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=', 'accept');
};

subtest 'messages of RFC 7692, section 7.2.3' => sub {
    my ($client, $far) = client(answer => { status => 101, header => {
        'sec-websocket-extensions' => 'permessage-deflate' } });
    $client->_start_deflate;
    is(unpack('H*', $client->deflate_message('Hello')), 'f248cdc9c90700',
        'compressed');
    is(unpack('H*', $client->deflate_message('Hello')), 'f200110000',
        'compressed with the window of the first');
    syswrite $far, pack 'H*', 'c107f248cdc9c90700' . 'c105f200110000';
    is($client->recv, 'text:Hello', 'inflated');
    is($client->recv, 'text:Hello', 'inflated with the window of the first');
};

subtest 'several clients at once' => sub {
    my @pairs = map { [client()] } 1 .. 3;
    syswrite $_->[1], Paperboy::WebSocket::frame(1, 'one', mask => '')
        for @pairs;
    close $pairs[2][1];
    syswrite $pairs[0][1], Paperboy::WebSocket::frame(1, 'two', mask => '');
    syswrite $pairs[1][1], Paperboy::WebSocket::frame(1, '2', mask => '');
    my @events = Paperboy::WebSocket::gather(
        sub ($client, $list) { @$list == 2 }, map { $_->[0] } @pairs);
    is_deeply(\@events,
        [['text:one', 'text:two'], ['text:one', 'text:2'], ['text:one']],
        'each has its events');
};

subtest 'tokens' => sub {
    my $dir = File::Temp->newdir;
    is(jwt_of_text('{"typ":"JWT",' . "\r\n" . ' "alg":"HS256"}',
            "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n"
                . ' "http://example.com/is_root":true}',
            alg => 'HS256', key => decode_base64url(
                'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3'
                    . 'Yj0iPS4hcgUuTwjAzZr1Z9CAow')) =~ s/.*\.//r,
        'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
        'HS256 of RFC 7515, appendix A.1');
    my ($rsa, $rsa_public) = rsa_key($dir, 'rsa');
    my $token = jwt({ sub => 'a' }, key => $rsa, alg => 'RS256');
    my ($signed, $signature) = $token =~ /(.*)\.(.*)/;
    file_with("$dir/signature", decode_base64url($signature));
    file_with("$dir/signed", $signed);
    like(`openssl dgst -sha256 -verify $rsa_public \\
            -signature $dir/signature $dir/signed 2>&1`,
        qr/Verified OK/, 'RS256');
    for my $bits (256, 384, 512) {
        my ($key) = ec_key($dir, "ec$bits", $bits);
        my ($raw) = jwt({}, key => $key, alg => "ES$bits") =~ /.*\.(.*)/;
        is(length decode_base64url($raw),
            { 256 => 64, 384 => 96, 512 => 132 }->{$bits},
            "ES$bits has a signature of that size");
    }
};

subtest 'an nginx' => sub {
    my $dir = File::Temp->newdir;
    self_signed($dir);
    my $nginx = nginx(paperboy => 0, dir => $dir, http => <<'END');
server {
    listen 127.0.0.1:%%PORT%%;
    location / { return 200 "$request_method $uri"; }
}
server {
    listen 127.0.0.1:%%PORT_tls%% ssl;
    ssl_certificate %%DIR%%/tls.crt;
    ssl_certificate_key %%DIR%%/tls.key;
    location / { return 200 $https; }
}
END
    is($nginx->http(POST => '/a', body => 'b')->{body}, 'POST /a', 'a request');
    is($nginx->http(GET => '/', port => 'tls', tls => 1)->{body}, 'on', 'TLS');
    my $connection = $nginx->connection;
    $connection->write(join '',
        map { Paperboy::HTTP::format_request(path => "/$_") } 1 .. 3);
    is_deeply([map { $connection->answer->{body} } 1 .. 3],
        ['GET /1', 'GET /2', 'GET /3'], 'pipelined requests');
    is($nginx->ws('/')->status, 200, 'no upgrade');

    $nginx->expect_log(qr/exited on signal 9/);
    my ($first) = $nginx->workers;
    $nginx->kill_worker($first);
    my @after = $nginx->workers;
    is(scalar(grep { $_ == $first } @after), 0, 'a worker is killed');
    $nginx->reload;
    my %old = map { $_ => 1 } @after;
    is(scalar(grep { !$old{$_} } $nginx->workers), 2, 'a reload');
    like(conf_error('foo;', paperboy => 0),
        qr/unknown directive "foo" in .*:\d+$/m, 'a configuration error');
    is(conf_error('', paperboy => 0), '', 'none');
};

finish;
