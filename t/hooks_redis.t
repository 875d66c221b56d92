# paperboy_hook with channel_first and channel_last where several nodes share a
# Redis: each tells of its own clients, and of no channel of Paperboy's.
use v5.36;
use Paperboy::Callback;
use Paperboy::Redis;
use Paperboy::Test;
use JSON::PP ();

plan skip_all => "no $Paperboy::Redis::BINARY" if !Paperboy::Redis::is_there();

my $redis = Paperboy::Redis->new->start;

sub node () {
    my $app   = Paperboy::Callback->new;
    my $nginx = nginx(workers => 2, http => <<"END");
paperboy_zone main 8m;
paperboy_redis redis://127.0.0.1:@{[ $redis->port ]} timeout=1s;
paperboy_channel_rule kept history=10 presence;
paperboy_origin any;
server {
    listen 127.0.0.1:%%PORT%%;
    paperboy_hook /told events=channel_first,channel_last delay=0;
    location /ws { paperboy raw; paperboy_channel \$arg_c; }
    location /api { paperboy_api any; }
    location /ready { paperboy_ready; }
    location /told {
        internal;
        proxy_pass http://127.0.0.1:@{[ $app->port ]};
        proxy_http_version 1.1;
    }
}
END
    wait_for('a node that is ready',
        sub { $nginx->http(GET => '/ready')->{status} == 200 });
    return { app => $app, nginx => $nginx };
}

my ($here, $there) = (node(), node());

sub told ($node) {
    my $posted = $node->{app}->next // return '';
    return join ' ', map {"$_->{type} $_->{channel}"}
        @{ JSON::PP->new->decode($posted->{body})->{events} };
}

my $one = $here->{nginx}->ws('/ws?c=kept');
is(told($here), 'channel_first kept', 'the first of a node');
my @two = map { $there->{nginx}->ws('/ws?c=kept') } 1 .. 2;
is(told($there), 'channel_first kept', 'and of another');
is($here->{nginx}->http(POST => '/api/publish',
        body => '{"channel":"kept","data":1}')->{status}, 200, 'a message');
$here->{nginx}->http(POST => "/api/$_", body => '{"channel":"kept"}')
    for qw(presence history info channels);
$one->close(1000);
is(told($here), 'channel_last kept', 'the last of a node');
$two[0]->close(1000);
is($_->{app}->waiting, 0, 'and nothing else') for $here, $there;
$two[1]->close(1000);
is(told($there), 'channel_last kept', 'as of the other');
is($_->{app}->waiting, 0, 'which is all') for $here, $there;
finish;
