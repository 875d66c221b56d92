# The faults of t/fault/run: what nginx is configured with, who its clients
# are, and what is done to both.
package Paperboy::Fault;
use v5.36;

use Paperboy::Engine;
use Paperboy::Nginx;

# zone => what follows `paperboy_zone main`; rule => of all channels, or none;
# http, main, locations => further lines; engine => options; big => one message
# of so many is of a megabyte, by load; seconds => how long it takes at least;
# lossy => it may cost what is kept, at any load (else only at overload);
# alerts => what it brings into the error log; inject => what is done.
our $ZONE = '96m log=24m';
our $RULE = 'history=5000 history_age=60s';

my @FAULTS = (
    { name => 'none', inject => sub ($run) { $run->pass(1) } },
    {
        name   => 'kill -9 of workers',
        alerts => qr/exited on signal 9/,
        inject => sub ($run) {
            $run->signal_worker('KILL');
            $run->pass(0.4, 0.9);
        },
    },
    {
        name   => 'reload',
        inject => sub ($run) { $run->reload; $run->pass(0.3, 1) },
    },
    {
        name   => 'reload, shutdown timeout',
        main   => 'worker_shutdown_timeout 1s;',
        inject => sub ($run) { $run->reload; $run->pass(0.6, 1.4) },
    },
    {
        name   => 'quit and start',
        lossy  => 1,
        http   => 'paperboy_drain 500ms;',
        inject => sub ($run) { $run->restart; $run->pass(0.8, 1.2) },
    },
    {
        name   => 'quit and start, file',
        zone   => "$ZONE file=%%DIR%%/zone",
        http   => 'paperboy_drain 500ms;',
        inject => sub ($run) { $run->restart; $run->pass(0.8, 1.2) },
    },
    {
        name   => 'upgrade',
        lossy  => 1,
        daemon => 1,
        http   => 'paperboy_drain 500ms;',
        inject => sub ($run) { $run->upgrade; $run->pass(0.5, 1) },
    },
    {
        name   => 'upgrade, file',
        daemon => 1,
        zone   => "$ZONE file=%%DIR%%/zone",
        http   => 'paperboy_drain 500ms;',
        inject => sub ($run) { $run->upgrade; $run->pass(0.5, 1) },
    },
    {
        name    => 'stopped worker',
        lossy   => 1,
        zone    => '24m log=1m',
        seconds => 5,
        inject  => sub ($run) {
            my $pid = $run->signal_worker('STOP');
            $run->pass(3.5, 4.5);
            kill CONT => $pid;
            $run->pass(0.5);
        },
    },
    {
        name   => 'clients that stop reading',
        http   => 'paperboy_send_timeout 1s;',
        engine => { slow => 10, least => 300, most => 1000 },
        listen => 'sndbuf=16k',
        inject => sub ($run) { $run->tell('stall 1.5'); $run->pass(2) },
    },
    {
        name   => 'reconnects every 100 ms',
        inject => sub ($run) {
            $run->tell('storm 30');
            $run->pass(1.5);
            $run->tell('storm 0');
            $run->pass(0.2);
        },
    },
    {
        name   => 'zone full, evicting',
        lossy  => 1,
        zone   => '3m log=1m seats=32 history=256k',
        rule   => 'history=1000000 full=evict',
        inject => sub ($run) { $run->pass(1) },
    },
    {
        name   => 'zone full, refusing',
        lossy  => 1,
        zone   => '3m log=1m seats=32 history=256k',
        rule   => 'history=1000000 history_age=1s full=refuse',
        inject => sub ($run) { $run->pass(1) },
    },
    {
        name   => 'clock steps',
        clock  => 1,
        inject => sub ($run) {
            $run->step_clock($run->any(-86400, -60, 0, 60, 86400, 100_000_000));
            $run->pass(0.3, 0.6);
        },
    },
    {
        name   => 'messages of 1 MB',
        big    => { idle => 2, steady => 400, full => 2000 },
        lossy  => 1,    # a history is read within paperboy_send_buffer
        inject => sub ($run) { $run->pass(1) },
    },
    {
        name   => 'all of these',
        zone   => "$ZONE file=%%DIR%%/zone",
        http   => 'paperboy_drain 500ms;',
        engine => { slow => 5 },
        lossy  => 1,
        alerts => qr/exited on signal 9/,
        clock  => 1,
        big    => { idle => 20, steady => 2000, full => 5000 },
        inject => sub ($run) {
            my $deed = $run->any(
                sub { $run->signal_worker('KILL') },
                sub { $run->reload },
                sub { $run->restart },
                sub { $run->tell('stall 1.5') },
                sub { $run->tell('storm ' . int(40 * $run->random)) },
                sub { $run->step_clock($run->any(-86400, 0, 86400)) },
            );
            $deed->();
            $run->pass(0.1, 1);
        },
    },
);

# Nothing can be loaded before the address sanitizer.
sub faults () { return grep { !$_->{clock} || !$ENV{ASAN_OPTIONS} } @FAULTS }

# What `LD_PRELOAD` makes nginx see another time of day with.
sub clock_step () { return "$Paperboy::Engine::DIRECTORY/clock_step.so" }

# What stands in http {}.
sub conf ($fault, %change) {
    my $zone   = $fault->{zone} // $ZONE;
    my $rule   = $change{rule} // $fault->{rule} // $RULE;
    my $http   = $fault->{http} // '';
    my $listen = $fault->{listen} // '';
    my $more   = $fault->{locations} // '';
    my %default = (
        paperboy_send_buffer => '4m',
        paperboy_ping_interval => '2s',
    );
    my $rules = $rule eq '' ? '' : "paperboy_channel_rule f* $rule;";
    my $defaults = join '', map { "$_ $default{$_};\n" }
        grep { $http !~ /$_/ } sort keys %default;
    return <<"END";
paperboy_zone main $zone;
$rules
paperboy_origin any;
paperboy_max_history 100000;
paperboy_max_message_size 2m;
paperboy_max_api_size 2m;
client_max_body_size 2m;
keepalive_requests 1000000;
$defaults$http
server {
    listen 127.0.0.1:%%PORT%% reuseport backlog=4096 $listen;
    location /native { paperboy native; }
    location /raw { paperboy raw; paperboy_channel \$arg_c; }
    location /sse { paperboy sse; paperboy_channel \$arg_c \$arg_d; }
    location /publish { paperboy_publish any; paperboy_channel \$arg_c; }
    location /api { paperboy_api any; }
    location /status { paperboy_status; }
    $more
}
END
}

1;
