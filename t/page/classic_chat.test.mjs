// The classic chat example, as people use it: its page in Chromium, its nginx,
// its application, a real Redis.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync,
  writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { after, afterEach, before, describe, test } from 'node:test';
import { childrenOf, freePort, openBrowser, pictures, root, until } from
  './demo.mjs';

const example = `${root}conf-examples/classic-chat`;
const binary = process.env.PAPERBOY_NGINX ?? '/usr/sbin/nginx';
const module = process.env.PAPERBOY_MODULE
  ?? `${root}build/ngx_http_paperboy_module.so`;
const redisBinary = process.env.PAPERBOY_REDIS ?? '/usr/bin/redis-server';
const desk = { viewport: { width: 900, height: 640 } };

// Starts a program, which ends with the tests.
const programs = [];
function run(command, args, options = {}) {
  const program = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'],
    ...options });
  program.output = '';
  for (const stream of [program.stdout, program.stderr]) {
    stream.on('data', (data) => { program.output += data; });
  }
  programs.push(program);
  return program;
}

async function end(program) {
  if (program.exitCode !== null || program.signalCode !== null) return;
  const ended = once(program, 'exit');
  program.kill('SIGTERM');
  await ended;
}

describe('the classic chat', () => {
  let folder, port, url, redisPort, backendPort, nginx, backend, browser;
  const contexts = [];
  const complaints = [];

  before(async () => {
    folder = mkdtempSync(`${tmpdir()}/paperboy-classic-`);
    const ports = new Set();
    while (ports.size < 3) ports.add(await freePort());
    [port, redisPort, backendPort] = ports;
    url = `http://localhost:${port}/`;
    run(redisBinary, ['--port', redisPort, '--bind', '127.0.0.1', '--save', '',
      '--dir', folder]);
    await startBackend();
    await startNginx();
    browser = await openBrowser();
  });

  afterEach(async () => {
    for (const context of contexts.splice(0)) await context.close();
  });

  after(async () => {
    await browser?.close();
    for (const program of programs.reverse()) await end(program);
    rmSync(folder, { recursive: true });
  });

  async function startBackend() {
    backend = run(`${example}/backend.mjs`, [], { env: { ...process.env,
      PAPERBOY_JWT_SECRET: 'a secret of the tests, not of yours',
      REDIS_URL: `redis://127.0.0.1:${redisPort}`, PORT: backendPort } });
    await until(() => {
      if (backend.exitCode !== null) throw new Error(backend.output);
      return backend.output.includes('listens on port');
    }, 'the application');
  }

  // The example's own file, but for its ports and where it writes.
  async function startNginx() {
    for (const name of ['logs', 'modules', 'html']) {
      mkdirSync(`${folder}/${name}`);
    }
    symlinkSync(module, `${folder}/modules/ngx_http_paperboy_module.so`);
    for (const name of readdirSync(example)) {
      if (!/\.(html|css|js)$/.test(name)) continue;
      symlinkSync(`${example}/${name}`, `${folder}/html/${name}`);
    }
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((name) => `${name}_temp_path ${name};`).join(' ');
    const user = process.getuid() === 0 ? 'user root; ' : '';
    writeFileSync(`${folder}/nginx.conf`,
      user + readFileSync(`${example}/nginx.conf`, 'utf8')
        .replace('http {', `http { ${paths}`)
        .replace('listen 8080', `listen ${port}`)
        .replace(':3001', `:${backendPort}`)
        .replace(':6379', `:${redisPort}`));
    nginx = run(binary, ['-p', folder, '-c', 'nginx.conf',
      '-e', 'logs/error.log', '-g', 'daemon off;']);
    await until(async () => {
      if (nginx.exitCode !== null) throw new Error(nginx.output);
      return fetch(url).then(() => true, () => false);
    }, 'nginx');
  }

  async function visit(options = {}) {
    const context = await browser.newContext({ ...desk, ...options });
    contexts.push(context);
    const page = await context.newPage();
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => {
      const expected = /status of 401|WebSocket connection to|ERR_/;
      if (message.type() === 'error' && !expected.test(message.text())) {
        complaints.push(message.text());
      }
    });
    return page;
  }

  async function join(name, room, options) {
    const page = await visit(options);
    await page.goto(`${url}#${encodeURIComponent(room)}`);
    await page.getByRole('textbox', { name: 'Your name' }).fill(name);
    await page.getByRole('button', { name: 'Join' }).click();
    await online(page);
    return page;
  }

  const online = (page) => page.getByText('Online', { exact: true }).waitFor();
  const sees = (page, text) =>
    page.locator('#log').getByText(text, { exact: true }).waitFor();
  async function say(page, text) {
    await page.getByRole('textbox', { name: 'Message' }).fill(text);
    await page.getByRole('button', { name: 'Send' }).click();
  }

  test('people hear who has come, and each other', async () => {
    const ann = await join('Ann', 'räume');
    await sees(ann, "User 'Ann' joined.");
    const bob = await join('Bob', 'räume', { colorScheme: 'dark' });
    await sees(ann, "User 'Bob' joined.");
    await say(ann, 'Hello, Bob');
    await sees(bob, 'Hello, Bob');
    await say(bob, '<b>Hello</b>, Ann 😀');
    await sees(ann, '<b>Hello</b>, Ann 😀');
    await say(bob, 'again');
    await sees(ann, 'again');
    assert.equal(await ann.locator('#log .mine').count(), 1);
    await ann.screenshot({ path: `${pictures}/classic_chat.png` });
    await bob.screenshot({ path: `${pictures}/classic_chat_dark.png` });
    assert.deepEqual(complaints, []);
  });

  test('rooms are apart', async () => {
    const ann = await join('Ann', 'here');
    const bob = await join('Bob', 'there');
    await say(ann, 'only here');
    await sees(ann, 'only here');
    await say(bob, 'only there');
    await sees(bob, 'only there');
    assert.equal(await bob.getByText('only here').count(), 0);
  });

  test('who has signed in stays so', async () => {
    const ann = await join('Ann', 'stays');
    await ann.reload();
    await online(ann);
    assert.equal(await ann.locator('#me').textContent(), 'Ann');
    await say(ann, 'still here');
    await sees(ann, 'still here');
  });

  test('a connection that is lost comes back', async () => {
    const ann = await join('Ann', 'back');
    for (const worker of childrenOf(nginx.pid)) process.kill(worker, 'SIGKILL');
    await ann.getByText('Offline, trying again').waitFor();
    await online(ann);
    await say(ann, 'here again');
    await sees(ann, 'here again');
  });

  test('the application may end and begin again', async () => {
    const ann = await join('Ann', 'app');
    await end(backend);
    await say(ann, 'lost');
    await ann.getByText(/^It was not sent/).waitFor();
    await startBackend();
    await say(ann, 'found');
    await sees(ann, 'found');
  });

  test('tokens are for those who have signed in, rooms for all', async () => {
    const nobody = await fetch(`${url}paperboyAuth/lobby`);
    assert.equal(nobody.status, 401);
    const other = await fetch(`${url}session`, { method: 'POST', body: 'Eve',
      headers: { 'Sec-Fetch-Site': 'cross-site' } });
    assert.equal(other.status, 403);
    const ann = await fetch(`${url}session`, { method: 'POST', body: 'Ann' });
    const headers = { Cookie: ann.headers.get('set-cookie').split(';')[0] };
    for (const [path, status] of [
      ['session', 200],
      ['paperboyAuth/lobby', 200],
      ['paperboyAuth/a%20b', 403],
      ['paperboyAuth/%ff', 400],
      ['paperboyAuth/', 403],
      ['elsewhere', 404],
    ]) {
      const answer = await fetch(url + path, { headers });
      assert.equal(answer.status, status, path);
    }
    for (const [body, status] of [
      ['', 400],
      ['system', 400],
      ['x'.repeat(33), 400],
      ['x'.repeat(5000), 413],
    ]) {
      const answer = await fetch(`${url}session`, { method: 'POST', body });
      assert.equal(answer.status, status, body.slice(0, 40));
    }
    // A channel's token is no session.
    const token = await fetch(`${url}paperboyAuth/lobby`, { headers });
    const stolen = { Cookie: `session=${await token.text()}` };
    const answer = await fetch(`${url}session`, { headers: stolen });
    assert.equal(answer.status, 401);
  });
});
