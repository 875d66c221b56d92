# A worker killed with -9 under traffic: the others go on, its successor takes
# its seat, reconnecting clients get messages.
use v5.36;
use Paperboy::Test;

my $nginx = nginx(workers => 4, http => <<'END');
paperboy_origin any;
paperboy_zone main 8m seats=6;
add_header X-Worker $pid always;
server {
    listen 127.0.0.1:%%PORT%% reuseport;
    keepalive_requests 1000000;
    location /ws { paperboy raw; paperboy_channel a; }
    location /publish { paperboy_publish any; paperboy_channel a; }
    location /status { paperboy_status; }
}
END
$nginx->expect_log(qr/exited on signal 9/);

# A child that publishes 1, 2, 3 ... until it is told to stop, and then gives
# the numbers that were acknowledged. A publish whose worker dies before it
# answers is not repeated.
sub publish_until_told () {
    pipe my $told, my $tell;
    pipe my $hear, my $say;
    my $pid = fork // die;
    if ($pid) {
        close $say;
        return { pid => $pid, tell => $tell, hear => $hear };
    }
    my ($n, $connection, @acknowledged) = (0);
    until (IO::Select->new($told)->can_read(0.002)) {
        $connection //= eval { $nginx->connection } or next;
        $n++;
        my $answer = $connection->write(Paperboy::HTTP::format_request(
                method => 'POST', path => '/publish', body => "$n"))
            && eval { $connection->answer };
        if ($answer && $answer->{status} == 200) {
            push @acknowledged, $n;
        } else {
            undef $connection;
        }
    }
    print {$say} map { "$_\n" } @acknowledged;
    close $say;
    POSIX::_exit(0);
}

sub stop_publishing ($publisher) {
    syswrite $publisher->{tell}, 'stop';
    chomp(my @acknowledged = readline $publisher->{hear});
    waitpid $publisher->{pid}, 0;
    return @acknowledged;
}

my @clients    = map { $nginx->ws('/ws') } 1 .. 40;
my %events     = map { $_ => [] } @clients;
my $publisher  = publish_until_told();
my $read_some  = sub ($seconds) {
    my $until = Time::HiRes::time() + $seconds;
    while (Time::HiRes::time() < $until) {
        for my $client (@clients) {
            next if $client->{eof} || !$client->readable(0);
            $client->take;
            push @{ $events{$client} }, $client->take_events;
        }
        select undef, undef, undef, 0.005;
    }
};

my (%dead, @late);
for my $round (1 .. 3) {
    $read_some->(0.3);
    my ($victim) = grep { !$dead{$_} } $nginx->workers;
    $dead{$victim} = 1;
    $nginx->kill_worker($victim);
    $read_some->(0.3);
    my $ws = $nginx->ws('/ws');
    is($ws->status, 101, 'a client comes back');
    push @late, $ws;
    push @clients, $ws;
    $events{$ws} = [];
}
$read_some->(0.5);
my @acknowledged = stop_publishing($publisher);
cmp_ok(scalar @acknowledged, '>', 10, 'publishing went on');
$read_some->(0.5);

my $end = $nginx->http(POST => '/publish', body => 'end')->json;
$read_some->(0.2);

my @lost = grep { $_->{eof} && !$dead{ $_->header('X-Worker') } } @clients;
is(scalar @lost, 0, 'only clients of dead workers have lost their connection');
my @alive = grep { !$_->{eof} } @clients;
is($end->{subscribers}, scalar @alive, 'the dead are not counted');

for my $client (@alive) {
    my @list = @{ $events{$client} };
    is(pop @list, 'text:end', 'a survivor has the last message');
    my @numbers = map { /^text:(\d+)$/ ? $1 : die $_ } @list;
    my @sorted  = sort { $a <=> $b } @numbers;
    is_deeply(\@numbers, \@sorted, 'in order');
    my %seen;
    is(scalar(grep { $seen{$_}++ } @numbers), 0, 'none twice');
    my $from = $numbers[0] // 0;
    is(scalar(grep { $_ >= $from && !$seen{$_} } @acknowledged), 0,
        'every acknowledged one since it came');
}

my $status = $nginx->status;
is($status->{connections}, scalar @alive, 'connections are counted right');

finish;
