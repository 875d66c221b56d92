# The benchmark of classic clients, small: it counts what it should, and finds
# nothing wrong.
use v5.36;
use Paperboy::Redis;
use Test::More;

plan skip_all => "no $Paperboy::Redis::BINARY" if !Paperboy::Redis::is_there();
my $root = $Paperboy::Nginx::ROOT;
plan skip_all => 'no connector can be run: npm ci in connectors/javascript'
    if !-d "$root/connectors/javascript/node_modules/redis"
    && system("/usr/bin/python3 -c 'import redis' 2>/dev/null") != 0;

my $output = `$root/bench/classic --smoke 2>&1`;
is($?, 0, 'it finds nothing wrong') or diag $output;
unlike($output, qr/WRONG/, 'and says so');
like($output, qr/^$_ +[\d.]+(?: +[\d.]+){4}$/m, "latency: $_")
    for 'edge', 'back end';
like($output, qr/^expected 500, reached 500, foreign 0, twice 0, reordered 0$/m,
    'users: each message reaches the five of its user, once');
like($output, qr/^$_ +\d+(?: +\d+){5}$/m, "memory: $_")
    for 'native', 'native token', 'classic edge', 'classic back end';
like($output, qr/clients have heard: close:3502 \(20\), eof \(20\)$/m,
    'away: a close, and nothing else');
like(`$root/bench/classic --wrong 2>&1`, qr/usage/, 'options are looked at');
done_testing;
