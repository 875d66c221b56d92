# One channel, two nodes with one Redis, a client of each dialect at both: what
# anybody publishes, all hear once, each in the form of its dialect.
use v5.36;
use File::Temp ();
use JSON::PP ();
use Paperboy::Redis;
use Paperboy::Test;

plan skip_all => "no $Paperboy::Redis::BINARY" if !Paperboy::Redis::is_there();

my $json   = JSON::PP->new->canonical;
my $secret = 'a secret of the classic application';
my $dir    = File::Temp->newdir;
my ($key)  = ec_key($dir, 'key');
my $redis  = Paperboy::Redis->new->start;
my $url    = 'redis://127.0.0.1:' . $redis->port;

local $ENV{PAPERBOY_JWT_SECRET} = $secret;
my @nodes = map { nginx(workers => 2, http => <<"END") } 1, 2;
paperboy_zone main 8m;
paperboy_redis $url timeout=2s;
paperboy_classic_redis $url timeout=2s;
paperboy_origin any;
server {
    listen 127.0.0.1:%%PORT%% reuseport;
    location /classic {
        paperboy classic;
        paperboy_jwt_key HS256 env=PAPERBOY_JWT_SECRET;
    }
    location /ws { paperboy notiflux; paperboy_jwt_key ES256 file=$dir/key.pub; }
    location /broadcast {
        paperboy_notiflux_broadcast;
        paperboy_jwt_key ES256 file=$dir/key.pub;
    }
    location /ready { paperboy_ready; }
    location /raw { paperboy raw; paperboy_channel room; }
    location /sse { paperboy sse; paperboy_channel room; }
    location /native { paperboy; paperboy_client_publish on; }
    location /publish { paperboy_publish any; }
}
END

for my $node (@nodes) {
    wait_for('a node that is ready',
        sub { $node->http(GET => '/ready')->{status} == 200 });
}

sub notiflux_token ($scope) {
    return jwt({ sub => 'ann', exp => time + 30, scope => $scope,
            topic => 'room' }, key => $key, alg => 'ES256');
}

# --- who listens ---------------------------------------------------------------

sub classic ($node) {
    my $ws = $node->ws('/classic');
    $ws->text(jwt({ iss => 'paperboy', userId => 'bob', channel => 'room',
                exp => time + 60 }, key => $secret));
    is($ws->recv, 'text:subscribed:room', 'a classic client');
    return $ws;
}

sub notiflux ($node) {
    my $ws = $node->ws('/ws');
    $ws->text('/subscribe room ' . notiflux_token('subscribe'));
    $ws->text('/what?');
    is($ws->recv, 'text:Unknown command', 'a notiflux client');
    return $ws;
}

sub native ($node) {
    my $ws = $node->ws('/native');
    $ws->text(qq({"id":1,"connect":{}}\n)
            . '{"id":2,"subscribe":{"channel":"room"}}');
    until ($ws->recv =~ /"subscribe"/) { }
    return $ws;
}

my (%listeners, $writer);
for my $node (@nodes) {
    push @{ $listeners{classic} },  classic($node);
    push @{ $listeners{notiflux} }, notiflux($node);
    push @{ $listeners{native} },   native($node);
    push @{ $listeners{raw} },      $node->ws('/raw');
    push @{ $listeners{sse} },      $node->events('/sse');
}
$_->wait_for_id for @{ $listeners{sse} };
$writer = native($nodes[1]);

# What a classic client hears of a publication that no back end made.
sub classic_form ($event) {
    my $message = $json->decode($event =~ s/^text://r);
    like(delete $message->{timestamp}, qr/^\d{13}$/, 'classic: when it was');
    return $message;
}

# All of `data`, which is JSON; $classic: the text a back end sent, if it did.
sub all_hear ($data, $classic = undef) {
    for my $ws (@{ $listeners{classic} }) {
        my $event = $ws->recv;
        if (defined $classic) {
            is($event, "text:$classic", 'classic: as the back end wrote it');
        } else {
            is_deeply(classic_form($event), { userId => undef,
                    channel => 'room', payload => $json->decode($data) },
                'classic');
        }
    }
    is($_->recv, "text:$data", 'notiflux') for @{ $listeners{notiflux} };
    is($_->recv, "text:$data", 'raw')      for @{ $listeners{raw} };
    is($_->recv, "message:$data", 'sse')   for @{ $listeners{sse} };
    for my $ws (@{ $listeners{native} }) {
        like($ws->recv, qr/^text:.*"channel":"room".*"data":\Q$data\E/, 'native');
    }
    return;
}

subtest 'by POST' => sub {
    for my $n (0, 1) {
        my $answer = $nodes[$n]->http(POST => '/publish?channel=room',
            body => qq({"by":"POST","at":$n}));
        is($answer->{status}, 200, "at $n");
        all_hear(qq({"by":"POST","at":$n}));
    }
};

subtest 'by a notiflux broadcast' => sub {
    my $message = '{"by":"broadcast"}';
    my $answer  = $nodes[1]->http(
        POST    => '/broadcast',
        headers => ['Content-Type' => 'application/json'],
        body    => $json->encode({ topic => 'room', message => $message,
                token => notiflux_token('broadcast') }));
    is($answer->{status}, 200, 'it is taken');
    all_hear($message);
};

# Both nodes hear it; it is in the channel once.
subtest 'by a classic back end' => sub {
    my $text = '{"userId":null, "channel":"room","payload":{"by":"back end"},'
        . '"timestamp":1700000000000}';
    for (1 .. 3) {
        $redis->command(PUBLISH => 'paperboy-message', $text);
        all_hear('{"by":"back end"}', $text);
    }
};

subtest 'by a native client' => sub {
    $writer->text('{"id":3,"publish":{"channel":"room","data":{"by":"native"}}}');
    all_hear('{"by":"native"}');
};

subtest 'nothing twice' => sub {
    $nodes[0]->http(POST => '/publish?channel=room', body => '"the last"');
    all_hear('"the last"');
};

finish;
