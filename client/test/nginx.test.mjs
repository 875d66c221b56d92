// Against a real nginx with the module. What can't be had from it (odd frames,
// all codes) is played by script.mjs in the other tests.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import WebSocket from 'ws';
import {
  CloseCode,
  ErrorCode,
  Paperboy,
  PaperboyClient,
} from '../src/index.js';
import { Nginx, inSeconds, token } from './lib/nginx.mjs';
import { event, pause, record, until } from './lib/until.mjs';

const skip = Nginx.missing();
if (skip) console.error(`\nNOT TESTED against nginx: ${skip}\n`);

let nginx;
let clients = [];

function client(location, options = {}) {
  const one = new Paperboy(nginx.url(location), {
    WebSocket,
    minDelay: 20,
    maxDelay: 200,
    ...options,
  });
  one.errors = [];
  one.on('error', (error) => one.errors.push(error));
  clients.push(one);
  return one;
}

async function hears(subscription, data, publish) {
  const heard = event(subscription, 'publication');
  await publish();
  assert.equal((await heard).data, data);
}

describe('with nginx', { skip: skip || false, timeout: 60_000 }, () => {
  before(async () => {
    nginx = await Nginx.start();
  });
  afterEach(() => {
    for (const one of clients) one.close();
    clients = [];
  });
  after(() => nginx.stop());

  test('connects', async () => {
    const one = client('open');
    const { client: id, version } = await event(one, 'connected');
    assert.ok(id.length > 0);
    assert.match(version, /paperboy/i);
  });

  test('subscribes and hears what is published by HTTP', async () => {
    const a = client('open').subscribe('a');
    const heard = record(a, 'publication');
    await a.ready();
    await nginx.publish('a', '{"n":1}');
    await nginx.publish('a', 'just text');
    await nginx.publish('b', 'elsewhere');
    await nginx.publish('a', Buffer.from([0, 255]), 'application/octet-stream');
    await until(() => heard.length === 3);
    assert.deepEqual(
      heard.map(([, { channel, data }]) => [channel, data]),
      [
        ['a', { n: 1 }],
        ['a', 'just text'],
        ['a', { b64data: 'AP8=' }],
      ],
    );
    const offsets = heard.map(([, { offset }]) => offset);
    assert.deepEqual(
      offsets,
      [1, 2, 3].map((n) => n + offsets[0] - 1),
    );
  });

  test('publishes, and hears itself and others', async () => {
    const ann = client('open').subscribe('talk');
    const ben = client('open').subscribe('talk');
    await Promise.all([ann.ready(), ben.ready()]);
    const heard = [record(ann, 'publication'), record(ben, 'publication')];
    for (let i = 0; i < 50; i++) await (i % 2 ? ann : ben).publish({ i });
    await until(() => heard.every((all) => all.length === 50));
    for (const all of heard) {
      assert.deepEqual(
        all.map(([, { data }]) => data.i),
        Array.from({ length: 50 }, (_, i) => i),
      );
    }
  });

  test('a hundred publishes at once keep their order', async () => {
    const a = client('open').subscribe('burst');
    const heard = record(a, 'publication');
    await a.ready();
    await Promise.all(Array.from({ length: 100 }, (_, i) => a.publish(i)));
    await until(() => heard.length === 100);
    assert.deepEqual(
      heard.map(([, { data }]) => data),
      Array.from({ length: 100 }, (_, i) => i),
    );
  });

  test('iterates', async () => {
    const a = client('open').subscribe('iterated');
    const heard = [];
    const loop = (async () => {
      for await (const { data } of a) heard.push(data);
    })();
    await a.ready();
    for (let i = 0; i < 10; i++) await nginx.publish('iterated', `${i}`);
    await until(() => heard.length === 10);
    a.unsubscribe();
    await loop;
    assert.deepEqual(heard, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('unsubscribes', async () => {
    const one = client('open');
    const a = one.subscribe('left');
    const other = client('open').subscribe('left');
    await Promise.all([a.ready(), other.ready()]);
    const heard = record(one, 'publication');
    a.unsubscribe();
    await one.publish('x', 'after it');
    const others = event(other, 'publication');
    await nginx.publish('left', 'still there?');
    assert.equal((await others).data, 'still there?');
    await one.publish('x', 'and once more');
    assert.deepEqual(heard, []);
  });

  test('subscribes and unsubscribes in loops', async () => {
    const one = client('open');
    await one.ready();
    for (let i = 0; i < 50; i++) {
      const a = one.subscribe('loop');
      if (i % 2) await a.ready();
      a.unsubscribe();
    }
    const a = one.subscribe('loop');
    await a.ready();
    await hears(a, 'here', () => a.publish('here'));
    assert.deepEqual(one.errors, []);
  });

  test('holds a hundred subscriptions', async () => {
    const one = client('open');
    const all = Array.from({ length: 100 }, (_, i) => one.subscribe(`c${i}`));
    const heard = record(one, 'publication');
    await Promise.all(all.map((each) => each.ready()));
    await Promise.all(all.map((each, i) => each.publish(i)));
    await until(() => heard.length === 100);
    for (const [, { channel, data }] of heard)
      assert.equal(channel, `c${data}`);
  });

  test('is told the limit of subscriptions', async () => {
    const one = client('few');
    await Promise.all([one.subscribe('a').ready(), one.subscribe('b').ready()]);
    await assert.rejects(one.subscribe('c').ready(), {
      code: ErrorCode.LimitExceeded,
      channel: 'c',
    });
    assert.equal(one.state, 'connected');
  });

  test('takes over what the server subscribes it to', async () => {
    const one = client('given');
    const given = one.subscribe('given');
    await given.ready();
    await hears(given, 'hello', () => nginx.publish('given', 'hello'));
    assert.deepEqual(one.errors, []);
  });

  test('answers pings, and notices them', async () => {
    const one = client('pings', { pingSlack: 1000 });
    const lost = record(one, 'connecting');
    await one.ready();
    await pause(3500);
    assert.deepEqual(lost, []);
  });

  test('closes where the location speaks no such protocol', async () => {
    const one = client('raw?channel=raw');
    const ends = event(one, 'closed');
    await pause(200);
    await nginx.publish('raw', 'not ours');
    assert.equal((await ends).code, CloseCode.InappropriateProtocol);
  });

  test('goes on after a message that was too big', async () => {
    const one = client('small');
    const a = one.subscribe('a');
    await a.ready();
    await assert.rejects(a.publish('x'.repeat(2000)), {
      code: ErrorCode.ConnectionLost,
    });
    await event(a, 'subscribed');
    await a.publish('shorter');
  });

  test('goes on trying where there is no such location', async () => {
    const one = client('nowhere');
    await until(() => one.errors.length >= 2);
    assert.match(one.errors[0].message, /can't connect to .*404/);
  });

  test('closes, and the server hears of it', async () => {
    const one = client('open');
    await one.ready();
    one.close();
    assert.equal(one.state, 'closed');
    await assert.rejects(one.publish('a', 1), { code: ErrorCode.Closed });
  });
});

describe('tokens, with nginx', { skip: skip || false, timeout: 60_000 }, () => {
  before(async () => {
    nginx = await Nginx.start();
  });
  afterEach(() => {
    for (const one of clients) one.close();
    clients = [];
  });
  after(() => nginx.stop());

  const user = (claims = {}) => token({ sub: 'ann', ...claims });

  test('a connection token subscribes and permits', async () => {
    const one = client('keys', {
      token: user({ channels: ['mine', 'my:*'], scope: 'subscribe publish' }),
    });
    const mine = one.subscribe('mine');
    const below = one.subscribe('my:own');
    await Promise.all([mine.ready(), below.ready()]);
    await hears(below, 'hello', () => below.publish('hello'));
    await assert.rejects(one.subscribe('other').ready(), {
      code: ErrorCode.PermissionDenied,
    });
    await assert.rejects(one.publish('other', 1), {
      code: ErrorCode.PermissionDenied,
    });
  });

  test('a channel token permits its channel', async () => {
    const one = client('keys', { getToken: () => user() });
    const a = one.subscribe('room', {
      getToken: ({ channel }) => user({ channel }),
    });
    await a.ready();
    await hears(a, 'hello', () => nginx.publish('room', 'hello'));
  });

  test('a channel token of another channel, or user, is refused', async () => {
    const one = client('keys', { getToken: () => user() });
    for (const claims of [{ channel: 'b' }, { channel: 'a', sub: 'ben' }]) {
      const a = one.subscribe('a', { getToken: () => user(claims) });
      await assert.rejects(a.ready(), { code: ErrorCode.PermissionDenied });
    }
    assert.equal(one.state, 'connected');
  });

  test('without a token the connection is closed', async () => {
    const one = client('keys');
    const { code, error } = await event(one, 'closed');
    assert.equal(code, ErrorCode.Unauthorized);
    assert.match(error.message, /unauthorized/);
  });

  test('a forged token closes it, for good', async () => {
    const forged = token({ sub: 'ann' }, 'another secret of 32 bytes, too!');
    const one = client('keys', { getToken: () => forged });
    const { code } = await event(one, 'closed');
    assert.equal(code, CloseCode.InvalidToken);
    await pause(300);
    assert.equal(one.state, 'closed');
    assert.equal(one.errors.length, 1);
  });

  test('an expired token is replaced', async () => {
    const tokens = [user({ exp: inSeconds(-60) }), user()];
    const one = client('keys', { getToken: () => tokens.shift() });
    await one.ready();
    assert.equal(one.errors[0].code, ErrorCode.TokenExpired);
  });

  test('an expired channel token is replaced', async () => {
    const claims = { channel: 'a' };
    const tokens = [user({ ...claims, exp: inSeconds(-60) }), user(claims)];
    const one = client('keys', { token: user() });
    await one.subscribe('a', { getToken: () => tokens.shift() }).ready();
    assert.equal(one.errors[0].code, ErrorCode.TokenExpired);
  });

  test('callbacks that fail are asked again, and said to fail', async () => {
    let failures = 2;
    const failing = (answer) => () => {
      if (failures-- > 0) throw new Error('no network');
      return answer;
    };
    const one = client('keys', { getToken: failing(user()) });
    await one.ready();
    failures = 1;
    const a = one.subscribe('a', {
      getToken: failing(user({ channel: 'a' })),
    });
    await a.ready();
    assert.deepEqual(
      one.errors.map(({ message }) => message),
      [
        "can't get a connection token: no network",
        "can't get a connection token: no network",
        'can\'t get a token for "a": no network',
      ],
    );
  });

  test('callbacks that say no end what they are for', async () => {
    const one = client('keys', { token: user() });
    const a = one.subscribe('a', { getToken: () => null });
    await assert.rejects(a.ready(), { code: ErrorCode.NoToken });
    const other = client('keys', { getToken: () => null });
    assert.equal((await event(other, 'closed')).code, ErrorCode.NoToken);
  });

  test('are renewed before they expire', async () => {
    let asked = 0;
    const getToken = ({ channel }) => {
      asked++;
      return user({ channel, exp: inSeconds(3) });
    };
    const one = client('keys', { getToken });
    const a = one.subscribe('a', { getToken });
    await a.ready();
    const losses = record(one, 'connecting', 'subscribing', 'error');
    await pause(5500);
    assert.deepEqual(losses, []);
    assert.ok(asked >= 6, `asked ${asked} times`);
    await hears(a, 'still here', () => nginx.publish('a', 'still here'));
  });

  test('not renewed, end what they opened', async () => {
    const one = client('keys', { token: user() });
    const a = one.subscribe('a', {
      token: user({ channel: 'a', exp: inSeconds(2) }),
    });
    await a.ready();
    const lost = await event(a, 'subscribing');
    assert.equal(lost.code, 2501);
    await assert.rejects(a.ready(), { code: ErrorCode.TokenExpired });

    const two = client('keys', { token: user({ exp: inSeconds(2) }) });
    await two.ready();
    assert.equal((await event(two, 'connecting')).code, CloseCode.Expired);
    const { code } = await event(two, 'closed');
    assert.equal(code, ErrorCode.TokenExpired);
  });

  test('the classic client takes one a channel', async () => {
    const asked = [];
    const fetch = async (url) => {
      asked.push(url);
      const channel = decodeURI(url.slice(7));
      const claims = { iss: 'paperboy', userId: 7, channel };
      return new Response(token({ ...claims, exp: inSeconds(28800) }));
    };
    const classic = new PaperboyClient('/token/', nginx.url('keys'), {
      WebSocket,
      fetch,
    });
    clients.push(classic);
    const heard = [];
    const one = classic.subscribe('one', (message) => heard.push(message));
    const two = classic.subscribe('two', (message) => heard.push(message));
    await Promise.all([one.ready(), two.ready()]);
    await nginx.publish('one', '{"message":"hi"}');
    await until(() => heard.length);
    assert.deepEqual(
      [heard[0].channel, heard[0].payload.message],
      ['one', 'hi'],
    );
    classic.unsubscribe('one');
    await pause(50);
    await nginx.publish('one', '1');
    await nginx.publish('two', '2');
    await until(() => heard.length > 1);
    assert.deepEqual(heard[1].payload, 2);
    assert.deepEqual(asked.sort(), ['/token/one', '/token/one', '/token/two']);
  });
});

describe(
  'nginx comes and goes',
  { skip: skip || false, timeout: 60_000 },
  () => {
    before(async () => {
      nginx = await Nginx.start();
    });
    afterEach(() => {
      for (const one of clients) one.close();
      clients = [];
    });
    after(() => nginx.stop());

    for (const signal of ['SIGTERM', 'SIGQUIT']) {
      test(`a restart by ${signal} is survived`, async () => {
        const one = client('open');
        const all = Array.from({ length: 20 }, (_, i) =>
          one.subscribe(`c${i}`),
        );
        await Promise.all(all.map((each) => each.ready()));
        const states = record(one, 'connecting', 'connected');
        await nginx.down(signal);
        await until(() => states.length >= 2);
        assert.equal(one.state, 'connecting');
        await nginx.up();
        await one.ready();
        await Promise.all(all.map((each) => each.ready()));
        await hears(all[7], 'back', () => all[7].publish('back'));
        assert.equal(states[0][1].code, CloseCode.Shutdown);
        assert.equal(states.at(-1)[0], 'connected');
        for (const { code } of one.errors) {
          assert.equal(code, ErrorCode.Unreachable);
        }
      });
    }

    test('a reload interrupts nobody', async () => {
      const one = client('open');
      const a = one.subscribe('a');
      await a.ready();
      const losses = record(one, 'connecting', 'subscribing', 'error');
      nginx.reload();
      await pause(500);
      await hears(a, 'hello', () => nginx.publish('a', 'hello'));
      assert.deepEqual(losses, []);
    });

    test('starting after its client, is found', async () => {
      await nginx.down();
      const one = client('open');
      await until(() => one.errors.length);
      await nginx.up();
      await one.subscribe('a').ready();
    });
  },
);
