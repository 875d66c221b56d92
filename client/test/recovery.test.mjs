// Coming back: what was missed, what was not kept, and where one was.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { CloseCode } from '../src/index.js';
import { Channel } from './lib/channel.mjs';
import { Script } from './lib/script.mjs';
import { event, pause, record, until } from './lib/until.mjs';

let script;
let channel;

beforeEach(async () => {
  script = await Script.start();
  channel = new Channel(script);
});
afterEach(() => script.stop());

// What was heard: data, "gap" and "subscribed", in order.
function hearing(source) {
  const heard = [];
  source.on('publication', ({ data }) => heard.push(data));
  source.on('gap', () => heard.push('gap'));
  source.on('subscribed', () => heard.push('subscribed'));
  return heard;
}

async function subscribed(options) {
  const client = script.client();
  const a = client.subscribe('a', options);
  await a.ready();
  return a;
}

// Heard what is published from now on.
async function hears(subscription, data) {
  const heard = event(subscription, 'publication');
  channel.publish(data);
  assert.equal((await heard).data, data);
}

const lose = (code) =>
  code ? script.last.socket.close(code) : script.last.socket.terminate();

describe('a subscription that comes back', () => {
  for (const code of [0, 1001, 3001, CloseCode.InsufficientState]) {
    test(`after ${code || 'a broken network'}, gets what it missed`, async () => {
      const a = await subscribed();
      await hears(a, 1);
      const heard = hearing(a);
      const lost = event(a, 'subscribing');
      lose(code);
      await lost;
      channel.connections.clear();
      channel.publish(2, 3);
      await event(a, 'subscribed');
      channel.publish(4);
      await until(() => heard.length === 4);
      assert.deepEqual(heard, ['subscribed', 2, 3, 4]);
      assert.deepEqual(script.commands('subscribe'), [
        { channel: 'a' },
        { channel: 'a', recover: true, epoch: 'e', offset: 1 },
      ]);
    });
  }

  test('after unsubscribe 2500 on the same connection', async () => {
    const a = await subscribed();
    await hears(a, 1);
    const heard = hearing(a);
    channel.dismiss();
    channel.publish(2);
    await event(a, 'subscribed');
    await until(() => heard.length === 2);
    assert.deepEqual(heard, ['subscribed', 2]);
    assert.equal(script.connections.length, 1);
    assert.equal(script.commands('subscribe')[1].offset, 1);
  });

  test('hears what follows the reply in its frame, after it', async () => {
    const a = await subscribed();
    const standard = script.answers.subscribe;
    script.answers.subscribe = (request, connection) => {
      const { send } = connection;
      const replies = [];
      connection.send = (...more) => replies.push(...more);
      standard(request, connection);
      channel.publish('live');
      connection.send = send;
      send(...replies);
      return null;
    };
    const heard = hearing(a);
    lose();
    await event(a, 'subscribing');
    channel.connections.clear();
    channel.publish('missed');
    await until(() => heard.length === 3);
    assert.deepEqual(heard, ['subscribed', 'missed', 'live']);
  });

  test('hears nothing twice', async () => {
    const a = await subscribed();
    const heard = hearing(a);
    channel.publish(1, 2, 3);
    const [connection] = channel.connections;
    for (const offset of [1, 3, 2]) {
      connection.push('a', { pub: { data: 'again', offset } });
    }
    script.answers.subscribe = () => ({
      subscribe: {
        recoverable: true,
        recovered: true,
        epoch: 'e',
        offset: 5,
        publications: [2, 3, 4, 5].map((n) => ({ data: n, offset: n })),
      },
    });
    await until(() => heard.length === 3);
    lose();
    await until(() => heard.length === 6);
    script.last.push('a', { pub: { data: 'again', offset: 5 } });
    script.last.push('a', { pub: { data: 6, offset: 6 } });
    await until(() => heard.at(-1) === 6);
    assert.deepEqual(heard, [1, 2, 3, 'subscribed', 4, 5, 6]);
  });

  test('asks from the same position when it was lost in the midst', async () => {
    const a = await subscribed();
    await hears(a, 1);
    const standard = script.answers.subscribe;
    let failures = 2;
    script.answers.subscribe = (request, connection) => {
      if (failures-- > 0) return void connection.socket.terminate() ?? null;
      return standard(request, connection);
    };
    const heard = hearing(a);
    lose();
    await event(a, 'subscribing');
    channel.connections.clear();
    channel.publish(2);
    await until(() => heard.length === 2);
    assert.deepEqual(heard, ['subscribed', 2]);
    assert.deepEqual(
      script.commands('subscribe').map(({ offset }) => offset),
      [undefined, 1, 1, 1],
    );
  });

  test('has missed nothing where nothing was published', async () => {
    channel.most = 0;
    const a = await subscribed();
    await hears(a, 1);
    lose();
    assert.equal((await event(a, 'subscribed')).gap, false);
    await hears(a, 2);
  });

  test('renews its tokens first, and misses nothing by that', async () => {
    let valid = 't1';
    const standard = script.answers.subscribe;
    script.answers.subscribe = (request, connection) =>
      request.token === valid
        ? standard(request, connection)
        : { error: { code: 109, message: 'token expired' } };
    let asked = 0;
    const a = await subscribed({ getToken: () => `t${++asked}` });
    await hears(a, 1);
    const heard = hearing(a);
    valid = 't2';
    lose(CloseCode.Expired);
    await event(a, 'subscribing');
    channel.connections.clear();
    channel.publish(2);
    await until(() => heard.length === 2);
    assert.deepEqual(heard, ['subscribed', 2]);

    valid = 't3';
    channel.dismiss(2501);
    channel.publish(3);
    await until(() => heard.length === 4);
    assert.deepEqual(heard.slice(2), ['subscribed', 3]);
    assert.equal(asked, 3);
  });

  test('asks nobody to recover what the server cannot', async () => {
    script.answers.subscribe = () => ({ subscribe: { epoch: 'e', offset: 4 } });
    const a = await subscribed();
    lose();
    await event(a, 'subscribed');
    assert.deepEqual(script.commands('subscribe')[1], { channel: 'a' });
  });
});

describe('a gap', () => {
  test('is told where too little is kept, with what to do', async () => {
    channel.most = 1;
    const a = await subscribed();
    await hears(a, 1);
    const heard = hearing(a);
    const told = event(a, 'gap');
    lose();
    await event(a, 'subscribing');
    channel.connections.clear();
    channel.publish(2, 3);
    const { message, ...rest } = await told;
    assert.deepEqual(rest, { channel: 'a', since: { epoch: 'e', offset: 1 } });
    assert.match(message, /"a" may be missing: load afresh what builds on them/);
    assert.deepEqual(a.position, { epoch: 'e', offset: 3 });
    channel.publish(4);
    await until(() => heard.length === 3);
    assert.deepEqual(heard, ['subscribed', 'gap', 4]);
  });

  test('is told on the same connection, after 2500', async () => {
    channel.most = 0;
    const a = await subscribed();
    await hears(a, 1);
    const heard = hearing(a);
    channel.dismiss();
    channel.publish(2);
    await until(() => heard.length === 2);
    assert.deepEqual(heard, ['subscribed', 'gap']);
  });

  test('is told where the server began afresh, whose offsets count', async () => {
    const a = await subscribed();
    channel.publish(1, 2, 3);
    await until(() => a.position.offset === 3);
    const heard = hearing(a);
    lose();
    await event(a, 'subscribing');
    channel.forget('f');
    await until(() => heard.length === 2);
    await hears(a, 'first');
    assert.deepEqual(heard, ['subscribed', 'gap', 'first']);
    assert.deepEqual(a.position, { epoch: 'f', offset: 1 });
  });

  test('is told where the server went back in time', async () => {
    const a = await subscribed();
    channel.publish(1, 2, 3);
    await until(() => a.position.offset === 3);
    const heard = hearing(a);
    lose();
    await event(a, 'subscribing');
    channel.forget('e');
    channel.publish('another');
    await until(() => heard.length === 2);
    await hears(a, 'second');
    assert.deepEqual(heard, ['subscribed', 'gap', 'second']);
  });

  test('is told where the server leaves some out', async () => {
    const a = await subscribed();
    await hears(a, 1);
    const heard = hearing(a);
    channel.offset++;
    channel.publish(3, 4);
    await until(() => heard.length === 3);
    assert.deepEqual(heard, ['gap', 3, 4]);
  });

  test('is told without positions, since nobody knows', async () => {
    script.answers.subscribe = () => ({});
    const a = await subscribed();
    assert.equal(a.position, undefined);
    const heard = hearing(a);
    lose();
    await until(() => heard.length === 2);
    assert.deepEqual(heard, ['subscribed', 'gap']);
  });

  test('is marked in the publication that follows it, and in no other', async () => {
    channel.most = 0;
    const a = await subscribed();
    await hears(a, 1);
    lose();
    await event(a, 'subscribing');
    channel.connections.clear();
    channel.publish(2);
    await event(a, 'subscribed');
    const heard = record(a, 'publication');
    channel.publish(3, 4);
    await until(() => heard.length === 2);
    assert.deepEqual(
      heard.map(([, one]) => one),
      [
        { channel: 'a', data: 3, offset: 3, gap: true },
        { channel: 'a', data: 4, offset: 4 },
      ],
    );
  });

  test('reaches the listeners of the client too, or else the console', async (t) => {
    const warned = t.mock.method(console, 'warn', () => {});
    channel.most = 0;
    const a = await subscribed();
    channel.offset++;
    lose();
    await event(a, 'subscribed');
    assert.match(warned.mock.calls[0].arguments[0], /^Paperboy: .* missing/);
    const told = event(script.clients[0], 'gap');
    channel.offset++;
    lose();
    assert.equal((await told).channel, 'a');
    assert.equal(warned.mock.callCount(), 1);
  });

  test('is none at the first subscription', async () => {
    channel.publish(1, 2);
    const a = script.client().subscribe('a');
    const gaps = record(a, 'gap');
    assert.equal((await event(a, 'subscribed')).gap, false);
    await hears(a, 3);
    assert.deepEqual(gaps, []);
  });
});

describe('a position', () => {
  test('moves with what is heard, and is a copy', async () => {
    const a = await subscribed();
    assert.deepEqual(a.position, { epoch: 'e', offset: 0 });
    const seen = [];
    a.on('publication', ({ offset }) => seen.push([offset, a.position.offset]));
    channel.publish(1, 2);
    await until(() => seen.length === 2);
    assert.deepEqual(seen, [
      [1, 1],
      [2, 2],
    ]);
    a.position.offset = 7;
    assert.equal(a.position.offset, 2);
  });

  test('is not moved by what has no offset', async () => {
    const a = await subscribed();
    await hears(a, 1);
    const heard = hearing(a);
    channel.push({ pub: { data: 'passing' } });
    await until(() => heard.length);
    assert.deepEqual(heard, ['passing']);
    assert.equal(a.position.offset, 1);
    await hears(a, 2);
  });

  test('may be kept by the application, and gone on from', async () => {
    channel.publish(1, 2, 3);
    const since = { epoch: 'e', offset: 1 };
    const client = script.client();
    const a = client.subscribe('a', { since });
    assert.deepEqual(a.position, since);
    const heard = hearing(a);
    await until(() => heard.length === 3);
    assert.deepEqual(heard, ['subscribed', 2, 3]);
    a.unsubscribe();
    channel.publish(4);
    const again = client.subscribe('a', { since: a.position });
    assert.equal((await event(again, 'publication')).data, 4);
    assert.deepEqual(since, { epoch: 'e', offset: 1 });
  });

  test('that is not kept any more is a gap', async () => {
    channel.most = 1;
    channel.publish(1, 2, 3);
    const a = script.client().subscribe('a', {
      since: { epoch: 'e', offset: 1 },
    });
    const heard = hearing(a);
    await until(() => heard.length === 2);
    assert.deepEqual(heard, ['subscribed', 'gap']);
    await hears(a, 4);
  });

  test('without an epoch is one of the present', async () => {
    script.answers.subscribe = () => ({
      subscribe: {
        recoverable: true,
        recovered: true,
        epoch: 'e',
        offset: 2,
        publications: [1, 2].map((n) => ({ data: n, offset: n })),
      },
    });
    const a = script.client().subscribe('a', { since: { epoch: '', offset: 0 } });
    const heard = hearing(a);
    await until(() => heard.length === 3);
    assert.deepEqual(heard, ['subscribed', 1, 2]);
    assert.deepEqual(a.position, { epoch: 'e', offset: 2 });
  });

  test('stays where its reader left', async () => {
    channel.publish(1, 2, 3);
    const a = script.client().subscribe('a', {
      since: { epoch: 'e', offset: 0 },
    });
    const heard = hearing(a);
    a.on('publication', ({ data }) => data === 2 && a.unsubscribe());
    await event(a, 'unsubscribed');
    await pause(20);
    assert.deepEqual(heard, ['subscribed', 1, 2]);
    assert.deepEqual(a.position, { epoch: 'e', offset: 2 });
  });
});

describe('subscriptions of the server that come back', () => {
  beforeEach(() => {
    script.answers.connect = ({ subs }, connection) => ({
      connect: { subs: { a: channel.join(subs.a ?? {}, connection) } },
    });
  });

  test('recover in connect, whoever asked for them', async () => {
    const client = script.client();
    const a = client.subscribe('a');
    await a.ready();
    await hears(a, 1);
    const heard = hearing(client);
    lose();
    await event(client, 'connecting');
    channel.connections.clear();
    channel.publish(2);
    await until(() => heard.length === 2);
    assert.deepEqual(heard, ['subscribed', 2]);
    assert.deepEqual(
      script.commands('connect').map(({ subs }) => subs),
      [{}, { a: { recover: true, epoch: 'e', offset: 1 } }],
    );
    assert.deepEqual(script.commands('subscribe'), []);
  });

  test('go on from what the application kept', async () => {
    channel.publish(1, 2);
    const a = script.client().subscribe('a', {
      since: { epoch: 'e', offset: 1 },
    });
    const heard = hearing(a);
    await until(() => heard.length === 2);
    assert.deepEqual(heard, ['subscribed', 2]);
    assert.deepEqual(script.commands('subscribe'), []);
  });

  test('recover by a command where the server gives them no more', async () => {
    const a = await subscribed();
    await hears(a, 1);
    const heard = hearing(a);
    script.answers.connect = () => ({});
    lose();
    await event(a, 'subscribing');
    channel.connections.clear();
    channel.publish(2);
    await until(() => heard.length === 2);
    assert.deepEqual(heard, ['subscribed', 2]);
    lose();
    await event(a, 'subscribed');
    assert.deepEqual(script.commands('connect')[2].subs, {});
  });

  test('tell their gaps', async () => {
    channel.most = 0;
    const client = script.client();
    await event(client, 'subscribed');
    const told = event(client, 'gap');
    lose();
    await event(client, 'connecting');
    channel.connections.clear();
    channel.publish(1);
    assert.equal((await told).channel, 'a');
  });
});

describe('async iteration over reconnects', () => {
  test('goes on in order, and marks the gap', async () => {
    channel.most = 2;
    const a = await subscribed();
    const heard = [];
    const loop = (async () => {
      for await (const { data, gap } of a) {
        heard.push(gap ? `gap ${data}` : data);
        await pause(1);
      }
    })();
    channel.publish(1);
    for (const missed of [
      [2, 3],
      [4, 5, 6],
    ]) {
      lose();
      await event(a, 'subscribing');
      channel.connections.clear();
      channel.publish(...missed);
      await event(a, 'subscribed');
    }
    channel.publish(7);
    await until(() => heard.length === 4);
    a.unsubscribe();
    await loop;
    assert.deepEqual(heard, [1, 2, 3, 'gap 7']);
  });
});

// Whatever happens in whatever order: in order, none twice, none left out
// without a word.
describe('in any order of events', () => {
  for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
    test(`nothing is lost without a word: ${seed}`, async () => {
      let state = seed;
      const random = (n) =>
        (state = (state * 48271) % 2147483647) % n;
      channel.most = 2 + random(4);
      const a = await subscribed();
      let next = 1;
      const wrong = [];
      let gap = false;
      a.on('gap', () => (gap = true));
      a.on('publication', ({ offset }) => {
        if (gap ? offset < next : offset !== next) wrong.push([next, offset]);
        gap = false;
        next = offset + 1;
      });
      const happens = [
        () => channel.publish('x'),
        () => channel.publish('x', 'y', 'z'),
        () => pause(random(20)),
        () => channel.dismiss(),
        () => lose(),
        () => lose(3001),
        () => channel.connections.clear(), // a connection that hears no more
      ];
      for (let i = 0; i < 150; i++) {
        const what = random(happens.length);
        await happens[what]();
        if (what === 6) lose();
      }
      if (a.state !== 'subscribed') await event(a, 'subscribed');
      const end = channel.offset;
      await until(() => a.position.offset === end);
      await hears(a, 'last');
      assert.deepEqual(wrong, []);
      assert.equal(next, channel.offset + 1);
    });
  }
});
