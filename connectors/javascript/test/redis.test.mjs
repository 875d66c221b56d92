// Connectors on a real Redis: what they take from it, and put there.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  after,
  afterEach,
  before,
  beforeEach,
  describe,
  test,
} from 'node:test';
import { createClient } from 'redis';
import { Connector, DeliveryError } from '../src/index.js';
import { Redis, redisIsThere } from './lib/redis.mjs';
import { Log, until } from './lib/until.mjs';

const secret = 'a secret of the tests, not of yours';
const authorized = 'paperboy-subscription-authorized';
const skip = !redisIsThere && 'there is no redis-server';
if (skip) console.error(`\nNOT TESTED against Redis: ${skip}\n`);

describe('a connector on Redis', { skip }, () => {
  let redis, heard, log, connectors;

  before(async () => {
    redis = await Redis.start();
    heard = await redis.listen();
  });
  after(() => redis.stop());

  beforeEach(() => {
    heard.length = 0;
    log = new Log();
    connectors = [];
  });
  afterEach(() => Promise.all(connectors.map((one) => one.close())));

  async function connect(options = {}) {
    const connector = new Connector({
      secret,
      redis: redis.url,
      hasAccess: () => true,
      logger: log,
      ...options,
    });
    connectors.push(connector);
    await connector.start();
    return connector;
  }

  const ids = () =>
    heard
      .filter(({ topic }) => topic === authorized)
      .map(({ message }) => message.wsId);

  test('authorises whom the application lets in', async () => {
    const calls = [];
    const connector = await connect({
      hasAccess: async (...who) => calls.push(['hasAccess', ...who]) > 0,
      onSubscription: (...who) => calls.push(['onSubscription', ...who]),
    });
    await redis.ask({
      wsId: 'w1',
      token: connector.generateToken('Zoë', 'räume'),
    });
    await until(() => calls.length === 2, 'both calls');
    assert.deepEqual(calls, [
      ['hasAccess', 'Zoë', 'räume'],
      ['onSubscription', 'Zoë', 'räume'],
    ]);
    await until(() => heard.length, 'the authorisation');
    assert.deepEqual(heard, [
      {
        topic: authorized,
        message: { wsId: 'w1', token: null, userId: 'Zoë', channel: 'räume' },
      },
    ]);
  });

  test('says that someone has come after the server was told', async () => {
    const connector = await connect({
      onSubscription: (userId, channel) =>
        connector.sendToChannel(channel, { joined: userId }),
    });
    const token = connector.generateToken('ann', 'news');
    await redis.ask({ wsId: 'w1', token });
    await until(() => heard.length === 2, 'both');
    assert.deepEqual(
      heard.map(({ topic }) => topic),
      [authorized, 'paperboy-message'],
    );
    const { timestamp, ...message } = heard[1].message;
    assert.deepEqual(message, {
      userId: null,
      channel: 'news',
      payload: { joined: 'ann' },
    });
  });

  test('authorises a user alone', async () => {
    const calls = [];
    const connector = await connect({
      hasAccess: (...who) => calls.push(who) > 0,
    });
    await redis.ask({ wsId: 'w1', token: connector.generateToken('ann') });
    await until(() => heard.length, 'the authorisation');
    assert.deepEqual(calls, [['ann', null]]);
    assert.deepEqual(heard[0].message, {
      wsId: 'w1',
      token: null,
      userId: 'ann',
      channel: null,
    });
  });

  test('lets in only whom hasAccess says true of', async () => {
    const answers = new Map([
      ['no', false],
      ['nothing', undefined],
      ['text', 'yes'],
      ['one', 1],
      ['promised', Promise.resolve(false)],
    ]);
    const joined = [];
    const connector = await connect({
      hasAccess: (userId) => answers.get(userId) ?? userId === 'ann',
      onSubscription: (userId) => joined.push(userId),
    });
    for (const user of [...answers.keys(), 'ann']) {
      const token = connector.generateToken(user, 'news');
      await redis.ask({ wsId: `of ${user}`, token });
    }
    await until(() => joined.length, 'the one who may');
    await until(() => ids().length, 'the authorisation');
    assert.deepEqual(joined, ['ann']);
    assert.deepEqual(ids(), ['of ann']);
    assert.ok(log.has('info', /no access: .*"of text"/));
  });

  test('drops what is no request and bad tokens, and goes on', async () => {
    const connector = await connect();
    const token = connector.generateToken('ann', 'news');
    const forged = `${token.slice(0, -4)}AAAA`;
    for (const bad of [
      '',
      'no JSON',
      '{"wsId":"w"',
      'null',
      '7',
      '[]',
      { token },
      { wsId: '', token },
      { wsId: 7, token },
      { wsId: 'x'.repeat(129), token },
      { wsId: 'w' },
      { wsId: 'w', token: null },
      { wsId: 'w', token: [token] },
      { wsId: 'w', token: 'x'.repeat(17000) },
      { wsId: 'w', token, more: 'x'.repeat(17000) },
      { wsId: 'w', token: 'not a token' },
      { wsId: 'w', token: forged },
    ]) {
      await redis.ask(bad);
    }
    await redis.ask({ wsId: 'good', token });
    await until(() => ids().length, 'the good one');
    assert.deepEqual(ids(), ['good']);
    assert.ok(log.has('warn', /a request that is none was dropped/));
    assert.ok(log.has('warn', /bad token of connection "w": its signature/));
    for (const hidden of [token, forged, 'not a token', 'xxxxx', secret]) {
      assert.ok(!log.text.includes(hidden), 'no token is in the log');
    }
  });

  test('outlives callbacks that throw', async () => {
    const connector = await connect({
      hasAccess: (user) => {
        if (user === 'one') throw new Error('no database');
        return user === 'two' ? Promise.reject(new Error('late')) : true;
      },
      onSubscription: () => Promise.reject(new Error('no snapshot')),
    });
    for (const user of ['one', 'two', 'three', 'four']) {
      await redis.ask({
        wsId: user,
        token: connector.generateToken(user, 'news'),
      });
    }
    await until(() => ids().length === 2, 'those who got through');
    await until(
      () => log.has('error', /onSubscription failed.*four/),
      'a line',
    );
    assert.deepEqual(ids().sort(), ['four', 'three']);
    assert.ok(log.has('error', /hasAccess failed: .*"one".*no database/));
    assert.ok(log.has('error', /hasAccess failed: .*"two".*late/));
    assert.ok(log.has('error', /onSubscription failed: .*no snapshot/));
  });

  test('looks at no more requests at once than it may', async () => {
    let running = 0,
      most = 0;
    const go = [];
    const connector = await connect({
      concurrency: 2,
      hasAccess: async () => {
        most = Math.max(most, ++running);
        await new Promise((resolve) => go.push(resolve));
        running--;
        return true;
      },
    });
    for (const wsId of ['a', 'b', 'c', 'd', 'e']) {
      await redis.ask({ wsId, token: connector.generateToken('ann', 'news') });
    }
    await until(() => go.length === 2, 'two of them');
    // The others wait in Redis, where another back end may take them.
    assert.equal(await redis.client.lLen('paperboy-subscription-request'), 3);
    for (let i = 0; i < 5; i++) {
      await until(() => go.length, 'the next');
      go.shift()();
    }
    await until(() => ids().length === 5, 'all');
    assert.equal(most, 2);
  });

  test('shares requests with other back ends, each to one', async () => {
    const taken = [];
    const [one] = await Promise.all(
      ['a', 'b', 'c'].map((name) =>
        connect({ onSubscription: () => taken.push(name) }),
      ),
    );
    const token = one.generateToken('ann', 'news');
    const asked = Array.from({ length: 60 }, (_, i) => `w${i}`);
    for (const wsId of asked) await redis.ask({ wsId, token });
    await until(() => ids().length >= 60 && taken.length >= 60, 'all');
    assert.deepEqual(ids().sort(), asked.sort());
    assert.equal(taken.length, 60);
    assert.ok(new Set(taken).size > 1);
  });

  test('sends to channels and users, and ends subscriptions', async () => {
    const connector = await connect();
    const begin = Date.now();
    // The listener of this test stands in for a server.
    assert.equal(await connector.sendToChannel('news', { text: '1 < 2' }), 1);
    assert.equal(await connector.sendToUser('ann', [null, 0.1, 'ä\n']), 1);
    assert.equal(await connector.closeSubscription('ann', 'news'), 1);
    await until(() => heard.length === 3, 'all');
    for (const { message } of heard.slice(0, 2)) {
      assert.ok(message.timestamp >= begin && message.timestamp <= Date.now());
      delete message.timestamp;
    }
    assert.deepEqual(heard, [
      {
        topic: 'paperboy-message',
        message: { userId: null, channel: 'news', payload: { text: '1 < 2' } },
      },
      {
        topic: 'paperboy-message',
        message: { userId: 'ann', channel: null, payload: [null, 0.1, 'ä\n'] },
      },
      {
        topic: 'paperboy-subscription-close',
        message: { wsId: null, token: null, userId: 'ann', channel: 'news' },
      },
    ]);
  });

  test('takes a client of the application, and leaves it open', async () => {
    const client = await createClient({ url: redis.url }).connect();
    const connector = await connect({ redis: client });
    await redis.ask({ wsId: 'w', token: connector.generateToken('a', 'b') });
    await until(() => ids().length, 'the authorisation');
    await connector.close();
    assert.equal(await client.ping(), 'PONG');
    client.destroy();
  });

  test('takes options of createClient', async () => {
    const { port } = redis;
    await connect({ redis: { socket: { host: '127.0.0.1', port } } });
  });

  test('ends while a callback hangs, and takes nothing then', async () => {
    let asked = 0;
    const connector = await connect({
      hasAccess: () => {
        asked++;
        return new Promise(() => {});
      },
    });
    const token = connector.generateToken('ann', 'news');
    await redis.ask({ wsId: 'w', token });
    await until(() => asked, 'the request');
    await connector.close();
    await redis.ask({ wsId: 'later', token });
    await assert.rejects(connector.sendToUser('ann', 1), DeliveryError);
    assert.equal(
      await redis.client.lPop('paperboy-subscription-request'),
      JSON.stringify({ wsId: 'later', token }),
    );
    assert.equal(asked, 1);
  });
});

describe('a connector whose Redis goes', { skip }, () => {
  let redis, log, connector;
  const joined = [];

  before(async () => {
    redis = await Redis.start();
    log = new Log();
    connector = new Connector({
      secret,
      redis: redis.url,
      hasAccess: () => true,
      onSubscription: (userId) => joined.push(userId),
      logger: log,
    });
    await connector.start();
  });
  after(async () => {
    await connector.close();
    await redis.stop();
  });

  const join = (user) =>
    redis.ask({ wsId: user, token: connector.generateToken(user, 'news') });

  test('tells it, refuses to send, and goes on when it is back', async () => {
    await join('before');
    await until(() => joined.includes('before'), 'the first');
    await redis.kill();
    await until(() => log.has('error', /Redis is away/), 'a line');
    await assert.rejects(connector.sendToUser('ann', 1), DeliveryError);
    await redis.run();
    await until(() => log.has('info', /there again/), 'a line');
    await join('after');
    await until(() => joined.includes('after'), 'the next');
    await connector.sendToUser('ann', 1);
    const told = log.lines.filter(([level]) => level === 'error');
    assert.equal(told.length, 1, 'it is told once');
  });

  test('waits out what Redis answers wrongly', async () => {
    await redis.client.set('paperboy-subscription-request', 'no list');
    await until(
      () => log.has('error', /gives no requests: .*WRONGTYPE/s),
      'it',
    );
    await redis.client.del('paperboy-subscription-request');
    await join('then');
    await until(() => joined.includes('then'), 'the next');
    assert.ok(log.has('info', /gives requests/));
  });
});

test('a connector starts without a Redis, and ends', async () => {
  const log = new Log();
  const connector = new Connector({
    secret,
    redis: 'redis://:hidden@127.0.0.1:1',
    hasAccess: () => true,
    logger: log,
  });
  await connector.start();
  assert.ok(log.has('error', /Redis is away, trying again: ECONNREFUSED/));
  await connector.close();
  assert.ok(!log.text.includes('hidden'));
});
