import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { CloseCode, ErrorCode } from '../src/index.js';
import { Script } from './lib/script.mjs';
import { event, pause, record, until } from './lib/until.mjs';

let script;
afterEach(() => script?.stop());

const expired = { error: { code: 109, message: 'token expired' } };

// A callback that counts, and what it was asked.
function source(...outcomes) {
  const get = async (context) => {
    get.asked.push(context);
    const outcome = outcomes.length > 1 ? outcomes.shift() : outcomes[0];
    if (outcome instanceof Error) throw outcome;
    return outcome ?? `t${get.asked.length}`;
  };
  get.asked = [];
  return get;
}

describe('the connection token', () => {
  test('is asked for once, and used again when connecting again', async () => {
    script = await Script.start();
    const getToken = source();
    const client = script.client({ getToken });
    await client.ready();
    script.last.socket.close(3001);
    await event(client, 'connected');
    assert.deepEqual(getToken.asked, [{}]);
    assert.deepEqual(
      script.commands('connect').map(({ token }) => token),
      ['t1', 't1'],
    );
  });

  test('given beforehand, is used first', async () => {
    script = await Script.start();
    const getToken = source();
    const client = script.client({ token: 't0', getToken });
    await client.ready();
    assert.equal(script.commands('connect')[0].token, 't0');
    assert.deepEqual(getToken.asked, []);
  });

  test('that expired is replaced, without a word but one', async () => {
    script = await Script.start({
      connect: ({ token }) => (token === 'old' ? expired : undefined),
    });
    const client = script.client({ token: 'old', getToken: source('new') });
    await client.ready();
    assert.deepEqual(
      client.errors.map(({ message }) => message),
      ['connect: token expired (109)'],
    );
  });

  test('that expired and cannot be replaced closes', async () => {
    script = await Script.start({ connect: () => expired });
    const client = script.client({ token: 'old' });
    const { code } = await event(client, 'closed');
    assert.equal(code, ErrorCode.TokenExpired);
  });

  for (const code of [CloseCode.Expired, CloseCode.StateInvalidated]) {
    test(`is asked for anew after ${code}`, async () => {
      script = await Script.start();
      const getToken = source();
      const client = script.client({ getToken });
      await client.ready();
      script.last.socket.close(code);
      await event(client, 'connected');
      assert.equal(script.commands('connect')[1].token, 't2');
    });
  }

  test('is renewed before it expires', async () => {
    script = await Script.start({
      connect: () => ({ connect: { expires: true, ttl: 1 } }),
      refresh: () => ({ refresh: { expires: true, ttl: 1 } }),
    });
    const client = script.client({ getToken: source() });
    await client.ready();
    const begin = Date.now();
    await until(() => script.commands('refresh').length === 2);
    assert.ok(Date.now() - begin < 2000);
    assert.ok(Date.now() - begin >= 1000);
    assert.deepEqual(script.commands('refresh'), [
      { token: 't2' },
      { token: 't3' },
    ]);
  });

  test('of long life is not renewed at once', async () => {
    script = await Script.start({
      connect: () => ({ connect: { expires: true, ttl: 3e9 } }),
    });
    const getToken = source();
    await script.client({ getToken }).ready();
    await pause(50);
    assert.equal(getToken.asked.length, 1);
  });

  test('whose renewal passes by is asked for again', async () => {
    let failures = 1;
    script = await Script.start({
      connect: () => ({ connect: { expires: true, ttl: 1 } }),
      refresh: () =>
        failures-- > 0
          ? { error: { code: 100, message: 'sick', temporary: true } }
          : { refresh: {} },
    });
    const getToken = source('t1', new Error('no network'), 't2', 't3');
    const client = script.client({ getToken });
    await client.ready();
    await until(() => script.commands('refresh').length === 2);
    assert.deepEqual(
      client.errors.map(({ message }) => message),
      ["can't get a connection token: no network", 'refresh: sick (100)'],
    );
    assert.equal(client.state, 'connected');
  });

  test('whose renewal is refused closes', async () => {
    script = await Script.start({
      connect: () => ({ connect: { expires: true, ttl: 1 } }),
      refresh: () => ({ error: { code: 101, message: 'unauthorized' } }),
    });
    const client = script.client({ getToken: source() });
    assert.equal((await event(client, 'closed')).code, 101);
  });

  test('is tried for again when the callback fails', async () => {
    script = await Script.start();
    const getToken = source(new Error('no network'), new Error('again'), 't');
    const client = script.client({ getToken });
    await client.ready();
    assert.deepEqual(
      client.errors.map(({ message, code, temporary, cause }) => [
        message,
        code,
        temporary,
        cause.message,
      ]),
      [
        ["can't get a connection token: no network", 4, true, 'no network'],
        ["can't get a connection token: again", 4, true, 'again'],
      ],
    );
    assert.equal(script.connections.length, 1);
  });

  test('is tried for again when the callback throws at once', async () => {
    script = await Script.start();
    let failures = 1;
    const client = script.client({
      getToken: () => {
        if (failures-- > 0) throw new Error('oh');
        return 't';
      },
    });
    await client.ready();
    assert.equal(client.errors.length, 1);
  });

  test('is tried for again when the callback takes too long', async () => {
    script = await Script.start();
    let calls = 0;
    const client = script.client({
      timeout: 50,
      getToken: () => (++calls === 1 ? new Promise(() => {}) : 't'),
    });
    await client.ready();
    assert.match(client.errors[0].message, /no answer within 50 ms/);
  });

  for (const answer of ['', null, undefined, 7, {}]) {
    test(`that is ${JSON.stringify(answer)} closes`, async () => {
      script = await Script.start();
      const client = script.client({ getToken: () => answer });
      const { code, reason } = await event(client, 'closed');
      assert.equal(code, ErrorCode.NoToken);
      assert.match(reason, /getToken refused a connection token/);
      assert.equal(script.connections.length, 0);
    });
  }

  test('that comes after close() opens nothing', async () => {
    script = await Script.start();
    const client = script.client({ getToken: () => pause(30).then(() => 't') });
    await pause(5);
    client.close();
    await pause(60);
    assert.equal(script.connections.length, 0);
  });
});

describe('a channel token', () => {
  test('is asked for by the name of the channel, once', async () => {
    script = await Script.start();
    const client = script.client();
    const getToken = source();
    const a = client.subscribe('a', { getToken });
    await a.ready();
    script.last.socket.close(3001);
    await event(a, 'subscribed');
    assert.deepEqual(getToken.asked, [{ channel: 'a' }]);
    assert.deepEqual(
      script.commands('subscribe').map(({ token }) => token),
      ['t1', 't1'],
    );
  });

  test('that expired is replaced', async () => {
    script = await Script.start({
      subscribe: ({ token }) => (token === 'old' ? expired : undefined),
    });
    const client = script.client();
    const getToken = source('new');
    await client.subscribe('a', { token: 'old', getToken }).ready();
    assert.equal(client.errors[0].message, 'subscribe: token expired (109)');
  });

  test('that expired and cannot be replaced ends it', async () => {
    script = await Script.start({ subscribe: () => expired });
    const a = script.client().subscribe('a', { token: 'old' });
    await assert.rejects(a.ready(), { code: ErrorCode.TokenExpired });
  });

  test('is asked for anew after the state was invalidated', async () => {
    script = await Script.start();
    const client = script.client();
    const a = client.subscribe('a', { getToken: source() });
    await a.ready();
    script.last.socket.close(CloseCode.StateInvalidated);
    await event(a, 'subscribed');
    assert.equal(script.commands('subscribe')[1].token, 't2');
  });

  test('is renewed before it expires', async () => {
    script = await Script.start({
      subscribe: () => ({ subscribe: { expires: true, ttl: 1 } }),
      sub_refresh: () => ({ sub_refresh: {} }),
    });
    const a = script.client().subscribe('a', { getToken: source() });
    await a.ready();
    await until(() => script.commands('sub_refresh').length);
    assert.deepEqual(script.commands('sub_refresh'), [
      { channel: 'a', token: 't2' },
    ]);
  });

  test('whose renewal is refused ends it, at the server too', async () => {
    script = await Script.start({
      subscribe: () => ({ subscribe: { expires: true, ttl: 1 } }),
      sub_refresh: () => ({ error: { code: 103, message: 'not any more' } }),
    });
    const client = script.client();
    const a = client.subscribe('a', { getToken: source() });
    const { code } = await event(a, 'unsubscribed');
    assert.equal(code, 103);
    await until(() => script.commands('unsubscribe').length);
    assert.equal(client.state, 'connected');
  });

  test('is not renewed after the end of the subscription', async () => {
    script = await Script.start({
      subscribe: () => ({ subscribe: { expires: true, ttl: 1 } }),
    });
    const getToken = source();
    const a = script.client().subscribe('a', { getToken });
    await a.ready();
    a.unsubscribe();
    await pause(1100);
    assert.equal(getToken.asked.length, 1);
  });

  test('is tried for again when the callback fails', async () => {
    script = await Script.start();
    const client = script.client();
    const getToken = source(new Error('no network'), 't');
    const a = client.subscribe('a', { getToken });
    const errors = record(a, 'error');
    await a.ready();
    assert.equal(
      errors[0][1].message,
      'can\'t get a token for "a": no network',
    );
    assert.equal(client.errors[0].channel, 'a');
  });

  test('that the callback refuses ends the subscription alone', async () => {
    script = await Script.start();
    const client = script.client();
    const a = client.subscribe('a', { getToken: () => '' });
    const b = client.subscribe('b', { getToken: () => 't' });
    await assert.rejects(a.ready(), {
      code: ErrorCode.NoToken,
      message: 'getToken refused a token for "a"',
    });
    await b.ready();
    assert.equal(client.state, 'connected');
  });

  test('that comes for a connection gone is used for the next', async () => {
    script = await Script.start();
    const client = script.client();
    await client.ready();
    const getToken = source();
    const a = client.subscribe('a', {
      getToken: (context) => pause(30).then(() => getToken(context)),
    });
    script.last.socket.terminate();
    await a.ready();
    assert.equal(script.commands('subscribe').length, 1);
  });
});
