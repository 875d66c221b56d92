"""Paperboy: the module of a build directory."""
import glob
import json
import os
import re
import subprocess
import urllib.request

from peers import nginx, server

HTTP = """
  paperboy_zone main {zone};
  paperboy_origin any;
  paperboy_ping_interval {ping};
  paperboy_ping_timeout {ping_timeout};
  paperboy_deflate {deflate};
  {rule}
"""

LOCATIONS = """
    location /sub {{ paperboy raw; paperboy_channel $arg_id; {keys} }}
    location /native {{ paperboy native; {keys} }}
    location /pub {{ paperboy_publish any; paperboy_channel $arg_id; }}
    location /status {{ paperboy_status; }}
"""


# Whatever the environment says of proxies.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
PATIENCE = 10  # seconds, for its status


class Paperboy(nginx.Nginx):
    name = 'paperboy'
    able = frozenset(('http', 'tls', 'deflate', 'tokens', 'native', 'history',
                      'workers', 'zone'))

    def module(self):
        return module_of(self.setup.build)

    def http(self):
        return HTTP.format(
            zone=self.options.get('zone', '256m log=64m'),
            ping=self.options.get('ping', '1h'),
            ping_timeout=self.options.get('ping_timeout', '10s'),
            deflate=self.options.get('deflate', 'off'),
            rule=self.options.get('rule', ''))

    def locations(self):
        return LOCATIONS.format(keys=self.options.get('keys', ''))

    def native(self, *hellos):
        """Words of a client that says these commands of the protocol."""
        words = self.subscriber()
        words[words.index('--path') + 1] = '/native'
        words += ['--reply', '{}={}']
        for hello in hellos:
            words += ['--hello', hello]
        return words

    def counters(self):
        """What the status tells, after the load."""
        url = f'http://{self.host()}/status'
        with OPENER.open(url, timeout=PATIENCE) as answer:
            return json.load(answer)

    @classmethod
    def version(cls, setup):
        build = setup.build
        source = source_of(build)
        with open((source or server.ROOT) + '/src/base/version.hpp') as file:
            number = re.search(r'"(\d[\d.]*)"', file.read())[1]
        words = [commit(source) or 'a build that was given']
        if is_on(cached(build, 'PAPERBOY_TESTS')):
            words.append('with assertions')
        if source and is_older(build, source):
            words.append('an older build')
        return f'Paperboy {number} ({", ".join(words)})'


def module_of(build):
    return os.path.join(build, 'ngx_http_paperboy_module.so')


def cached(build, name):
    """What the build's cache says of that; '': nothing."""
    try:
        with open(build + '/CMakeCache.txt') as file:
            found = re.search(rf'^{name}:\w+=(.*)', file.read(), re.M)
    except OSError:
        return ''
    return found[1] if found else ''


def is_on(value):
    """As CMake reads it."""
    return value.upper() in ('ON', 'TRUE', 'YES', 'Y', '1')


def source_of(build):
    """The directory that it was built from; '': it doesn't say so."""
    source = cached(build, 'CMAKE_HOME_DIRECTORY')
    return source if source and os.path.isdir(source + '/src') else ''


def is_older(build, source):
    """Whether a build would make the module anew: it is older than a source of
    its, or what it is built by is older than what that is made from."""
    recipe = glob.glob(source + '/src/**/*.cmake', recursive=True) \
        + [source + '/CMakeLists.txt']
    sources = [path for path in glob.glob(source + '/src/**/*', recursive=True)
               if re.search(r'\.([ch]pp|c|map)$', path)
               and not path.startswith(source + '/src/cli/')]
    made = [build + '/build.ninja', build + '/Makefile']
    return 0 < newest([module_of(build)]) < newest(sources) \
        or 0 < newest(made) < newest(recipe)


def newest(paths):
    """When the last of those that are there was written."""
    return max((os.path.getmtime(path) for path in paths
                if os.path.exists(path)), default=0)


def commit(source):
    """The last there that changed the sources, and whether they were changed
    since; none: it is no checkout."""
    if not source:
        return ''
    said = [subprocess.run(['git', *words, '--', 'src'], cwd=source,
                           capture_output=True, text=True).stdout.strip()
            for words in (['log', '-1', '--format=%h'],
                          ['status', '--porcelain'])]
    return said[0] + (', changed' if said[0] and said[1] else '')
