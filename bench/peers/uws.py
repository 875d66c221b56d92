"""uWebSockets, which no registry has: UWEBSOCKETS names a checkout of it, with
its submodule uSockets, from which a server is built."""
import glob
import os
import subprocess

from peers import server

HERE = os.path.dirname(os.path.abspath(__file__))


class Uws(server.Server):
    name = 'uws'
    able = frozenset(('http',))

    def command(self):
        return [program(self.setup), str(self.port)]

    @classmethod
    def fetch(cls, setup):
        """Builds it: as its own makefiles do, without TLS and compression."""
        sources = os.path.join(checkout(), 'uSockets', 'src')
        words = ['-O3', '-DLIBUS_NO_SSL', '-DUWS_NO_ZLIB', '-I', sources,
                 '-I', os.path.join(checkout(), 'src')]
        directory = os.path.dirname(program(setup))
        os.makedirs(directory, exist_ok=True)
        files = glob.glob(sources + '/*.c') \
            + glob.glob(sources + '/eventing/*.c')
        if not files:
            raise RuntimeError(f'{sources} has no sources of uSockets')
        subprocess.run(['gcc', *words, '-flto', '-c', *files], check=True,
                       cwd=directory)
        objects = [os.path.basename(file)[:-1] + 'o' for file in files]
        subprocess.run(['g++', '-std=c++20', *words, '-flto',
                        os.path.join(HERE, 'uws', 'server.cpp'), *objects,
                        '-o', program(setup)], check=True, cwd=directory)

    @classmethod
    def version(cls, setup):
        said = subprocess.run(
            ['git', '-C', checkout(), 'describe', '--tags', '--always'],
            capture_output=True, text=True).stdout.strip()
        return f'uWebSockets {said or "of a checkout"}'


def checkout():
    path = os.environ.get('UWEBSOCKETS')
    if not path:
        raise RuntimeError('UWEBSOCKETS has to name a checkout of it')
    return path


def program(setup):
    return os.path.join(setup.downloads, 'uws', 'server')
