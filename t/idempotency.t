# A publish that is sent twice is one: over workers, a worker's death and a
# reload, until its time is over.
use v5.36;
use Paperboy::Test;
use JSON::PP ();
use List::Util qw(uniq);


my $conf = <<'END';
paperboy_zone main 8m;
paperboy_origin any;
server {
    listen 127.0.0.1:%%PORT%% reuseport;
    add_header X-Worker $pid always;
    location /publish { paperboy_publish any; }
    location /several { paperboy_publish any; paperboy_channel a b; }
    location /short {
        paperboy_publish any;
        paperboy_idempotency_window 1s;
    }
    location /own {
        paperboy_publish any;
        paperboy_idempotency_key $arg_order;
    }
    location /none { paperboy_publish any; paperboy_idempotency_key ''; }
    location /shop { paperboy_publish any; paperboy_namespace shop; }
    location /ws { paperboy raw; paperboy_channel $arg_c; }
    location /status { paperboy_status; }
}
END
my $nginx = nginx(workers => 3, http => $conf);

sub publish ($path, $key, $body = 'x') {
    return $nginx->http(POST => $path, body => $body,
        headers => [defined $key ? ('Idempotency-Key' => $key) : ()]);
}

subtest 'sent again' => sub {
    my $ws = $nginx->ws('/ws?c=a');
    my $first = publish('/publish?channel=a', 'k', 'one')->json;
    ok(!exists $first->{repeated}, 'the first says nothing of it');
    my @again = map { publish('/publish?channel=a', 'k', 'two') } 1 .. 20;
    cmp_ok(uniq(map { $_->{header}{'x-worker'} } @again), '>', 1,
        'on whichever worker');
    is_deeply($_->json, { %$first, subscribers => 0, repeated => JSON::PP::true },
        'the same position') for @again;
    is(publish('/publish?channel=a', 'l', 'three')->json->{offset}, 2,
        'another key is another message');
    is(publish('/publish?channel=a', undef, 'four')->json->{offset}, 3,
        'and so is none');
    is($ws->recv, "text:$_", 'each comes once') for qw(one three four);
    is($nginx->status->{publications}, 3, 'and counts once');
};

subtest 'a key is its channel\'s' => sub {
    for my $path ('/publish?channel=b', '/shop?channel=a') {
        ok(!publish($path, 'k')->json->{repeated}, "$path: its own");
        ok(publish($path, 'k')->json->{repeated}, 'repeated');
    }
    my $all = publish('/several', 'k')->json;
    is_deeply([map { $_->{repeated} ? 1 : 0 } @$all], [1, 1],
        'several channels, each by itself');
    publish('/publish?channel=a', 'm');
    is_deeply([map { $_->{repeated} ? 1 : 0 } @{ publish('/several', 'm')->json }],
        [1, 0], 'what some have, others get');
};

subtest 'it outlives workers and reloads' => sub {
    my $first = publish('/publish?channel=r', 'k')->json;
    $nginx->reload;
    is_deeply(publish('/publish?channel=r', 'k')->json,
        { %$first, repeated => JSON::PP::true }, 'a reload');
    $nginx->expect_log(qr/exited on signal 9/);
    $nginx->kill_worker($_) for $nginx->workers;
    is_deeply(publish('/publish?channel=r', 'k')->json,
        { %$first, repeated => JSON::PP::true }, 'and the death of all workers');
};

subtest 'when its time is over it is new' => sub {
    my $first = publish('/short?channel=s', 'k')->json;
    my $again = wait_for('a new one', sub {
        my $json = publish('/short?channel=s', 'k')->json;
        return $json->{repeated} ? undef : $json;
    });
    is($again->{offset}, $first->{offset} + 1, 'the next');
};

subtest 'other places' => sub {
    is(publish('/own?channel=o&order=7', undef)->json->{offset}, 1, 'the first');
    ok(publish('/own?channel=o&order=7', 'x')->json->{repeated}, 'an argument');
    is(publish('/own?channel=o&order=8', undef)->json->{offset}, 2, 'another');
    is(publish('/none?channel=n', 'k')->json->{offset}, $_, 'none at all')
        for 1, 2;
};

subtest 'what is no key' => sub {
    $nginx->expect_log(qr/paperboy refused/);
    is(publish('/publish?channel=l', 'x' x 256)->{status}, 200, '256 bytes are');
    my $answer = publish('/publish?channel=l', 'x' x 257);
    is($answer->{status}, 400, '257 are too many');
    is($answer->json->{error}, 'bad_request', 'says so');
};

conf_refused('server { listen 127.0.0.1:%%PORT%%; location / {'
        . 'paperboy_publish; paperboy_idempotency_window 0; } }',
    'a time', qr/paperboy_idempotency_window.*above 0/);
finish;
