// An nginx of the test's own, on a port of its own, in a temporary directory:
// $PAPERBOY_NGINX with $PAPERBOY_MODULE, else Debian's with build/'s.
import { spawn, spawnSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from './until.mjs';

const SECRET = 'a secret of thirty-two bytes, ok';
const BINARY = process.env.PAPERBOY_NGINX ?? '/usr/sbin/nginx';
const MODULE =
  process.env.PAPERBOY_MODULE ??
  fileURLToPath(
    new URL('../../../build/ngx_http_paperboy_module.so', import.meta.url),
  );

const server = (port, zone, more) => `
  paperboy_zone clients ${zone};
  ${more}
  paperboy_origin any;
  paperboy_channel_rule kept:* history=2000 presence join_leave;
  paperboy_channel_rule short:* history=2;
  paperboy_client_publish on;
  server {
    listen 127.0.0.1:${port};
    add_header X-Worker $pid always;
    location = /open { paperboy native; }
    location = /given { paperboy native; paperboy_channel given; }
    location = /mine { paperboy native; paperboy_channel kept:mine; }
    location = /few { paperboy native; paperboy_max_subscriptions 2; }
    location = /small { paperboy native; paperboy_max_message_size 1k; }
    location = /pings {
      paperboy native;
      paperboy_ping_interval 1s;
      paperboy_ping_timeout 1s;
    }
    location = /keys { paperboy native; paperboy_jwt_key HS256 file=secret; }
    location = /raw { paperboy raw; paperboy_channel $arg_channel; }
    location = /publish { paperboy_publish any; paperboy_channel $arg_channel; }
  }`;

const conf = (folder, port, { zone = '16m', http = '' } = {}) => `
  load_module ${MODULE};
  ${process.getuid() === 0 ? 'user root;' : ''}
  daemon off;
  worker_processes 2;
  pid ${folder}/nginx.pid;
  error_log ${folder}/error.log info;
  events { worker_connections 512; }
  http {
    access_log off;
    ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((name) => `${name}_temp_path ${folder}/tmp_${name};`)
      .join('\n')}
    ${server(port, zone, http)}
  }`;

export class Nginx {
  // Why there is none to test with; '' where there is one.
  static missing() {
    for (const path of [BINARY, MODULE]) {
      if (!existsSync(path)) return `there is no ${path}`;
    }
    const nginx = new Nginx(1);
    const { stderr, status } = spawnSync(BINARY, [...nginx.command(), '-t']);
    nginx.remove();
    return status === 0 ? '' : `nginx -t says: ${String(stderr).trim()}`;
  }

  // `zone`: its size and parameters; `http`: more directives.
  static async start(options) {
    const nginx = new Nginx(await freePort(), options);
    await nginx.up();
    return nginx;
  }

  constructor(port, options) {
    this.port = port;
    this.folder = mkdtempSync(join(tmpdir(), 'paperboy-client-'));
    writeFileSync(join(this.folder, 'secret'), SECRET);
    const text = conf(this.folder, port, options);
    writeFileSync(join(this.folder, 'nginx.conf'), text);
  }

  command() {
    const log = join(this.folder, 'error.log');
    return ['-p', this.folder, '-c', 'nginx.conf', '-e', log];
  }

  async up() {
    this.process = spawn(BINARY, this.command(), { stdio: 'inherit' });
    this.ended = new Promise((done) => this.process.once('exit', done));
    await until(() => this.answers(), 'nginx');
  }

  answers() {
    if (this.process.exitCode !== null) throw new Error(this.log());
    const to = `http://127.0.0.1:${this.port}/`;
    return fetch(to).then(
      () => true,
      () => false,
    );
  }

  // As `systemctl stop` does; 'SIGKILL' takes no leave of clients.
  async down(signal = 'SIGTERM') {
    this.process.kill(signal);
    await this.ended;
  }

  reload() {
    this.process.kill('SIGHUP');
  }

  workers() {
    const { pid } = this.process;
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .split(' ')
      .filter(Boolean)
      .map(Number);
  }

  async stop() {
    await this.down();
    this.remove();
  }

  remove() {
    rmSync(this.folder, { recursive: true, force: true });
  }

  log() {
    return readFileSync(join(this.folder, 'error.log'), 'utf8');
  }

  url(location) {
    return `ws://127.0.0.1:${this.port}/${location}`;
  }

  async publish(channel, body, type = 'text/plain') {
    const to = `http://127.0.0.1:${this.port}/publish?channel=${channel}`;
    const headers = { 'Content-Type': type };
    const answer = await fetch(to, { method: 'POST', body, headers });
    if (!answer.ok) throw new Error(`publish: ${answer.status}`);
    return answer.json();
  }
}

// A token that nginx takes: HS256 (RFC 7519).
export function token(claims, secret = SECRET) {
  const part = (value) =>
    Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  const mac = createHmac('sha256', secret).update(text).digest('base64url');
  return `${text}.${mac}`;
}

export const inSeconds = (seconds) => Math.floor(Date.now() / 1000) + seconds;

async function freePort() {
  const probe = createServer();
  await new Promise((done) => probe.listen(0, '127.0.0.1', done));
  const { port } = probe.address();
  await new Promise((done) => probe.close(done));
  return port;
}
