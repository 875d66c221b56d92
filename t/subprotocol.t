# paperboy_subprotocol: those that an application wants negotiated.
use v5.36;
use Paperboy::Test;

my $nginx = nginx(http => <<'END');
paperboy_origin any;
server {
    listen 127.0.0.1:%%PORT%%;
    location /none { paperboy echo; }
    location /some {
        paperboy echo;
        paperboy_subprotocol chat.v2 chat.v1;
    }
}
END

sub chosen ($path, $offer, %more) {
    my $ws = $nginx->ws($path, protocol => $offer, %more);
    return "status " . $ws->status if $ws->status != 101;
    return $ws->header('Sec-WebSocket-Protocol') // 'none';
}

is(chosen('/none', undef),     'none', 'nothing offered, nothing wanted');
is(chosen('/none', 'chat.v1'), 'none', 'an offer where none is wanted');
is(chosen('/some', undef),     'none', 'nothing offered');
is(chosen('/some', 'other'),   'none', 'another is offered');
is(chosen('/some', 'chat.v1'), 'chat.v1', 'one that is wanted');
is(chosen('/some', 'other, chat.v1'), 'chat.v1', 'in a list');
is(chosen('/some', 'other', headers => ['Sec-WebSocket-Protocol', 'chat.v2']),
    'chat.v2', 'in a second line');
is(chosen('/some', 'chat.v1,chat.v2') =~ /^chat\.v[12]$/ ? 'one' : 'not one',
    'one', 'one of two');
is(chosen('/some', 'Chat.V1'), 'none', 'case counts');
is(chosen('/some', 'bearer.x, chat.v1'), 'chat.v1', 'a token is not echoed');
is(chosen('/some', 'bearer.x'), 'none', 'not even alone');
is(chosen('/some', 'a b'), 'status 400', 'what is no token');
is(chosen('/some', 'chat.v1, chat.v1'), 'status 400', 'the same twice');

my $ws = $nginx->ws('/some', protocol => 'chat.v1');
$ws->text('hello');
is($ws->recv, 'text:hello', 'a message');

conf_refused('paperboy_subprotocol "a b";', 'no token');
conf_refused('paperboy_subprotocol bearer.x;', 'what would echo a token');

finish;
