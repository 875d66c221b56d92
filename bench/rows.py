"""The rows of the benchmark: what is asked, of whom, and what it should come to.

What a row does is in loads.py. A figure is one of figures.py; its target says
what it is to be, as a ratio to others in the same run wherever that makes sense.
"""
from dataclasses import dataclass, field

import loads


@dataclass(frozen=True)
class Row:
    name: str
    group: str
    title: str
    run: object
    targets: dict  # figure -> what it is to be
    options: dict = field(default_factory=dict)
    needs: frozenset = frozenset()  # of what a peer is able to do
    kernel: tuple = ()  # words of load_floor, where it is a measure
    x: float = 0  # where it stands on its curve
    on_request: bool = False


def needs(*abilities):
    return frozenset(abilities)


FANOUT = [
    Row('fanout-1k', 'fanout', 'saturated fan-out, 1,000 subscribers',
        loads.fanout, {'deliveries': '≥ 1.5M, ≥ 4 × nchan', 'cpu': '≤ 0.65',
                       'user': ''},
        {'subscribers': 1000}, kernel=(1000, 600, 8)),
    Row('fanout-10k', 'fanout', 'saturated fan-out, 10,000 subscribers',
        loads.fanout, {'deliveries': '≥ 1.2M, ≥ 8 × nchan', 'cpu': '≤ 0.8',
                       'user': ''},
        {'subscribers': 10_000}, kernel=(10_000, 60, 8)),
    Row('rate-1k', 'rate', '100,000 deliveries/s, 1,000 subscribers',
        loads.rate, {'cpu': '≤ 1.2 × floor', 'user': '', 'p99': '≤ 0.7 × nchan'},
        {'subscribers': 1000}, kernel=(1000, 500, 1, 100)),
    Row('rate-10k', 'rate', '100,000 deliveries/s, 10,000 subscribers',
        loads.rate, {'cpu': '≤ 1.1 × floor', 'user': '', 'p99': '≤ 0.7 × nchan'},
        {'subscribers': 10_000}, kernel=(10_000, 50, 1, 10)),
]

PUBLISHING = [
    Row('channels-1', 'channels', '5,000 channels × 2, one worker',
        loads.channels,
        {'publishes': '≥ 50,000', 'cpu': '≤ 9.5', 'user': '',
         'lock_waits': ''},
        {'workers': 1}),
    Row('channels-2', 'channels', '5,000 channels × 2, two workers',
        loads.channels,
        {'publishes': '', 'cpu': '≤ 1.15 × one worker', 'user': '',
         'lock_waits': ''},
        {'workers': 2}, needs('workers')),
    Row('pipelined', 'pipelined', 'publishes to one subscriber, pipelined',
        loads.pipelined, {'publishes': '≥ 140,000', 'publish_cpu': '',
                          'publish_user': ''}),
    Row('history-off', 'history', 'publishes that are not kept',
        loads.pipelined, {'publish_cpu': ''}, {'history': 0},
        needs('history')),
    Row('history-100', 'history', 'publishes of which 100 are kept',
        loads.pipelined, {'publish_cpu': '≤ 1.1 × not kept'},
        {'history': 100}, needs('history')),
    Row('zone-1k', 'zone', 'publishes by turns to 1,000 channels in the zone',
        loads.zone, {'publish_cpu': ''}, {'channels': 1000}, needs('zone')),
    Row('zone-100k', 'zone', 'to 100,000',
        loads.zone, {'publish_cpu': '≤ 1.2 × 1,000'}, {'channels': 100_000},
        needs('zone')),
    Row('zone-1m', 'zone', 'to 1,000,000',
        loads.zone, {'publish_cpu': '≤ 1.2 × 1,000'},
        {'channels': 1_000_000}, needs('zone')),
]

CONNECTIONS = [
    Row('memory', 'memory', 'an idle connection with a channel of its own',
        loads.memory, {'memory': '≤ 300'}, {'tls': False}),
    Row('memory-tls', 'memory', 'the same over TLS',
        loads.memory, {'memory': '≤ 15,360'}, {'tls': True}, needs('tls')),
    Row('handshakes', 'handshakes', 'handshakes without a token',
        loads.handshakes, {'handshakes': '≥ 45,000', 'handshake_cpu': '',
                           'handshake_user': ''}),
    Row('handshakes-hs256', 'handshakes', 'with a token of HS256',
        loads.handshakes, {'handshakes': '≥ 32,000', 'handshake_cpu': '',
                           'handshake_user': ''},
        {'algorithm': 'HS256'}, needs('tokens')),
    Row('handshakes-es256', 'handshakes', 'with one of ES256, seen first',
        loads.handshakes, {'handshakes': '≥ 8,000', 'handshake_cpu': '',
                           'handshake_user': ''},
        {'algorithm': 'ES256'}, needs('tokens')),
    Row('handshakes-es256-again', 'handshakes',
        'with one of ES256, seen before',
        loads.handshakes, {'handshakes': '≥ 38,000', 'handshake_cpu': '',
                           'handshake_user': ''},
        {'algorithm': 'ES256', 'tokens': 100}, needs('tokens')),
]

ENCODED = [
    Row('tls', 'tls', 'saturated fan-out over TLS, 1,000 subscribers',
        loads.fanout, {'deliveries': '≥ 2 × nchan', 'cpu': '', 'user': ''},
        {'subscribers': 1000, 'tls': True}, needs('tls')),
    Row('deflate-off', 'deflate', '1 KB of JSON to 10,000, as it is',
        loads.json, {'cpu': ''}, {'deflate': False}, needs('deflate')),
    Row('deflate-on', 'deflate', 'the same, compressed',
        loads.json, {'cpu': '≤ 1.3 × as it is'}, {'deflate': True},
        needs('deflate')),
]

WORKERS = [
    Row(f'workers-{number}', 'workers',
        f'saturated fan-out, 10,000 subscribers, {number} worker'
        + ('s' if number > 1 else ''),
        loads.fanout,
        {'deliveries': '', 'cpu': '', 'user': '', 'lock_waits': ''},
        {'subscribers': 10_000, 'workers': number}, needs('workers'))
    for number in (1, 2, 4)
]

CURVES = [
    *(Row(f'curve-fanout-{n}', 'curve-fanout', f'fan-out to {n:,}',
          loads.fanout, {'deliveries': ''}, {'subscribers': n, 'seconds': 3},
          x=n)
      for n in (1, 10, 100, 1000, 10_000)),
    *(Row(f'curve-latency-{k}k', 'curve-latency',
          f'{k},000 deliveries/s to 1,000', loads.rate, {'p99': ''},
          {'subscribers': 1000, 'deliveries': k * 1000, 'seconds': 3},
          x=k * 1000)
      for k in (10, 30, 100, 200, 400)),
    *(Row(f'curve-memory-{n}', 'curve-memory', f'{n:,} connections',
          loads.memory, {'growth': ''}, {'tls': False, 'connections': n}, x=n)
      for n in (1000, 2500, 5000, 10_000, 18_000)),
]

MILLION = [
    Row('million', 'million', 'a million users with two channels each',
        loads.million,
        {'room': '< 1,200 MB', 'idle': '≤ 0.8', 'longest': '≤ 10,000',
         'connects': ''}, needs=needs('zone'), on_request=True),
]

ROWS = FANOUT + PUBLISHING + CONNECTIONS + ENCODED + WORKERS + CURVES + MILLION


def chosen(names):
    """The rows of these names or groups; of none: all that run unasked."""
    if not names:
        return [row for row in ROWS if not row.on_request]
    known = {row.name for row in ROWS} | {row.group for row in ROWS}
    for name in names:
        if name not in known:
            raise SystemExit(f'{name}: no such row; there are '
                             + ', '.join(sorted(known)))
    return [row for row in ROWS if row.name in names or row.group in names]
