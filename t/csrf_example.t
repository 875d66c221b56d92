# conf-examples/csrf does what it says.
use v5.36;
use Paperboy::Example;
use Paperboy::Test;

local $ENV{PAPERBOY_CSRF_SECRET} = 'a secret of thirty-two bytes, ok';
my $application = Paperboy::Example->new('csrf')->run;
my $nginx       = nginx(http => $application->http);
my $site        = 'http://localhost';

sub sign_in ($name) {
    my $answer = $nginx->http(POST => '/session', body => $name);
    return (($answer->{header}{'set-cookie'} // '') =~ /^([^;]+)/)[0];
}

sub token ($origin, @cookie) {
    return $nginx->http(POST => '/csrf-token', body => '', headers =>
            [Origin => $origin, map { (Cookie => $_) } @cookie]);
}

sub open_with ($token, $cookie, $origin = $site) {
    return $nginx->ws("/ws?csrf=$token", origin => $origin,
        headers => [Cookie => $cookie])->status;
}

my ($ann, $bob) = map { sign_in($_) } qw(ann bob);
like($ann, qr/^session=[-0-9a-f]{36}$/, 'who signs in gets a cookie');
is(sign_in('a b'), undef, 'by a name');

my $token = token($site, $ann)->json->{token};
like($token, qr/^[0-9a-f]{64}\.\d{10}$/, 'a page gets a token');
is(open_with($token, $ann), 101, 'which lets it in');
is(open_with('', $ann), 403, 'the cookie alone does not');
is(open_with($token, $bob), 403, 'nor the token of another');
is(open_with($token, $ann, 'https://evil.example'), 403, 'nor another site');
is(token('https://evil.example', $ann)->{status}, 403, 'which gets none');
is(token($site)->{status}, 401, 'nor does nobody');
is($nginx->http(GET => '/who')->{status}, 404, 'nobody asks from outside');
finish;
