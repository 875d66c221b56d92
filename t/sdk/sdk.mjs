// The SDK `centrifuge`, unmodified, against a running nginx: t/native_sdk.t
// starts both, and reads a line of TAP for each check. "restart" asks it to
// restart nginx, "stall WORKER CHANNEL ..." to publish in these channels more
// than a worker that sleeps can take; it answers with a line.
import { createHmac } from 'node:crypto';
import { createInterface } from 'node:readline';
import { Centrifuge, UnauthorizedError } from 'centrifuge';
import WebSocket from 'ws';

const [url, secret] = process.argv.slice(2);
const input = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const soon = () => Math.floor(Date.now() / 1000);
let checks = 0;
let clients = [];

function ok(good, name) {
  checks += 1;
  console.log(`${good ? 'ok' : 'not ok'} ${checks} - ${name}`);
}

function is(actual, expected, name) {
  ok(actual === expected, name);
  if (actual !== expected) console.log(`# got ${actual}, not ${expected}`);
}

function jwt(claims) {
  const part = (value) => Buffer.from(value).toString('base64url');
  const signed = [{ alg: 'HS256', typ: 'JWT' }, claims]
    .map((object) => part(JSON.stringify(object)))
    .join('.');
  const signature = createHmac('sha256', secret).update(signed).digest();
  return `${signed}.${signature.toString('base64url')}`;
}

function client(path, options = {}) {
  const made = new Centrifuge(url + path, {
    websocket: WebSocket,
    minReconnectDelay: 50,
    maxReconnectDelay: 500,
    ...options,
  });
  made.on('error', () => {});
  clients.push(made);
  return made;
}

function next(emitter, event, ms = 8000) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${event}`)), ms);
    emitter.once(event, (context) => {
      clearTimeout(timer);
      resolve(context);
    });
  });
}

async function connected(path, options) {
  const made = client(path, options);
  const done = next(made, 'connected');
  made.connect();
  await done;
  return made;
}

async function joined(one, name, options) {
  const room = one.newSubscription(name, options);
  room.subscribe();
  await room.ready(5000);
  return room;
}

// The data of what comes, from now on.
function hearing(room) {
  const heard = [];
  room.on('publication', ({ data }) => heard.push(data));
  return heard;
}

async function until(look, what) {
  for (const end = Date.now() + 20000; !look();) {
    if (Date.now() > end) throw new Error(`no ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

// Away from the first line on, back at the second: what it is told then.
async function away(one, room, whileAway) {
  one.disconnect();
  await whileAway();
  const back = next(room, 'subscribed');
  one.connect();
  return back;
}

const code = (promise) => promise.then(() => 0, (error) => error.code);

const tests = {
  async 'connect, subscribe, publish'() {
    const one = await connected('/open');
    const two = await connected('/open');
    const room = one.newSubscription('room');
    room.subscribe();
    await room.ready(5000);
    const heard = next(room, 'publication');
    await two.publish('room', { text: 'hé "you"', n: 0.1 });
    const { data, offset } = await heard;
    is(JSON.stringify(data), '{"text":"hé \\"you\\"","n":0.1}', 'the data');
    ok(offset > 0, 'the offset');
    is(await code(one.rpc('any', {})), 104, 'rpc');
    is(await code(room.history({ limit: 1 })), 108, 'history');
    is(await code(room.presence()), 108, 'presence');
    is(await code(room.presenceStats()), 108, 'presence stats');
    is(await code(two.publish('', {})), 107, 'no channel');
  },

  async 'loops of subscribing'() {
    const one = await connected('/open');
    const room = one.newSubscription('loop');
    for (let i = 0; i < 50; i += 1) {
      room.subscribe();
      await room.ready(5000);
      room.unsubscribe();
    }
    is(room.state, 'unsubscribed', 'fifty times');
    room.subscribe();
    await room.ready(5000);
    const heard = next(room, 'publication');
    await one.publish('loop', 1);
    is((await heard).data, 1, 'and it hears');
  },

  async 'a hundred subscriptions at once'() {
    const one = client('/open');
    const rooms = Array.from({ length: 100 }, (_, i) => {
      const room = one.newSubscription(`many-${i}`);
      room.subscribe();
      return room;
    });
    one.connect();
    await Promise.all(rooms.map((room) => room.ready(5000)));
    ok(rooms.every((room) => room.state === 'subscribed'), 'all of them');
    const extra = Array.from({ length: 29 }, (_, i) => {
      const room = one.newSubscription(`more-${i}`);
      room.subscribe();
      return room;
    });
    const { code: refused } = await next(extra[28], 'unsubscribed');
    is(refused, 106, 'one above the limit');
  },

  async 'connection tokens'() {
    const one = await connected('/keyed', { token: jwt({ sub: 'a' }) });
    is(one.state, 'connected', 'a token');
    const got = [];
    const two = await connected('/keyed', {
      getToken: async () => {
        got.push(1);
        return jwt({ sub: 'b', channel: 'b', exp: soon() + 3 });
      },
    });
    const room = two.newSubscription('b');
    room.subscribe();
    await room.ready(5000);
    await new Promise((resolve) => setTimeout(resolve, 5000));
    is(two.state, 'connected', 'outlives its first token');
    is(room.state, 'subscribed', 'and its subscriptions with it');
    ok(got.length >= 2, 'by refreshing');
    const three = client('/keyed', { token: jwt({ exp: soon() - 9 }),
      getToken: async () => jwt({ sub: 'c' }) });
    const done = next(three, 'connected');
    three.connect();
    await done;
    is(three.state, 'connected', 'an expired one is replaced');
  },

  async 'token callbacks that fail'() {
    const failing = (token) => {
      let calls = 0;
      return async () => {
        if (calls++ === 0) throw new Error('the application is down');
        return token;
      };
    };
    const one = client('/keyed', { getToken: failing(jwt({ sub: 'a' })) });
    const failed = next(one, 'error');
    const done = next(one, 'connected');
    one.connect();
    is((await failed).error.code, 5, 'the one for connections is told');
    await done;
    is(one.state, 'connected', 'and asked again');
    const room = one.newSubscription('x', {
      getToken: failing(jwt({ sub: 'a', channel: 'x' })),
    });
    const failure = next(room, 'error');
    room.subscribe();
    is((await failure).error.code, 8, 'the one for channels is told');
    await room.ready(8000);
    is(room.state, 'subscribed', 'and asked again');
  },

  async 'tokens that are refused'() {
    for (const [name, path, options, expected] of [
      ['no token', '/keyed', {}, 101],
      ['a bad token', '/keyed', { token: 'bad' }, 3500],
      ['a token for other channels', '/given',
        { token: jwt({ channel: 'other' }) }, 3507],
      ['a token for too many', '/given',
        { token: jwt({ channels: ['news', 'a', 'b'] }) }, 3505],
      ['an application that says no', '/keyed',
        { getToken: async () => { throw new UnauthorizedError(); } }, 1],
    ]) {
      const one = client(path, options);
      const end = next(one, 'disconnected');
      one.connect();
      is((await end).code, expected, `${name} ends it`);
      is(one.state, 'disconnected', 'for good');
    }
  },

  async 'channel tokens'() {
    const one = await connected('/keyed', { token: jwt({ sub: 'a' }) });
    const token = () => jwt({ sub: 'a', channel: 'x', exp: soon() + 3 });
    const got = [];
    const room = one.newSubscription('x', {
      getToken: async () => {
        got.push(1);
        return token();
      },
    });
    room.subscribe();
    await room.ready(5000);
    await new Promise((resolve) => setTimeout(resolve, 5000));
    is(room.state, 'subscribed', 'outlives its first token');
    ok(got.length >= 2, 'by refreshing');
    const other = one.newSubscription('y');
    other.subscribe();
    is((await next(other, 'unsubscribed')).code, 103, 'no token, no channel');
    const bad = one.newSubscription('z', {
      getToken: async () => { throw new UnauthorizedError(); },
    });
    bad.subscribe();
    is((await next(bad, 'unsubscribed')).code, 1, 'an application says no');
    const short = one.newSubscription('w', { token: jwt(
      { sub: 'a', channel: 'w', exp: soon() - 5 }),
    getToken: async () => jwt({ sub: 'a', channel: 'w' }) });
    short.subscribe();
    await short.ready(5000);
    is(short.state, 'subscribed', 'an expired one is replaced');
  },

  async 'subscriptions of the server'() {
    const one = client('/keyed', { token: jwt({ sub: 'a', channels: ['srv'],
      scope: 'subscribe publish' }) });
    const joined = next(one, 'subscribed');
    const heard = next(one, 'publication');
    one.connect();
    is((await joined).channel, 'srv', 'it is told');
    await one.publish('srv', [1]);
    is((await heard).channel, 'srv', 'and hears');
  },

  async 'codes that end for good'() {
    const one = await connected('/open');
    const end = next(one, 'disconnected');
    one.send({ a: 1 });
    is((await end).code, 3508, 'send');
    const two = await connected('/open');
    const over = next(two, 'disconnected');
    two.publish('a', 'x'.repeat(100000)).catch(() => {});
    await over;
    is(two.state, 'disconnected', 'a message that is too large');
  },

  async 'coming back'() {
    const one = await connected('/open');
    const two = await connected('/open');
    const publish = async (channel, ...all) => {
      for (const data of all) await two.publish(channel, data);
    };
    const room = await joined(one, 'kept:back');
    const heard = hearing(room);
    await publish('kept:back', 1);
    let told = await away(one, room, () => publish('kept:back', 2, 3));
    ok(told.wasRecovering && told.recovered, 'what was missed is recovered');
    await publish('kept:back', 4);
    await until(() => heard.length === 4, 'all');
    is(heard.join(), '1,2,3,4', 'in order, each once');

    told = await away(one, room, () => {});
    ok(told.wasRecovering && told.recovered, 'nothing was missed');
    await publish('kept:back', 5);
    await until(() => heard.length === 5, 'the next');
    is(heard.join(), '1,2,3,4,5', 'and it goes on');

    const short = await joined(one, 'short:back');
    const few = hearing(short);
    await publish('short:back', 1);
    await until(() => few.length === 1, 'the first');
    told = await away(one, short, () => publish('short:back', 2, 3, 4));
    ok(told.wasRecovering && !told.recovered, 'too much was missed');
    await publish('short:back', 5);
    await until(() => few.length === 2, 'the next');
    is(few.join(), '1,5', 'and it goes on from there');

    const { streamPosition } = told;
    const since = { epoch: streamPosition.epoch, offset: 3 };
    const three = await connected('/open');
    const kept = three.newSubscription('short:back', { since });
    const rest = hearing(kept);
    kept.subscribe();
    await until(() => rest.length === 2, 'what came since');
    is(rest.join(), '4,5', 'a position that was kept');
  },

  async 'history, presence, join and leave'() {
    const one = await connected('/open');
    const two = await connected('/open');
    const room = await joined(one, 'kept:read', { joinLeave: true });
    for (const data of [1, 2, 3]) await two.publish('kept:read', data);
    const values = ({ publications }) =>
      publications.map(({ data }) => data).join();
    const all = await room.history({ limit: -1 });
    is(values(all), '1,2,3', 'history');
    is(all.offset, 3, 'up to here');
    is(values(await room.history({ limit: 2, reverse: true })), '3,2',
      'backwards');
    const since = { epoch: all.epoch, offset: 1 };
    is(values(await room.history({ limit: 1, since })), '2', 'a page');
    is(await code(room.history({ limit: 1, since: { ...since, epoch: 'ab' } })),
      112, 'of another epoch');

    const joins = next(room, 'join');
    await joined(two, 'kept:read');
    const { info } = await joins;
    ok(info.client.length > 0, 'who comes');
    const { clients: there } = await room.presence();
    is(Object.keys(there).length, 2, 'who is there');
    ok(info.client in there, 'the one that came among them');
    const { numClients, numUsers } = await room.presenceStats();
    is(`${numClients} ${numUsers}`, '2 1', 'how many');
    const leaves = next(room, 'leave');
    two.disconnect();
    is((await leaves).info.client, info.client, 'who goes');
    is(Object.keys((await room.presence()).clients).length, 1, 'who is left');
  },

  async 'a worker that falls behind the log'() {
    let worker;
    class Telling extends WebSocket {
      constructor(...rest) {
        super(...rest);
        this.on('upgrade', ({ headers }) => { worker = headers['x-worker']; });
      }
    }
    const one = await connected('/open', { websocket: Telling });
    const kept = await joined(one, 'kept:behind');
    const none = await joined(one, 'behind');
    const heard = hearing(kept);
    const lost = next(none, 'subscribing', 30000);
    const back = next(none, 'subscribed', 30000);
    console.log(`stall ${worker} kept:behind behind`);
    await input.next();
    const { code: why } = await lost;
    is(why, 2500, 'is told that its state is insufficient');
    const told = await back;
    ok(told.wasRecovering && !told.recovered, 'and subscribes again');
    const hears = next(none, 'publication');
    await one.publish('behind', 1);
    is((await hears).data, 1, 'and hears');
    await until(() => heard.length >= 40, 'what is kept');
    is(heard.map(({ n }) => n).join(),
      Array.from({ length: 40 }, (_, i) => i + 1).join(),
      'what is kept comes in order, each once');
  },

  async 'nginx restarts'() {
    const one = await connected('/open');
    const room = await joined(one, 'kept:again');
    await one.publish('kept:again', 1);
    const lost = next(one, 'connecting');
    const back = next(one, 'connected', 20000);
    console.log('restart');
    is((await lost).code, 3001, 'shutdown');
    const joins = next(room, 'subscribed', 20000);
    await input.next();
    await back;
    const { wasRecovering, recovered } = await joins;
    ok(wasRecovering && !recovered, 'its position is gone with the epoch');
    const heard = next(room, 'publication');
    await one.publish('kept:again', 2);
    is((await heard).data, 2, 'it comes back, subscribed');
  },
};

for (const [name, run] of Object.entries(tests)) {
  console.log(`# ${name}`);
  try {
    await run();
  } catch (error) {
    ok(false, `${name}: ${error.message ?? JSON.stringify(error)}`);
  }
  clients.forEach((one) => one.disconnect());
  clients = [];
}
console.log(`1..${checks}`);
process.exit(0);
