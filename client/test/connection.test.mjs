import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { afterEach, describe, test } from 'node:test';
import WebSocket from 'ws';
import { CloseCode, ErrorCode, Paperboy } from '../src/index.js';
import { Script } from './lib/script.mjs';
import { event, pause, record, until } from './lib/until.mjs';

let script;
afterEach(() => script?.stop());

describe('a connection', () => {
  test('opens by itself and says what it learnt', async () => {
    script = await Script.start({
      connect: () => ({ connect: { client: 'x', version: '9', data: [1] } }),
    });
    const client = script.client({ token: 't', data: { a: 1 }, version: '2' });
    assert.equal(client.state, 'connecting');
    const detail = await event(client, 'connected');
    assert.deepEqual(detail, { client: 'x', version: '9', data: [1] });
    assert.equal(client.state, 'connected');
    assert.deepEqual(script.commands('connect'), [
      { token: 't', data: { a: 1 }, name: 'paperboy', version: '2', subs: {} },
    ]);
  });

  test('tells its states in their order', async () => {
    script = await Script.start();
    const client = script.client();
    const states = record(client, 'state');
    await client.ready();
    client.close();
    assert.deepEqual(
      states.map(([, { state }]) => state),
      ['connected', 'closed'],
    );
    assert.equal(states[1][1].code, CloseCode.Normal);
    assert.deepEqual(client.errors, []);
    await assert.rejects(client.ready(), /closed by the application/);
  });

  test('takes several replies and pushes in one frame, in order', async () => {
    script = await Script.start({
      connect: (_, { send }) => {
        send(
          { id: 1, connect: { subs: { a: {} } } },
          { push: { channel: 'a', pub: { data: 1 } } },
          { push: { channel: 'a', pub: { data: 2 } } },
        );
        return null;
      },
    });
    const client = script.client();
    const events = record(client, 'connected', 'subscribed', 'publication');
    await until(() => events.length === 4);
    assert.deepEqual(
      events.map(([type, { data }]) => [type, data]),
      [
        ['connected', undefined],
        ['subscribed', undefined],
        ['publication', 1],
        ['publication', 2],
      ],
    );
  });

  test('answers pings where pongs are asked for', async () => {
    script = await Script.start({
      connect: () => ({ connect: { ping: 25, pong: true } }),
    });
    await script.client().ready();
    script.last.socket.send('{}');
    await until(() => script.last.frames.includes('{}'));
  });

  test('answers no ping where none is asked for', async () => {
    script = await Script.start({ connect: () => ({ connect: { ping: 25 } }) });
    await script.client().ready();
    script.last.socket.send('{}');
    await pause(50);
    assert.ok(!script.last.frames.includes('{}'));
  });

  test('is given up when the server falls silent', async () => {
    script = await Script.start({
      connect: () => ({ connect: { ping: 0.1, pong: true } }),
    });
    const client = script.client({ pingSlack: 50 });
    await client.ready();
    const begin = Date.now();
    const { code, reason } = await event(client, 'connecting');
    assert.equal(code, CloseCode.NoPong);
    assert.match(reason, /silent/);
    assert.ok(Date.now() - begin >= 100);
    await event(client, 'connected');
  });

  test('lives as long as anything comes', async () => {
    script = await Script.start({
      connect: () => ({ connect: { ping: 0.1 } }),
    });
    const client = script.client({ pingSlack: 100 });
    const lost = record(client, 'connecting');
    await client.ready();
    for (let i = 0; i < 10; i++) {
      await pause(50);
      script.last.socket.send('{}');
    }
    assert.deepEqual(lost, []);
  });

  for (const code of [1001, 1011, 1013, 3000, 3001, 3004, 3008, 3012, 4000]) {
    test(`comes back after ${code}`, async () => {
      script = await Script.start();
      const client = script.client();
      await client.ready();
      script.last.socket.close(code, 'words');
      const detail = await event(client, 'connecting');
      assert.equal(detail.code, code);
      assert.equal(detail.reason, 'words');
      assert.ok(detail.delay >= 0 && detail.delay <= 10);
      await event(client, 'connected');
      assert.deepEqual(client.errors, []);
    });
  }

  for (const code of [1002, 1007, 3500, 3501, 3503, 3507, 3999, 4500, 4999]) {
    test(`stays closed after ${code}`, async () => {
      script = await Script.start();
      const client = script.client();
      await client.ready();
      script.last.socket.close(code, 'words');
      const detail = await event(client, 'closed');
      assert.equal(detail.code, code);
      await pause(80);
      assert.equal(script.connections.length, 1);
      assert.equal(client.errors.length, 1);
      assert.equal(client.errors[0].code, code);
      assert.match(client.errors[0].message, /ended the connection: words/);
      await assert.rejects(client.publish('a', 1), { code });
    });
  }

  test('says the code where the server gives no reason', async () => {
    script = await Script.start();
    const client = script.client();
    await client.ready();
    script.last.socket.close(3505);
    const { reason, error } = await event(client, 'closed');
    assert.equal(reason, 'no reason given');
    assert.match(error.message, /: no reason given \(3505\)$/);
  });

  test('takes the advice of a disconnect push', async () => {
    script = await Script.start();
    const client = script.client();
    await client.ready();
    script.last.send({ push: { disconnect: { code: 3503, reason: 'out' } } });
    assert.equal((await event(client, 'closed')).code, 3503);
  });

  test('tells in words that nobody answers, and goes on trying', async () => {
    script = await Script.start();
    const { port } = script;
    await script.down();
    const client = script.client();
    await until(() => client.errors.length >= 3);
    const [error] = client.errors;
    assert.equal(error.code, ErrorCode.Unreachable);
    assert.equal(error.temporary, true);
    assert.match(error.message, /can't connect to ws:.*ECONNREFUSED/);
    await script.listen(port);
    await client.ready();
  });

  test('waits for no close that does not follow an error', async () => {
    let sockets = 0;
    class Failing {
      constructor() {
        sockets++;
        setTimeout(() => this.onerror({ message: 'refused' }));
      }
      close() {}
    }
    const client = new Paperboy('ws://127.0.0.1/', {
      WebSocket: Failing,
      minDelay: 5,
    });
    const error = await event(client, 'error');
    assert.match(error.message, /can't connect to .*: refused/);
    await event(client, 'error');
    client.close();
    assert.equal(sockets, 2);
  });

  test('keeps the query out of what it says', async () => {
    script = await Script.start();
    await script.down();
    script.url += '?token=secret';
    const client = script.client();
    const error = await event(client, 'error');
    assert.doesNotMatch(error.message, /secret/);
    await script.listen(0);
  });

  test('pauses longer from attempt to attempt, at random', async () => {
    script = await Script.start();
    await script.down();
    const random = Math.random;
    Math.random = () => 0.5;
    try {
      const client = script.client({ minDelay: 8, maxDelay: 40 });
      const tries = record(client, 'connecting');
      await until(() => tries.length >= 5);
      assert.deepEqual(
        tries.slice(0, 5).map(([, { delay }]) => delay),
        [4, 8, 16, 20, 20],
      );
    } finally {
      Math.random = random;
      await script.listen(0);
    }
  });

  test('does not hurry where connections last but a moment', async () => {
    script = await Script.start({
      connect: (_, { socket }) => void setTimeout(() => socket.close(3004), 1),
    });
    const random = Math.random;
    Math.random = () => 1;
    try {
      const client = script.client({ minDelay: 8, maxDelay: 1000 });
      const tries = record(client, 'connecting');
      await until(() => tries.length >= 4);
      assert.equal(tries[3][1].delay, 64);
    } finally {
      Math.random = random;
    }
  });

  test('tries again when connect is answered by a passing error', async () => {
    let failures = 2;
    script = await Script.start({
      connect: () =>
        failures-- > 0
          ? { error: { code: 100, message: 'sick', temporary: true } }
          : undefined,
    });
    const client = script.client();
    await client.ready();
    assert.deepEqual(
      client.errors.map(({ message }) => message),
      ['connect: sick (100)', 'connect: sick (100)'],
    );
  });

  test('closes when connect is refused', async () => {
    script = await Script.start({
      connect: () => ({ error: { code: 103, message: 'permission denied' } }),
    });
    const client = script.client();
    const { code, error } = await event(client, 'closed');
    assert.equal(code, ErrorCode.PermissionDenied);
    assert.equal(error.temporary, false);
    await pause(60);
    assert.equal(script.connections.length, 1);
  });

  test('tries again when nothing answers in time', async () => {
    let silent = true;
    script = await Script.start({
      connect: () => (silent ? null : undefined),
    });
    const client = script.client({ timeout: 60 });
    const error = await event(client, 'error');
    assert.match(error.message, /within 60 ms/);
    silent = false;
    await client.ready();
  });

  test('closes where what comes is no protocol of ours', async () => {
    script = await Script.start();
    const client = script.client();
    await client.ready();
    script.last.socket.send('hello');
    const { code, error } = await event(client, 'closed');
    assert.equal(code, CloseCode.InappropriateProtocol);
    assert.match(error.message, /isn't the Centrifugal client protocol/);
  });

  for (const text of ['5', 'null', '[]', '"a"']) {
    test(`closes where ${text} comes`, async () => {
      script = await Script.start();
      const client = script.client();
      await client.ready();
      script.last.socket.send(text);
      await event(client, 'closed');
    });
  }

  test('closed before it began, opens nothing', async () => {
    script = await Script.start();
    const client = script.client();
    client.close();
    await pause(50);
    assert.equal(script.connections.length, 0);
  });

  test('closed while it dials, stays closed', async () => {
    script = await Script.start();
    const client = script.client();
    await null; // it opens as soon as the code that made it is done
    client.close();
    client.close();
    await pause(50);
    assert.equal(client.state, 'closed');
    assert.equal(script.commands('connect').length, 0);
  });

  test('a listener that throws hurts no other', async () => {
    script = await Script.start();
    const client = script.client();
    const thrown = [];
    const { setTimeout: own } = globalThis;
    globalThis.setTimeout = (action, ms) =>
      ms === undefined ? thrown.push(action) : own(action, ms);
    client.on('connected', () => {
      throw new Error('mine');
    });
    await event(client, 'connected');
    globalThis.setTimeout = own;
    assert.throws(thrown[0], /mine/, 'thrown where nobody is hurt');
    await client.publish('a', 1);
  });

  test('a listener that was stopped hears no more', async () => {
    script = await Script.start();
    const client = script.client();
    let heard = 0;
    const stop = client.on('connected', () => heard++);
    await client.ready();
    stop();
    script.last.socket.close(3001);
    await event(client, 'connected');
    assert.equal(heard, 1);
  });

  test('tries at once when the network is back', async () => {
    const listeners = new Set();
    globalThis.addEventListener = (_, one) => listeners.add(one);
    globalThis.removeEventListener = (_, one) => listeners.delete(one);
    try {
      script = await Script.start();
      const { port } = script;
      await script.down();
      const client = script.client({ minDelay: 60_000, maxDelay: 60_000 });
      await event(client, 'connecting');
      await script.listen(port);
      for (const one of listeners) one();
      await client.ready();
      client.close();
      assert.equal(listeners.size, 0);
    } finally {
      delete globalThis.addEventListener;
      delete globalThis.removeEventListener;
    }
  });

  const version = Number(process.versions.node.split('.')[0]);
  const flag = version < 22 ? ['--experimental-websocket'] : [];
  const none = version < 20 && 'this Node has none';
  test('uses the WebSocket that Node brings', { skip: none }, async () => {
    script = await Script.start();
    const code = `
      import { Paperboy } from ${JSON.stringify(
        new URL('../src/index.js', import.meta.url).href,
      )};
      const client = new Paperboy(${JSON.stringify(script.url)});
      await client.subscribe('a').ready();
      await client.publish('a', 1);
      client.close();
      console.log(client.state);`;
    const args = [...flag, '--input-type=module', '-e', code];
    const said = await new Promise((resolve, reject) =>
      execFile(process.execPath, args, (error, stdout) =>
        error ? reject(error) : resolve(stdout),
      ),
    );
    assert.equal(said, 'closed\n');
    assert.equal(script.commands('publish').length, 1);
  });

  test('says in words that there is no WebSocket', async () => {
    const { WebSocket: own } = globalThis;
    delete globalThis.WebSocket;
    const client = new Paperboy('ws://127.0.0.1:1/');
    const error = await event(client, 'error');
    assert.match(error.message, /pass one as the option/);
    assert.equal(client.state, 'closed');
    if (own) globalThis.WebSocket = own;
  });

  test('says in words that the address is none', () => {
    assert.throws(() => new Paperboy('/ws', { WebSocket }), /Invalid URL/);
  });

  test('resolves addresses as pages write them', async () => {
    globalThis.location = { href: 'https://example.com/room/1' };
    const urls = [];
    class Fake {
      constructor(url) {
        urls.push(url);
      }
      close() {}
    }
    try {
      for (const url of ['/ws', 'ws?a=1', 'http://other.example/ws']) {
        const client = new Paperboy(url, { WebSocket: Fake });
        await pause(0);
        client.close();
      }
    } finally {
      delete globalThis.location;
    }
    assert.deepEqual(urls, [
      'wss://example.com/ws',
      'wss://example.com/room/ws?a=1',
      'ws://other.example/ws',
    ]);
  });

  test('complains on the console where nobody listens for errors', async () => {
    const { error: own } = console;
    const said = [];
    console.error = (...words) => said.push(words.join(' '));
    try {
      const client = new Paperboy('ws://127.0.0.1:1/', { WebSocket });
      await until(() => said.length);
      client.close();
    } finally {
      console.error = own;
    }
    assert.match(said[0], /^Paperboy: can't connect to ws:/);
  });
});

describe('commands', () => {
  test('publish waits for the connection, and for the answer', async () => {
    script = await Script.start();
    const client = script.client();
    assert.equal(await client.publish('a', { n: 1 }), undefined);
    await client.publish('a');
    assert.deepEqual(script.commands('publish'), [
      { channel: 'a', data: { n: 1 } },
      { channel: 'a', data: null },
    ]);
  });

  test('tell their errors in words', async () => {
    script = await Script.start({
      publish: () => ({ error: { code: 103, message: 'permission denied' } }),
    });
    await assert.rejects(script.client().publish('a', 1), {
      name: 'PaperboyError',
      message: 'publish: permission denied (103)',
      code: ErrorCode.PermissionDenied,
      temporary: false,
    });
  });

  test('any other command goes by call()', async () => {
    script = await Script.start({
      rpc: ({ method, data }) => ({ rpc: { data: [method, data] } }),
    });
    const result = await script.client().call('rpc', { method: 'm', data: 1 });
    assert.deepEqual(result, { data: ['m', 1] });
  });

  test('fail when no answer comes in time', async () => {
    script = await Script.start({ publish: () => null });
    const client = script.client({ timeout: 60 });
    await assert.rejects(client.publish('a', 1), {
      code: ErrorCode.Timeout,
      message: 'no answer to publish within 60 ms',
    });
  });

  test('fail when the connection ends before the answer', async () => {
    script = await Script.start({ publish: () => null });
    const client = script.client();
    const lost = assert.rejects(client.publish('a', 1), {
      code: ErrorCode.ConnectionLost,
      temporary: true,
    });
    await until(() => script.commands('publish').length);
    script.last.socket.terminate();
    await lost;
    await event(client, 'connected');
    assert.equal(script.commands('publish').length, 1, 'none is sent twice');
  });

  test('fail when there is no connection in time', async () => {
    script = await Script.start({ connect: () => null });
    const client = script.client({ timeout: 50 });
    await assert.rejects(client.publish('a', 1), /not connected within 50 ms/);
  });

  test('that wait in vain leave nothing behind', async () => {
    script = await Script.start({ connect: () => null });
    const client = script.client({ timeout: 50 });
    const waiting = Array.from({ length: 20 }, () => client.publish('a', 1));
    await Promise.allSettled(waiting);
    assert.equal(client._listeners.state.size, 1);
  });

  test('fail at once with what JSON cannot say', async () => {
    script = await Script.start();
    const client = script.client();
    await assert.rejects(client.publish('a', 1n), {
      code: ErrorCode.BadRequest,
      message: /can't send publish: .*BigInt/,
    });
  });

  test('of one turn share frames, in bounds', async () => {
    script = await Script.start();
    const client = script.client();
    await client.ready();
    const { frames } = script.last;
    frames.length = 0;
    await Promise.all(
      Array.from({ length: 70 }, (_, i) => client.publish('a', i)),
    );
    assert.deepEqual(
      frames.map((frame) => frame.split('\n').length),
      [32, 32, 6],
    );
    frames.length = 0;
    await Promise.all(
      Array.from({ length: 4 }, () => client.publish('a', 'x'.repeat(9000))),
    );
    assert.equal(frames.length, 4);
    assert.deepEqual(
      script
        .commands('publish')
        .slice(0, 70)
        .map(({ data }) => data),
      Array.from({ length: 70 }, (_, i) => i),
    );
  });
});
