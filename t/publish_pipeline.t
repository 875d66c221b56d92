# Requests of a pipeline are answered each, in order, and their answers leave
# together.
use v5.36;
use Paperboy::Test;
use Paperboy::HTTP;
use File::Temp ();
use Socket qw(IPPROTO_TCP);

use constant TCP_INFO => 11;

my $nginx = nginx(http => <<'END');
paperboy_origin any;
paperboy_zone main 4m;
server {
    listen 127.0.0.1:%%PORT%%;
    location /ws { paperboy raw; paperboy_channel a; }
    location /publish { paperboy_publish any; paperboy_channel $arg_c; }
    location /gone { return 444; }
    location /plain { paperboy_publish any; paperboy_channel a; tcp_nodelay off; }
}
END

my $REQUEST = request_for('/publish?c=a');

sub request_for ($path, %option) {
    return Paperboy::HTTP::format_request(method => 'POST', path => $path,
        body => 'x', %option);
}

# How many segments with data the client's side of a connection has received.
sub segments ($http) {
    my $info = getsockopt $http->{socket}, IPPROTO_TCP, TCP_INFO or die "TCP_INFO: $!";
    return length $info >= 156 ? unpack 'x152 L', $info : undef;
}

# After the first answer nginx has set TCP_NODELAY, which joins nothing.
sub answered_once ($server = $nginx, %option) {
    my $http = $server->connection(%option);
    $http->write($REQUEST);
    is($http->answer('POST')->{status}, 200, 'one is answered at once');
    return $http;
}

sub offsets ($http, $count) {
    return [map { $http->answer('POST')->json->{offset} } 1 .. $count];
}

subtest 'together' => sub {
    my $http   = answered_once();
    my $before = segments($http) // plan skip_all => 'no count of segments';
    $http->write($REQUEST x 8);
    is_deeply(offsets($http, 8), [2 .. 9], 'eight are answered in order');
    cmp_ok(segments($http) - $before, '<', 8, 'in fewer segments');
};

subtest 'a request that has yet to come' => sub {
    my $http = answered_once();
    my $half = substr $REQUEST, 0, 20;
    $http->write($REQUEST x 3 . $half);
    is_deeply(offsets($http, 3), [11 .. 13], 'keeps no answer');
    $http->write(substr $REQUEST, 20);
    is_deeply(offsets($http, 1), [14], 'and is answered when it has');
};

subtest 'an error amid them' => sub {
    my $http = answered_once();
    $http->write($REQUEST . request_for('/publish?c=a', method => 'GET', body => undef)
            . $REQUEST . "\x01\r\n\r\n");
    my @answers = map { $http->answer('POST') } 1 .. 4;
    is_deeply([map { $_->{status} } @answers], [200, 405, 200, 400],
        'all before it are answered, and errors');
    is($http->answer, undef, 'then the connection ends');
};

subtest 'the last one asks for the end' => sub {
    my $http = answered_once();
    $http->write($REQUEST x 2
            . request_for('/publish?c=a', headers => [Connection => 'close']));
    is_deeply(offsets($http, 3), [19 .. 21], 'and all are answered');
    is($http->answer, undef, 'before it');
};

subtest 'a WebSocket behind them' => sub {
    my $http = answered_once();
    my $key  = 'dGhlIHNhbXBsZSBub25jZQ==';
    $http->write($REQUEST x 2 . Paperboy::HTTP::format_request(
        path    => '/ws',
        headers => [Upgrade => 'websocket', Connection => 'Upgrade',
            'Sec-WebSocket-Key' => $key, 'Sec-WebSocket-Version' => 13],
    ));
    is_deeply(offsets($http, 2), [23, 24], 'they are answered');
    is($http->answer->{status}, 101, 'and it is opened');
};

subtest 'many connections' => sub {
    my @all = map { $nginx->connection } 1 .. 20;
    $_->write($REQUEST x 4) for @all;
    my @statuses = map { my $http = $_; map { $http->answer('POST')->{status} } 1 .. 4 } @all;
    is_deeply(\@statuses, [(200) x 80], 'each has its own');
};

subtest 'over TLS' => sub {
    my $dir = File::Temp->newdir;
    self_signed($dir);
    my $tls = nginx(dir => $dir, http => <<'END');
paperboy_origin any;
paperboy_zone main 4m;
server {
    listen 127.0.0.1:%%PORT%% ssl;
    ssl_certificate %%DIR%%/tls.crt;
    ssl_certificate_key %%DIR%%/tls.key;
    location /publish { paperboy_publish any; paperboy_channel $arg_c; }
}
END
    my $http   = answered_once($tls, tls => 1);
    my $before = segments($http) // plan skip_all => 'no count of segments';
    $http->write($REQUEST x 8);
    is_deeply(offsets($http, 8), [2 .. 9], 'eight are answered in order');
    cmp_ok(segments($http) - $before, '<', 8, 'in fewer segments');
};

# With so much unread that the kernel ends it by a reset.
subtest 'a connection that is closed amid them' => sub {
    my @ends = ("GET /gone HTTP/1.1\r\nHost: x\r\n\r\n",
        request_for('/publish?c=a', headers => ['Connection: close']));
    for my $end (@ends) {
        my $http = $nginx->connection;
        $http->write($REQUEST x 5 . $end . $REQUEST x 3000);
        is_deeply([map { $http->answer('POST')->{status} } 1 .. 5], [(200) x 5],
            'has sent the answers before');
    }
};

subtest 'without tcp_nodelay' => sub {
    my $http = $nginx->connection;
    $http->write(request_for('/plain') x 3);
    is_deeply([map { $http->answer('POST')->{status} } 1 .. 3], [200, 200, 200],
        'as nginx does');
};

done_testing;
