# conf-examples/auth-request does what it says.
use v5.36;
use Paperboy::Example;
use Paperboy::Test;

my $application = Paperboy::Example->new('auth-request')->run;
# What it said is remembered by each worker.
my $nginx       = nginx(workers => 1, http => $application->http);
my $site        = 'http://localhost';

sub sign_in ($name) {
    my $answer = $nginx->http(POST => '/session', body => $name);
    return (($answer->{header}{'set-cookie'} // '') =~ /^([^;]+)/)[0];
}

sub listen_to ($room, @cookie) {
    return $nginx->events("/events?room=$room",
        headers => [map { (Cookie => $_) } @cookie]);
}

my ($ann, $eve) = map { sign_in($_) } qw(ann eve);
like($ann, qr/^session=[-0-9a-f]{36}$/, 'who signs in gets a cookie');
is(sign_in('a b'), undef, 'by a name');

my $events = listen_to('staff', $ann);
is($events->status, 200, 'may listen');
$nginx->http(POST => '/publish?room=staff', body => 'Hello');
is($events->recv, 'message:Hello', 'and hears');
is(listen_to('staff', $eve)->status, 403, 'another may not');
is(listen_to('lobby', $eve)->status, 200, 'but elsewhere');
is(listen_to('nowhere', $ann)->status, 403, 'no room');
is(listen_to('lobby')->status, 401, 'nobody knows who that is');
is(listen_to('lobby', 'session=forged')->status, 401, 'nor that');

my $ws = $nginx->ws('/ws', origin => $site, headers => [Cookie => $eve]);
is($ws->status, 101, 'a WebSocket');
$ws->text('{"id":1,"connect":{}}');
$ws->recv;
$ws->text('{"id":2,"subscribe":{"channel":"room:lobby"}}');
like($ws->recv, qr/"subscribe":/, 'subscribes where it may');
$ws->text('{"id":3,"subscribe":{"channel":"room:staff"}}');
like($ws->recv, qr/"code":103/, 'and nowhere else');
is($nginx->ws('/ws', origin => 'https://evil.example',
        headers => [Cookie => $ann])->status, 403, 'no page of another site');
is($nginx->http(GET => '/may')->{status}, 404, 'nobody asks from outside');

my $bob = sign_in('bob');
is(listen_to('lobby', $bob)->status, 200, 'what it says');
$application->stop;
is(listen_to('lobby', $bob)->status, 200, 'is remembered');
is(listen_to('lobby', $ann)->status, 503, 'what it has yet to say is not');
finish;
