# paperboy_zone and the limits around it: a full zone, too many channels, names
# that are too long, a reload that changes its size.
use v5.36;
use Paperboy::Test;

# One connection to /many makes 20 channels.
my $twenty = join ' ', map { "\$arg_c-$_" } 1 .. 20;
my $conf   = <<'END' =~ s{TWENTY}{$twenty}r;
paperboy_origin any;
paperboy_zone main 1m;
server {
    listen 127.0.0.1:%%PORT%%;
    keepalive_requests 100000;
    location /ws { paperboy raw; paperboy_channel $arg_c; }
    location /many { paperboy raw; paperboy_channel TWENTY; }
    location /short {
        paperboy raw;
        paperboy_channel $arg_c;
        paperboy_max_channel_length 10;
    }
    location /two {
        paperboy raw;
        paperboy_channel $arg_a $arg_b $arg_c;
        paperboy_max_subscriptions 2;
    }
    location /publish { paperboy_publish any; }
    location /publish-short {
        paperboy_publish any;
        paperboy_max_channel_length 10;
    }
    location /status { paperboy_status; }
}
END
my $nginx = nginx(http => $conf);

sub publish ($path, $body = 'x') {
    return $nginx->http(POST => $path, body => $body);
}

subtest 'paperboy_max_channel_length' => sub {
    is($nginx->ws('/short?c=' . 'c' x 10)->status, 101, 'the limit');
    is($nginx->ws('/short?c=' . 'c' x 11)->status, 400, 'one more');
    is(publish('/publish-short?channel=' . 'c' x 10)->{status}, 200,
        'publishing at the limit');
    is(publish('/publish-short?channel=' . 'c' x 11)->{status}, 400,
        'and beyond');
    is($nginx->ws('/ws?c=' . 'c' x 255)->status, 101, 'the default');
    is($nginx->ws('/ws?c=' . 'c' x 256)->status, 400, 'one more');
};

subtest 'paperboy_max_subscriptions' => sub {
    is($nginx->ws('/two?a=1&b=2')->status, 101, 'the limit');
    my $ws = $nginx->ws('/two?a=1&b=2&c=3');
    is($ws->status, 400, 'one more');
    ok(ref $ws->answer->json eq 'HASH', 'is told in JSON');
};

subtest 'more channels than the zone holds' => sub {
    my $witness = $nginx->ws('/ws?c=witness');
    my (@clients, $refused);
    for my $n (1 .. 400) {
        my $ws = $nginx->ws("/many?c=$n-" . 'c' x 240);
        if ($ws->status != 101) {
            $refused = $ws;
            last;
        }
        push @clients, $ws;
    }
    ok($refused, 'there is an end');
    is($refused->status, 503, 'a 503') if $refused;
    cmp_ok(scalar @clients, '>', 5, 'but not soon');
    is(publish('/publish?channel=witness', 'still')->{status}, 200,
        'those who are there');
    is($witness->recv, 'text:still', 'are served');
    my $last = $clients[-1];
    my $n    = @clients;
    publish("/publish?channel=$n-" . 'c' x 240 . '-20', 'to the last');
    is($last->recv, 'text:to the last', 'the last one too');
    is(publish('/publish?channel=new-' . 'd' x 240)->{status}, 503,
        'a publish to a new channel is told so');
    $_->drop for @clients;
    ok(wait_for('there is room again',
            sub { $nginx->ws('/ws?c=new')->status == 101 }), 'room again');
};

subtest 'many channels that nobody listens to' => sub {
    my $witness = $nginx->ws('/ws?c=witness');
    my $connection = $nginx->connection;
    my %status;
    for my $batch (1 .. 60) {
        $connection->write(join '', map {
            Paperboy::HTTP::format_request(method => 'POST', body => 'x',
                path => "/publish?channel=$batch-$_-" . 'e' x 200)
        } 1 .. 100);
        $status{ $connection->answer->{status} }++ for 1 .. 100;
    }
    is_deeply(\%status, { 200 => 6000 }, 'make room for one another');
    publish('/publish?channel=witness', 'still');
    is($witness->recv, 'text:still', 'and for no one who is subscribed');
};

subtest 'a reload' => sub {
    my $before = publish('/publish?channel=kept')->json;
    my $ws     = $nginx->ws('/ws?c=kept');
    $nginx->reload;
    my $after = publish('/publish?channel=kept', 'after')->json;
    is($after->{epoch},  $before->{epoch},      'keeps the epoch');
    is($after->{offset}, $before->{offset} + 1, 'and the offsets');
    is($ws->recv, 'text:after', 'and the subscribers');
};

subtest 'a reload that changes the size is refused' => sub {
    $nginx->expect_log(qr/\[emerg\].*paperboy_zone/);
    my $before = publish('/publish?channel=kept')->json;
    my @workers = $nginx->workers;
    $nginx->write_conf($conf =~ s/main 1m/main 2m/r);
    $nginx->signal('HUP');
    ok(wait_for('an error', sub { $nginx->log =~ /\[emerg\].*main/ }),
        'with an error');
    is(publish('/publish?channel=kept')->json->{offset},
        $before->{offset} + 1, 'and the old generation goes on');
    is_deeply([$nginx->workers], \@workers, 'with its workers');
    $nginx->write_conf($conf);
};

subtest 'a reload with a size that lacks its letter' => sub {
    my @workers = $nginx->workers;
    $nginx->write_conf($conf =~ s/main 1m/main 32/r);
    $nginx->signal('HUP');
    ok(wait_for('an error', sub { $nginx->log =~ /\[emerg\].*"?32"?: too/ }),
        'is refused');
    is(publish('/publish?channel=kept')->{status}, 200,
        'and the old generation goes on');
    is_deeply([$nginx->workers], \@workers, 'with its workers');
    ok($nginx->is_alive, 'and its master');
    $nginx->expect_log(qr/\[emerg\].*too small/);
    $nginx->write_conf($conf);
};

subtest 'more workers than seats' => sub {
    my $few = nginx(workers => 3, http => <<'END');
paperboy_zone main 1m seats=1;
server {
    listen 127.0.0.1:%%PORT%% reuseport;
    location /echo { paperboy echo; paperboy_origin any; }
    location /page { return 200 page; }
}
END
    $few->expect_log(qr/\[alert\].*seat/);
    my %status;
    wait_for('both answers', sub {
        $status{ $few->ws('/echo')->status }++;
        return keys %status == 2;
    });
    is_deeply([sort keys %status], [101, 503],
        'who has one serves, who has none says so');
    is(scalar(() = $few->log =~ /\[alert\].*seat/g), 2,
        'in a line of the log each');
};

subtest 'history' => sub {
    my $given = nginx(http => <<'END');
paperboy_zone main 4m seats=8 log=1m history=512k;
server {
    listen 127.0.0.1:%%PORT%%;
    location /status { paperboy_status; }
}
END
    is($given->status->{zone}{history_size}, 512 * 1024, 'as it was set');
    my $zone = $nginx->status->{zone};
    is($zone->{history_size}, $zone->{channel_memory} / 4 * 3,
        'by default, three quarters of the memory for channels');
};

my %bad = (
    'no size'      => 'paperboy_zone main;',
    'a bad size'   => 'paperboy_zone main x;',
    'too small'    => 'paperboy_zone main 8k;',
    'bad seats'    => 'paperboy_zone main 4m seats=0;',
    'many seats'   => 'paperboy_zone main 4m seats=100000;',
    'a bad log'    => 'paperboy_zone main 4m log=x;',
    'a huge log'   => 'paperboy_zone main 4m log=8m;',
    'bad history'  => 'paperboy_zone main 4m history=x;',
    'no history'   => 'paperboy_zone main 4m history=0;',
    'a huge history' => 'paperboy_zone main 4m history=4m;',
    'a word'       => 'paperboy_zone main 4m what=this;',
    'twice'        => 'paperboy_zone main 4m; paperboy_zone other 4m;',
);
conf_refused("paperboy_zone main $_; server { location / { paperboy echo; } }",
    "a size without its letter: $_", qr/too small/)
    for 0, 1, 32, 100, 512, 4096, 32_767;
like(conf_error("$bad{$_} server { location / { paperboy echo; } }"),
    qr/\[emerg\]/, $_)
    for sort keys %bad;

finish;
