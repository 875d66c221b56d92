import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { ErrorCode, UnsubscribeCode } from '../src/index.js';
import { Script } from './lib/script.mjs';
import { event, pause, record, until } from './lib/until.mjs';

let script;
afterEach(() => script?.stop());

const refuse = (code, message, temporary) => () => ({
  error: { code, message, temporary },
});

describe('a subscription', () => {
  test('delivers what is published in its channel', async () => {
    script = await Script.start({
      subscribe: () => ({ subscribe: { data: { hello: 1 } } }),
    });
    const client = script.client();
    const news = client.subscribe('news', { token: 't', data: 7 });
    assert.equal(news.state, 'subscribing');
    assert.deepEqual(await event(news, 'subscribed'), {
      channel: 'news',
      data: { hello: 1 },
      gap: false,
    });
    assert.deepEqual(script.commands('subscribe'), [
      { channel: 'news', token: 't', data: 7 },
    ]);
    const heard = record(news, 'publication');
    const above = record(client, 'publication');
    const info = { user: 'ann', client: 'c2' };
    script.last.push('news', { pub: { data: 'a', offset: 3, info } });
    script.last.pub('other', 'b');
    script.last.pub('news', { n: 1 });
    await until(() => heard.length === 2);
    assert.deepEqual(heard, [
      ['publication', { channel: 'news', data: 'a', offset: 3, info }],
      ['publication', { channel: 'news', data: { n: 1 } }],
    ]);
    assert.deepEqual(above, heard);
  });

  test('misses nothing that follows its reply in the frame', async () => {
    script = await Script.start({
      subscribe: (_, { send }) => {
        send(
          { id: 2, subscribe: {} },
          { push: { channel: 'a', pub: { data: 1 } } },
        );
        return null;
      },
    });
    const a = script.client().subscribe('a');
    assert.equal((await event(a, 'publication')).data, 1);
  });

  test('there is one a channel', async () => {
    script = await Script.start();
    const client = script.client();
    const one = client.subscribe('a');
    assert.equal(client.subscribe('a'), one);
    await one.ready();
    assert.equal(script.commands('subscribe').length, 1);
  });

  test('is gone after it was unsubscribed, and may be had again', async () => {
    script = await Script.start();
    const client = script.client();
    const one = client.subscribe('a');
    await one.ready();
    const ends = record(one, 'unsubscribed');
    one.unsubscribe();
    one.unsubscribe();
    assert.equal(one.state, 'unsubscribed');
    assert.deepEqual(ends, [
      [
        'unsubscribed',
        {
          channel: 'a',
          code: UnsubscribeCode.Application,
          reason: 'unsubscribed by the application',
          error: undefined,
        },
      ],
    ]);
    const two = client.subscribe('a');
    assert.notEqual(two, one);
    await two.ready();
    assert.deepEqual(
      script.last.commands.map((command) => Object.keys(command)[1]),
      ['connect', 'subscribe', 'unsubscribe', 'subscribe'],
    );
    assert.deepEqual(client.errors, []);
  });

  test('unsubscribed before it was sent, sends nothing', async () => {
    script = await Script.start();
    const client = script.client();
    client.subscribe('a').unsubscribe();
    await client.ready();
    await client.publish('b', 1);
    assert.deepEqual(script.commands('subscribe'), []);
    assert.deepEqual(script.commands('unsubscribe'), []);
  });

  test('unsubscribed before its reply, hears nothing', async () => {
    script = await Script.start({ subscribe: () => pause(30) });
    const client = script.client();
    await client.ready();
    const one = client.subscribe('a');
    const events = record(one, 'subscribed', 'publication');
    await until(() => script.commands('subscribe').length);
    one.unsubscribe();
    script.last.pub('a', 1);
    await until(() => script.commands('unsubscribe').length);
    await pause(50);
    assert.deepEqual(events, []);
  });

  test('loops of subscribing and unsubscribing end well', async () => {
    script = await Script.start();
    const client = script.client();
    for (let i = 0; i < 50; i++) client.subscribe('a').unsubscribe();
    await client.ready();
    for (let i = 0; i < 50; i++) client.subscribe('a').unsubscribe();
    const last = client.subscribe('a');
    await last.ready();
    assert.equal(
      script.commands('subscribe').length,
      script.commands('unsubscribe').length + 1,
    );
    assert.deepEqual(client.errors, []);
  });

  test('a hundred at once', async () => {
    script = await Script.start();
    const client = script.client();
    const all = Array.from({ length: 100 }, (_, i) =>
      client.subscribe(`c${i}`),
    );
    await Promise.all(all.map((one) => one.ready()));
    assert.equal(script.commands('subscribe').length, 100);
    assert.ok(script.last.frames.length <= 5, 'a few frames');
  });

  test('comes back with its connection, and tells of the gap', async () => {
    script = await Script.start();
    const client = script.client();
    const a = client.subscribe('a');
    const b = client.subscribe('b');
    await Promise.all([a.ready(), b.ready()]);
    b.unsubscribe();
    script.last.socket.close(3001, 'shutdown');
    const { code, reason, channel } = await event(a, 'subscribing');
    assert.deepEqual([code, reason, channel], [3001, 'shutdown', 'a']);
    assert.equal((await event(a, 'subscribed')).gap, true);
    assert.deepEqual(
      script.last.commands.map(({ subscribe }) => subscribe?.channel),
      [undefined, 'a'],
    );
  });

  test('recovers from its position where the server keeps one', async () => {
    script = await Script.start({
      subscribe: ({ recover, offset }) => ({
        subscribe: recover
          ? {
              recoverable: true,
              epoch: 'e',
              offset: offset + 2,
              recovered: true,
              was_recovering: true,
              publications: [
                { data: 'x', offset: offset + 1 },
                { data: 'y', offset: offset + 2 },
              ],
            }
          : { recoverable: true, epoch: 'e', offset: 4 },
      }),
    });
    const client = script.client();
    const a = client.subscribe('a', { recoverable: true });
    await a.ready();
    script.last.push('a', { pub: { data: 'w', offset: 5 } });
    await event(a, 'publication');
    const events = record(a, 'subscribed', 'publication');
    script.last.socket.terminate();
    await until(() => events.length === 3);
    assert.deepEqual(
      events.map(([, { gap, data }]) => gap ?? data),
      [false, 'x', 'y'],
    );
    assert.deepEqual(script.commands('subscribe'), [
      { channel: 'a', recoverable: true },
      { channel: 'a', recoverable: true, recover: true, epoch: 'e', offset: 5 },
    ]);
    script.last.socket.terminate();
    await event(a, 'subscribed');
    assert.equal(script.commands('subscribe')[2].offset, 7);
  });

  for (const [offset, epoch, gap] of [
    [5, 'e', false],
    [6, 'e', true],
    [5, 'f', true],
  ]) {
    test(`back at ${epoch} ${offset}, has ${gap ? 'a' : 'no'} gap`, async () => {
      let result = { epoch: 'e', offset: 4 };
      script = await Script.start({ subscribe: () => ({ subscribe: result }) });
      const a = script.client().subscribe('a');
      await a.ready();
      script.last.push('a', { pub: { data: 'w', offset: 5 } });
      await event(a, 'publication');
      result = { epoch, offset };
      script.last.socket.terminate();
      assert.equal((await event(a, 'subscribed')).gap, gap);
      assert.deepEqual(script.commands('subscribe')[1], { channel: 'a' });
    });
  }

  test('tells why it was refused, and is over', async () => {
    script = await Script.start({
      subscribe: refuse(103, 'permission denied'),
    });
    const client = script.client();
    const a = client.subscribe('a');
    await assert.rejects(a.ready(), {
      code: ErrorCode.PermissionDenied,
      message: 'subscribe: permission denied (103)',
      channel: 'a',
    });
    assert.equal(a.state, 'unsubscribed');
    assert.equal(client.state, 'connected');
    assert.equal(client.errors[0].channel, 'a');
    assert.deepEqual(script.commands('unsubscribe'), []);
  });

  test('tries again after a passing error', async () => {
    let failures = 2;
    script = await Script.start({
      subscribe: () =>
        failures-- > 0 ? refuse(111, 'too many requests', true)() : undefined,
    });
    const client = script.client();
    await client.subscribe('a').ready();
    assert.deepEqual(
      client.errors.map(({ code }) => code),
      [111, 111],
    );
    assert.equal(script.connections.length, 1);
  });

  test('without an answer in time, takes a new connection', async () => {
    let silent = true;
    script = await Script.start({
      subscribe: () => (silent ? null : undefined),
    });
    const client = script.client({ timeout: 60 });
    const a = client.subscribe('a');
    const error = await event(a, 'error');
    assert.match(error.message, /no answer to subscribe within 60 ms/);
    silent = false;
    await a.ready();
    assert.equal(script.connections.length, 2);
  });

  test('ended by the server, is over and tells why', async () => {
    script = await Script.start();
    const client = script.client();
    const a = client.subscribe('a');
    await a.ready();
    script.last.push('a', { unsubscribe: { code: 2000, reason: 'enough' } });
    const { code, reason } = await event(a, 'unsubscribed');
    assert.deepEqual([code, reason], [2000, 'enough']);
    await pause(30);
    assert.equal(script.commands('subscribe').length, 1);
    assert.equal(client.errors[0].code, 2000);
  });

  for (const code of [2500, 2501, 2999]) {
    test(`ended by the server with ${code}, asks again`, async () => {
      script = await Script.start();
      const client = script.client();
      let asked = 0;
      const a = client.subscribe('a', { getToken: () => `t${++asked}` });
      await a.ready();
      script.last.push('a', { unsubscribe: { code, reason: 'again' } });
      assert.equal((await event(a, 'subscribing')).code, code);
      assert.equal((await event(a, 'subscribed')).gap, true);
      assert.equal(asked, code === UnsubscribeCode.Expired ? 2 : 1);
    });
  }

  test('publishes to its channel', async () => {
    script = await Script.start();
    await script.client().subscribe('a').publish('hello');
    assert.deepEqual(script.commands('publish'), [
      { channel: 'a', data: 'hello' },
    ]);
  });

  test('ends when the client is closed', async () => {
    script = await Script.start();
    const client = script.client();
    const a = client.subscribe('a');
    await a.ready();
    client.close();
    assert.equal(a.state, 'unsubscribed');
    assert.deepEqual(client.errors, []);
    const late = client.subscribe('b');
    assert.equal(late.state, 'unsubscribed');
    await assert.rejects(late.ready(), { code: ErrorCode.Closed });
  });

  test('ends with its reason when the connection ends for good', async () => {
    script = await Script.start();
    const client = script.client();
    const a = client.subscribe('a');
    await a.ready();
    script.last.socket.close(3507, 'go away');
    const { code, error } = await event(a, 'unsubscribed');
    assert.equal(code, 3507);
    assert.match(error.message, /go away/);
    assert.equal(client.errors.length, 1, 'told once');
  });
});

describe('subscriptions of the server', () => {
  test('come with the connection, and go with it', async () => {
    let subs = { a: { data: 1 }, b: {} };
    script = await Script.start({ connect: () => ({ connect: { subs } }) });
    const client = script.client();
    const events = record(client, 'subscribed', 'unsubscribed', 'publication');
    await until(() => events.length === 2);
    script.last.pub('a', 'hello');
    await until(() => events.length === 3);
    assert.deepEqual(events[2][1], { channel: 'a', data: 'hello' });
    subs = { a: {} };
    events.length = 0;
    script.last.socket.close(3001);
    await until(() => events.length === 2);
    assert.deepEqual(
      events.map(([type, { channel }]) => [type, channel]),
      [
        ['subscribed', 'a'],
        ['unsubscribed', 'b'],
      ],
    );
    assert.deepEqual(script.commands('subscribe'), []);
  });

  test('are the ones that the application asks for by name', async () => {
    let subs = { a: {} };
    script = await Script.start({ connect: () => ({ connect: { subs } }) });
    const client = script.client();
    const early = client.subscribe('a');
    await early.ready();
    assert.equal(client.subscribe('a'), early);
    assert.deepEqual(script.commands('subscribe'), []);
    subs = {};
    script.last.socket.close(3001);
    await event(early, 'subscribed');
    assert.equal(script.commands('subscribe').length, 1);
  });

  test('begin and end by pushes too', async () => {
    script = await Script.start();
    const client = script.client();
    await client.ready();
    script.last.push('a', { subscribe: {} });
    await event(client, 'subscribed');
    const a = client.subscribe('a');
    assert.equal(a.state, 'subscribed');
    script.last.push('b', { subscribe: {} });
    await event(client, 'subscribed');
    script.last.push('b', { unsubscribe: { code: 2500, reason: '' } });
    const { channel } = await event(client, 'unsubscribed');
    assert.equal(channel, 'b');
  });

  test('go on from their position', async () => {
    script = await Script.start({
      connect: ({ subs }) => ({
        connect: {
          subs: {
            a: {
              recoverable: true,
              epoch: 'e',
              offset: 1,
              recovered: !!subs.a,
            },
          },
        },
      }),
    });
    const client = script.client();
    await event(client, 'subscribed');
    script.last.push('a', { pub: { data: 1, offset: 2 } });
    await event(client, 'publication');
    script.last.socket.terminate();
    assert.equal((await event(client, 'subscribed')).gap, false);
    assert.deepEqual(script.commands('connect')[1].subs, {
      a: { recover: true, epoch: 'e', offset: 2 },
    });
  });

  test('messages without a channel reach the client', async () => {
    script = await Script.start();
    const client = script.client();
    await client.ready();
    script.last.send({ push: { message: { data: { a: 1 } } } });
    assert.deepEqual(await event(client, 'message'), { a: 1 });
  });
});

describe('async iteration', () => {
  test('yields publications in order, until the subscription ends', async () => {
    script = await Script.start();
    const client = script.client();
    const a = client.subscribe('a');
    const heard = [];
    const loop = (async () => {
      for await (const { data } of a) {
        heard.push(data);
        await pause(1);
      }
    })();
    await a.ready();
    for (let i = 0; i < 20; i++) script.last.pub('a', i);
    const arrived = record(a, 'publication');
    await until(() => arrived.at(-1)?.[1].data === 19);
    a.unsubscribe();
    await loop;
    assert.deepEqual(
      heard,
      Array.from({ length: 20 }, (_, i) => i),
    );
  });

  test('goes on over reconnects', async () => {
    script = await Script.start();
    const a = script.client().subscribe('a');
    const loop = a[Symbol.asyncIterator]();
    await a.ready();
    script.last.pub('a', 1);
    assert.equal((await loop.next()).value.data, 1);
    script.last.socket.terminate();
    await event(a, 'subscribed');
    script.last.pub('a', 2);
    assert.equal((await loop.next()).value.data, 2);
  });

  test('several readers of one iteration take turns', async () => {
    script = await Script.start();
    const a = script.client().subscribe('a');
    const loop = a[Symbol.asyncIterator]();
    const reads = [loop.next(), loop.next(), loop.next()];
    await a.ready();
    script.last.pub('a', 1);
    script.last.pub('a', 2);
    await Promise.all(reads.slice(0, 2));
    a.unsubscribe();
    const all = await Promise.all(reads);
    assert.deepEqual(
      all.map(({ value, done }) => [value?.data, done]),
      [
        [1, false],
        [2, false],
        [undefined, true],
      ],
    );
  });

  test('a break leaves the subscription to others', async () => {
    script = await Script.start();
    const a = script.client().subscribe('a');
    a.ready().then(() => script.last.pub('a', 1));
    for await (const { data } of a) {
      assert.equal(data, 1);
      break;
    }
    assert.equal(a.state, 'subscribed');
    script.last.pub('a', 2);
    assert.equal((await event(a, 'publication')).data, 2);
  });

  test('throws what ended the subscription', async () => {
    script = await Script.start({
      subscribe: refuse(103, 'permission denied'),
    });
    const a = script.client().subscribe('a');
    const loop = async () => {
      for await (const one of a) assert.fail(one);
    };
    await assert.rejects(loop(), { code: ErrorCode.PermissionDenied });
    await assert.rejects(loop(), { code: ErrorCode.PermissionDenied });
  });

  test('over an ended subscription ends at once', async () => {
    script = await Script.start();
    const a = script.client().subscribe('a');
    a.unsubscribe();
    for await (const one of a) assert.fail(one);
  });

  test('throws when its reader is too slow, after what it holds', async () => {
    script = await Script.start();
    const a = script.client({ maxQueue: 3 }).subscribe('a');
    const loop = a[Symbol.asyncIterator]();
    await a.ready();
    for (let i = 0; i < 6; i++) script.last.pub('a', i);
    const heard = record(a, 'publication');
    await until(() => heard.length === 6);
    for (let i = 0; i < 4; i++) {
      assert.equal((await loop.next()).value.data, i);
    }
    await assert.rejects(loop.next(), { code: ErrorCode.TooSlow });
    assert.deepEqual(await loop.next(), { value: undefined, done: true });
    assert.equal(a.state, 'subscribed');
  });
});
