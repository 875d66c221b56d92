// What a subscription can ask its server for, and who comes and goes.
import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { ErrorCode } from '../src/index.js';
import { Script } from './lib/script.mjs';
import { event, record, until } from './lib/until.mjs';

let script;
afterEach(() => script?.stop());

describe('history', () => {
  test('is all that is kept, or what is asked for', async () => {
    const publications = [
      { data: 1, offset: 1 },
      { data: 2, offset: 2, tags: { a: 'b' } },
    ];
    script = await Script.start({
      history: () => ({ history: { publications, epoch: 'e', offset: 2 } }),
    });
    const a = script.client().subscribe('a');
    assert.deepEqual(await a.history(), {
      publications: publications.map((one) => ({ ...one, channel: 'a' })),
      epoch: 'e',
      offset: 2,
    });
    const since = { epoch: 'e', offset: 1 };
    await a.history({ limit: 5, since, reverse: true });
    assert.deepEqual(script.commands('history'), [
      { channel: 'a', limit: -1 },
      { channel: 'a', limit: 5, since, reverse: true },
    ]);
  });

  test('may be empty', async () => {
    script = await Script.start({
      history: () => ({ history: { epoch: 'e', offset: 2 } }),
    });
    const a = script.client().subscribe('a');
    const { publications } = await a.history({ limit: 0 });
    assert.deepEqual(publications, []);
  });

  test('moves no position', async () => {
    script = await Script.start({
      subscribe: () => ({ subscribe: { epoch: 'e', offset: 1 } }),
      history: () => ({ history: { epoch: 'e', offset: 9 } }),
    });
    const a = script.client().subscribe('a');
    await a.history();
    assert.deepEqual(a.position, { epoch: 'e', offset: 1 });
  });

  test('that is refused, is told by the promise alone', async () => {
    script = await Script.start({
      history: () => ({ error: { code: 112, message: 'unrecoverable' } }),
    });
    const client = script.client();
    const a = client.subscribe('a');
    await assert.rejects(a.history(), { code: ErrorCode.Unrecoverable });
    assert.deepEqual(client.errors, []);
    assert.equal(a.state, 'subscribed');
  });
});

describe('presence', () => {
  test('is who is there', async () => {
    const presence = {
      c1: { client: 'c1', user: 'ann', conn_info: { name: 'Ann' } },
      c2: { client: 'c2', user: 'ben' },
    };
    script = await Script.start({ presence: () => ({ presence: { presence } }) });
    const a = script.client().subscribe('a');
    assert.deepEqual(await a.presence(), [presence.c1, presence.c2]);
    assert.deepEqual(script.commands('presence'), [{ channel: 'a' }]);
  });

  test('is a number too', async () => {
    script = await Script.start({
      presence_stats: () => ({
        presence_stats: { num_clients: 3, num_users: 2 },
      }),
    });
    const a = script.client().subscribe('a');
    assert.deepEqual(await a.presenceStats(), { clients: 3, users: 2 });
  });

  test('of nobody', async () => {
    script = await Script.start();
    const a = script.client().subscribe('a');
    assert.deepEqual(await a.presence(), []);
    assert.deepEqual(await a.presenceStats(), { clients: 0, users: 0 });
  });
});

describe('reading', () => {
  test('waits for the subscription', async () => {
    let answer;
    script = await Script.start({
      subscribe: () => new Promise((done) => (answer = done)),
    });
    const a = script.client().subscribe('a');
    const read = a.presence();
    await until(() => answer);
    assert.deepEqual(script.commands('presence'), []);
    answer();
    await read;
  });

  test('waits no longer than for an answer', async () => {
    script = await Script.start({ subscribe: () => null });
    const a = script.client({ timeout: 30 }).subscribe('a');
    await assert.rejects(a.history(), {
      code: ErrorCode.Timeout,
      message: 'not subscribed within 30 ms',
    });
  });

  test('of one that ended is refused', async () => {
    script = await Script.start();
    const a = script.client().subscribe('a');
    a.unsubscribe();
    await assert.rejects(a.presence(), { code: ErrorCode.Closed });
  });
});

describe('who comes and goes', () => {
  test('is told to who asks for it', async () => {
    script = await Script.start();
    const client = script.client();
    const a = client.subscribe('a', { joinLeave: true });
    await a.ready();
    assert.deepEqual(script.commands('subscribe'), [
      { channel: 'a', join_leave: true },
    ]);
    const events = record(a, 'join', 'leave');
    const above = record(client, 'join', 'leave');
    const info = { client: 'c2', user: 'ben' };
    script.last.push('a', { join: { info } });
    script.last.push('a', { leave: { info } });
    script.last.push('other', { join: { info } });
    await until(() => events.length === 2);
    assert.deepEqual(events, [
      ['join', { channel: 'a', info }],
      ['leave', { channel: 'a', info }],
    ]);
    assert.deepEqual(above, events);
  });

  test('is asked for again on each connection', async () => {
    script = await Script.start();
    const a = script.client().subscribe('a', { joinLeave: true });
    await a.ready();
    script.last.socket.terminate();
    await event(a, 'subscribed');
    assert.equal(script.commands('subscribe')[1].join_leave, true);
  });
});
