// What a connector is made with, and what is wrong there.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Connector, DeliveryError } from '../src/index.js';
import { Log } from './lib/until.mjs';

const good = {
  secret: 'a secret of the tests, not of yours',
  redis: 'redis://127.0.0.1:1',
  hasAccess: () => true,
  logger: new Log(),
};
const embedded = { servers: ['http://127.0.0.1:1'], token: 'shown' };
const wrong = [
  [{ secret: '' }, /option secret: neither it nor PAPERBOY_JWT_SECRET/],
  [{ hasAccess: undefined }, /option hasAccess: a function is expected/],
  [{ onSubscription: 'x' }, /option onSubscription: a function is expected/],
  [{ concurrency: 0 }, /option concurrency: an integer from 1 to 1000/],
  [{ maxMessageSize: '1k' }, /option maxMessageSize: an integer/],
  [{ tokenLifetime: 0 }, /option lifetime: an integer/],
  [{ logger: {} }, /option logger: it has no info\(\)/],
  [{ channels: 3 }, /option channels: there is none/],
  [{ redis: undefined }, /one of redis and embedded is expected/],
  [{ embedded }, /one of redis and embedded is expected/],
  [{ redis: 7 }, /option redis: an address, options of createClient/],
  [{ redis: 'http://me:hidden@x' }, /option redis: createClient/],
];
const wrongEmbedded = [
  [{ servers: undefined }, /option embedded.servers: a list of 1 to 100/],
  [{ servers: [] }, /option embedded.servers: a list of 1 to 100/],
  [{ servers: ['localhost:1'] }, /option embedded.servers: an address is http/],
  [{ servers: ['/x'] }, /option embedded.servers: an address is http/],
  [{ token: '' }, /option embedded.token: neither it nor PAPERBOY_EMBEDDED/],
  [{ token: 'ä' }, /option embedded.token: it can't stand in a header/],
  [{ token: 'a\nb' }, /option embedded.token: it can't stand in a header/],
  [{ port: 65536 }, /option embedded.port: an integer from 0 to 65535/],
  [{ callbackPort: 0 }, /option embedded.callbackPort: an integer from 1/],
  [{ callbackHost: '' }, /option embedded.callbackHost: a text is expected/],
  [{ interval: 1 }, /option embedded.interval: an integer from 100/],
  [{ timeout: null, maxQueue: 0 }, /option embedded.maxQueue: an integer/],
  [{ path: '/' }, /option embedded.path: there is none/],
];

describe('options', () => {
  test('are expected', () => {
    assert.throws(() => new Connector(), /options: an object is expected/);
    assert.throws(() => new Connector(null), /options: an object is expected/);
  });

  for (const [change, error] of wrong) {
    test(`${JSON.stringify(change)}: ${error.source}`, () => {
      assert.throws(() => new Connector({ ...good, ...change }), error);
    });
  }

  for (const [change, error] of wrongEmbedded) {
    test(`${JSON.stringify(change)}: ${error.source}`, () => {
      const options = { ...good, embedded: { ...embedded, ...change } };
      delete options.redis;
      assert.throws(() => new Connector(options), error);
    });
  }

  test('that are wrong show no password', () => {
    assert.throws(
      () => new Connector({ ...good, redis: 'http://me:hidden@x' }),
      (error) => !JSON.stringify([error.stack, error]).includes('hidden'),
    );
  });
});

describe('a connector that was not started', () => {
  test('makes and verifies tokens', () => {
    const connector = new Connector(good);
    const token = connector.generateToken('ann', 'news');
    assert.deepEqual(connector.verifyToken(token), {
      userId: 'ann',
      channel: 'news',
    });
  });

  test('sends nothing, and closes', async () => {
    const connector = new Connector(good);
    await assert.rejects(connector.sendToUser('ann', 1), DeliveryError);
    await connector.close();
    await connector.close();
    await assert.rejects(connector.start(), /it is closed/);
  });

  test('tells what is wrong with a message', async () => {
    const connector = new Connector({ ...good, maxMessageSize: 100 });
    for (const [send, error] of [
      [() => connector.sendToUser('', 1), /^TypeError: userId: a text/],
      [() => connector.sendToChannel(7, 1), /^TypeError: channel: a text/],
      [() => connector.closeSubscription('a'), /^TypeError: channel: a text/],
      [() => connector.sendToUser('a', undefined), /no form in JSON/],
      [() => connector.sendToUser('a', () => 1), /no form in JSON/],
      [
        () => connector.sendToChannel('a', 'ä'.repeat(30)),
        /^RangeError: the message has \d+ bytes; maxMessageSize is 100/,
      ],
    ]) {
      await assert.rejects(send, error);
    }
  });
});
