# paperboy_namespace keeps virtual hosts apart in one zone.
use v5.36;
use Paperboy::Test;

my $nginx = nginx(http => <<'END');
paperboy_origin any;
paperboy_zone main 4m;
server {
    listen 127.0.0.1:%%PORT%%;
    paperboy_namespace $host;
    location /ws { paperboy raw; paperboy_channel $arg_c; }
    location /publish { paperboy_publish any; }
    location /other {
        paperboy_namespace other;
        paperboy raw;
        paperboy_channel $arg_c;
    }
    location /named {
        paperboy_namespace $arg_ns;
        paperboy raw;
        paperboy_channel $arg_c;
    }
    location /publish-named { paperboy_namespace $arg_ns; paperboy_publish any; }
    location /publish-other { paperboy_namespace other; paperboy_publish any; }
}
END

sub ws ($host, $path) { return $nginx->ws($path, host_header => $host) }

sub publish ($host, $path, $body) {
    return $nginx->http(POST => $path, body => $body, host => $host)->json;
}

my $a     = ws('a.example', '/ws?c=news');
my $b     = ws('b.example', '/ws?c=news');
my $other = ws('a.example', '/other?c=news');

my $answer = publish('a.example', '/publish?channel=news', 'for a');
is($answer->{subscribers}, 1,      'one host has its subscribers');
is($answer->{channel},     'news', 'its channels keep their names');
is(publish('b.example', '/publish?channel=news', 'for b')->{offset}, 1,
    'and the other its own');
publish('a.example', '/publish-other?channel=news', 'for others');
is($a->recv,     'text:for a',      'a hears what is for a');
is($b->recv,     'text:for b',      'b what is for b');
is($other->recv, 'text:for others', 'a location may have its own');

# Names that would be one, were they only put together.
my @named = map { ws('a.example', "/named?ns=$_->[0]&c=$_->[1]") }
    ['x', 'y/z'], ['x/y', 'z'], ['', 'x/y/z'];
is($_->status, 101, 'a namespace of any name') for @named;
my @published = map {
    publish('a.example', "/publish-named?ns=$_->[0]&channel=$_->[1]", $_->[0])
} ['x', 'y/z'], ['x/y', 'z'], ['', 'x/y/z'];
is($_->{subscribers}, 1, 'no name reaches into another namespace')
    for @published;
is($named[0]->recv, 'text:x',   'each hears');
is($named[1]->recv, 'text:x/y', 'what is');
is($named[2]->recv, 'text:',    'for it');

finish;
