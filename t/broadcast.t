# A publish on any worker reaches the subscribers of all workers: complete, in
# order, once.
use v5.36;
use Paperboy::Test;
use List::Util qw(shuffle uniq);

my $nginx = nginx(workers => 4, connections => 2048, http => <<'END');
paperboy_origin any;
paperboy_zone main 16m;
add_header X-Worker $pid always;
server {
    listen 127.0.0.1:%%PORT%% reuseport;
    keepalive_requests 1000000;
    location /ws { paperboy raw; paperboy_channel $arg_c; }
    location /two { paperboy raw; paperboy_channel a b; }
    location /publish { paperboy_publish any; }
}
END

# Clients on every worker, `$each` of them.
sub clients ($path, $each) {
    my (%on, @all);
    wait_for('clients on all workers', sub {
        my $ws = $nginx->ws($path);
        my $worker = $ws->header('X-Worker');
        return 0 if ($on{$worker} // 0) >= $each;
        $on{$worker}++;
        push @all, $ws;
        return @all == 4 * $each;
    });
    return @all;
}

# A kept connection to each worker.
sub publishers () {
    my %on;
    wait_for('publishers on all workers', sub {
        my $connection = $nginx->connection;
        $connection->write(request('warm-up', 'x'));
        my $worker = $connection->answer->{header}{'x-worker'};
        $on{$worker} //= $connection;
        return keys %on == 4;
    });
    return map { $on{$_} } sort keys %on;
}

sub request ($channel, $body) {
    return Paperboy::HTTP::format_request(method => 'POST', body => $body,
        path => "/publish?channel=$channel");
}

my @publishers = publishers();

subtest 'one publisher' => sub {
    my @clients = clients('/ws?c=one', 5);
    for my $n (1 .. 200) {
        $publishers[ $n % 4 ]->write(request(one => "$n"));
        my $json = $publishers[ $n % 4 ]->answer->json;
        $json->{offset} == $n && $json->{subscribers} == 20
            or fail("publish $n");
    }
    my @events =
        Paperboy::WebSocket::gather(sub ($, $list) { @$list >= 200 }, @clients);
    my @expected = map { "text:$_" } 1 .. 200;
    is_deeply($_, \@expected, 'one after the other, over all workers')
        for @events;
};

subtest 'publishers on all workers at once' => sub {
    my @clients = clients('/ws?c=all', 10);
    my $rounds  = 25;
    my $batch   = 20;
    my $total   = $rounds * $batch * @publishers;
    my %offset;
    for my $round (1 .. $rounds) {
        for my $p (shuffle 0 .. $#publishers) {
            $publishers[$p]->write(join '',
                map { request(all => "$p " . (($round - 1) * $batch + $_)) }
                    1 .. $batch);
        }
        for my $p (0 .. $#publishers) {
            $offset{ $publishers[$p]->answer->json->{offset} }++
                for 1 .. $batch;
        }
    }
    is_deeply([sort { $a <=> $b } keys %offset], [1 .. $total],
        'each publish has an offset of its own');
    my @events = Paperboy::WebSocket::gather(
        sub ($, $list) { @$list >= $total }, @clients);
    my $first = join ' ', @{ $events[0] };
    is(scalar(grep { join(' ', @$_) ne $first } @events), 0,
        'everybody has the same in the same order');
    for my $p (0 .. $#publishers) {
        is_deeply([map { /^text:$p (\d+)$/ ? $1 : () } @{ $events[0] }],
            [1 .. $rounds * $batch], "all of publisher $p, in its order");
    }
};

subtest 'several channels' => sub {
    my @clients = clients('/two', 2);
    for my $n (1 .. 100) {
        my $publisher = $publishers[ $n % 4 ];
        $publisher->write(request($n % 2 ? 'a' : 'b', "$n"));
        $publisher->answer;
    }
    my @events =
        Paperboy::WebSocket::gather(sub ($, $list) { @$list >= 100 }, @clients);
    for my $list (@events) {
        for my $odd (0, 1) {
            is_deeply([grep { $_ % 2 == $odd } map { /(\d+)/ } @$list],
                [grep { $_ % 2 == $odd } 1 .. 100], 'each in order');
        }
    }
};

subtest 'coming and going' => sub {
    my @stay = clients('/ws?c=come', 2);
    my @come;
    for my $n (1 .. 300) {
        push @come, $nginx->ws('/ws?c=come') if $n % 3 == 0;
        (shift @come)->drop if @come > 10;
        my $publisher = $publishers[ $n % 4 ];
        $publisher->write(request(come => "$n"));
        $publisher->answer->{status} == 200 or fail("publish $n");
    }
    my @events = Paperboy::WebSocket::gather(
        sub ($, $list) { @$list && $list->[-1] eq 'text:300' }, @stay, @come);
    my @expected = map { "text:$_" } 1 .. 300;
    is_deeply($events[$_], \@expected, 'who stays misses nothing')
        for 0 .. $#stay;
    for my $list (@events[ @stay .. $#events ]) {
        my ($from) = $list->[0] =~ /(\d+)/;
        is_deeply($list, [@expected[ $from - 1 .. 299 ]],
            'who comes has all from then on');
    }
};

subtest 'large messages, more than the log holds at once' => sub {
    my @clients = clients('/ws?c=large', 1);
    my $body    = join '', map { chr(97 + $_ % 26) } 1 .. 60_000;
    for my $n (1 .. 150) {
        my $publisher = $publishers[ $n % 4 ];
        my $status    = wait_for("room for $n", sub {
            $publisher->write(request(large => "$n $body"));
            $publisher->answer->{status} == 200;
        });
        for my $client (@clients) {
            $client->recv eq "text:$n $body" or fail("message $n");
        }
    }
    pass('arrive');
};

finish;
