"""Paperboy: the module of a build directory."""
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
        return os.path.join(self.setup.build, 'ngx_http_paperboy_module.so')

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
        source = source_of(setup.build) or server.ROOT
        with open(source + '/src/base/version.hpp') as file:
            number = re.search(r'"(\d[\d.]*)"', file.read())[1]
        of = commit(source_of(setup.build)) or 'a build that was given'
        return f'Paperboy {number} ({of})'


def source_of(build):
    """The directory that it was built from; none: it doesn't say so."""
    try:
        with open(build + '/CMakeCache.txt') as file:
            found = re.search(r'^CMAKE_HOME_DIRECTORY:INTERNAL=(.+)',
                              file.read(), re.M)
    except OSError:
        return ''
    return found[1] if found and os.path.isdir(found[1] + '/src') else ''


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
