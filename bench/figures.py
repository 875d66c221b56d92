"""The figures of a result, by name: what it is called, its unit, how it is read
from what the load client printed, and how it is written.

KeyError: the result doesn't tell. ZeroDivisionError: there was nothing of which
it would be a figure."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    title: str
    read: object
    digits: int = 0
    factor: float = 1
    each: str = ''  # what was divided by, and may have been 0

    def of(self, result):
        if self.each and not result.get(self.each, 1):
            raise ZeroDivisionError(f'no {self.each}')
        return self.read(result) * self.factor

    def text(self, value):
        return f'{value:,.{self.digits}f}'


def latency(name):
    def read(result):
        if not result['latency'].get('count', 1):
            raise ZeroDivisionError('nothing came')
        return result['latency'][name]
    return read


def room(result):
    return result['memory']['server_pss_kb_after'] * 1024


def growth(result):
    return result['memory']['server_own_bytes_per_conn'] * result['open']


def in_user_space(each):
    """Microseconds of each delivery, message or handshake that are not the
    kernel's."""
    return lambda result: result['server_cpu']['user_s'] * 1e6 / result[each]


def lock_waits(result):
    """A million deliveries, in the warm-up and after it."""
    counters = result['counters']
    return counters['zone']['lock_waits'] * 1e6 / counters['messages_sent']


FIGURES = {
    'deliveries': Figure('deliveries/s', lambda r: r['deliveries_per_s']),
    'publishes': Figure('messages/s', lambda r: r['publishes_per_s']),
    'cpu': Figure('CPU µs a delivery',
                  lambda r: r['server_cpu_s_per_million'], 2,
                  each='delivered'),
    'publish_cpu': Figure('CPU µs a message',
                          lambda r: r['server_cpu_us_per_publish'], 2,
                          each='published'),
    'user': Figure('of it in user space', in_user_space('delivered'), 2),
    'publish_user': Figure('of it in user space', in_user_space('published'),
                           2),
    'handshake_user': Figure('of it in user space',
                             in_user_space('handshakes'), 1),
    # Less than one of a saturated row: its client is full first.
    'cores': Figure('cores of the server', lambda r: r['server_cores'], 2),
    'p99': Figure('p99 ms', latency('p99_us'), 2, 1e-3),
    'longest': Figure('longest ms', latency('max_us'), 0, 1e-3),
    # Where each message waits for the one before it.
    'to_all': Figure('s until all have a message',
                     lambda r: r['seconds'] / r['published'], 1),
    'memory': Figure('bytes a connection',
                     lambda r: r['memory']['server_own_bytes_per_conn'],
                     each='open'),
    'growth': Figure('MB of growth', growth, 1, 1e-6, each='open'),
    'room': Figure('server MB', room, 1, 1e-6),
    'idle': Figure('cores while idle', lambda r: r['idle_server_cores'], 3),
    # The client has more to do than the server, and can't fill its core.
    'handshakes': Figure('handshakes/s of a core',
                         lambda r: r['handshakes_per_s'] / r['server_cores']),
    'handshake_cpu': Figure('CPU µs a handshake',
                            lambda r: r['server_cpu_us_per_handshake'], 1,
                            each='handshakes'),
    'lock_waits': Figure('lock waits a million deliveries', lock_waits, 1),
    'connects': Figure('connects/s', lambda r: r['connects_per_s']),
}
