# paperboy raw: a frame is the message, the channels are the location's
# (paperboy_channel).
use v5.36;
use Paperboy::Test;

my $nginx = nginx(http => <<'END');
paperboy_origin any;
paperboy_zone main 4m;
server {
    listen 127.0.0.1:%%PORT%%;
    location /fixed { paperboy raw; paperboy_channel news; }
    location /named { paperboy raw; paperboy_channel $arg_c; }
    location ~ ^/room/(.+)$ { paperboy raw; paperboy_channel room-$1; }
    location /several { paperboy raw; paperboy_channel news $arg_c extra; }
    location /publish { paperboy_publish any; }
}
END

sub publish ($channel, $body, @headers) {
    return $nginx->http(POST => "/publish?channel=$channel", body => $body,
        headers => \@headers)->json;
}

subtest 'one channel' => sub {
    my $ws = $nginx->ws('/fixed');
    is(publish('news', 'hello')->{subscribers}, 1, 'a subscriber is counted');
    is($ws->recv, 'text:hello', 'text');
    publish('news', "\0\xff", 'Content-Type' => 'application/octet-stream');
    is($ws->recv, "binary:\0\xff", 'binary');
    publish('news', '');
    is($ws->recv, 'text:', 'an empty message');
    publish('other', 'not for us');
    publish('news', 'for us');
    is($ws->recv, 'text:for us', 'another channel is not ours');
    $ws->close;
    ok(wait_for('nobody is counted',
            sub { publish('news', '')->{subscribers} == 0 }),
        'who has gone is not counted');
};

subtest 'variables' => sub {
    my $ws = $nginx->ws('/named?c=a');
    publish('a', 'to a');
    is($ws->recv, 'text:to a', 'an argument');
    $ws = $nginx->ws('/room/blue');
    publish('room-blue', 'to blue');
    is($ws->recv, 'text:to blue', 'a capture');
    is($nginx->ws('/named')->status, 400, 'an empty name is refused');
};

subtest 'several channels' => sub {
    my $ws = $nginx->ws('/several?c=mine');
    for (qw(extra mine news mine)) {
        publish($_, "to $_");
        is($ws->recv, "text:to $_", $_);
    }
    $ws = $nginx->ws('/several');
    is($ws->status, 101, 'an empty value among others is left out');
    publish('news', 'n');
    is($ws->recv, 'text:n', 'the others stay');
    $ws = $nginx->ws('/several?c=news');
    publish('news', 'once');
    publish('extra', 'then');
    is($ws->recv, 'text:once', 'a channel named twice');
    is($ws->recv, 'text:then', 'is one subscription');
};

subtest 'many messages, in order' => sub {
    my @clients    = map { $nginx->ws('/fixed') } 1 .. 5;
    my $connection = $nginx->connection;
    for my $n (1 .. 500) {
        $connection->write(Paperboy::HTTP::format_request(method => 'POST',
            path => '/publish?channel=news', body => "$n"));
        $connection->answer->{status} == 200 or fail("publish $n");
    }
    for my $client (@clients) {
        is_deeply([map { $client->recv } 1 .. 500],
            [map { "text:$_" } 1 .. 500], 'each once');
    }
};

subtest 'client messages are refused' => sub {
    my $ws = $nginx->ws('/fixed');
    my $other = $nginx->ws('/fixed');
    $ws->text('hello?');
    is($ws->recv, 'close:1008', 'with the code for a policy');
    $ws->send_close(1008);
    is($ws->recv, 'eof',        'and the end');
    publish('news', 'after');
    is($other->recv, 'text:after', 'nobody else is hurt or has got it');
    $ws = $nginx->ws('/fixed');
    $ws->ping('p');
    is($ws->recv, 'pong:p', 'pings are none');
};

conf_refused('server { location / { paperboy raw; } }',
    'raw needs a channel', qr/paperboy_channel/);

finish;
