# Two thousand channels that keep a hundred messages each, in a zone of 64 MB:
# all is kept, and after a reload as well.
use v5.36;
use Paperboy::Test;
use JSON::PP ();

my $nginx = nginx(workers => 2, http => <<'END');
paperboy_zone main 64m;
paperboy_channel_rule c:* history=100;
server {
    listen 127.0.0.1:%%PORT%%;
    location /api { paperboy_api any; paperboy_max_api_size 1m; }
    location /status { paperboy_status; }
}
END

my $json = JSON::PP->new->canonical;
my @channels = map { "c:$_" } 1 .. 2000;

sub api ($method, %parameters) {
    return $nginx->http(POST => "/api/$method",
        body => $json->encode(\%parameters))->json;
}

sub kept ($channel) {
    my $page = api('history', channel => $channel, limit => 100)->{result};
    return join ' ', map { $_->{data}{n} } @{ $page->{publications} };
}

my $text = 'x' x 88;    # a hundred bytes in all
for my $n (1 .. 103) {
    my $done = api('broadcast', channels => \@channels,
        data => { n => $n, text => $text });
    my @refused = grep { $_->{error} } @{ $done->{result}{responses} };
    BAIL_OUT('refused: ' . $json->encode($refused[0])) if @refused;
}
my $zone = $nginx->status->{zone};
is($zone->{history_messages}, 200_000,
    'a hundred of each are kept') or diag explain $zone;
is($zone->{history_evictions}, 0, 'and none had to go for want of room');
note "$zone->{history_used} of $zone->{history_size} bytes";
my $expected = join ' ', 4 .. 103;
is(kept($_), $expected, "all of $_") for @channels[0, 999, 1999];
$nginx->reload;
is(kept($_), $expected, "and after a reload") for @channels[1, 1000, 1998];

finish;
