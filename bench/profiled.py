"""The rows that bench/profile looks at, what it calls them, and how they last
as long as it samples."""
import dataclasses

import loads
import rows


def idle(bench, peer, connections, messages):
    """One message after another to all, who are idle but for that."""
    count = bench.size(connections, 50)
    workers = -(-count // (bench.files * 8 // 10))
    with bench.start(peer, connections=count, workers=workers,
                     files=bench.files, zone='768m log=64m') as under_test:
        return bench.load(
            under_test, 'fanout',
            *under_test.native('{"id":1,"connect":{}}',
                               '{"id":2,"subscribe":{"channel":"own-%i"}}',
                               '{"id":3,"subscribe":{"channel":"%r-0"}}'),
            *under_test.publisher(), '--publish-body', '{"m":"%P"}',
            '-c', count, '--connect-timeout', 600, '--concurrency', 64,
            '--settle', bench.size(5, 0.1), '-m', bench.size(messages, 400),
            '--window', 1, '--duration', 120, '--drain', 20)


IDLE = [rows.Row(f'idle-{name}', 'idle', f'to {count:,}', idle, {'cpu': ''},
                 {'connections': count, 'messages': messages}, on_request=True,
                 needs=rows.needs('native'))
        for name, count, messages in (
            ('10k', 10_000, 150), ('100k', 100_000, 10), ('400k', 400_000, 3),
            ('1m', 1_000_000, 2))]

# Of connections that only hold there is nothing to see.
ROWS = [row for row in rows.ROWS if row.run is not loads.memory] + IDLE

# Row, what the table calls it, and who is shown.
SHOWN = {
    'fanout-1k': ('fan-out to 1,000, saturated', 'paperboy,floor,nchan'),
    'fanout-10k': ('fan-out to 10,000, saturated', 'paperboy,floor,nchan'),
    'rate-1k': ('100,000 deliveries a second to 1,000', 'paperboy,floor'),
    'pipelined': ('publishes in a pipeline', 'paperboy,floor'),
    'channels-1': ('5,000 channels of two', 'paperboy,floor'),
    'zone-1k': ('publishes to 1,000 channels by turns', 'paperboy'),
    'zone-100k': ('to 100,000', 'paperboy'),
    'zone-1m': ('to 1,000,000', 'paperboy'),
    'handshakes': ('handshakes', 'paperboy,floor'),
    'handshakes-hs256': ('with HS256', 'paperboy'),
    'handshakes-es256': ('with ES256, seen first', 'paperboy'),
    'handshakes-es256-again': ('with ES256, seen before', 'paperboy'),
    'idle-10k': ('one at a time to 10,000 natively', 'paperboy'),
    'idle-100k': ('to 100,000', 'paperboy'),
}
NAMES = {'floor': 'the bare server'}


def chosen(names, peers):
    """Rows of these names or groups, or of =NAME alone, each with the names of
    its peers; of none: those that are shown, and whoever is shown there."""
    names = names or ['=' + name for name in SHOWN]
    known = {name for row in ROWS for name in (row.name, row.group,
                                               '=' + row.name)}
    for name in names:
        if name not in known:
            raise SystemExit(f'{name}: no such row; see --list')
    return [(row, peers or shown(row)[1].split(',')) for row in ROWS
            if {row.name, row.group, '=' + row.name} & set(names)]


def shown(row):
    """What the table calls it, and its peers."""
    return SHOWN.get(row.name, (f'{row.name}: {row.title}', 'paperboy,floor'))


def longer(row, seconds):
    """The row, and words for the load client, so that it takes that long."""
    options = dict(row.options)
    if 'algorithm' in options and 'tokens' not in options:
        options['tokens'] = int(20_000 * seconds)
    words = {loads.handshakes: ['--duration', seconds],
             # Its warm-up takes as long as it takes.
             loads.zone: ['-m', int(100_000 * seconds)],
             idle: []}.get(row.run, ['-m', 20_000_000, '--duration', seconds,
                                     '--drain', 1])
    return dataclasses.replace(row, options=options), words


def title(row, peer):
    return shown(row)[0] if peer == 'paperboy' else NAMES.get(peer, peer)
