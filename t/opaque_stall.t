# A worker that doesn't run while an opaque token ends, for so long that the log
# goes over it and the others give the end back: what it had opened ends.
use v5.36;
use Paperboy::Test;
use JSON::PP ();

my $nginx = nginx(workers => 2, http => <<'END');
paperboy_zone main 2m log=64k;
paperboy_origin any;
server {
    listen 127.0.0.1:%%PORT%%;
    keepalive_requests 1000000;
    location /ws {
        paperboy raw;
        paperboy_opaque_tokens on;
        paperboy_channel news;
    }
    location /api { paperboy_api any; }
    location /publish { paperboy_publish any; paperboy_channel $arg_c; }
    location /status { paperboy_status; }
}
END
my $json = JSON::PP->new->canonical;

sub ask ($method, %parameters) {
    return $nginx->http(POST => "/api/$method", body => $json->encode(\%parameters))
        ->json->{result};
}

sub publish ($channel, $data) {
    return $nginx->http(POST => "/publish?c=$channel", body => $data)->{status};
}

my ($awake, $asleep) = $nginx->workers;
my $token = ask(token_create => ttl => 3600, channels => ['news'])->{token};

$nginx->pause($awake);
my $client = $nginx->ws("/ws?token=$token");
is($client->status, 101, 'a client comes to one worker');
kill CONT => $awake;
$nginx->pause($asleep);
ok(ask(token_end => token => $token)->{ended}, 'its token ends at the other');

my ($refused, $more) = (0, 0);
wait_for('the log goes over the worker, and the end is given back', sub {
    for (1 .. 20) {
        my $status = publish(other => 'x' x 8000);
        $refused = 1 if $status == 503;
        $more++      if $refused && $status == 200;
    }
    return $more > 20 && $nginx->status->{zone}{history_messages} == 0;
});
kill CONT => $asleep;
like($client->recv, qr/^close:3005/, 'the client ends as its worker goes on');
is($nginx->ws("/ws?token=$token")->status, 401, 'nor does it come back');

done_testing;
