# The benchmark, in little: each kind of row runs, everything that it sends
# arrives, and it writes its table and its plots. Counts, never times; neither
# nchan nor Node.js is needed.
use v5.36;
use lib 't/lib';
use File::Basename qw(dirname);
use File::Temp     ();
use JSON::PP       ();
use Paperboy::Nginx;
use Paperboy::Repo qw(slurp);
use Test::More;

my $build = dirname($Paperboy::Nginx::MODULE);
plan(skip_all => 'the load client is not built (PAPERBOY_TESTS)')
    if !-x "$build/load" || !-x "$build/load_tokens";

my $out = File::Temp->newdir('paperboy-XXXXXX', TMPDIR => 1);

sub bench (@words) {
    my $said = qx{bench/run --smoke --rounds 1 --build $build --out $out @words 2>&1};
    return ($said, $? >> 8);
}

sub results ($row) {
    return map { JSON::PP::decode_json($_) } split /\n/,
        slurp("$out/$row.jsonl");
}

my @rows = qw(rate-1k channels-2 pipelined history-100 zone-1k memory-tls
    handshakes handshakes-es256 handshakes-es256-again tls deflate-on workers-1
    workers-2 workers-4 curve-fanout-10 curve-latency-10k curve-memory-1000
    million);
# Nobody goes by a proxy.
local @ENV{qw(http_proxy no_proxy)} = ('http://127.0.0.1:1', '');
my ($said, $status) = bench('--peers', 'paperboy,floor,kernel', '--only',
    'fanout-1k');
is($status, 0, 'it runs') or diag($said);
($said, $status) = bench('--peers', 'paperboy', '--only',
    join(',', map { "=$_" } @rows));
is($status, 0, 'all rows run') or diag($said);

for my $row ('fanout-1k', @rows) {
    my @results = results($row);
    my ($ours) = grep { $_->{peer} eq 'paperboy' } @results;
    ok($ours && $ours->{version} =~ /^Paperboy \d/, "$row: ran");
    for my $result (grep { $_->{mode} ne 'floor' } @results) {
        my $name = "$row, $result->{peer}";
        is($result->{status}, 0, "$name: the client is content");
        is($result->{failed}, 0, "$name: nobody was refused");
        if ($result->{mode} eq 'churn') {
            ok($result->{counters}{upgrades} > 0, "$name: handshakes");
            next;
        }
        is($result->{open_after}, $result->{connections}, "$name: all stay");
        next if $result->{mode} eq 'hold';
        is_deeply([@$result{qw(delivered missing duplicates reorders
                        publish_errors)}], [$result->{expected}, 0, 0, 0, 0],
            "$name: each message came once, in order");
    }
}
is((results('workers-4'))[0]{server_threads}, 5,
    'the time of all workers counts, and that of the master');
is_deeply([sort map { $_->{peer} } results('fanout-1k')],
    [qw(floor kernel paperboy)], 'in turn, each peer');
is((results("workers-$_"))[0]{counters}{workers}, $_, "$_ workers")
    for 1, 2, 4;
is((results('channels-2'))[0]{counters}{workers}, 2, 'two workers');
my ($users) = results('million');
is_deeply([@$users{qw(published expected)}, $users->{counters}{workers}],
    [2, 200, 2], 'many users: two messages to each');
my ($again) = results('handshakes-es256-again');
my $cache = $again->{counters}{token_cache};
is($cache->{hits} + $cache->{misses}, $again->{counters}{upgrades},
    'each token is looked for among those seen before');
is((results('deflate-on'))[0]{compressed}, (results('deflate-on'))[0]{frames},
    'compressed');

my $table = slurp("$out/table.md");
like($table, qr/^\| 1,000 subscribers \| deliveries\/s \| [\d,]+ \|/m,
    'a table');
like($table, qr/^load churn --target HOST:PORT .* --lines ES256-8000\.tokens/m,
    'and how each was measured');
like($table, qr/^# paperboy, fanout-1k\nload_module ngx_http_paperboy_module.so;$/m,
    'and of what configuration');
unlike($table, qr{$out|127\.0\.0\.1:\d}, 'without paths and ports');
like(slurp("$out/conf/paperboy-handshakes-es256.conf"),
    qr/paperboy_jwt_key ES256 file=ES256\.public;/, 'that of each row');
for my $plot (qw(fanout latency memory)) {
    like(slurp("$out/$plot.svg"), qr{^<svg .*class="paperboy".*</svg>\s*\z}s,
        "a plot: $plot");
}

# One that fails is noted, and the others go on.
my $broken = "$out/nginx";
open my $file, '>', $broken or die "$broken: $!";
print $file "#!/bin/sh\necho no room in /a/b/c >&2\nexit 1\n";
close $file;
chmod 0755, $broken;
{
    local $ENV{PAPERBOY_NGINX} = $broken;
    local $ENV{UWEBSOCKETS};
    ($said, $status) = bench('--no-pin', '--peers',
        'uws,paperboy,floor,kernel', '--only', 'rate-1k');
}
is($status, 1, 'a peer that fails');
like($said, qr/^uws is left out: UWEBSOCKETS has to name a checkout/m,
    'and one that there is not');
my ($ours, @others) = results('rate-1k');
is_deeply([@$ours{qw(row peer round)}], ['rate-1k', 'paperboy', 1],
    'it is noted');
like($ours->{failure}, qr{^paperboy did not start: no room in /a/b/c$},
    'with what it said');
is_deeply([map { $_->{peer} } @others], [qw(floor kernel)], 'others go on');
is($others[0]{delivered}, $others[0]{expected}, 'and are measured');
like($others[1]{command}, qr/^load_floor 50 1 1 100 any any$/,
    'on any core with --no-pin');
my $failed = slurp("$out/table.md");
like($failed,
    qr/^- rate-1k, paperboy: round 1 failed: paperboy did not start: no room in c$/m,
    'the table tells, without paths');
like($failed, qr/^\| 1,000 subscribers \| CPU µs a delivery \| – \| [\d.]+ \|/m,
    'and has the figures of the others');

# The client's own status is kept, and what it didn't tell ends no run.
my $fake = File::Temp->newdir('paperboy-XXXXXX', TMPDIR => 1);
symlink "$build/$_", "$fake/$_" or die "$_: $!"
    for qw(load_server ngx_http_paperboy_module.so);
open $file, '>', "$fake/load" or die "load: $!";
print $file qq(#!/bin/sh\necho '{"mode":"fanout","published":1}'\nexit 3\n);
close $file;
chmod 0755, "$fake/load";
($said, $status) = bench('--no-pin', '--build', $fake, '--peers',
    'paperboy,floor', '--only', '=rate-1k,=deflate-off');
is($status, 1, 'a client that says little');
my ($little) = grep { $_->{peer} eq 'floor' } results('rate-1k');
is($little->{status}, 3, 'its status is kept');
is((results('deflate-off'))[0]{failure},
    'there is no "compressed" in what was found', 'what was to be looked at');

# Results that were made, a round each.
my $made = File::Temp->newdir('paperboy-XXXXXX', TMPDIR => 1);

sub make ($row, @results) {
    my $number = 0;
    open my $to, '>', "$made/$row.jsonl" or die "$row: $!";
    print $to JSON::PP::encode_json({ row => $row, round => ++$number,
            version => $_->{peer}, command => 'load', %$_ }), "\n"
        for @results;
    close $to;
    return;
}

# A rate that wasn't reached has no latency.
make('curve-latency-100k', map { { peer => $_->[0], published => $_->[1],
            publish_s => 10, asked_per_s => 100,
            latency => { p99_us => 5000 } } } [paperboy => 951], [nchan => 940]);

# Connections that aren't there, figures that can't be, a client that ended.
my %hold = (connections => 10_000, memory => { server_own_bytes_per_conn => 300 });
make('memory',
    { %hold, peer => 'paperboy', open => 10_000, open_after => 10_000 },
    { %hold, peer => 'nchan', open => 9000, open_after => 9000, status => 1 },
    { %hold, peer => 'floor', open => 10_000, open_after => 9999, status => 1 });
my %churn = (handshakes => 8, handshakes_per_s => 8, server_cores => 0.5,
    server_cpu => { user_s => 1 }, server_cpu_us_per_handshake => 7);
make('handshakes', { %churn, peer => 'paperboy' },
    { %churn, peer => 'paperboy', handshakes => 0, server_cores => 0,
        status => 1 });
my %fanout = (connections => 5, open => 5, open_after => 5, delivered => 10,
    deliveries_per_s => 2e6, server_cpu_s_per_million => 0.5,
    server_cpu => { user_s => 0 });
make('fanout-1k', { %fanout, peer => 'paperboy' },
    { %fanout, peer => 'floor', status => -9 });

($said, $status) = bench('--table', '--out', $made);
is($status, 0, 'a table of results that are there') or diag($said);
for ('memory, nchan: 9,000 of 10,000 connections opened',
    'memory, floor: 9,999 of 10,000 connections stayed',
    'handshakes, paperboy: no "CPU µs a handshake"; no "handshakes/s of a core"; '
        . 'no "of it in user space"; the load client ended with 1',
    'fanout-1k, paperboy: no "cores of the server", since there is no '
        . '"server_cores"',
    'fanout-1k, floor: the load client ended with -9') {
    like(slurp("$made/table.md"), qr/^- \Q$_\E$/m, $_);
}
unlike(slurp("$made/table.md"), qr/^- memory, paperboy/m, 'and nothing else');
like(slurp("$made/table.md"), qr/^\|  \| CPU µs a handshake \| 7\.0 \|/m,
    'figures are of the rounds that have them');
like(slurp("$made/table.md"),
    qr/^- curve-latency-100k, nchan: 94 % of the rate that was asked$/m,
    'a rate that was not reached is said');
unlike(slurp("$made/table.md"), qr/^- curve-latency-100k, paperboy:/m,
    'and one that was is not');
is_deeply([slurp("$made/latency.svg") =~ /<g class="(\w+)">\s*<polyline/g],
    ['paperboy'], 'and is not in the plot');

# Tokens that are not as the row says.
sub checked ($seen, $hits, $misses) {
    return qx{python3 -c 'import sys; sys.path.insert(0, "bench"); import loads
loads.check_cache({"hits": $hits, "misses": $misses}, "$seen", 100)' 2>&1};
}
is(checked('first', 1, 99), '', 'tokens that come for the first time');
like(checked('first', 2, 98),
    qr/^RuntimeError: of 100 signatures 2 were seen before, where none should/m,
    'tokens that have begun anew');
is(checked('before', 900, 100), '', 'tokens that were seen before');
like(checked('before', 900, 101), qr/where all but the first should be$/m,
    'tokens that have been forgotten');
like(checked('before', 0, 0), qr/^RuntimeError: of 0 signatures/m, 'none at all');

# Heartbeats of 1,000 connections in a minute: 2,400 are due.
sub beaten ($came) {
    return qx{python3 -B -c 'import sys; sys.path.insert(0, "bench"); import loads
loads.check_heartbeats($came, 1000, 60)' 2>&1};
}
is(beaten(1920), '', 'heartbeats that came');
like(beaten(1919),
    qr/^RuntimeError: 1,919 heartbeats came in 60 seconds, where 2,400 are due$/m,
    'and that did not');

# Which build it is: made of this source, with or without assertions.
my $tree = File::Temp->newdir('paperboy-XXXXXX', TMPDIR => 1);
mkdir "$tree/$_" or die "$_: $!" for qw(src src/base src/cli build);
for (['src/base/version.hpp', 'kVersion = "1.2.3"'], ['CMakeLists.txt', ''],
    ['src/cli/main.cpp', ''], ['build/build.ninja', ''],
    ['build/ngx_http_paperboy_module.so', '']) {
    my ($name, $text) = @$_;
    open my $to, '>', "$tree/$name" or die "$name: $!";
    print $to $text;
    close $to;
}

# Each file was last written so many seconds after the others.
sub version ($tests, %written) {
    open my $cache, '>', "$tree/build/CMakeCache.txt" or die $!;
    print $cache "CMAKE_HOME_DIRECTORY:INTERNAL=$tree\nPAPERBOY_TESTS:BOOL=$tests\n";
    close $cache;
    utime((1e9 + ($written{$_} // 0)) x 2, "$tree/$_") or die "$_: $!"
        for qw(src/base/version.hpp CMakeLists.txt src/cli/main.cpp
        build/build.ninja build/ngx_http_paperboy_module.so);
    chomp(my $said = qx{python3 -B -c 'import sys; sys.path.insert(0, "bench")
from peers import paperboy; from types import SimpleNamespace
print(paperboy.Paperboy.version(SimpleNamespace(build="$tree/build")))' 2>&1});
    return $said;
}
my $given = 'Paperboy 1.2.3 (a build that was given';
is(version('OFF'), "$given)", 'a build, and nothing to be said of it');
is(version('ON'),  "$given, with assertions)", 'one that asserts');
is(version('OFF', 'src/base/version.hpp' => 1), "$given, an older build)",
    'one that is older than its sources');
is(version('OFF', 'CMakeLists.txt' => 1), "$given, an older build)",
    'or than what it is built by');
is(version('OFF', 'CMakeLists.txt' => 1, 'build/build.ninja' => 2), "$given)",
    'unless nothing had to be built for that');
is(version('OFF', 'src/cli/main.cpp' => 1), "$given)",
    'what is not in the module is no matter');

($said, $status) = bench('--only', 'nothing');
is($status, 1, 'a row that there is not');
like($said, qr/^nothing: no such row; there are channels,/, 'and which there are');
like((bench('--peers', 'nobody', '--only', 'memory'))[0],
    qr/^nobody: no such peer; there are paperboy, nchan,/, 'the same of a peer');
done_testing;
