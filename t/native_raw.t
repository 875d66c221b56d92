# What raw and native listeners of a channel receive is the same sequence,
# whoever publishes it, on whichever worker they are.
use v5.36;
use Paperboy::Test;
use JSON::PP ();

my $nginx = nginx(workers => 4, http => <<'END');
paperboy_zone main 8m;
paperboy_origin any;
paperboy_client_publish on;
server {
    listen 127.0.0.1:%%PORT%% reuseport;
    location /native { paperboy; }
    location /raw { paperboy raw; paperboy_channel room; }
    location /deflate { paperboy; paperboy_deflate 1; }
    location /publish { paperboy_publish any; }
}
END

my ($LISTENERS, $EACH) = (40, 300);

sub native ($path = '/native', %option) {
    my $ws = $nginx->ws($path, %option);
    $ws->text(qq({"id":1,"connect":{}}\n)
            . '{"id":2,"subscribe":{"channel":"room"}}');
    like($ws->recv, qr/^text:.*\n\{"id":2,"subscribe":\{"epoch"/, 'subscribed');
    return $ws;
}

# The data of pushes, in order; dies where an offset is out of order.
sub pushed (@events) {
    my ($last, @data);
    for (@events) {
        for (split /\n/, s/^text://r) {
            next if /^\{"id"/;
            /^\{"push":\{"channel":"room","pub":\{"data":(.*),"offset":(\d+)(?:,"info":\{[^{}]*\})?\}\}\}$/
                or die "no push: $_\n";
            die "offset $2 after $last\n" if defined $last && $2 != $last + 1;
            $last = $2;
            push @data, $1;
        }
    }
    return @data;
}

my @native = map { native() } 1 .. $LISTENERS;
push @native,
    map { native('/deflate', deflate => 'permessage-deflate') } 1 .. 4;
my @raw = map { $nginx->ws('/raw') } 1 .. $LISTENERS;

# A raw client, a native one and requests, all at the same time.
my ($raw_publisher, $native_publisher) = ($nginx->ws('/raw'), native());
for my $i (1 .. $EACH) {
    $raw_publisher->text(qq({"raw": $i, "x": 0.10}));
    $native_publisher->text(
        qq({"id":9,"publish":{"channel":"room","data":["native",$i.0]}}));
    $nginx->http(POST => '/publish?channel=room', body => $i * 10**15)
        if $i % 10 == 0;
}
my $all = $EACH * 2 + $EACH / 10;

my @events = Paperboy::WebSocket::gather(
    sub ($client, $events) {
        my $count = 0;
        $count += () = /^text:.*$/sg for @$events;
        return $count >= $all;
    },
    @raw, @native
);
my @sequences = map { [map {s/^text://r} @$_] } splice @events, 0, @raw;
my $first = $sequences[0];
is(scalar @$first, $all, 'all arrive');
is_deeply($sequences[$_], $first, "raw $_") for 1 .. $#sequences;
is_deeply([pushed(@{ $events[$_] })], $first, "native $_") for 0 .. $#events;

for my $kind (qr/^\{"raw": (\d+), "x": 0\.10\}$/, qr/^\["native",(\d+)\.0\]$/) {
    is_deeply([map { $_ =~ $kind ? $1 : () } @$first], [1 .. $EACH],
        'in the order of each publisher');
}

finish;
