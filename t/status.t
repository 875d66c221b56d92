# paperboy_status: JSON counters of all workers.
use v5.36;
use Paperboy::Test;

my $nginx = nginx(workers => 3, http => <<'END');
paperboy_zone main 4m;
server {
    listen 127.0.0.1:%%PORT%% reuseport;
    location /ws { paperboy raw; paperboy_channel a; paperboy_origin any; }
    location /echo { paperboy echo; paperboy_origin any; }
    location /same { paperboy echo; }
    location /native { paperboy native; paperboy_origin any; }
    location /publish { paperboy_publish any; }
    location /status { paperboy_status; }
}
END

my $answer = $nginx->http(GET => '/status');
is($answer->{status}, 200, 'an answer');
is($answer->{header}{'content-type'}, 'application/json', 'in JSON');
like($answer->{header}{'cache-control'} // '', qr/no-(?:store|cache)/,
    'not to be cached');
is($nginx->http(HEAD => '/status')->{status}, 200, 'HEAD');
is($nginx->http(POST => '/status', body => '')->{status}, 405, 'POST');

my $zero = $nginx->status;
is($zero->{connections}, 0, 'nobody is connected');
is_deeply([@$zero{map { "redis_$_" } qw(relays ready reconnects imported
            repaired gaps refused inbox inbox_refused)}], [(0) x 9], 'there is no Redis');

is_deeply([@$zero{ (map { "auth_requests$_" }
                '', qw(_allowed _denied _failed _remembered)),
            qw(revocations opaque_tokens revoked_connections
                revoked_subscriptions) }],
    [(0) x 9], 'nobody is asked, nothing revoked, and no token kept');

my @clients = map { $nginx->ws('/ws') } 1 .. 12;
is($nginx->status->{connections}, 12, 'connections of all workers');
$nginx->http(POST => '/publish?channel=a', body => 'hello') for 1 .. 10;
for my $client (@clients) { $client->recv for 1 .. 10 }
my $now = $nginx->status;
is($now->{messages_sent},  120, 'messages sent');
is($now->{publications}, 10, 'publications');
is($now->{channels}, 1, 'channels');
cmp_ok($now->{bytes_sent}, '>=', 120 * 7, 'bytes sent');

my $ws = $nginx->ws('/echo');
$ws->text('x');
$ws->recv;
is($nginx->status->{messages_received}, 1, 'messages received');
$ws->close(1000);
$nginx->ws('/same', origin => 'https://evil.example') for 1 .. 3;
$now = $nginx->status;
is($now->{refused}{origin}, 3, 'refusals by reason');
ok(wait_for('a close', sub { $nginx->status->{closed}{1000} == 1 }),
    'closes by code');
is_deeply([sort keys %{ $now->{closed} }], [
        1000 .. 1003, 1005 .. 1009, 1011, 1013, 3001, 3004, 3005, 3008,
        3010 .. 3013, 3500 .. 3505, 3507, 3508, 'other'
    ], 'each code of ours has a counter');
my $native = $nginx->ws('/native');
$native->text('hello');
is($native->recv, 'close:3501', 'a code of the native dialect');
$nginx->ws('/echo')->close(4000);
ok(wait_for('both', sub {
            my $closed = $nginx->status->{closed};
            $closed->{3501} == 1 && $closed->{other} == 1;
        }), 'counts for itself, a code of the client counts as other');
ok(ref $now->{zone} eq 'HASH' && $now->{zone}{size} > 0,
    'memory of the zone');
is_deeply([sort keys %{ $now->{zone} }], [qw(
            channel_memory channel_memory_used evictions history_evictions
            history_messages history_size history_used keys lock_waits log_size
            log_used members overruns rollbacks seats seats_taken size
        )], 'and what it holds');

subtest 'never negative after a crash' => sub {
    $nginx->expect_log(qr/exited on signal 9/);
    $nginx->kill_worker(($nginx->workers)[0]) for 1 .. 3;
    ok(wait_for('the dead are swept',
            sub { $nginx->status->{connections} == 0 }), 'connections');
    my $after = $nginx->status;
    my @numbers = numbers($after);
    is(scalar(grep { $_ < 0 } @numbers), 0, 'no number is negative');
    is($after->{messages_sent}, 120 + 1, 'counts stay');
};

conf_refused("server { location / { paperboy_status; $_; } }",
    "beside $_", qr/another directive of the location answers/)
    for 'proxy_pass http://127.0.0.1:1', 'empty_gif';
conf_refused('server { location / { empty_gif; paperboy_status; } }',
    'behind another', qr/already has a handler/);

# All numbers in a structure.
sub numbers ($value) {
    return map { numbers($_) } values %$value if ref $value eq 'HASH';
    return map { numbers($_) } @$value if ref $value eq 'ARRAY';
    return $value =~ /^-?\d+$/ ? $value : ();
}

finish;
