import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, test } from 'node:test';
import WebSocket from 'ws';
import { ErrorCode, PaperboyClient } from '../src/index.js';
import { Script } from './lib/script.mjs';
import { event, pause, until } from './lib/until.mjs';

let script;
let application;
let classic;

// GET /token/<channel> answers the bare token, or what `answer` says.
async function startApplication() {
  const asked = [];
  const server = createServer(({ url }, reply) => {
    asked.push(url);
    const [status, text] = application.answer(url);
    reply.writeHead(status).end(text);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const base = `http://127.0.0.1:${server.address().port}/token/`;
  const answer = (url) => [200, `for:${decodeURI(url.slice(7))}\n`];
  return { asked, server, base, answer };
}

beforeEach(async () => {
  application = await startApplication();
  script = await Script.start();
  classic = new PaperboyClient(application.base, script.url, {
    WebSocket,
    minDelay: 10,
    maxDelay: 50,
  });
});

afterEach(async () => {
  classic.close();
  await script.stop();
  application.server.closeAllConnections?.();
  await new Promise((done) => application.server.close(done));
});

describe('the classic client', () => {
  test('opens nothing before its first subscription', async () => {
    await pause(30);
    assert.equal(script.connections.length, 0);
    assert.deepEqual(application.asked, []);
  });

  test('subscribes with a token a channel, on one socket', async () => {
    const one = classic.subscribe('one', () => {});
    const two = classic.subscribe('räume/zwei?', () => {});
    await Promise.all([one.ready(), two.ready()]);
    assert.equal(script.connections.length, 1);
    assert.equal(script.commands('connect')[0].token, 'for:one');
    const tokens = script.commands('subscribe');
    assert.deepEqual(
      tokens.map(({ channel, token }) => [channel, token]).sort(),
      [
        ['one', 'for:one'],
        ['räume/zwei?', 'for:räume/zwei%3F'],
      ],
    );
  });

  test('hands messages over in the classic form', async () => {
    const heard = [];
    await classic.subscribe('one', (message) => heard.push(message)).ready();
    const payload = { source: 'ann', message: 'hi' };
    script.last.push('one', { pub: { data: payload, time: 5 } });
    script.last.push('one', { pub: { data: payload } });
    await until(() => heard.length === 2);
    assert.deepEqual(heard[0], {
      userId: null,
      channel: 'one',
      payload,
      timestamp: 5,
    });
    assert.ok(Math.abs(heard[1].timestamp - Date.now()) < 1000);
  });

  test('subscribes again with its connection', async () => {
    const one = classic.subscribe('one', () => {});
    await one.ready();
    script.last.socket.terminate();
    await event(one, 'subscribed');
    assert.equal(script.connections.length, 2);
  });

  test('unsubscribes one channel, and only its own', async () => {
    const heard = [];
    const one = classic.subscribe('one', () => heard.push('one'));
    const two = classic.subscribe('two', () => heard.push('two'));
    await Promise.all([one.ready(), two.ready()]);
    classic.unsubscribe('one');
    classic.unsubscribe('never');
    await until(() => script.commands('unsubscribe').length);
    script.last.pub('one', 1);
    script.last.pub('two', 2);
    await until(() => heard.length);
    assert.deepEqual(heard, ['two']);
  });

  test('asks again when the application fails, and says so', async () => {
    const standard = application.answer;
    application.answer = () => [503, 'sorry'];
    const one = classic.subscribe('one', () => {});
    const error = await event(classic.paperboy, 'error');
    assert.match(error.message, /the application answered 503/);
    application.answer = standard;
    await one.ready();
  });

  test('ends a subscription that the application refuses', async () => {
    const standard = application.answer;
    application.answer = (url) =>
      url.endsWith('secret') ? [403, ''] : standard(url);
    const one = classic.subscribe('one', () => {});
    await one.ready();
    classic.paperboy.on('error', () => {});
    const secret = classic.subscribe('secret', () => {});
    await assert.rejects(secret.ready(), { code: ErrorCode.NoToken });
    assert.equal(one.state, 'subscribed');
  });

  test('opens with the first token that is handed out', async () => {
    const standard = application.answer;
    application.answer = (url) =>
      url.endsWith('one') ? [403, ''] : standard(url);
    const one = classic.subscribe('one', () => {});
    classic.paperboy.on('error', () => {});
    const two = classic.subscribe('two', () => {});
    await two.ready();
    await assert.rejects(one.ready(), { code: ErrorCode.NoToken });
    assert.equal(script.commands('connect')[0].token, 'for:two');
    assert.equal(script.connections.length, 1);
  });

  test('tries the next channel where all before were refused', async () => {
    const standard = application.answer;
    application.answer = () => [403, ''];
    const one = classic.subscribe('one', () => {});
    classic.paperboy.on('error', () => {});
    await assert.rejects(one.ready(), { code: ErrorCode.NoToken });
    assert.equal(classic.paperboy.state, 'closed');
    application.answer = standard;
    await classic.subscribe('two', () => {}).ready();
    assert.equal(classic.paperboy.state, 'connected');
  });

  test('has a token for its connection after the last channel', async () => {
    const connect = ({ token }) =>
      script.commands('connect').length === 2
        ? { error: { code: 109, message: 'token expired' } }
        : { connect: { client: token } };
    script.answers = { connect };
    const one = classic.subscribe('one', () => {});
    await one.ready();
    classic.paperboy.on('error', () => {});
    classic.unsubscribe('one');
    script.last.socket.terminate();
    await until(() => script.commands('connect').length === 3);
    await classic.paperboy.ready();
  });
});
