"""A server under test: its process, in a temporary directory, on free ports.

What a peer differs in is written in its own file: `command()`, `address()` and
the words that the load client is called with. A server is started before each
measurement and ended by its process's id after it.
"""
import ctypes
import os
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time

SERVER_CORE = 0
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BIG = 1 << 20


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def pinned(core, nice, command):
    """The command on that core (None: any), and at that priority."""
    words = ['nice', '-n', str(nice)] if nice else []
    if core is not None:
        words += ['taskset', '-c', str(core)]
    return words + command


def end_with_parent():
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


def allow_files():
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


class Server:
    """Options that a row may give: workers, tls, connections, pin (False: on
    whichever core, and so is its client), and what the peer knows beside them
    (history, zone, key...)."""

    name = ''
    # What it can do, of: http, tls, deflate, tokens, native, history, workers
    able = frozenset()

    def __init__(self, setup, **options):
        self.setup = setup
        self.workers = options.pop('workers', 1)
        self.tls = options.pop('tls', False)
        self.connections = options.pop('connections', 1000)
        self.pin = options.pop('pin', True) and setup.pin
        self.options = options
        self.port = free_port()
        self.children = 0  # that it starts, and whose time counts
        self.process = None
        self.directory = None

    # --- what a peer says ---------------------------------------------------

    def command(self):
        raise NotImplementedError

    def subscriber(self):
        """Words of the load client, to connect and to subscribe to %c."""
        return ['--target', self.host(), '--path', '/sub?id=%r-%c']

    def publisher(self):
        """Words of the load client, to publish to channel %c."""
        return ['--publish-url', f'http://{self.host()}/pub?id=%r-%c']

    def counters(self):
        """What it tells of itself after the load."""
        return {}

    @classmethod
    def version(cls, setup):
        raise NotImplementedError

    @classmethod
    def fetch(cls, setup):
        """Brings what it needs; RuntimeError, OSError or a program's error
        where that can't be had."""

    # --- its life -----------------------------------------------------------

    def host(self):
        return f'127.0.0.1:{self.port}'

    def path(self, name):
        return os.path.join(self.directory, name)

    def start(self):
        self.directory = tempfile.mkdtemp(prefix='paperboy-bench-')
        self.prepare()
        with open(self.path('output'), 'wb') as output:
            self.process = subprocess.Popen(
                pinned(self.core(), self.setup.nice, self.command()),
                stdout=output, stderr=output, cwd=self.directory,
                preexec_fn=end_with_parent)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(('127.0.0.1', self.port), 1).close()
                if len(self.pids()) > self.children:
                    time.sleep(self.setup.size(0.2, 0.05))
                    return self
            except OSError:
                pass
            time.sleep(0.05)
        raise RuntimeError(f'{self.name} did not start: {self.said()}')

    def check(self):
        """That it still runs."""
        status = self.process.poll()
        if status is not None:
            raise RuntimeError(f'{self.name} ended with {status}: '
                               + self.said())

    def core(self):
        return SERVER_CORE if self.pin else None

    def prepare(self):
        """Writes its files."""

    def said(self):
        with open(self.path('output'), errors='replace') as output:
            return output.read()[-2000:].strip()

    def pids(self):
        """Of all its processes, the master's first."""
        found = [self.process.pid]
        for pid in found:
            try:
                with open(f'/proc/{pid}/task/{pid}/children') as children:
                    found += [int(child) for child in children.read().split()]
            except OSError:
                pass
        return found

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                for pid in reversed(self.pids()):
                    os.kill(pid, signal.SIGKILL)
                self.process.wait()
        if self.directory:
            shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_):
        self.stop()
