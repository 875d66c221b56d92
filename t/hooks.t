# paperboy_hook: an application is told what clients do, and never waited for.
use v5.36;
use Paperboy::Test;
use Paperboy::Callback;
use File::Temp ();
use JSON::PP ();
use Time::HiRes qw(sleep);

my $json = JSON::PP->new->canonical;

# An application, whose answers wait while there is this file.
my $dir  = File::Temp->newdir;
my $slow = "$dir/slow";

sub application (@option) {
    return Paperboy::Callback->new(@option, handler => sub ($) {
        sleep 0.02 while -e $slow;
        return (200, 'thanks');
    });
}

my $app  = application();
my $port = $app->port;

sub server ($more = '', $drain = '') {
    return <<"END";
paperboy_zone main 4m;
paperboy_origin any;
paperboy_client_publish on;
$drain
server {
    listen 127.0.0.1:%%PORT%%;
    access_log off;
    paperboy_hook /told delay=0;
    location /native { paperboy; paperboy_user \$arg_user; }
    location /raw { paperboy raw; paperboy_channel \$arg_channel;
        paperboy_user \$arg_user; }
    location /space { paperboy raw; paperboy_channel a; paperboy_namespace ns; }
    location /sse { paperboy sse; paperboy_channel \$arg_channel; }
    location /off { paperboy raw; paperboy_channel x; paperboy_hook off; }
    location /ends { paperboy raw; paperboy_channel x;
        paperboy_hook /told events=disconnect delay=0; }
    location /batch { paperboy raw; paperboy_channel x;
        paperboy_hook /told events=connect batch=3 delay=1m; }
    location /full { paperboy raw; paperboy_channel x;
        paperboy_hook /told events=connect batch=1 queue=5 delay=0; }
    location /hasty { paperboy raw; paperboy_channel x;
        paperboy_hook /told events=connect batch=1 retries=1 delay=0; }
    location /late { paperboy raw; paperboy_channel x;
        paperboy_hook /told events=connect batch=1 timeout=300ms delay=0; }
    location /stubborn { paperboy raw; paperboy_channel x;
        paperboy_hook /told events=connect retries=1000000; }
    location /nobody { paperboy raw; paperboy_channel x;
        paperboy_hook /there/is/none retries=0 delay=0; }
    location /told {
        internal;
        proxy_pass http://127.0.0.1:$port;
        proxy_http_version 1.1;
    }
    location /publish { paperboy_publish any; }
    location /status { paperboy_status; }
    $more
}
END
}

my $nginx = nginx(workers => 1, http => server());

# The posts until they have so many events.
sub posts ($count) {
    my ($had, @posts) = (0);
    while ($had < $count) {
        my $posted = $app->next // last;
        push @posts, $json->decode($posted->{body});
        $had += @{ $posts[-1]{events} };
    }
    is($had, $count, "$count events");
    return @posts;
}

sub events ($count) { return map { @{ $_->{events} } } posts($count) }

# What they say, without what differs each time.
sub said (@events) {
    return map {
        join ' ', grep { defined && length } @$_{qw(type user channel code)}
    } @events;
}

# All posts are answered, and so many events wait.
sub waits ($count) {
    ok(wait_for("$count to wait", sub { $nginx->status->{hook_waiting} == $count }),
        "$count wait");
    return $nginx->status;
}

sub connected ($path) {
    my $ws = $nginx->ws($path);
    is($ws->status, 101, "$path");
    return $ws;
}

sub native ($path, $of = $nginx) {
    my $ws = $of->ws($path);
    $ws->text('{"id":1,"connect":{}}');
    my ($client) = $ws->recv =~ /"client":"(\w+)"/;
    return ($ws, $client);
}

sub ask ($ws, $command) { $ws->text($command); return $ws->recv }

subtest 'in their order' => sub {
    my ($ws, $client) = native('/native?user=ann');
    ask($ws, '{"id":2,"subscribe":{"channel":"a"}}');
    ask($ws, '{"id":3,"subscribe":{"channel":"b"}}');
    ask($ws, '{"id":4,"unsubscribe":{"channel":"a"}}');
    $ws->close(1000);
    my @events = events(6);
    is_deeply([said(@events)],
        ['connect ann', 'subscribe ann a', 'subscribe ann b',
            'unsubscribe ann a', 'unsubscribe ann b', 'disconnect ann 1000'],
        'a conversation');
    is_deeply([grep { $_->{client} ne $client } @events], [], 'by its id');
    my $now = time * 1000;
    is_deeply([grep { abs($_->{time} - $now) > 600_000 } @events], [],
        'with the time in ms');
    is($events[-1]{reason}, '', 'and a reason, where there is one');
};

subtest 'how it is posted' => sub {
    my $ws     = connected('/raw?channel="a"&user=ann');
    my @posted = ($app->next);
    my $body   = $json->decode($posted[0]{body});
    is($posted[0]{method}, 'POST', 'a POST');
    is($posted[0]{path}, '/told', 'to where the configuration says');
    is($posted[0]{header}{'content-type'}, 'application/json', 'of JSON');
    ok(length $body->{node}, 'with the name of the machine');
    ok(!exists $body->{lost}, 'nothing is lost');
    my @events = @{ $body->{events} };
    push @events, events(2 - @events) if @events < 2;
    is($events[1]{channel}, '"a"', 'names are escaped');
    is($events[1]{client}, $events[0]{client}, 'plain clients have a name too');
    like($events[0]{client}, qr/^\w{32}$/, 'at random');
    undef $ws;
    is((said(events(2)))[1], 'disconnect ann 1006', 'one that is lost');
};

subtest 'other kinds' => sub {
    my $stream = $nginx->events('/sse?channel=s');
    is_deeply([said(events(2))], ['connect', 'subscribe s'], 'a stream');
    undef $stream;
    is_deeply([said(events(2))], ['unsubscribe s', 'disconnect 1006'], 'its end');
    my $spaced = connected('/space');
    is((events(2))[1]{namespace}, 'ns', 'a namespace');
    $spaced->close(1000);
    events(2);
    connected('/off')->close(1000);
    connected('/ends')->close(1000);
    is_deeply([said(events(1))], ['disconnect 1000'], 'only what is asked for');
    is($nginx->ws('/raw')->status, 400, 'who is refused');
    my $never = $nginx->ws('/native');
    $never->close(1000);
    undef $never;
    is($app->waiting, 0, 'is not told of');
};

subtest 'many in a post' => sub {
    my @all = map { connected("/batch?$_") } 1 .. 4;
    my @posts = posts(3);
    is(scalar(@posts), 1, 'as soon as there are so many');
    waits(1);
    push @all, map { connected("/batch?$_") } 5 .. 6;
    is(scalar(posts(3)), 1, 'the others with more');
    waits(0);
};

subtest 'an application that is slow' => sub {
    my $status = waits(0);
    file_with($slow, '');
    my ($one) = native('/native');
    my ($two) = native('/native');
    for my $ws ($one, $two) {
        like(ask($ws, '{"id":2,"subscribe":{"channel":"a"}}'), qr/"id":2,"sub/,
            'subscribed meanwhile');
    }
    for my $i (1 .. 50) {
        $nginx->http(POST => '/publish?channel=a', body => $i);
        like($_->recv, qr/"data":"?$i\b/, "message $i") for $one, $two;
    }
    is($app->waiting, 1, 'one post at a time');
    is($nginx->status->{hook_events}, $status->{hook_events}, 'not answered');
    $_->close(1000) for $one, $two;
    unlink $slow;
    is(scalar(grep { $_->{type} eq 'disconnect' } events(8)), 2,
        'all is told in the end');
    wait_for('the count', sub {
        $nginx->status->{hook_events} == $status->{hook_events} + 8 });
};

subtest 'no answer in time' => sub {
    waits(0);
    file_with($slow, '');
    my $failed = $nginx->status->{hook_posts_failed};
    my $ws     = connected('/late');
    my $first  = $app->next;
    my $again  = $app->next;
    is($again->{body}, $first->{body}, 'the same comes again');
    unlink $slow;
    waits(0);
    cmp_ok($nginx->status->{hook_posts_failed}, '>', $failed, 'counted');
    $app->next while $app->waiting;
};

subtest 'down, and up again' => sub {
    my $before = waits(0);
    $app->stop;
    my @names = map { sprintf 'u%02d', $_ } 1 .. 20;
    for my $user (@names) {
        my $ws = connected("/raw?channel=a&user=$user");
        $ws->close(1000);
    }
    ok(wait_for('a post', sub {
        $nginx->status->{hook_posts_failed} > $before->{hook_posts_failed} }),
        'it is tried');
    like($nginx->log, qr{paperboy_hook "/told": the application answers 502},
        'and told in the log');
    waits(80);
    $app = application(port => $port);
    my @posts = posts(80);
    is_deeply([map { $_->{user} } grep { $_->{type} eq 'connect' }
            map { @{ $_->{events} } } @posts], \@names, 'nothing is lost, in order');
    is(scalar(grep { $_->{lost} } @posts), 0, 'or said to be');
    is($nginx->status->{hook_events_lost}, 0, 'or counted');
};

subtest 'too many wait' => sub {
    waits(0);
    $app->stop;
    my @all = map { connected("/full?$_") } 1 .. 12;
    my $lost = $nginx->status->{hook_events_lost};
    is($lost, 6, 'those beside the post and the queue are lost');
    like($nginx->log, qr/events are lost, since/, 'as the log says');
    $app = application(port => $port);
    my @posts = posts(6);
    is_deeply([map { $_->{lost} // 0 } @posts], [0, 6, 0, 0, 0, 0],
        'the application is told where');
    is($nginx->status->{hook_events_lost}, $lost, 'no more');
};

subtest 'one that takes none' => sub {
    my $before = waits(0);
    $app->stop;
    my $ws = connected('/hasty');
    ok(wait_for('the loss', sub {
        $nginx->status->{hook_events_lost} == $before->{hook_events_lost} + 1 }),
        'after so many times it is lost');
    is($nginx->status->{hook_posts_failed}, $before->{hook_posts_failed} + 2,
        'tried twice');
    $app = application(port => $port);
    my $other = connected('/hasty');
    my ($post) = posts(1);
    is($post->{lost}, 1, 'the next post says so');
    my $nobody = connected('/nobody');
    wait_for('a location that is none', sub {
        $nginx->log =~ m{"/there/is/none": the application answers 404} });
};

subtest 'a reload' => sub {
    my ($ws, $client) = native('/native?user=old');
    my @batched = connected('/batch');
    events(1);
    $nginx->reload;
    is_deeply([said(grep { $_->{type} eq 'connect' } events(1))], ['connect'],
        'the old worker waits for no more');
    ask($ws, '{"id":2,"subscribe":{"channel":"a"}}');
    $ws->close(1000);
    @batched = ();
    is_deeply([said(events(3))],
        ['subscribe old a', 'unsubscribe old a', 'disconnect old 1000'],
        'it tells of its clients');
    my ($new) = native('/native?user=new');
    is_deeply([said(events(1))], ['connect new'], 'as the new one does');
    $new->close(1000);
    events(1);
};

my $last;
subtest 'a worker that is killed' => sub {
    my ($ws) = native('/native?user=cut');
    events(1);
    $nginx->expect_log(qr/exited on signal 9/);
    $nginx->kill_worker($nginx->workers);
    ($last) = native('/native?user=next');
    is_deeply([said(events(1))], ['connect next'],
        'tells nothing any more; the next one does');
    is($app->waiting, 0, 'nothing of who was there');
};

subtest 'quit' => sub {
    ok($nginx->stop('QUIT'), 'ends');
    is_deeply([said(events(1))], ['disconnect next 3001'],
        'who is sent away is told of');
};

subtest 'two workers' => sub {
    my $two = nginx(workers => 2, http => server());
    my %of;
    for my $i (1 .. 16) {
        my ($ws, $client) = native("/native?user=u$i", $two);
        ask($ws, '{"id":2,"subscribe":{"channel":"a"}}');
        $ws->close(1000);
        $of{$client} = "u$i";
    }
    my %said;
    push @{ $said{ $_->{client} } }, said($_) for events(64);
    for my $client (sort keys %of) {
        my $user = $of{$client};
        is_deeply($said{$client},
            ["connect $user", "subscribe $user a", "unsubscribe $user a",
                "disconnect $user 1000"], "all of $user, in order");
    }
    $app->stop;
    my $ws = $two->ws('/stubborn');
    ok($two->stop('QUIT'), 'an application that is down holds no worker up');
    like($two->log, qr/events are lost, since/, 'what it had to be told is lost');
};

sub refused ($directive, $pattern) {
    return conf_refused("server { $directive }", $directive, $pattern);
}

subtest 'the configuration' => sub {
    refused('paperboy_hook told;', qr/told: expected off, or a URI/);
    refused('paperboy_hook /a; paperboy_hook /b;', qr/is duplicate/);
    refused('paperboy_hook /a events=connect,connect;', qr/expected connect, disc/);
    refused('paperboy_hook /a events=;', qr/expected connect, disconnect/);
    refused('paperboy_hook /a batch=0;', qr/expected a number from 1 to/);
    refused('paperboy_hook /a queue=x;', qr/expected a number from 1 to/);
    refused('paperboy_hook /a retries=-1;', qr/expected a number from 0 to/);
    refused('paperboy_hook /a delay=2m;', qr/expected a time from 0 to 1m/);
    refused('paperboy_hook /a timeout=0;', qr/expected a time above 0/);
    refused('paperboy_hook /a often=yes;', qr/expected events=, batch=/);
    is(conf_error('server { paperboy_hook /a delay=1m retries=0 queue=1; '
                . 'location /b { paperboy_hook off; } }'), '', 'good ones');
};

finish;
