// An nginx of a test's own, with what it writes into http {}. {port} and
// {other} are two ports, so two origins.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from
  'node:fs';
import { tmpdir } from 'node:os';
import { childrenOf, freePort, root, until } from './demo.mjs';

const binary = process.env.PAPERBOY_NGINX ?? '/usr/sbin/nginx';
const module = process.env.PAPERBOY_MODULE
  ?? `${root}build/ngx_http_paperboy_module.so`;

export class Nginx {
  static async start(http) {
    const nginx = new Nginx();
    nginx.dir = mkdtempSync(`${tmpdir()}/paperboy-page-`);
    [nginx.port, nginx.other] = [await freePort(), await freePort()];
    nginx.url = `http://localhost:${nginx.port}`;
    nginx.otherUrl = `http://localhost:${nginx.other}`;
    mkdirSync(`${nginx.dir}/temp`);
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((name) => `${name}_temp_path temp/${name};`).join('\n');
    const filled = http.replaceAll('{port}', nginx.port)
      .replaceAll('{other}', nginx.other).replaceAll('{dir}', nginx.dir);
    writeFileSync(`${nginx.dir}/nginx.conf`, `load_module ${module};
${process.getuid() === 0 ? 'user root;' : ''}
daemon off;
worker_processes 2;
pid nginx.pid;
events {}
http {
access_log off;
${paths}
${filled}
}`);
    await nginx.start();
    return nginx;
  }

  // Also after `stop`: the same ports, another nginx.
  async start() {
    this.process = spawn(binary, ['-p', this.dir, '-c', 'nginx.conf',
      '-e', 'error.log'], { stdio: 'ignore' });
    await until(async () => {
      if (this.process.exitCode !== null) throw new Error(this.log());
      return fetch(`${this.url}/`).then(() => true, () => false);
    }, 'nginx to start');
  }

  log() { return readFileSync(`${this.dir}/error.log`, 'utf8'); }

  async stop() {
    if (this.process.exitCode !== null) return;
    const ended = new Promise((done) => this.process.once('exit', done));
    this.process.kill('SIGTERM');
    await ended;
  }

  async remove() {
    await this.stop();
    rmSync(this.dir, { recursive: true });
  }

  // Kills one with -9; another takes its place.
  async killWorker() {
    const before = this.workers();
    process.kill(before[0], 'SIGKILL');
    await until(() => this.workers().some((pid) => !before.includes(pid)),
      'another worker');
  }

  workers() { return childrenOf(this.process.pid); }

  // Until it is acknowledged: the worker that has it may just have died.
  async publish(channel, body, headers = {}) {
    let answer;
    await until(async () => {
      answer = await fetch(`${this.url}/publish?channel=${channel}`,
        { method: 'POST', body, headers }).catch(() => null);
      return answer?.ok;
    }, 'a publish');
    return answer.json();
  }
}
