# A binary upgrade (USR2, then QUIT to the old master). With the zone in a file
# both masters' workers have one log, and wake each other; without one the old
# ones refuse and send their clients away, so that the gap is told.
use v5.36;
use Paperboy::Test;

my $conf = <<'END';
paperboy_origin any;
paperboy_zone main 2m seats=16 file=zone.paperboy;
paperboy_channel_rule kept history=100;
add_header X-Worker $pid always;
server {
    listen 127.0.0.1:%%PORT%%;
    keepalive_requests 1000000;
    location /ws { paperboy raw; paperboy_channel a; }
    location /publish { paperboy_publish any; paperboy_channel a; }
    location /status { paperboy_status; }
    location /native { paperboy native; }
    location /kept { paperboy_publish any; paperboy_channel kept; }
}
END
my $without = $conf =~ s/ file=\S+?(?=;)//r;

# A kept connection to one of these workers; what is published over it.
sub connection_to ($nginx, @workers) {
    my %wanted = map { $_ => 1 } @workers;
    return wait_for('a connection to a certain worker', sub {
        my $connection = $nginx->connection;
        $connection->write(Paperboy::HTTP::format_request(
            method => 'GET', path => '/status'));
        my $answer = eval { $connection->answer } or return;
        return $wanted{ $answer->{header}{'x-worker'} } ? $connection : undef;
    });
}

sub publish ($connection, $body) {
    $connection->write(Paperboy::HTTP::format_request(
        method => 'POST', path => '/publish', body => $body));
    return $connection->answer;
}

# A client of one of these workers.
sub client_of ($nginx, @workers) {
    my %wanted = map { $_ => 1 } @workers;
    return wait_for('a client of a certain worker', sub {
        my $ws = $nginx->ws('/ws');
        return $ws if $ws->status == 101 && $wanted{ $ws->header('X-Worker') };
        $ws->drop;
        return;
    });
}

# Publishes by all connections in turn: every client gets all, in order, once;
# and each before the next is published, so that none waits for more than its
# wake-up.
sub all_hear_all ($connections, $clients, $name, $rounds = 40) {
    state $n = 0;
    my ($last, @wrong);
    for (1 .. $rounds) {
        for my $connection (@$connections) {
            my $answer = publish($connection, ++$n);
            push @wrong, "status $answer->{status}" if $answer->{status} != 200;
            my $done = $answer->json;
            push @wrong, "position $done->{epoch}:$done->{offset}"
                if $last && ($done->{epoch} ne $last->{epoch}
                    || $done->{offset} != $last->{offset} + 1);
            $last = $done;
            push @wrong, "$done->{subscribers} subscribers"
                if $done->{subscribers} != @$clients;
            for my $client (@$clients) {
                my $got = $client->recv;
                push @wrong, "$got for $n" if $got ne "text:$n";
            }
        }
        last if @wrong;
    }
    is("@wrong[0 .. ($#wrong < 3 ? $#wrong : 3)]", '', $name);
    return $last;
}

# The kernel's numbers of a process's eventfds.
sub eventfds ($pid) {
    return map {
        open my $info, '<', $_ or ();
        map { /^eventfd-id:\s*(\d+)/ } readline $info;
    } glob "/proc/$pid/fdinfo/*";
}

sub gone ($pid, $name) {
    return ok(wait_for("the end of $pid",
        sub { !Paperboy::Nginx::is_running($pid) }), $name);
}

subtest 'one log for both' => sub {
    my $nginx = nginx(daemon => 1, http => $conf);
    my @old   = $nginx->workers;
    my @by    = map { connection_to($nginx, $_) } @old;
    my @clients = map { client_of($nginx, $_) } @old;
    my $before = all_hear_all(\@by, \@clients, 'before it');

    my $master = $nginx->upgrade;
    my @new    = $nginx->workers;
    is($nginx->status->{workers}, 4, 'all workers have seats of one zone');
    # Not only the second's look at the log: they wake each other.
    my %common = map { $_ => 1 } eventfds($old[0]);
    is(scalar(grep { $common{$_} } eventfds($_)), 16,
        'a new worker has the old ones\' wake-ups') for @new;
    push @by,      map { connection_to($nginx, $_) } @new;
    push @clients, map { client_of($nginx, $_) } @new;
    my $after = all_hear_all(\@by, \@clients, 'old and new hear each other');
    is($after->{epoch}, $before->{epoch}, 'one epoch');
    is($after->{offset}, $before->{offset} + 160, 'no offset is lost');

    kill QUIT => $master;
    my @stay = splice @clients, 2;
    is($_->recv, 'close:1001', 'an old one\'s client is sent away') for @clients;
    gone($master, 'the old master goes');
    splice @by, 0, 2;
    my $last = all_hear_all(\@by, \@stay, 'the new ones go on');
    is($last->{offset}, $after->{offset} + 80, 'where the old ones stopped');
    is($nginx->status->{workers}, 2, 'the old ones\' seats are free');

    subtest 'and a second time' => sub {
        my $second = $nginx->upgrade;
        push @by,   map { connection_to($nginx, $_) } $nginx->workers;
        push @stay, map { client_of($nginx, $_) } $nginx->workers;
        all_hear_all(\@by, \@stay, 'they hear each other');
        kill QUIT => $second;
        gone($second, 'the old master goes');
        splice @by,   0, 2;
        splice @stay, 0, 2;
        all_hear_all(\@by, \@stay, 'the new ones go on');
    };
    my $end = $nginx->http(POST => '/publish', body => 'end')->json;
    ok($nginx->stop('QUIT'), 'a stop');
    $nginx->start;
    my $again = $nginx->http(POST => '/publish', body => 'again')->json;
    is("$again->{epoch}:$again->{offset}",
        "$end->{epoch}:" . ($end->{offset} + 1), 'and a start go on, too');
    unlike($nginx->log, qr/begun anew/, 'nothing was lost on the way');
};

subtest 'rollback' => sub {
    my $nginx   = nginx(daemon => 1, http => $conf);
    my @old     = $nginx->workers;
    my @by      = connection_to($nginx, @old);
    my @clients = map { client_of($nginx, $_) } @old;
    my $before  = all_hear_all(\@by, \@clients, 'before it');
    for my $round (1, 2) {
        my $master = $nginx->upgrade;
        my @new    = $nginx->workers;
        all_hear_all([@by, connection_to($nginx, @new)],
            [@clients, my $client = client_of($nginx, @new)], 'two masters');
        $nginx->signal('QUIT');
        is($client->recv, 'close:1001', 'the new one\'s client is sent away');
        $nginx->roll_back($master);
        ok(wait_for('its pid file', sub { -e "$nginx->{dir}/nginx.pid"
            && !-e "$nginx->{dir}/nginx.pid.oldbin" }), 'the old one is alone');
        $before = all_hear_all(\@by, \@clients, 'and goes on');
    }
    $nginx->stop;
    $nginx->start;
    is($nginx->http(POST => '/publish', body => 'x')->json->{offset},
        $before->{offset} + 1, 'so does the next');
};

subtest 'WINCH, and HUP to come back' => sub {
    my $nginx  = nginx(daemon => 1, http => $conf);
    my $client = client_of($nginx, $nginx->workers);
    my $master = $nginx->upgrade;
    my $pid    = $nginx->{pid};
    kill WINCH => $master;
    is($client->recv, 'close:1001', 'old workers send their clients away');
    wait_for('the old workers have gone',
        sub { !Paperboy::Nginx::workers_of($master) });
    kill HUP => $master;
    my @old = @{ wait_for('the old master\'s workers', sub {
        my @workers = Paperboy::Nginx::workers_of($master);
        return @workers == 2 ? \@workers : undef;
    }) };
    $client = client_of($nginx, @old);
    all_hear_all([connection_to($nginx, @old),
            connection_to($nginx, $nginx->workers)], [$client], 'all serve');
    kill QUIT => $pid;
    $nginx->roll_back($master);
    # Its workers serve on after a reload, as no master leaves.
    $nginx->reload;
    all_hear_all([connection_to($nginx, $nginx->workers)], [$client],
        'and are not taken for leaving');
};

subtest 'an old master that is killed' => sub {
    my $nginx   = nginx(daemon => 1, http => $conf);
    $nginx->expect_log(qr/exited on signal 9/);
    my @old     = $nginx->workers;
    my @by      = connection_to($nginx, @old);
    my @clients = map { client_of($nginx, $_) } @old;
    my $master  = $nginx->upgrade;
    kill KILL => $master;
    gone($master, 'it is gone');
    my @new = $nginx->workers;
    push @by,      connection_to($nginx, @new);
    push @clients, client_of($nginx, @new);
    my $before = all_hear_all(\@by, \@clients, 'its workers are still there');
    kill KILL => @old;
    wait_for('their end', sub { !grep { kill 0 => $_ } @old });
    shift @by;
    splice @clients, 0, 2;
    $before = all_hear_all(\@by, \@clients, 'the new ones go on without');
    $nginx->stop;
    $nginx->start;
    is($nginx->http(POST => '/publish', body => 'x')->json->{offset},
        $before->{offset} + 1, 'so does the next');
};

# What the old master's workers do when the new one has another zone.
sub told_of_the_gap ($nginx, $prepare) {
    my @old     = $nginx->workers;
    my @by      = map { connection_to($nginx, $_) } @old;
    my @clients = map { client_of($nginx, $_) } @old;
    my $before  = all_hear_all(\@by, \@clients, 'before it');
    # The heads of handshakes that they have accepted.
    my @late = map { connection_to($nginx, $_) } @old;
    $prepare->();
    my $master = $nginx->upgrade;
    my %before = map { $_ => 1 } eventfds($old[0]);
    is(scalar(grep { $before{$_} } map { eventfds($_) } $nginx->workers), 0,
        'no wake-up is for both');
    for my $connection (@by) {
        my $answer = publish($connection, 'unheard');
        is($answer->{status}, 503, 'they refuse what clients wouldn\'t hear');
        is($answer->json->{error}, 'unavailable', 'with a reason');
        is($answer->{header}{'retry-after'}, 1, 'and a hint');
    }
    for my $connection (@late) {
        $connection->write(join "\r\n", 'GET /ws HTTP/1.1', 'Host: localhost',
            'Upgrade: websocket', 'Connection: Upgrade',
            'Sec-WebSocket-Version: 13',
            'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', '', '');
        is($connection->answer->{status}, 503, 'and who would come to them');
    }
    is($_->recv, 'close:1001', 'their clients are sent away') for @clients;
    my @new    = $nginx->workers;
    my $client = client_of($nginx, @new);
    my $after  = all_hear_all([connection_to($nginx, @new)], [$client],
        'the new ones serve');
    isnt($after->{epoch}, $before->{epoch}, 'with another epoch');
    return $master, \@by, $before, $client;
}

subtest 'without a file' => sub {
    my $nginx = nginx(daemon => 1, http => $without);
    my ($master, $by, $before, $client) = told_of_the_gap($nginx, sub { });

    # The new one goes again: the old ones are all there is.
    $nginx->signal('QUIT');
    is($client->recv, 'close:1001', 'a rollback');
    $nginx->roll_back($master);
    my $answer = publish($by->[0], 'x');
    is($answer->{status}, 200, 'the old ones publish again');
    is($answer->json->{offset}, $before->{offset} + 1, 'where they stopped');
    $client = client_of($nginx, $nginx->workers);
    all_hear_all($by, [$client], 'and serve');

    my $second = $nginx->upgrade;
    is(publish($by->[0], 'x')->{status}, 503, 'a second upgrade');
    $nginx->expect_log(qr/exited on signal 9/);
    my @new = $nginx->workers;
    kill KILL => $nginx->{pid}, @new;
    $nginx->roll_back($second);
    ok(wait_for('publishing', sub { publish($by->[0], 'x')->{status} == 200 }),
        'one that is killed leaves the old ones alone, too');
};

subtest 'with a file of another layout' => sub {
    my $nginx = nginx(daemon => 1, http => $conf);
    my ($master) = told_of_the_gap($nginx, sub {
        $nginx->write_conf($conf =~ s/seats=16/seats=20/r);
    });
    like($nginx->log, qr/\[error\].*begun anew, since.*seats/, 'a line says so');
    kill QUIT => $master;
    gone($master, 'the old master goes');
    my $before = $nginx->http(POST => '/publish', body => 'x')->json;
    $nginx->stop;
    $nginx->start;
    is($nginx->http(POST => '/publish', body => 'x')->json->{offset},
        $before->{offset} + 1, 'the file is the new one\'s');
};

# A native client in the channel `kept`: new, or one that comes back. Its
# position, whether it recovered, and what it got so.
sub native_of ($nginx, $workers, $at = undef) {
    my %wanted = map { $_ => 1 } @$workers;
    my $ws = wait_for('a client of a certain worker', sub {
        my $ws = $nginx->ws('/native');
        return $ws if $ws->status == 101 && $wanted{ $ws->header('X-Worker') };
        $ws->drop;
        return;
    });
    my $recover = $at
        ? qq(,"recover":true,"epoch":"$at->{epoch}","offset":$at->{offset})
        : '';
    $ws->text('{"id":1,"connect":{}}' . "\n"
            . qq({"id":2,"subscribe":{"channel":"kept"$recover}}));
    my $text = '';
    $text .= $ws->recv until $text =~ /"subscribe":/;
    my ($epoch)  = $text =~ /"epoch":"(\w+)"/;
    my ($offset) = $text =~ /"offset":(\d+)[^{]*\}\}/;
    return $ws, { epoch => $epoch, offset => $offset // 0 },
        $text =~ /"recovered":true/ ? 1 : 0,
        join ',', $text =~ /"data":"(\w+)"/g;
}

for my $kind (['with a file', $conf, 1, 'one,two'],
    ['without one', $without, 0, ''])
{
    my ($name, $http, $recovers, $gets) = @$kind;
    subtest "clients that come back, $name" => sub {
        my $nginx = nginx(daemon => 1, http => $http);
        $nginx->http(POST => '/kept', body => 'zero');
        my ($ws, $at) = native_of($nginx, [$nginx->workers]);
        my $master = $nginx->upgrade;
        my $by = connection_to($nginx, $nginx->workers);
        kill QUIT => $master;
        is($ws->recv, 'close:3001', 'told to come back');
        $nginx->http(POST => '/kept', body => $_) for qw(one two);
        (undef, undef, my @told) = native_of($nginx, [$nginx->workers], $at);
        is_deeply(\@told, [$recovers, $gets],
            $recovers ? 'get what they missed' : 'are told of the gap');
        gone($master, 'the old master goes');
    };
}

subtest 'a new binary that fails' => sub {
    for my $kind ($conf, $without) {
        my $nginx = nginx(daemon => 1, http => $kind);
        $nginx->expect_log(qr/\[emerg\]|exited with code 1/);
        my $by = connection_to($nginx, $nginx->workers);
        publish($by, 'x');
        $nginx->write_conf('nonsense;');
        $nginx->signal('USR2');
        wait_for('its end', sub { $nginx->log =~ /exited with code 1/ });
        is(publish($by, 'x')->json->{offset}, 2, 'changes nothing');
        $nginx->write_conf($kind);
    }
};

subtest 'descriptors stay where they are of use' => sub {
    my $nginx = nginx(daemon => 1, http => $conf);
    my $leaky = sub ($pid) {
        return grep {
            my $what = readlink($_) // '';
            my ($fd) = m{(\d+)$};
            open my $info, '<', "/proc/$pid/fdinfo/$fd" or next;
            my ($flags) = map { /^flags:\s+(\d+)/ } readline $info;
            $what =~ /eventfd|memfd:paperboy|zone\.paperboy/
                && !(oct($flags) & 02000000);
        } glob "/proc/$pid/fd/*";
    };
    my $before = $leaky->($nginx->{pid});
    is($before, 18, 'a master hands down 16 wake-ups, the board and the file');
    # nginx has an eventfd for its threads, in each worker.
    cmp_ok(scalar($leaky->($_)), '<=', 1, 'a worker nothing')
        for $nginx->workers;
    my $master = $nginx->upgrade;
    is(scalar($leaky->($nginx->{pid})), $before, 'the new one no more');
    kill QUIT => $master;
    gone($master, 'the old one goes');
};

finish;
