"""The rows of the benchmark: what is asked, of whom, and what it should come
to.

What a row does is in loads.py. A figure is one of figures.py; its target says
what it is to be, as a ratio to others in the same run wherever that makes
sense.
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
    # Words of load_floor where it is a measure: sockets, rounds, frames a send,
    # rounds a second.
    kernel: tuple = ()
    base: str = ''  # the row that it is compared with
    x: float = 0  # where it stands on its curve
    on_request: bool = False

    def suits(self, peer):
        """Whether the peer can do it."""
        if 'kernel' in peer.able:
            return bool(self.kernel)
        return not self.needs - peer.able


GROUPS = {
    'fanout': 'Saturated fan-out, 128 bytes',
    'rate': '100,000 deliveries a second, nothing to write together',
    'channels': '5,000 channels of two subscribers, over HTTP',
    'pipelined': 'Publishes to one subscriber, pipelined',
    'history': 'Publishes with and without history',
    'zone': 'Publishes by turns to all channels in the zone',
    'memory': 'Memory of an idle connection with a channel of its own',
    'handshakes': 'Handshakes, subscription included',
    'tls': 'Saturated fan-out over TLS',
    'deflate': 'A kilobyte of JSON to 10,000',
    'workers': 'Saturated fan-out to 10,000, all workers on one core',
    'curve-fanout': 'Fan-out by subscribers',
    'curve-latency': 'Latency by rate, 1,000 subscribers',
    'curve-memory': 'Memory by connections',
    'million': 'A million users',
}


def needs(*abilities):
    return frozenset(abilities)


FANOUT = [
    Row('fanout-1k', 'fanout', '1,000 subscribers',
        loads.fanout, {'deliveries': '≥ 1.5M, ≥ 4 × nchan, ≥ uws',
                       'cpu': '≤ 0.65', 'user': '', 'cores': ''},
        {'subscribers': 1000}, kernel=(1000, 600, 8, 0)),
    Row('fanout-10k', 'fanout', '10,000 subscribers',
        loads.fanout, {'deliveries': '≥ 1.2M, ≥ 8 × nchan, ≥ uws',
                       'cpu': '≤ 0.8', 'user': '', 'cores': ''},
        {'subscribers': 10_000}, kernel=(10_000, 60, 8, 0)),
    Row('rate-1k', 'rate', '1,000 subscribers',
        loads.rate, {'cpu': '≤ 1.2 × floor, ≤ uws', 'user': '',
                     'p99': '≤ 0.7 × nchan'},
        {'subscribers': 1000, 'seconds': 15}, kernel=(1000, 1000, 1, 100)),
    Row('rate-10k', 'rate', '10,000 subscribers',
        loads.rate, {'cpu': '≤ 1.1 × floor, ≤ uws', 'user': '',
                     'p99': '≤ 0.7 × nchan'},
        {'subscribers': 10_000, 'seconds': 30},
        kernel=(10_000, 100, 1, 10)),
]

PUBLISHING = [
    Row('channels-1', 'channels', 'one worker',
        loads.channels,
        {'publishes': '≥ 50,000', 'cpu': '≤ 9.5', 'user': '',
         'lock_waits': ''},
        {'workers': 1}),
    Row('channels-2', 'channels', 'two workers',
        loads.channels,
        {'publishes': '', 'cpu': '≤ 1.15 × base', 'user': '',
         'lock_waits': ''},
        {'workers': 2}, needs('workers'), base='channels-1'),
    Row('pipelined', 'pipelined', 'one subscriber',
        loads.pipelined, {'publishes': '≥ 140,000', 'publish_cpu': '',
                          'publish_user': ''}),
    Row('history-off', 'history', 'nothing is kept',
        loads.pipelined, {'publish_cpu': ''}, {'history': 0},
        needs('history')),
    Row('history-100', 'history', 'the last 100 are kept',
        loads.pipelined, {'publish_cpu': '≤ 1.1 × base'},
        {'history': 100}, needs('history'), base='history-off'),
    Row('zone-1k', 'zone', '1,000 channels',
        loads.zone, {'publish_cpu': ''}, {'channels': 1000}, needs('zone')),
    Row('zone-100k', 'zone', '100,000 channels',
        loads.zone, {'publish_cpu': '≤ 1.2 × base'}, {'channels': 100_000},
        needs('zone'), base='zone-1k'),
    Row('zone-1m', 'zone', '1,000,000 channels',
        loads.zone, {'publish_cpu': '≤ 1.2 × base'},
        {'channels': 1_000_000}, needs('zone'), base='zone-1k'),
]

CONNECTIONS = [
    Row('memory', 'memory', 'plain TCP',
        loads.memory, {'memory': '≤ 300'}, {'tls': False}),
    Row('memory-tls', 'memory', 'TLS',
        loads.memory, {'memory': '≤ 15,360'}, {'tls': True}, needs('tls')),
    Row('handshakes', 'handshakes', 'without a token',
        loads.handshakes, {'handshakes': '≥ 45,000', 'handshake_cpu': '',
                           'handshake_user': ''}),
    Row('handshakes-hs256', 'handshakes', 'with a token of HS256',
        loads.handshakes, {'handshakes': '≥ 32,000', 'handshake_cpu': '',
                           'handshake_user': ''},
        {'algorithm': 'HS256'}, needs('tokens')),
    Row('handshakes-rs256', 'handshakes', 'with one of RS256, seen first',
        loads.handshakes, {'handshakes': '', 'handshake_cpu': '',
                           'handshake_user': ''},
        {'algorithm': 'RS256', 'seen': 'first'}, needs('tokens')),
    Row('handshakes-rs256-again', 'handshakes',
        'with one of RS256, seen before',
        loads.handshakes, {'handshakes': '', 'handshake_cpu': '',
                           'handshake_user': ''},
        {'algorithm': 'RS256', 'seen': 'before', 'tokens': 100},
        needs('tokens')),
    Row('handshakes-es256', 'handshakes', 'with one of ES256, seen first',
        loads.handshakes, {'handshakes': '≥ 8,000', 'handshake_cpu': '',
                           'handshake_user': ''},
        {'algorithm': 'ES256', 'seen': 'first'}, needs('tokens')),
    Row('handshakes-es256-again', 'handshakes',
        'with one of ES256, seen before',
        loads.handshakes, {'handshakes': '≥ 38,000', 'handshake_cpu': '',
                           'handshake_user': ''},
        {'algorithm': 'ES256', 'seen': 'before', 'tokens': 100},
        needs('tokens')),
    Row('handshakes-tls', 'handshakes', 'over TLS, without a token',
        loads.handshakes, {'handshakes': '', 'handshake_cpu': '',
                           'handshake_user': ''},
        {'tls': True}, needs('tls')),
]

ENCODED = [
    Row('tls', 'tls', '1,000 subscribers',
        loads.fanout, {'deliveries': '≥ 2 × nchan', 'cpu': '', 'user': '',
                       'cores': ''},
        {'subscribers': 1000, 'tls': True}, needs('tls')),
    Row('deflate-off', 'deflate', 'as it is',
        loads.json, {'cpu': ''}, {'deflate': False}, needs('deflate')),
    Row('deflate-on', 'deflate', 'compressed',
        loads.json, {'cpu': '≤ 1.3 × base'}, {'deflate': True},
        needs('deflate'), base='deflate-off'),
]

WORKERS = [
    Row(f'workers-{number}', 'workers',
        f'{number} worker' + ('s' if number > 1 else ''),
        loads.fanout,
        {'deliveries': '', 'cpu': '', 'user': '', 'lock_waits': ''},
        {'subscribers': 10_000, 'workers': number}, needs('workers'),
        base='' if number == 1 else 'workers-1')
    for number in (1, 2, 4)
]

CURVES = [
    *(Row(f'curve-fanout-{n}', 'curve-fanout', f'to {n:,}',
          loads.fanout, {'deliveries': ''}, {'subscribers': n, 'seconds': 3},
          x=n)
      for n in (1, 10, 100, 1000, 10_000)),
    *(Row(f'curve-latency-{k}k', 'curve-latency',
          f'{k},000 a second', loads.rate, {'p99': ''},
          {'subscribers': 1000, 'deliveries': k * 1000,
           'seconds': 10 if k == 10 else 5}, x=k * 1000)
      for k in (10, 30, 100, 200, 400)),
    *(Row(f'curve-memory-{n}', 'curve-memory', f'{n:,} connections',
          loads.memory, {'growth': ''}, {'tls': False, 'connections': n}, x=n)
      for n in (1000, 2500, 5000, 10_000, 18_000)),
]

MILLION = [
    Row('million', 'million', 'two channels each',
        loads.million,
        {'room': '< 1,200 MB', 'idle': '≤ 0.8', 'to_all': '≤ 10',
         'longest': '≤ 10,000', 'connects': ''},
        needs=needs('zone'), on_request=True),
]

ROWS = FANOUT + PUBLISHING + CONNECTIONS + ENCODED + WORKERS + CURVES + MILLION


def chosen(names):
    """The rows of these names or groups, or of =NAME alone; of none: all that
    run unasked."""
    if not names:
        return [row for row in ROWS if not row.on_request]
    known = {row.name for row in ROWS} | {row.group for row in ROWS} \
        | {'=' + row.name for row in ROWS}
    for name in names:
        if name not in known:
            raise SystemExit(f'{name}: no such row; there are '
                             + ', '.join(sorted(name for name in known
                                                if name[0] != '=')))
    return [row for row in ROWS
            if {row.name, row.group, '=' + row.name} & set(names)]
