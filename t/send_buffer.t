# paperboy_send_buffer, paperboy_send_timeout: a client that doesn't read is
# closed at its limit, and one that reads a byte a minute is timed out.
use v5.36;
use Paperboy::Test;

my $nginx = nginx(workers => 2, http => <<'END');
paperboy_origin any;
paperboy_zone main 16m;
paperboy_log_format end '$uri $paperboy_close_code $paperboy_closed_by';
paperboy_log %%DIR%%/paperboy.log end;
server {
    listen 127.0.0.1:%%PORT%% sndbuf=32k;
    client_max_body_size 1m;
    location /buffer {
        paperboy raw;
        paperboy_channel a;
        paperboy_send_buffer 128k;
    }
    location /patient {
        paperboy raw;
        paperboy_channel a;
        paperboy_send_buffer 64m;
        paperboy_send_timeout 600ms;
        paperboy_close_timeout 1s;
    }
    location /pings {
        paperboy raw;
        paperboy_channel a;
        paperboy_send_buffer 64m;
        paperboy_ping_interval 100ms;
        paperboy_ping_timeout 200ms;
    }
    location /publish { paperboy_publish any; }
    location /status { paperboy_status; }
}
END

my $publisher = $nginx->connection;

sub publish ($body) {
    $publisher->write(Paperboy::HTTP::format_request(
        method => 'POST', path => '/publish?channel=a', body => $body));
    return $publisher->answer;
}

sub closes () {
    return map { /^(\S+) (\d+)/ ? "$1 $2" : () }
        split /\n/, $nginx->log('paperboy.log');
}

subtest 'a client that does not read' => sub {
    my $deaf    = $nginx->ws('/buffer', receive_buffer => 4096);
    my @hearing = map { $nginx->ws('/buffer') } 1 .. 3;
    my $body    = 'x' x 10_000;
    my ($ended, $sent);
    for (1 .. 500) {
        publish("$_ $body")->{status} == 200 or fail("publish $_");
        $sent = $_;
        for my $client (@hearing) {
            $client->recv eq "text:$_ $body" or fail("message $_");
        }
        last if $ended = grep { /buffer 3008/ } closes();
    }
    ok($ended, 'is closed at its limit');
    cmp_ok($sent, '>', 13, 'not before it');
    publish('after');
    is($_->recv, 'text:after', 'nobody else is hurt') for @hearing;
    my @rest;
    while ((my $event = $deaf->recv) ne 'eof') { push @rest, $event }
    my $n = 0;
    is(scalar(grep { !/^text:${\ ++$n} / && !/^close/ } @rest), 0,
        'what it got is in order and without a hole');
};

subtest 'a client that reads a little now and then' => sub {
    my $slow = $nginx->ws('/patient', receive_buffer => 4096);
    my $body = 'y' x 30_000;
    my $ended;
    for (1 .. 2000) {
        publish($body) if $_ <= 300;
        sysread $slow->{socket}, my $byte, 1 if $slow->readable(0);
        last if $ended = grep { /patient 3008/ } closes();
        select undef, undef, undef, 0.02;
    }
    ok($ended, 'is timed out, although there always is some progress');
};

subtest 'a backlog is no silence' => sub {
    # It doesn't read, so it can't have seen the ping that it doesn't answer.
    my $busy = $nginx->ws('/pings', receive_buffer => 4096);
    $busy->{auto_pong} = 1;
    is(publish('z' x 60_000)->{status}, 200, "publish $_") for 1 .. 10;
    select undef, undef, undef, 1;
    ok($busy->recv eq 'text:' . 'z' x 60_000, "message $_") for 1 .. 10;
};

ok(wait_for('no connection is left',
    sub { $nginx->status->{connections} == 0 }), 'all are gone');

subtest 'a message larger than the buffer' => sub {
    my $large = nginx(http => <<'END');
paperboy_origin any;
client_max_body_size 8m;
paperboy_zone main 32m;
server {
    listen 127.0.0.1:%%PORT%%;
    paperboy_channel a;
    location /ws { paperboy raw; paperboy_send_buffer 64k; }
    location /publish {
        paperboy_publish any;
        paperboy_max_message_size 2m;
    }
}
END
    my $reader  = $large->ws('/ws');
    my $message = 'm' x 1_900_000;
    is($large->http(POST => '/publish', body => $message)->{status}, 200,
        'is published');
    ok($reader->recv eq "text:$message", 'and who reads gets it');
};

finish;
