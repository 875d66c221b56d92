# conf-examples/events does what it says.
use v5.36;
use lib 't/lib';
use Paperboy::Repo qw(slurp);
use Paperboy::Test;

my ($http) = slurp('conf-examples/events/nginx.conf') =~ /^http \{\n(.*)^\}/ms;
$http =~ s/listen 8080;/listen 127.0.0.1:%%PORT%%;/ or die 'no port';
my $nginx = nginx(http => $http);

my $publish = sub ($body) {
    return $nginx->http(POST => '/publish?topic=orders', body => $body);
};
my $events = $nginx->events('/events?topic=orders');
my $id     = $events->wait_for_id;
is($publish->('one')->json->{channel}, 'topic:orders', 'a publish');
is($events->recv, 'message:one', 'is heard');
$events->drop;
$publish->('two');
is_deeply([$nginx->events('/events?topic=orders', id => $id)
            ->recv_until('two')], [qw(message:one message:two)],
    'and kept for who was away');

my $other = $nginx->events('/events?topic=orders',
    origin => 'https://www.example.com');
is($other->status, 200, 'the other site');
is($other->header('Access-Control-Allow-Origin'), 'https://www.example.com',
    'may listen');
is($nginx->events('/events?topic=orders', origin => 'https://evil.example')
        ->status, 403, 'no third one');

finish;
