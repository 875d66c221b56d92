# Streams of events over HTTP/2 and TLS, to curl: many on one connection, flow
# control, clients that go away.
use v5.36;
use Paperboy::Test;
use File::Temp ();

my $dir = File::Temp->newdir;
self_signed($dir);
my $nginx = nginx(dir => $dir, workers => 1, http => <<'END');
paperboy_zone main 16m;
paperboy_channel_rule kept history=100;
paperboy_log_format end '$uri $paperboy_close_code $paperboy_closed_by';
paperboy_log %%DIR%%/paperboy.log end;
ssl_certificate %%DIR%%/tls.crt;
ssl_certificate_key %%DIR%%/tls.key;
server {
    listen 127.0.0.1:%%PORT%% ssl http2;
    listen 127.0.0.1:%%PORT_plain%%;
    client_max_body_size 1m;
    paperboy_channel $arg_c $arg_d;
    location /events { paperboy sse; paperboy_ping_interval 1s; }
    location /buffer { paperboy sse; paperboy_send_buffer 128k; }
    location /publish { paperboy_publish any; }
    location /status { paperboy_status; }
}
END

my $url = 'https://localhost:' . $nginx->port;

# A curl that runs until it is killed; what it says is read as it comes.
sub curl (@options) {
    my $pid = open my $pipe, '-|', qw(curl -skN --http2 -m 60), '--resolve',
        'localhost:' . $nginx->port . ':127.0.0.1', @options
        or die "curl: $!";
    return { pid => $pid, pipe => $pipe, text => '' };
}

# What it has said, once that matches.
sub said ($curl, $pattern) {
    my $deadline = time + $Paperboy::Socket::TIMEOUT;
    while ($curl->{text} !~ $pattern) {
        die "in vain: $pattern\n$curl->{text}" if time > $deadline;
        next unless IO::Select->new($curl->{pipe})->can_read(0.1);
        sysread $curl->{pipe}, $curl->{text}, 65536, length $curl->{text}
            or last;
    }
    return $curl->{text};
}

# All that it says until it ends. A stream of megabytes isn't searched anew
# with each piece.
sub said_to_the_end ($curl) {
    my $more = IO::Select->new($curl->{pipe});
    do {
        $more->can_read($Paperboy::Socket::TIMEOUT) or die 'it goes on';
    } while sysread $curl->{pipe}, $curl->{text}, 65536, length $curl->{text};
    return $curl->{text};
}

sub stop ($curl) {
    kill TERM => $curl->{pid};
    close $curl->{pipe};
    return;
}

sub publish ($channel, $body) {
    return $nginx->http(POST => "/publish?c=$channel", body => $body,
        port => 'plain');
}

sub status () {
    return $nginx->http(GET => '/status', port => 'plain')->json;
}

sub gone () {
    return wait_for('nobody is left', sub { status()->{connections} == 0 });
}

subtest 'a stream' => sub {
    my $curl = curl('-i', "$url/events?c=kept");
    like(said($curl, qr/id: \w+:0\n\n/), qr{^HTTP/2 200 }, 'over HTTP/2');
    like($curl->{text}, qr{^content-type: text/event-stream}m, 'of events');
    publish(kept => "hello\nworld");
    like(said($curl, qr/world\n\n/), qr/data: hello\ndata: world\n\n/, 'hears');
    like(said($curl, qr/\n:\n\n/), qr/\n:\n\n/, 'has heartbeats');
    my ($id) = $curl->{text} =~ /.*^id: (\S+)$/ms;
    stop($curl);
    ok(gone(), 'and goes');
    publish(kept => 'missed');
    my $back = curl('-H', "Last-Event-ID: $id", "$url/events?c=kept");
    like(said($back, qr/missed\n\n/), qr/^data: missed\n\n/m, 'and comes back');
    stop($back);
    ok(gone(), 'all have gone');
};

subtest 'many streams on one connection' => sub {
    my @urls = map {"$url/events?c=c$_&d=all"} 1 .. 20;
    my $curl = curl('-Z', '--parallel-max', 20, @urls);
    wait_for('all are there', sub { status()->{connections} == 20 });
    my $all = publish(all => 'to-all')->json;
    is($all->{subscribers}, 20, 'all listen');
    publish("c$_" => "to-$_") for 1 .. 20;
    wait_for('all have all', sub {
        said($curl, qr/to-/);
        sysread $curl->{pipe}, $curl->{text}, 65536, length $curl->{text}
            if IO::Select->new($curl->{pipe})->can_read(0.1);
        20 == (() = $curl->{text} =~ /^data: to-all$/mg)
            && 20 == (() = $curl->{text} =~ /^data: to-\d+$/mg);
    });
    is(scalar(() = $curl->{text} =~ /^data: to-all$/mg), 20, 'each hears all');
    stop($curl);
    ok(gone(), 'a connection that goes takes them all');
};

subtest 'a client that does not read' => sub {
    my $deaf = curl("$url/buffer?c=a");
    said($deaf, qr/id: \S+\n\n/);
    kill STOP => $deaf->{pid};
    my $hearing = curl("$url/buffer?c=a");
    said($hearing, qr/id: \S+\n\n/);
    my $ended;
    for (1 .. 1000) {
        publish(a => "$_ " . 'x' x 20_000);
        said($hearing, qr/^data: $_ /m);
        $hearing->{text} = substr $hearing->{text}, -100;
        last if $ended = $nginx->log('paperboy.log') =~ m{^/buffer 3008 server$}m;
    }
    ok($ended, 'is ended at its limit');
    kill CONT => $deaf->{pid};
    publish(a => 'after');
    like(said($hearing, qr/after\n/), qr/after/, 'nobody else is hurt');
    my $text = said_to_the_end($deaf);
    my @numbers = $text =~ /^data: (\d+) /mg;
    is_deeply(\@numbers, [1 .. @numbers], 'what it got is in order');
    stop($deaf);
    stop($hearing);
    ok(gone(), 'all have gone');
};

subtest 'HTTP/1.1 over TLS' => sub {
    my $events = $nginx->events('/events?c=tls', tls => 1);
    $events->wait_for_id;
    my @sent = map { "$_ " . 't' x 30_000 } 1 .. 20;
    publish(tls => $_) for @sent;
    is_deeply([map { $events->recv } @sent], [map {"message:$_"} @sent], 'hears');
    $events->drop;
    ok(gone(), 'and goes');
};

subtest 'the end of nginx' => sub {
    my $curl = curl("$url/events?c=end");
    said($curl, qr/id: \S+\n\n/);
    $nginx->signal('QUIT');
    like(said($curl, qr/event: close/), qr/^retry: \d+\nevent: close/m, 'is told');
    ok(wait_for('nginx has gone', sub { !$nginx->is_alive }), 'and comes');
    stop($curl);
};

finish;
