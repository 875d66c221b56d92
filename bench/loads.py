"""What the rows do: each starts a server of the peer, puts a load on it, and
returns what the load client has found. `bench.size(full, smoke)` picks how much
of it there is."""
import os
import random
import subprocess
import time

HOUR = 3600  # seconds
HEARTBEAT = 25  # seconds, as by default
ENOUGH = 0.8  # of the heartbeats that are due: a busy machine is late with some
SATURATED = ['--publish-depth', 8, '--window', 8]


def fanout(bench, peer, subscribers, seconds=6, tls=False, workers=1):
    """One channel, to which all listen, as fast as it goes."""
    count = min(subscribers, bench.size(subscribers, 50))
    with bench.start(peer, connections=count, tls=tls,
                     workers=workers) as server:
        return bench.load(
            server, 'fanout', *server.subscriber(), *server.publisher(),
            *SATURATED, '-c', count,
            '-m', bench.size(max(20_000_000 // subscribers, 2000), 100)
            if subscribers > 10 else bench.size(400_000, 100),
            '--warmup', bench.size(40, 5), '--duration', seconds)


def rate(bench, peer, subscribers, deliveries=100_000, seconds=5):
    """So many deliveries a second, and nothing to write together."""
    count = bench.size(subscribers, 50)
    publishes = bench.size(deliveries // subscribers, 100)
    with bench.start(peer, connections=count) as server:
        result = bench.load(
            server, 'fanout', *server.subscriber(), *server.publisher(),
            '-c', count, '-m', bench.size(publishes * seconds, 50),
            '--warmup', bench.size(publishes, 5), '--rate', publishes,
            '--window', 0, '--publish-depth', 64, '--duration', 3 * seconds)
    result['asked_per_s'] = bench.size(publishes, 0)  # 0: that doesn't matter
    return result


def channels(bench, peer, workers):
    """5,000 channels of two subscribers each, published to over HTTP. The
    buffer is what docs/performance.md says for publishers in a pipeline."""
    number = bench.size(5000, 50)
    with bench.start(peer, connections=2 * number, workers=workers,
                     header_buffer='8k') as server:
        return bench.load(
            server, 'fanout', *server.subscriber(), *server.publisher(),
            '-c', 2 * number, '--channels', number,
            '-m', bench.size(200_000, 500), '--warmup', bench.size(5000, 50),
            '--window', bench.size(2000, 50), '--publish-conns', 16,
            '--publish-depth', bench.size(64, 8), '--duration', 6)


def pipelined(bench, peer, history=None):
    """One subscriber, one publisher who doesn't wait for answers. The buffer is
    what docs/performance.md says for such."""
    options = {'kept': 1000, 'header_buffer': '8k'}
    if history:
        options['rule'] = f'paperboy_channel_rule * history={history};'
    with bench.start(peer, connections=100, **options) as server:
        return bench.load(
            server, 'fanout', *server.subscriber(), *server.publisher(),
            '-c', 1, '-m', bench.size(300_000, 500),
            '--warmup', bench.size(5000, 20), '--window', 512,
            '--publish-depth', 128, '--duration', 6, '--drain', 1)


def zone(bench, peer, channels):
    """Publishes by turns to all channels that the zone holds, one of which has
    a subscriber. The warm-up makes them."""
    number = bench.size(channels, 200)
    with bench.start(peer, connections=100, zone='512m log=32m') as server:
        result = bench.load(
            server, 'fanout', *server.subscriber(), *server.publisher(),
            '-c', 1, '--channels', number,
            '--warmup', number, '-m', bench.size(300_000, 400),
            '--window', 0, '--publish-depth', 128, '--duration', 60)
        if result['counters']['channels'] < number:
            raise RuntimeError(f'{result["counters"]["channels"]} channels of '
                               f'{number} are in the zone')
        return result


def json(bench, peer, deflate):
    """A kilobyte of JSON to 10,000."""
    count = bench.size(10_000, 50)
    with bench.start(peer, connections=count,
                     deflate='on' if deflate else 'off') as server:
        words = server.subscriber() + (['--deflate'] if deflate else [])
        result = bench.load(
            server, 'fanout', *words, *server.publisher(), '-c', count,
            '--publish-body-file', json_body(bench), '--check', 'whole',
            '--window', 2,
            '--publish-depth', 2, '-m', bench.size(300, 20),
            '--warmup', bench.size(10, 2), '--duration', 8)
        if result['compressed'] != (result['frames'] if deflate else 0):
            raise RuntimeError(f'{result["compressed"]} frames of '
                               f'{result["frames"]} were compressed')
        return result


def memory(bench, peer, tls, connections=10_000):
    """What idle connections cost, each with a channel of its own."""
    count = min(connections, bench.size(connections, 50))
    with bench.start(peer, connections=count, tls=tls,
                     zone='256m log=1m') as server:
        if 'native' in peer.able:
            words = server.native(
                '{"id":1,"connect":{}}',
                '{"id":2,"subscribe":{"channel":"own-%r-%i"}}')
        else:
            words = server.subscriber()
        # What is made once is made by others: at each point of the curve by a
        # hundredth, since those to come find room that these have left.
        bench.load(server, 'hold', *words, '-c', max(count // 100, 1),
                   '--channels', count, '--duration', 0)
        return bench.load(server, 'hold', *words, '-c', count,
                          '--channels', count, '--duration', bench.size(1, 0))


def handshakes(bench, peer, algorithm=None, tokens=80_000, seen='', tls=False):
    """Connections opened, let in, subscribed and ended, one after another; with
    so many tokens, whose signatures come for the first time or were seen
    before."""
    keys, words = '', []
    if algorithm:
        tokens = bench.size(tokens, 10 if seen == 'before' else 8000)
        public, lines = credentials(bench, algorithm, tokens)
        keys = f'paperboy_jwt_key {algorithm} file={public};'
        words = ['--lines', lines, '--header', 'Authorization: Bearer %l']
    with bench.start(peer, connections=4000, keys=keys, tls=tls) as server:
        result = bench.load(
            server, 'churn', *server.subscriber(), *words,
            '-c', bench.size(100, 10), '--settle', 0.5,
            # Before the tokens begin anew.
            '--duration', bench.size(3 if seen == 'first' else 4, 0.5))
    if seen:
        check_cache(result['counters']['token_cache'], seen, tokens)
    return result


def check_cache(cache, seen, tokens):
    """Of the server: that the tokens were what the row says. RuntimeError."""
    hits, misses = cache['hits'], cache['misses']
    wrong = misses > tokens if seen == 'before' \
        else 100 * hits > hits + misses
    if wrong or not hits + misses:
        raise RuntimeError(
            f'of {hits + misses} signatures {hits} were seen before, where '
            f'{"all but the first" if seen == "before" else "none"} should be')


def million(bench, peer):
    """A million users, each with a token, a channel of its own and one that all
    have; heartbeats as often as by default; then two messages to all, one after
    the other. Workers and client share all cores, as on such a machine; so a
    ping may wait long for its answer."""
    count = bench.size(1_000_000, 100)
    each = bench.files * 8 // 10  # SO_REUSEPORT doesn't share out evenly
    workers = bench.size(-(-count // each), 2)
    idle = bench.size(60, 0.1)
    public, lines = credentials(bench, 'HS256', count)
    with bench.start(peer, files=min(each * 11 // 10, bench.files),
                     workers=workers, pin=False, ping=f'{HEARTBEAT}s',
                     ping_timeout='120s', zone='768m log=64m',
                     keys=f'paperboy_jwt_key HS256 file={public};') as server:
        result = bench.load(
            server, 'fanout',
            *server.native('{"id":1,"connect":{"token":"%l"}}',
                           '{"id":2,"subscribe":{"channel":"own-%i"}}',
                           '{"id":3,"subscribe":{"channel":"%r-0"}}'),
            '--lines', lines, *server.publisher(), '--publish-body',
            '{"m":"%P"}', '-c', count, '--connect-timeout', 600,
            '--connect-rate', bench.size(7000, 0),
            '--concurrency', 64, '--settle', idle, '-m', 2,
            '--window', 1, '--duration', bench.size(180, 5), '--drain', 20)
    check_heartbeats(result['idle_answered'], count, idle)
    return result


def check_heartbeats(came, connections, seconds):
    """That they came, while nothing else did. RuntimeError."""
    due = connections * seconds / HEARTBEAT
    if came < int(ENOUGH * due):
        raise RuntimeError(f'{came:,} heartbeats came in {seconds} seconds, '
                           f'where {due:,.0f} are due')


# --- what they need -----------------------------------------------------------

def credentials(bench, algorithm, count):
    """The file of the key that verifies, and one of so many tokens."""
    secret = bench.file(algorithm + '.secret')
    public = bench.file(algorithm + '.public')
    if not os.path.exists(public):
        make_key(algorithm, secret, public)
    lines = bench.file(f'{algorithm}-{count}.tokens')
    if os.path.exists(lines) and time.time() - os.path.getmtime(lines) < HOUR:
        return public, lines  # they are good for a day
    with open(lines + '.new', 'wb') as file:
        subprocess.run([bench.program('load_tokens'), algorithm, secret,
                        str(count)], stdout=file, check=True)
    os.replace(lines + '.new', lines)
    return public, lines


def make_key(algorithm, secret, public):
    if algorithm == 'HS256':
        for path in (secret, public):
            with open(path, 'w') as file:
                file.write('a secret of thirty-two and more bytes')
        return
    kind = {'ES256': ['EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
            'RS256': ['RSA', '-pkeyopt', 'rsa_keygen_bits:2048']}[algorithm]
    for command in (
            ['genpkey', '-algorithm', *kind, '-out', secret],
            ['pkey', '-in', secret, '-pubout', '-out', public]):
        subprocess.run(['openssl', *command], check=True, capture_output=True)


def json_body(bench):
    """A template of 1,024 bytes, that compresses as such things do."""
    dice = random.Random(7)
    words = ('alpha bravo charlie delta echo foxtrot golf hotel india juliet '
             'kilo lima mike november oscar papa quebec romeo sierra').split()
    text = '{"seq":"#seq:%s#","ch":"#ch:%c#","at":"#ts:%t#","orders":['
    while len(text) < 900:
        text += (f'{{"id":{dice.randrange(10**6)},"name":"{dice.choice(words)} '
                 f'{dice.choice(words)}","price":{dice.randrange(10**5) / 100},'
                 f'"open":{dice.choice(("true", "false"))}}},')
    text = text[:-1] + '],"note":"'
    text += 'x' * (990 - len(text)) + '#sum:%k#"}'
    path = bench.file('body.json')
    with open(path, 'w') as file:
        file.write(text)
    return path
