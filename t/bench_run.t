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

# A rate that wasn't reached has no latency.
my $made = File::Temp->newdir('paperboy-XXXXXX', TMPDIR => 1);
open $file, '>', "$made/curve-latency-100k.jsonl" or die $!;
for ([paperboy => 951], [nchan => 940]) {
    my ($peer, $published) = @$_;
    print $file JSON::PP::encode_json({ row => 'curve-latency-100k',
            peer => $peer, round => 1, version => $peer, command => 'load',
            published => $published, publish_s => 10, asked_per_s => 100,
            latency => { p99_us => 5000 } }), "\n";
}
close $file;
($said, $status) = bench('--table', '--out', $made);
is($status, 0, 'a table of results that are there') or diag($said);
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

($said, $status) = bench('--only', 'nothing');
is($status, 1, 'a row that there is not');
like($said, qr/^nothing: no such row; there are channels,/, 'and which there are');
like((bench('--peers', 'nobody', '--only', 'memory'))[0],
    qr/^nobody: no such peer; there are paperboy, nchan,/, 'the same of a peer');
done_testing;
