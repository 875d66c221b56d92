"""What everything is measured by: a bare server that only does what it must,
and what the kernel alone charges for a fan-out."""
import os

from peers import server


class Floor(server.Server):
    """build/load_server: one thread, no checks, nothing kept."""

    name = 'floor'
    able = frozenset(('http',))

    def command(self):
        return [os.path.join(self.setup.build, 'load_server'), str(self.port)]

    @classmethod
    def version(cls, setup):
        return 'load_server'


class Kernel:
    """build/load_floor: send(2) and epoll alone. No server: a row that has such
    a floor says with which words."""

    name = 'kernel'
    able = frozenset(('kernel',))

    @classmethod
    def fetch(cls, setup):
        pass

    @classmethod
    def version(cls, setup):
        return 'load_floor'
