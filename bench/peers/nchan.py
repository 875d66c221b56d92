"""nchan, as Debian packages it: taken from its package, not installed, so that
the machine's nginx stays as it is."""
import glob
import os
import subprocess

from peers import nginx

PACKAGE = 'libnginx-mod-nchan'

# A length of 0 stops delivering after 32,768 messages of one burst.
LOCATIONS = """
    location /sub {{
      nchan_subscriber websocket;
      nchan_channel_id $arg_id;
      nchan_subscriber_first_message newest;
    }}
    location /pub {{
      nchan_publisher http;
      nchan_channel_id $arg_id;
      nchan_message_buffer_length {history};
      nchan_message_timeout 10s;
      {deflate}
    }}
"""


class Nchan(nginx.Nginx):
    name = 'nchan'
    able = frozenset(('http', 'tls', 'deflate', 'workers'))

    def module(self):
        return find(self.setup)

    def http(self):
        return 'nchan_shared_memory_size 512m; ' \
            + ('nchan_permessage_deflate_compression_window 15;'  # as ours
               if self.deflates() else '')

    def locations(self):
        return LOCATIONS.format(
            history=self.options.get('kept', 10),
            deflate='nchan_deflate_message_for_websocket on;'
            if self.deflates() else '')

    def deflates(self):
        return self.options.get('deflate') == 'on'

    @classmethod
    def fetch(cls, setup):
        if find(setup):
            return
        os.makedirs(setup.downloads, exist_ok=True)
        subprocess.run(['apt-get', 'download', '-q', PACKAGE],
                       cwd=setup.downloads, check=True,
                       stdout=subprocess.DEVNULL)
        subprocess.run(['dpkg', '-x', package(setup),
                        os.path.join(setup.downloads, 'nchan')], check=True)

    @classmethod
    def version(cls, setup):
        return 'nchan ' + os.path.basename(package(setup)).split('_')[1] \
            .replace('%3a', ':')


def find(setup):
    """The module's path, or None."""
    found = glob.glob(os.path.join(
        setup.downloads, 'nchan/**/ngx_nchan_module.so'), recursive=True)
    return found[0] if found else None


def package(setup):
    found = glob.glob(os.path.join(setup.downloads, PACKAGE + '_*.deb'))
    if not found:
        raise RuntimeError(f'{PACKAGE} is not in {setup.downloads}')
    return found[0]
