// Connectors on servers with embedded messaging, over real HTTP.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { Connector, DeliveryError } from '../src/index.js';
import { Server, token as shown } from './lib/server.mjs';
import { Log, until } from './lib/until.mjs';

const secret = 'a secret of the tests, not of yours';
const topic = 'paperboy-subscription-request';

describe('a connector on embedded messaging', () => {
  let servers, log, connector, joined;

  beforeEach(async () => {
    servers = [await Server.start(), await Server.start()];
    log = new Log();
    joined = [];
  });
  afterEach(async () => {
    await connector.close();
    await Promise.all(servers.map((server) => server.stop()));
  });

  async function connect(embedded = {}, options = {}) {
    connector = new Connector({
      secret,
      embedded: {
        servers: servers.map(({ url }) => url),
        token: shown,
        host: '127.0.0.1',
        port: 0,
        callbackHost: '127.0.0.1',
        interval: 100,
        timeout: 20_000,
        ...embedded,
      },
      hasAccess: () => true,
      onSubscription: (userId) => joined.push(userId),
      logger: log,
      ...options,
    });
    await connector.start();
  }

  // Where the connector listens, as it has told the first server.
  const callback = () => servers[0].callbacks.get(topic)[0];

  const request = (user, wsId = 'w') => ({
    wsId,
    token: connector.generateToken(user, 'news'),
  });

  test('registers at every server, and shows its token', async () => {
    await connect();
    const port = Number(new URL(callback()).port);
    for (const server of servers) {
      assert.deepEqual(server.callbacks.get(topic), [
        `http://127.0.0.1:${port}/messageCallback/${topic}`,
      ]);
      assert.deepEqual(server.requests.slice(0, 2), [
        ['GET', '/instance', shown, ''],
        [
          'POST',
          `/subscribeTopic/${topic}`,
          shown,
          JSON.stringify({
            restHostname: '127.0.0.1',
            restPort: port,
            restPath: `/messageCallback/${topic}`,
          }),
        ],
      ]);
    }
  });

  test('registers once, and again when the instance changes', async () => {
    await connect();
    const [server] = servers;
    const seen = server.requests.length;
    await until(() => server.requests.length > seen + 2, 'more questions');
    assert.equal(server.callbacks.get(topic).length, 1);
    server.forget('two');
    await until(() => server.callbacks.has(topic), 'the callback');
    assert.equal(servers[1].callbacks.get(topic).length, 1);
  });

  test('authorises, and tells all servers', async () => {
    await connect();
    assert.deepEqual(await servers[0].push(topic, request('ann', 'w1')), [
      [200, 'done'],
    ]);
    await until(() => joined.length, 'the subscription');
    for (const { pushed } of servers) {
      assert.deepEqual(pushed, [
        {
          topic: 'paperboy-subscription-authorized',
          message: { wsId: 'w1', token: null, userId: 'ann', channel: 'news' },
        },
      ]);
    }
  });

  test('sends to all servers, and says how many took it', async () => {
    await connect();
    assert.equal(await connector.sendToChannel('news', { a: 1 }), 2);
    assert.equal(await connector.closeSubscription('ann', 'news'), 2);
    // The same message has the same key, and another another.
    assert.deepEqual(servers[0].keys, servers[1].keys);
    assert.equal(new Set(servers[0].keys).size, 2);
    assert(!servers[0].keys.includes(undefined));
    for (const { pushed } of servers) {
      assert.deepEqual(pushed[0].message.payload, { a: 1 });
      assert.deepEqual(pushed[1], {
        topic: 'paperboy-subscription-close',
        message: { wsId: null, token: null, userId: 'ann', channel: 'news' },
      });
    }
    servers[0].status = 500;
    assert.equal(await connector.sendToUser('ann', 1), 1);
    servers[1].status = 500;
    await assert.rejects(connector.sendToUser('ann', 1), (error) => {
      assert.ok(error instanceof DeliveryError);
      assert.match(error.message, /no server took it: it answered 500/);
      return true;
    });
  });

  test('answers nobody who shows another token', async () => {
    await connect();
    for (const other of ['', 'x', `${shown}x`, shown.toUpperCase()]) {
      const answers = await servers[0].push(topic, request('bob'), other);
      assert.equal(answers[0][0], 401);
    }
    await servers[0].push(topic, request('ann'));
    await until(() => joined.length, 'the subscription');
    assert.deepEqual(joined, ['ann']);
  });

  test('answers `done` to bad requests, not to be forgotten', async () => {
    await connect();
    for (const bad of [
      '',
      'no JSON',
      '[]',
      { wsId: 'w', token: 'not a token' },
      { wsId: 'w', token: 'x'.repeat(100_000) },
    ]) {
      assert.deepEqual(await servers[0].push(topic, bad), [[200, 'done']]);
    }
    await servers[0].push(topic, request('ann'));
    await until(() => joined.length, 'the good one');
    assert.ok(log.has('warn', /too large/));
    assert.ok(!log.text.includes('not a token'));
    assert.ok(!log.text.includes(shown));
  });

  test('serves its callback alone', async () => {
    await connect();
    const headers = { PaperboyEmbeddedBackendToken: shown };
    const base = new URL(callback()).origin;
    for (const [method, path] of [
      ['GET', `/messageCallback/${topic}`],
      ['POST', '/messageCallback/paperboy-message'],
      ['POST', '/'],
    ]) {
      const answer = await fetch(base + path, { method, headers });
      assert.equal(answer.status, 404, `${method} ${path}`);
    }
  });

  test('keeps no more requests than it may', async () => {
    let go;
    const gate = new Promise((resolve) => (go = resolve));
    await connect({ maxQueue: 2 }, { concurrency: 1, hasAccess: () => gate });
    for (const user of ['a', 'b', 'c', 'd', 'e', 'f']) {
      const answers = await servers[0].push(topic, request(user));
      assert.deepEqual(answers, [[200, 'done']]);
    }
    await until(() => log.has('warn', /too many requests wait/), 'a line');
    go(true);
    await until(() => joined.length >= 3, 'those that were kept');
    assert.deepEqual(joined, ['a', 'b', 'c']);
  });

  test('waits for a server that is away, and tells it once', async () => {
    const gone = servers[1];
    await gone.stop();
    servers = [servers[0]];
    await connect({ servers: [servers[0].url, gone.url] });
    assert.equal(await connector.sendToUser('ann', 1), 1);
    const seen = servers[0].requests.length;
    await until(() => servers[0].requests.length > seen + 3, 'more questions');
    const told = log.lines.filter(([level]) => level === 'error');
    assert.equal(told.length, 1);
    assert.match(told[0][1], /is away: ECONNREFUSED/);
  });

  test('registers when a server comes back', async () => {
    servers[0].status = 503;
    await connect();
    await until(() => log.has('error', /is away: it answered 503/), 'a line');
    servers[0].callbacks.clear();
    servers[0].status = 200;
    await until(() => servers[0].callbacks.has(topic), 'the callback');
    await until(() => log.has('info', /there again/), 'a line');
  });

  test('tells why a server refuses it', async () => {
    servers[0].status = 403;
    servers[0].says = '{"error":"forbidden","message":"not\\n you"}';
    await connect();
    await until(
      () => log.has('error', /is away: it answered 403: not\? you$/),
      'a line',
    );
  });

  test('follows nobody elsewhere with its token', async () => {
    servers[0].status = 302;
    await connect({ servers: [servers[0].url] });
    await assert.rejects(connector.sendToUser('ann', 1), DeliveryError);
    const urls = servers[0].requests.map(([, url]) => url);
    assert.ok(!urls.includes('/elsewhere'));
  });

  test('gives a server up that does not answer', async () => {
    servers[0].hangs = true;
    await connect({ servers: [servers[0].url], timeout: 100 });
    assert.ok(log.has('error', /is away: no answer in time/));
    await assert.rejects(connector.sendToUser('ann', 1), /no answer in time/);
  });

  test('takes no endless answer for an instance', async () => {
    servers[0].instance = 'x'.repeat(100_000);
    await connect({ servers: [servers[0].url] });
    assert.ok(log.has('error', /its answer is too long/));
  });

  test('says that its port is taken', async () => {
    await connect();
    const first = connector;
    try {
      const port = Number(new URL(callback()).port);
      await assert.rejects(connect({ port }), /EADDRINUSE/);
      await connector.close();
    } finally {
      await first.close();
    }
  });

  test('takes its token from the environment', async () => {
    process.env.PAPERBOY_EMBEDDED_BACKEND_TOKEN = shown;
    try {
      await connect({ token: undefined });
    } finally {
      delete process.env.PAPERBOY_EMBEDDED_BACKEND_TOKEN;
    }
    assert.equal(servers[0].requests[0][2], shown);
  });

  test('ends while servers do not answer', async () => {
    await connect({ timeout: 60_000 });
    servers.forEach((server) => (server.hangs = true));
    const sent = connector.sendToUser('ann', 1);
    sent.catch(() => {});
    await until(() => servers[1].pushed.length, 'the message');
    await connector.close();
    await assert.rejects(sent, DeliveryError);
  });
});
