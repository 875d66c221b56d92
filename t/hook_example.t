# conf-examples/hook does what it says.
use v5.36;
use Paperboy::Example;
use Paperboy::Test;
use JSON::PP ();

my $application = Paperboy::Example->new('hook');
my $nginx       = nginx(http => $application->http);
my %env         = (NGINX => 'http://127.0.0.1:' . $nginx->port);
$application->run(%env);

sub ticks ($of) { return $nginx->events("/ticks?of=$of") }

sub ticking ($name, @channels) {
    return ok(wait_for($name, sub {
        my $now = $application->request(GET => '/ticking')->json;
        "@{[ sort @$now ]}" eq "@channels";
    }), $name);
}

sub told (@events) {
    return is($application->request(POST => '/told',
        body => JSON::PP->new->encode({ node => 'n', events => \@events }))
            ->{status}, 204, 'the application is told');
}

ticking('nobody listens');
my ($one, $two) = map { ticks('a') } 1 .. 2;
my $other = ticks('b');
like($_->recv, qr/^message:\{"time":"\d{4}-\d\d-\d\dT/, 'who listens hears the time')
    for $one, $two, $other, $one;
ticking('both tick', 'ticks:a', 'ticks:b');
undef $one;
undef $other;
ticking('one has stopped', 'ticks:a');
like($two->recv, qr/^message:/, 'the other goes on');

told({ type => 'channel_first', channel => 'ticks:x', seq => 7 },
    { type => 'channel_last', channel => 'ticks:x', seq => 6 },
    { type => 'connect' });
ticking('the highest number counts', 'ticks:a', 'ticks:x');
told({ type => 'channel_last', channel => 'ticks:x', seq => 8 },
    { type => 'channel_first', channel => 'ticks:x', seq => 7 });
ticking('also of what comes again', 'ticks:a');

$application->stop;
$application->run(%env);
ticking('one that begins anew asks who is there', 'ticks:a');
like($two->recv, qr/^message:/, 'and ticks for them');
is($nginx->http(POST => '/told', body => '{}')->{status}, 404,
    'nobody tells from outside');
finish;
