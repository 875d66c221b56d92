# Embedded back ends of two nodes that share their channels by Redis: what a
# connector writes to both is published once between them, and each lets its own
# clients in.
use v5.36;
use Paperboy::Callback;
use Paperboy::Redis;
use Paperboy::Test;
use JSON::PP ();
use Time::HiRes qw(time);

plan skip_all => "no $Paperboy::Redis::BINARY" if !Paperboy::Redis::is_there();

my $TOKEN = 'a-token-of-the-tests';
my $TOPIC = 'paperboy-subscription-request';
my $json  = JSON::PP->new->canonical;
my $redis = Paperboy::Redis->new->start;
my $url   = 'redis://127.0.0.1:' . $redis->port;
my @nodes = map { nginx(workers => 2, http => <<"END") } 1 .. 2;
paperboy_zone main 8m;
paperboy_redis $url;
paperboy_embedded_token $TOKEN;
paperboy_embedded_callbacks 127.0.0.1;
paperboy_embedded_namespace shop;
paperboy_origin any;
server {
    listen 127.0.0.1:%%PORT%%;
    location /ws { paperboy classic; paperboy_namespace shop; }
    location /raw {
        paperboy raw;
        paperboy_channel \$arg_c;
        paperboy_namespace shop;
    }
    location /ready { paperboy_ready; }
    location / { paperboy_embedded; }
}
END
wait_for('both are ready',
    sub { 2 == grep { $_->http(GET => '/ready')->{status} == 200 } @nodes });

sub ask ($node, $path, $body, @headers) {
    my $answer = $node->http(POST => $path, body => $body,
        headers => [PaperboyEmbeddedBackendToken => $TOKEN, @headers]);
    return is("$answer->{status} $answer->{body}", '200 done', $path);
}

# As a connector does.
sub push_to_all ($topic, $body, @headers) {
    ask($_, "/pushMessage/paperboy-$topic", $body, @headers) for @nodes;
    return;
}

my $back = Paperboy::Callback->new;
ask($_, "/subscribeTopic/$TOPIC", $json->encode({ restHostname => '127.0.0.1',
    restPort => $back->port, restPath => '/' })) for @nodes;

my @clients = map { $_->ws('/ws') } @nodes;
my $let_in;
for my $client (@clients) {
    $client->text('token');
    my $request = $json->decode($back->next->{body});
    push_to_all('subscription-authorized', $json->encode({ userId => 'ann',
        wsId => $request->{wsId}, channel => 'news' }),
        'Idempotency-Key' => $let_in = "let in $request->{wsId}");
    is($client->recv, 'text:subscribed:news', 'let in');
}
my @raw = map { $_->ws('/raw?c=news') } @nodes;

sub all_hear ($text, $payload) {
    is($_->recv, "text:$text",    'a client hears it once') for @clients;
    is($_->recv, "text:$payload", 'others too')             for @raw;
    return;
}

my sub message ($payload, $more = '') {
    return qq({"userId":null,"channel":"news","payload":$payload$more});
}
for my $n (1 .. 3) {
    push_to_all('message', message($n), 'Idempotency-Key' => "key $n");
    all_hear(message($n), $n);
}
for my $n (4 .. 6) {
    my $text = message($n, ',"timestamp":' . int time * 1000);
    push_to_all('message', $text);
    all_hear($text, $n);
}
push_to_all('message', message('"bare"'));
all_hear(message('"bare"'), '"bare"') for @nodes;

my $user = '{"userId":"ann","channel":null,"payload":7,"timestamp":1}';
push_to_all('message', $user, 'Idempotency-Key' => 'user');
is($_->recv, "text:$user", 'what is for a user comes once on each node')
    for @clients;
push_to_all('message', message('"last"'), 'Idempotency-Key' => 'last');
all_hear(message('"last"'), '"last"');

# What another topic was given the same key for is something else.
push_to_all('subscription-close', '{"userId":"ann","channel":"news"}',
    'Idempotency-Key' => $let_in);
push_to_all('message', message(8), 'Idempotency-Key' => 'after');
is($_->recv, 'text:8', 'a message after the close') for @raw;
my $own = '{"userId":"ann","channel":null,"payload":9,"timestamp":2}';
push_to_all('message', $own, 'Idempotency-Key' => 'own');
is($_->recv, "text:$own", 'who has left the channel hears none') for @clients;

$back->stop;
finish;
