"""Servers of Node.js: ws, and socket.io. Installed by npm into the directory of
the results, when they are asked for."""
import json
import os
import subprocess

from peers import server

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGES = ('ws@8', 'socket.io@4')


class Node(server.Server):
    able = frozenset(('http',))
    package = ''

    def command(self):
        return ['node', os.path.join(HERE, 'node', self.name + '.cjs'),
                str(self.port), modules(self.setup)]

    @classmethod
    def fetch(cls, setup):
        if os.path.isdir(os.path.join(modules(setup), 'socket.io')):
            return
        prefix = os.path.dirname(modules(setup))
        os.makedirs(prefix, exist_ok=True)
        subprocess.run(['npm', 'install', '--prefix', prefix,
                        '--ignore-scripts', '--no-audit', '--no-fund',
                        '--silent', *PACKAGES], check=True)

    @classmethod
    def version(cls, setup):
        path = os.path.join(modules(setup), cls.package, 'package.json')
        with open(path) as file:
            number = json.load(file)['version']
        node = subprocess.run(['node', '--version'], capture_output=True,
                              text=True).stdout.strip()
        return f'{cls.package} {number} on Node.js {node}'


class Ws(Node):
    name = 'ws'
    package = 'ws'


class SocketIo(Node):
    name = 'socketio'
    package = 'socket.io'

    def subscriber(self):
        return ['--target', self.host(), '--path',
                '/socket.io/?EIO=4&transport=websocket', '--wait-first',
                '--reply', '2=3', '--hello', '40', '--hello',
                '42["sub","%r-%c"]']


def modules(setup):
    return os.path.join(setup.downloads, 'node', 'node_modules')
