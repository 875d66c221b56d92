# A zone in a file: what it holds survives a stop and start of nginx; one that
# can't be trusted is begun anew, with a line in the log; nobody else's is used,
# and nothing is changed by a look.
use v5.36;
use Fcntl qw(SEEK_SET);
use Paperboy::Test;

my $conf = <<'END';
paperboy_origin any;
paperboy_zone main 2m file=zone.paperboy seats=16;
paperboy_channel_rule kept history=10 read_history=any;
server {
    listen 127.0.0.1:%%PORT%%;
    keepalive_requests 100000;
    location /ws { paperboy raw; paperboy_channel $arg_c; }
    location /publish { paperboy_publish any; paperboy_channel $arg_c; }
    location /status { paperboy_status; }
    location /native { paperboy native; }
}
END

# An nginx with a file, and the path of that.
sub with_file (%option) {
    my $nginx = nginx(http => $conf, %option);
    return $nginx, "$nginx->{dir}/zone.paperboy";
}

sub publish ($nginx, $body = 'x', $channel = 'a') {
    return $nginx->http(POST => "/publish?c=$channel", body => $body)->json;
}

sub slurp ($path) {
    open my $file, '<:raw', $path or die "$path: $!";
    local $/ = undef;
    return readline $file;
}

sub write_at ($path, $at, $bytes) {
    open my $file, '+<:raw', $path or die "$path: $!";
    seek $file, $at, SEEK_SET;
    print {$file} $bytes;
    close $file or die "$path: $!";
    return;
}

# Stops and starts; what was published last goes on, or begins anew.
sub goes_on ($nginx, $before, $name) {
    my $after = publish($nginx);
    is($after->{epoch},  $before->{epoch},      "$name: the epoch stays");
    is($after->{offset}, $before->{offset} + 1, "$name: the offset goes on");
    return $after;
}

sub begins_anew ($nginx, $before, $name, $why) {
    my $after = publish($nginx);
    isnt($after->{epoch}, $before->{epoch}, "$name: another epoch");
    is($after->{offset}, 1, "$name: from the first offset");
    is(scalar(() = $nginx->log =~ /was begun anew/g), 1, "$name: a line");
    like($nginx->log, qr/\[error\].*"main".*zone\.paperboy.*since $why/,
        "$name: which says why");
    return;
}

subtest 'stop and start' => sub {
    my ($nginx, $path) = with_file();
    is((stat $path)[7], 2 * 1024 * 1024, 'the file has its size');
    is(sprintf('%o', (stat $path)[2] & 07777), 600, 'and is its owner\'s');
    my $before = publish($nginx);
    for my $signal (qw(TERM QUIT INT)) {
        my $ws = $nginx->ws('/ws?c=a');
        ok($nginx->stop($signal), "$signal stops it");
        $ws->drop;
        $nginx->start;
        $before = goes_on($nginx, $before, $signal);
        is($nginx->status->{connections}, 0, 'nobody is left over');
        is($nginx->status->{workers},     2, 'no seat either');
        $ws = $nginx->ws('/ws?c=a');
        $before = publish($nginx, 'hello');
        is($ws->recv, 'text:hello', 'and all works');
    }
    unlike($nginx->log, qr/begun anew/, 'nothing is said of it');
};

# A native client that comes back to where it was: what it is told.
sub come_back ($nginx, $at) {
    my $ws = $nginx->ws('/native');
    $ws->text('{"id":1,"connect":{}}' . "\n"
            . '{"id":2,"subscribe":{"channel":"kept","recover":true,'
            . qq("epoch":"$at->{epoch}","offset":$at->{offset}}}));
    my $text = '';
    $text .= $ws->recv until $text =~ /"subscribe":/;
    my %told = (
        recovered => $text =~ /"recovered":true/ ? 1 : 0,
        data      => join(',', $text =~ /"data":"(\w+)"/g),
    );
    $ws->drop;
    return \%told;
}

subtest 'history and recovery' => sub {
    my ($nginx, $path) = with_file();
    my $at = publish($nginx, 'one', 'kept');
    publish($nginx, $_, 'kept') for qw(two three);
    is_deeply(come_back($nginx, $at), { recovered => 1, data => 'two,three' },
        'before it');
    $nginx->stop('QUIT');
    $nginx->start;
    is_deeply(come_back($nginx, $at), { recovered => 1, data => 'two,three' },
        'over a stop and start');
    publish($nginx, 'four', 'kept');
    is_deeply(come_back($nginx, $at),
        { recovered => 1, data => 'two,three,four' }, 'and after it');
    $nginx->stop;
    write_at($path, 8, "\xff");
    $nginx->start;
    publish($nginx, 'five', 'kept');
    is_deeply(come_back($nginx, $at), { recovered => 0, data => '' },
        'a file that was begun anew is told as a gap');
};

subtest 'a start after kill -9' => sub {
    my ($nginx) = with_file();
    $nginx->expect_log(qr/exited on signal 9/);
    my $before = publish($nginx);
    my $ws = $nginx->ws('/ws?c=a');
    my @workers = $nginx->workers;
    kill KILL => $nginx->{pid};
    waitpid $nginx->{pid}, 0;
    kill KILL => @workers;
    wait_for('the end of all', sub { !grep { kill 0 => $_ } @workers });
    $nginx->{pid} = undef;
    $nginx->start;
    goes_on($nginx, $before, 'kill');
    is($nginx->status->{workers}, 2, 'the dead hold no seat');
};

subtest 'a reload' => sub {
    my ($nginx) = with_file();
    my $before = publish($nginx);
    my $ws = $nginx->ws('/ws?c=a');
    $nginx->reload;
    $before = goes_on($nginx, $before, 'reload');
    is($ws->recv, 'text:x', 'to the clients of old workers too');
    $nginx->expect_log(qr/\[emerg\].*in a reload/);
    my @workers = $nginx->workers;
    for my $other (
        'main 3m file=zone.paperboy', 'main 2m file=other',
        'main 2m', 'other 2m file=zone.paperboy'
        )
    {
        my $errors = () = $nginx->log =~ /in a reload/g;
        $nginx->write_conf($conf =~ s/main 2m file=\S+/$other/r);
        $nginx->signal('HUP');
        ok(wait_for('an error', sub {
            (() = $nginx->log =~ /in a reload/g) > $errors }), $other);
        is_deeply([$nginx->workers], \@workers, 'is refused');
    }
    goes_on($nginx, $before, 'a refused reload');
    ok(!-e "$nginx->{dir}/other", 'nothing was made');
};

subtest 'Paperboy comes back after a configuration without it' => sub {
    my ($nginx) = with_file();
    my $before = publish($nginx);
    my $plain = 'server { listen 127.0.0.1:%%PORT%%; }';
    $nginx->reload($plain);
    $nginx->reload($conf);
    goes_on($nginx, $before, 'the same file');
    $nginx->stop('QUIT');
    $nginx->start;
    is(publish($nginx)->{offset}, $before->{offset} + 2, 'also after a stop');
};

subtest 'a reload that brings it and fails' => sub {
    my $plain = 'server { listen 127.0.0.1:%%PORT%%; }';
    my $nginx = nginx(http => $plain);
    $nginx->expect_log(qr/\[emerg\]/);
    my $taken = Paperboy::Nginx::free_port();
    my $socket = IO::Socket::INET->new(Listen => 1,
        LocalAddr => "127.0.0.1:$taken");
    my $fails = "$conf server { listen 127.0.0.1:$taken; }";
    for (1 .. 2) {
        $nginx->write_conf($fails);
        $nginx->signal('HUP');
    }
    wait_for('an error', sub { $nginx->log =~ /still could not bind/ });
    ok(!-s "$nginx->{dir}/zone.paperboy", 'nothing is in the file');
    ok(wait_for('its end', sub { !-e "$nginx->{dir}/zone.paperboy.new" }),
        'nor beside it');
    $nginx->reload($conf);
    is(publish($nginx)->{offset}, 1, 'it isn\'t in the way of one that works');
};

subtest 'nginx -t' => sub {
    my ($nginx, $path) = with_file();
    my $before = publish($nginx);
    is($nginx->check, '', 'while it runs');
    goes_on($nginx, $before, 'undisturbed');
    $nginx->stop;
    my $content = slurp($path);
    my $time    = (stat $path)[9];
    is($nginx->check, '', 'while it is stopped');
    ok(slurp($path) eq $content, 'changes nothing');
    is((stat $path)[9], $time, 'nor its time');
    write_at($path, 8, 'x');
    $content = slurp($path);
    is($nginx->check, '', 'not even where a start would');
    ok(slurp($path) eq $content, 'it is what it was');
    unlink $path;
    is($nginx->check, '', 'without a file');
    ok(!-e $path, 'makes none');
};

subtest 'two with one file' => sub {
    my ($nginx, $path) = with_file();
    my $before = publish($nginx);
    my $other  = Paperboy::Nginx->new(
        http => $conf =~ s/file=\S+/file=$path/r);
    like(eval { $other->start; '' } // $@,
        qr/\[emerg\].*zone\.paperboy" is used by another nginx/,
        'the second refuses to start');
    $before = goes_on($nginx, $before, 'the first goes on');
    $nginx->stop;
    $other->start;
    goes_on($other, $before, 'after it, the second');
    $other->stop;
};

# Where the file's header has what, and the zone begins.
my %at = (version => 8, clean => 12, boot => 32, zone => 4096);

my %damage = (
    'another version of the file' => ['was made by another version',
        sub ($path) { write_at($path, $at{version}, "\xff") }],
    'another version of the zone' => ['the zone was made by another version',
        sub ($path) { write_at($path, $at{zone} + 8, "\xff") }],
    'something else' => ['it is no zone',
        sub ($path) { file_with($path, 'x' x (2 * 1024 * 1024)) }],
    'a file that was cut' => ['it has another size',
        sub ($path) { truncate $path, 1_000_000 }],
    'flipped bits in the layout' => ['the zone has another size',
        sub ($path) { write_at($path, $at{zone} + 24, "\xff") }],
    'flipped bits in a channel' => ['chain: bad name',
        sub ($path) { write_at($path, index(slurp($path), 'needle'), 'N') }],
    'another boot' => ['the machine went down',
        sub ($path) {
            write_at($path, $at{clean}, "\0");
            write_at($path, $at{boot}, 'another');
        }],
);

for my $name (sort keys %damage) {
    my ($why, $do) = @{ $damage{$name} };
    subtest $name => sub {
        my ($nginx, $path) = with_file();
        publish($nginx, 'x', 'needle');
        my $before = publish($nginx);
        $nginx->stop;
        $do->($path);
        $nginx->start;
        begins_anew($nginx, $before, $name, ".*$why");
        $before = publish($nginx);
        $nginx->stop;
        $nginx->start;
        goes_on($nginx, $before, 'after it');
    };
}

subtest 'another boot after an orderly stop' => sub {
    my ($nginx, $path) = with_file();
    my $before = publish($nginx);
    $nginx->stop;
    write_at($path, $at{boot}, 'another');
    $nginx->start;
    goes_on($nginx, $before, 'kept');
};

subtest 'other seats' => sub {
    my ($nginx) = with_file();
    my $before = publish($nginx);
    $nginx->stop;
    $nginx->write_conf($conf =~ s/seats=16/seats=20/r);
    $nginx->start;
    begins_anew($nginx, $before, 'seats', '.*other seats or sizes');
    is($nginx->status->{zone}{seats}, 20, 'they are had');
};

my $listen = 'server { listen 127.0.0.1:%%PORT%%; location / { paperboy echo; } }';
conf_refused('paperboy_zone main 2m file=;', 'no path', qr/expected the path/);
for (
    ['/nowhere/zone', qr/can't be created.*No such file/],
    ['/tmp',          qr/can't be opened.*Is a directory/],
    ['/dev/null',     qr/is no regular file/],
    )
{
    my ($path, $why) = @$_;
    my $error = conf_error("paperboy_zone main 2m file=$path; $listen");
    like($error, qr/\[emerg\].*"main": "\Q$path\E" /, "nginx -t: $path");
    like($error, $why, 'and why');
}
like(conf_error("paperboy_zone main 256k file=z; $listen"),
    qr/\[emerg\].*too small for its seats/, 'a small one');

finish;
