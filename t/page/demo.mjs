// The chat example's nginx, as scripts/demo runs it, on a port of the test's
// own, and Debian's Chromium beside it.
import { spawn, execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const pictures = `${root}build/pictures`;
mkdirSync(pictures, { recursive: true });

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

export function childrenOf(parent) {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      return Number(stat.replace(/^.*\) \w /s, '').split(' ')[0]) === parent;
    } catch {
      return false; // it has just ended
    }
  }).map(Number);
}

export class Demo {
  static async start(name) {
    const demo = new Demo();
    demo.port = await freePort();
    demo.dir = `${root}build/demo-page-${name}`;
    demo.url = `http://localhost:${demo.port}/`;
    await demo.start();
    return demo;
  }

  // Also after `stop`: the same port, another nginx.
  async start() {
    this.output = '';
    this.process = spawn(`${root}scripts/demo`, ['--built'], {
      env: { ...process.env, PORT: this.port, PAPERBOY_DEMO_DIR: this.dir },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream.on('data', (data) => { this.output += data; });
    }
    await until(() => {
      if (this.process.exitCode !== null) throw new Error(this.output);
      return this.output.includes('Ctrl-C');
    }, 'the demo to start');
  }

  async stop() {
    if (this.process.exitCode !== null) return;
    const ended = new Promise((done) => this.process.once('exit', done));
    this.process.kill('SIGINT');
    await ended;
  }

  // `nginx -s reload`, and the old workers are told to go.
  async reload() {
    const before = this.workers();
    process.kill(this.master(), 'SIGHUP');
    const fresh = () => this.workers().filter((pid) => !before.includes(pid));
    await until(() => fresh().length === before.length, 'new workers');
    return fresh();
  }

  // From now on a handshake's answer says which worker took the connection.
  async nameWorkers() {
    const path = `${this.dir}/nginx.conf`;
    const conf = readFileSync(path, 'utf8');
    writeFileSync(path, conf.replace('paperboy native;',
      '$& add_header X-Worker $pid always;'));
    await this.reload();
  }

  master() {
    return Number(readFileSync(`${this.dir}/nginx.pid`, 'utf8'));
  }

  workers() { return childrenOf(this.master()); }

  curl(path, data) {
    return execFileSync(
      'curl', ['-sS', '--fail-with-body', '-d', data, `${this.url}${path}`],
      { encoding: 'utf8' });
  }
}

export async function until(condition, what, seconds = 15) {
  for (let i = 0; i < seconds * 20; i++) {
    if (await condition()) return;
    await sleep(50);
  }
  throw new Error(`waited in vain for ${what}`);
}

export function openBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic',
      '--disable-dev-shm-usage', '--no-first-run', '--disable-sync',
      '--disable-background-networking', '--disable-component-update'],
  });
}
