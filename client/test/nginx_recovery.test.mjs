// Recovery, against a real nginx with the module: nothing is lost, nothing
// comes twice, and what isn't kept any more is told.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import WebSocket from 'ws';
import { CloseCode, ErrorCode, Paperboy } from '../src/index.js';
import { Nginx, inSeconds, token } from './lib/nginx.mjs';
import { event, pause, record, until } from './lib/until.mjs';

const skip = Nginx.missing();
if (skip) console.error(`\nNOT TESTED against nginx: ${skip}\n`);

let nginx;
let clients = [];

// A client whose network goes and comes when the test says so: `cut()`,
// `mend()`; `worker` is the one that serves it.
function client(location, options = {}) {
  let away = false;
  let last;
  class Cable extends WebSocket {
    constructor(url, protocols) {
      super(away ? 'ws://127.0.0.1:1/' : url, protocols);
      last = this;
      this.on('upgrade', ({ headers }) => {
        one.worker = Number(headers['x-worker']);
      });
    }
  }
  const one = new Paperboy(nginx.url(location), {
    WebSocket: Cable,
    minDelay: 20,
    maxDelay: 200,
    ...options,
  });
  one.cut = async () => {
    away = true;
    const lost = event(one, 'connecting');
    last.terminate();
    await lost;
  };
  one.mend = () => (away = false);
  one.on('error', () => {});
  clients.push(one);
  return one;
}

// Publications in their order, with "gap" where one was told.
function hearing(source) {
  const heard = [];
  source.on('publication', (one) => heard.push(one));
  source.on('gap', () => heard.push('gap'));
  return heard;
}

const data = (heard) => heard.map((one) => one.data ?? one);

const closeAll = () => {
  for (const one of clients) one.close();
  clients = [];
};

// Publishes 1 to `count`, trying again where nobody answered, and does
// `meanwhile` at the numbers that it names. Offset -> number, as answered.
async function publishMany(channel, count, meanwhile = {}) {
  const acknowledged = new Map();
  for (let n = 1; n <= count; n++) {
    meanwhile[n]?.();
    for (;;) {
      const answer = await nginx.publish(channel, `${n}`).catch(() => null);
      if (answer) {
        acknowledged.set(answer.offset, n);
        break;
      }
      await pause(10);
    }
  }
  return acknowledged;
}

// All that was acknowledged came, in order, each once.
function assertWhole(heard, acknowledged) {
  const offsets = heard.map(({ offset }) => offset);
  assert.deepEqual(
    offsets,
    offsets.map((_, i) => offsets[0] + i),
    'one after the other',
  );
  const said = new Map(heard.map((one) => [one.offset, one.data]));
  for (const [offset, n] of acknowledged) assert.equal(said.get(offset), n);
}

const suite = { skip: skip || false, timeout: 120_000 };

describe('recovery, with nginx', suite, () => {
  before(async () => {
    nginx = await Nginx.start({ http: 'paperboy_drain 1s;' });
  });
  afterEach(closeAll);
  after(() => nginx.stop());

  test('who was away gets what it missed', async () => {
    const one = client('open');
    const a = one.subscribe('kept:a');
    await a.ready();
    const heard = hearing(a);
    await nginx.publish('kept:a', '1');
    await until(() => heard.length === 1);
    await one.cut();
    await publishMany('kept:a', 3);
    one.mend();
    await event(a, 'subscribed');
    await nginx.publish('kept:a', '"live"');
    await until(() => heard.length === 5);
    assert.deepEqual(data(heard), [1, 1, 2, 3, 'live']);
  });

  test('who missed nothing, hears of no gap', async () => {
    for (const channel of ['kept:quiet', 'plain']) {
      const one = client('open');
      const a = one.subscribe(channel);
      await a.ready();
      await nginx.publish(channel, '1');
      await until(() => a.position.offset === 1);
      const heard = hearing(a);
      await one.cut();
      one.mend();
      assert.equal((await event(a, 'subscribed')).gap, false);
      await nginx.publish(channel, '2');
      await until(() => heard.length);
      assert.deepEqual(data(heard), [2]);
    }
  });

  test('a gap is told where history is too short, or there is none', async () => {
    for (const channel of ['short:a', 'none']) {
      const one = client('open');
      const a = one.subscribe(channel);
      await a.ready();
      const heard = hearing(a);
      await one.cut();
      await publishMany(channel, 3);
      one.mend();
      await event(a, 'subscribed');
      assert.equal(a.position.offset, 3);
      await nginx.publish(channel, '4');
      await until(() => heard.length === 2);
      assert.deepEqual(data(heard), ['gap', 4]);
      assert.equal(heard[1].gap, true);
    }
  });

  test('the application may keep a position and go on from it', async () => {
    const one = client('open');
    const a = one.subscribe('kept:position');
    await a.ready();
    const since = a.position;
    one.close();
    await publishMany('kept:position', 3);
    const b = client('open').subscribe('kept:position', { since });
    const heard = hearing(b);
    await until(() => heard.length === 3);
    assert.deepEqual(data(heard), [1, 2, 3]);
    const c = client('open').subscribe('kept:position', {
      since: { epoch: 'abc', offset: 1 },
    });
    assert.deepEqual((await event(c, 'gap')).since.epoch, 'abc');
  });

  test('subscriptions of the server recover as well', async () => {
    const one = client('mine');
    const mine = one.subscribe('kept:mine');
    await mine.ready();
    const heard = hearing(one);
    await nginx.publish('kept:mine', '1');
    await until(() => heard.length === 1);
    await one.cut();
    await nginx.publish('kept:mine', '2');
    one.mend();
    await until(() => heard.length === 2);
    assert.deepEqual(data(heard), [1, 2]);
  });

  test('workers are killed and replaced, and nobody misses a word', async () => {
    const all = Array.from({ length: 8 }, () => {
      const a = client('open').subscribe('kept:killed');
      return { a, heard: hearing(a) };
    });
    await Promise.all(all.map(({ a }) => a.ready()));
    const kill = () => process.kill(nginx.workers()[0], 'SIGKILL');
    const acknowledged = await publishMany('kept:killed', 300, {
      50: kill,
      100: () => nginx.reload(),
      200: kill,
    });
    const end = Math.max(...acknowledged.keys());
    await until(() => all.every(({ a }) => a.position?.offset >= end), 'all');
    for (const { heard } of all) assertWhole(heard, acknowledged);
  });

  test('an iteration goes on in order', async () => {
    const one = client('open');
    const a = one.subscribe('kept:iterated');
    await a.ready();
    const heard = [];
    const loop = (async () => {
      for await (const publication of a) heard.push(publication);
    })();
    const acknowledged = await publishMany('kept:iterated', 60, {
      20: () => one.cut(),
      40: () => one.mend(),
    });
    await until(() => heard.at(-1)?.data === 60);
    assertWhole(heard, acknowledged);
    a.unsubscribe();
    await loop;
  });

  test('history is read', async () => {
    const a = client('open').subscribe('kept:history');
    await publishMany('kept:history', 3);
    const { publications, epoch, offset } = await a.history();
    assert.deepEqual(
      publications.map((one) => [one.channel, one.data, one.offset]),
      [1, 2, 3].map((n) => ['kept:history', n, n]),
    );
    assert.deepEqual({ epoch, offset }, a.position);
    const read = async (options) =>
      data((await a.history(options)).publications);
    assert.deepEqual(await read({ limit: 0 }), []);
    assert.deepEqual(await read({ limit: 2, reverse: true }), [3, 2]);
    assert.deepEqual(await read({ since: { epoch, offset: 1 } }), [2, 3]);
    await assert.rejects(read({ since: { epoch: 'abc', offset: 1 } }), {
      code: ErrorCode.Unrecoverable,
    });
    await assert.rejects(client('open').subscribe('plain').history(), {
      code: ErrorCode.NotAvailable,
    });
  });

  test('who is there, comes and goes', async () => {
    const ann = client('open').subscribe('kept:here', { joinLeave: true });
    await ann.ready();
    const events = record(ann, 'join', 'leave');
    const ben = client('open');
    const { client: id } = await event(ben, 'connected');
    await ben.subscribe('kept:here').ready();
    assert.deepEqual(await ann.presenceStats(), { clients: 2, users: 1 });
    const ids = (await ann.presence()).map((info) => info.client);
    assert.ok(ids.length === 2 && ids.includes(id), ids.join());
    ben.close();
    const bens = () => events.filter(([, { info }]) => info.client === id);
    await until(() => bens().length === 2);
    assert.deepEqual(
      bens().map(([type, { channel }]) => [type, channel]),
      [
        ['join', 'kept:here'],
        ['leave', 'kept:here'],
      ],
    );
    await assert.rejects(client('open').subscribe('plain').presence(), {
      code: ErrorCode.NotAvailable,
    });
  });

  test('tokens that expire while it is away are renewed first', async () => {
    const claims = { sub: 'ann', scope: 'subscribe' };
    const getToken = ({ channel }) =>
      token({ ...claims, channel, exp: inSeconds(2) });
    const one = client('keys', { getToken });
    const a = one.subscribe('kept:tokens', { getToken });
    await a.ready();
    const heard = hearing(a);
    await one.cut();
    await publishMany('kept:tokens', 2);
    await pause(2200);
    one.mend();
    await until(() => heard.length === 2);
    await pause(2500); // and while it is there
    await nginx.publish('kept:tokens', '3');
    await until(() => heard.length === 3);
    assert.deepEqual(data(heard), [1, 2, 3]);
  });

  test('a channel token that ended costs no publication', async () => {
    const tokens = [2, 60].map((seconds) =>
      token({ sub: 'ann', channel: 'kept:ended', exp: inSeconds(seconds) }),
    );
    let release;
    const gate = new Promise((done) => (release = done));
    const one = client('keys', { token: token({ sub: 'ann' }) });
    const a = one.subscribe('kept:ended', {
      getToken: async () => tokens.shift() ?? (await gate),
    });
    await a.ready();
    const heard = hearing(a);
    tokens.shift(); // the one that would renew it
    const lost = await event(a, 'subscribing');
    assert.equal(lost.code, 2501);
    await publishMany('kept:ended', 2);
    release(token({ sub: 'ann', channel: 'kept:ended' }));
    await until(() => heard.length === 2);
    assert.deepEqual(data(heard), [1, 2]);
  });

  for (const signal of ['SIGTERM', 'SIGKILL']) {
    test(`after ${signal} and a new start, the gap is told`, async () => {
      const one = client('open');
      // Of its own, in which nothing was said before.
      const channel = `kept:${signal}`;
      const a = one.subscribe(channel);
      await a.ready();
      await nginx.publish(channel, '1');
      await until(() => a.position.offset > 0);
      const heard = hearing(a);
      const workers = nginx.workers();
      await nginx.down(signal);
      // A master that is killed leaves its workers behind.
      if (signal === 'SIGKILL') {
        for (const pid of workers) process.kill(pid, 'SIGKILL');
      }
      await nginx.up();
      // It may have been told while nginx was being waited for.
      await until(() => heard.includes('gap'), 'the gap', 20_000);
      await nginx.publish(channel, '2');
      await until(() => heard.length === 2);
      assert.deepEqual(data(heard), ['gap', 2]);
    });
  }
});

describe('a worker that falls behind the log', suite, () => {
  before(async () => {
    // No connection of a publisher's is kept by the worker that sleeps, and
    // however long it sleeps, nobody waits for its pings.
    const http = 'keepalive_timeout 0; paperboy_ping_interval 10m;';
    nginx = await Nginx.start({ zone: '4m log=64k', http });
  });
  afterEach(closeAll);
  after(() => nginx.stop());

  test('costs its clients only what is not kept, and says so', async () => {
    const [asleep] = nginx.workers();
    const subscribe = async (location, channel) => {
      for (;;) {
        // Several at once: of one after the other the same worker takes all.
        const some = Array.from({ length: 8 }, () => client(location));
        await Promise.all(some.map((one) => one.ready()));
        const one = some.find((each) => each.worker === asleep);
        for (const other of some) if (other !== one) other.close();
        if (!one) continue;
        const a = one.subscribe(channel);
        await a.ready();
        return { heard: hearing(a), lost: record(a, 'subscribing') };
      }
    };
    const kept = await subscribe('open', 'kept:asleep');
    const none = await subscribe('open', 'none');
    const given = await subscribe('given', 'given');
    process.kill(asleep, 'SIGSTOP');
    try {
      const filler = 'x'.repeat(4096);
      for (let n = 1; n <= 40; n++) {
        for (const channel of ['kept:asleep', 'none', 'given']) {
          const text = JSON.stringify({ n, filler });
          // While the log is full it is refused, until the worker is passed
          // over.
          const publish = () => nginx.publish(channel, text).catch(() => null);
          await until(publish, 'room in the log', 20_000);
        }
      }
    } finally {
      process.kill(asleep, 'SIGCONT');
    }
    await until(() => kept.heard.length >= 40, 'all', 20_000);
    assert.deepEqual(
      kept.heard.map((one) => one.data?.n ?? one),
      Array.from({ length: 40 }, (_, i) => i + 1),
    );
    assert.deepEqual(kept.lost, []);
    for (const [code, channel, { heard, lost }] of [
      [2500, 'none', none],
      [CloseCode.InsufficientState, 'given', given],
    ]) {
      await until(() => heard.includes('gap'), 'a gap', 20_000);
      assert.equal(lost[0][1].code, code);
      await nginx.publish(channel, '{"n":"after"}');
      await until(() => heard.at(-1).data?.n === 'after');
    }
  });
});
