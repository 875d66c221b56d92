"""What Paperboy and nchan have in common: the nginx that they live in."""
import os
import subprocess

from peers import server

BINARY = os.environ.get('PAPERBOY_NGINX', '/usr/sbin/nginx')

CONF = """
load_module {module};
{user}
worker_processes {workers};
worker_rlimit_nofile {files};
daemon off;
pid nginx.pid;
error_log error.log warn;
events {{ worker_connections {files}; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  client_header_buffer_size {header_buffer};
  {temporary}
  {http}
  server {{
    listen 127.0.0.1:{port} reuseport backlog=65535;
    {tls}
    {locations}
  }}
}}
"""

TLS = """
    listen 127.0.0.1:{port} ssl reuseport backlog=65535;
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    ssl_session_cache off;
"""


class Nginx(server.Server):
    def __init__(self, setup, **options):
        super().__init__(setup, **options)
        self.children = self.workers
        self.tls_port = server.free_port() if self.tls else None

    # A peer's own: its module, and what stands in http {} and server {}.
    def module(self):
        raise NotImplementedError

    def http(self):
        return ''

    def locations(self):
        raise NotImplementedError

    def prepare(self):
        files = self.options.get('files') \
            or self.connections + self.connections // 4 + 1000
        tls = TLS.format(port=self.tls_port, **self.setup.certificate) \
            if self.tls else ''
        conf = CONF.format(
            module=self.module(), workers=self.workers, files=files,
            user='user root;' if os.geteuid() == 0 else '',
            temporary=' '.join(
                f'{kind}_temp_path tmp_{kind};' for kind in
                ('client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi')),
            header_buffer=self.options.get('header_buffer', '1k'),
            http=self.http(), port=self.port, tls=tls,
            locations=self.locations())
        with open(self.path('nginx.conf'), 'w') as file:
            file.write(conf)
        self.setup.keep_conf(self.name, conf)

    def command(self):
        return [BINARY, '-p', self.directory, '-c', 'nginx.conf',
                '-e', 'error.log']

    def said(self):
        said = super().said()
        try:
            with open(self.path('error.log'), errors='replace') as log:
                said += log.read()[-2000:]
        except OSError:
            pass
        return said

    def subscriber(self):
        words = super().subscriber()
        if self.tls:
            words[1] = f'127.0.0.1:{self.tls_port}'
            words.append('--tls')
        return words


def nginx_version():
    said = subprocess.run([BINARY, '-v'], capture_output=True, text=True)
    return said.stderr.strip().removeprefix('nginx version: ')
