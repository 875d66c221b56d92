// EventSource in Chromium: it resumes by itself, and pages of other origins
// read what they may.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { openBrowser, until } from './demo.mjs';
import { Nginx } from './nginx.mjs';

const conf = `
paperboy_zone main 8m;
paperboy_channel_rule kept* history=1000;
default_type text/html;
server {
    listen {port};
    paperboy_sse_retry 200ms;
    paperboy_channel $arg_channel $arg_and;
    location = / { return 200 "<!doctype html><title>page</title>"; }
    location = /events { paperboy sse; }
    location = /named { paperboy sse; paperboy_sse_event channel; }
    location = /publish { paperboy_publish any; }
    location = /shared/events {
        paperboy sse;
        paperboy_origin http://localhost:{other};
        paperboy_cors on credentials;
    }
    location = /shared/publish {
        paperboy_publish any;
        paperboy_origin http://localhost:{other};
        paperboy_cors on;
    }
    location = /shared/guarded {
        paperboy_publish;
        paperboy_origin http://localhost:{other};
        paperboy_cors on;
        paperboy_jwt_key HS256 file={dir}/nginx.conf;
    }
    location = /unshared/publish {
        paperboy_publish any;
        paperboy_origin http://localhost:{other};
    }
    location = /foreign/publish {
        paperboy_publish any;
        paperboy_origin https://app.example;
        paperboy_cors on;
    }
    location = /foreign/events {
        paperboy sse;
        paperboy_origin https://app.example;
        paperboy_cors on;
    }
}
server {
    listen {other};
    location = / { return 200 "<!doctype html><title>other</title>"; }
}`;

let nginx;
let browser;
const pages = [];

async function visit(url) {
  const page = await browser.newPage();
  pages.push(page);
  await page.goto(url);
  return page;
}

// Listens in the page, and notes what it hears.
async function listen(page, url, names = []) {
  await page.evaluate(([address, more, shared]) => {
    window.heard = [];
    const source = new EventSource(address, { withCredentials: shared });
    window.source = source;
    for (const name of ['message', 'binary', 'gap', 'close', ...more]) {
      source.addEventListener(name, (event) => {
        window.heard.push(`${event.type}:${event.data}`);
      });
    }
    source.onopen = () => { window.opened = (window.opened ?? 0) + 1; };
    source.onerror = () => { window.errors = (window.errors ?? 0) + 1; };
  }, [url, names, url.includes('shared')]);
}

const heard = (page) => page.evaluate(() => window.heard);
const hears = (page, what) =>
  until(async () => (await heard(page)).includes(what), what);
const opens = (page) =>
  until(() => page.evaluate(() => window.opened > 0), 'the stream');

describe('EventSource', () => {
  before(async () => {
    nginx = await Nginx.start(conf);
    browser = await openBrowser();
  });

  afterEach(async () => {
    while (pages.length > 0) await pages.pop().close();
  });

  after(async () => {
    await browser?.close();
    await nginx?.remove();
  });

  test('hears text, lines, binary and nothing at all', async () => {
    const page = await visit(nginx.url);
    await listen(page, '/events?channel=forms');
    await opens(page);
    await nginx.publish('forms', 'caf\u00e9');
    await nginx.publish('forms', 'two\nlines');
    await nginx.publish('forms', '');
    await nginx.publish('forms', 'bytes',
      { 'Content-Type': 'application/octet-stream' });
    await hears(page, 'binary:Ynl0ZXM=');
    assert.deepEqual(await heard(page), ['message:caf\u00e9',
      'message:two\nlines', 'message:', 'binary:Ynl0ZXM=']);
  });

  test('hears events that are named after their channels', async () => {
    const page = await visit(nginx.url);
    await listen(page, '/named?channel=one&and=two', ['one', 'two']);
    await opens(page);
    await nginx.publish('one', 'a');
    await nginx.publish('two', 'b');
    await hears(page, 'two:b');
    assert.ok((await heard(page)).includes('one:a'));
  });

  test('misses nothing when workers are killed', async () => {
    const page = await visit(nginx.url);
    await listen(page, '/events?channel=kept1&and=kept2');
    await opens(page);
    const sent = [];
    let attempt = 0;
    // A publish whose worker dies may have been made: each try is another.
    const publish = (channel) => until(async () => {
      const body = `${channel} ${++attempt}`;
      const answer = await fetch(`${nginx.url}/publish?channel=${channel}`,
        { method: 'POST', body }).catch(() => null);
      if (answer?.ok) sent.push(`message:${body}`);
      return answer?.ok;
    }, 'a publish');
    for (let round = 0; round < 4; round++) {
      // From the second round on while the page is away, then till it is back.
      for (let i = 0; i < 10; i++) await publish(`kept${1 + i % 2}`);
      await until(() => page.evaluate((n) => window.opened > n, round),
        'the stream again');
      await nginx.killWorker();
      await nginx.killWorker();
    }
    for (const channel of ['kept1', 'kept2']) await publish(channel);
    for (const last of sent.slice(-2)) await hears(page, last);
    const events = await heard(page);
    assert.equal(new Set(events).size, events.length, 'none twice');
    assert.deepEqual(sent.filter((one) => !events.includes(one)), []);
    for (const channel of ['kept1', 'kept2']) {
      const numbers = events.filter((one) => one.includes(channel))
        .map((one) => Number(one.split(' ')[1]));
      assert.deepEqual(numbers, [...numbers].sort((a, b) => a - b));
    }
    assert.ok(await page.evaluate(() => window.opened) > 4);
  });

  test('is told of the gap after a restart, and goes on', async () => {
    const page = await visit(nginx.url);
    await listen(page, '/events?channel=kept-over');
    await opens(page);
    await nginx.publish('kept-over', 'before');
    await hears(page, 'message:before');
    await nginx.stop();
    await nginx.start();
    await nginx.publish('kept-over', 'meanwhile');
    await hears(page, 'gap:{"channel":"kept-over"}');
    await nginx.publish('kept-over', 'after');
    await hears(page, 'message:after');
    const [first] = await heard(page);
    assert.equal(first, 'message:before');
  });

  test('of another origin hears, with CORS', async () => {
    const page = await visit(nginx.otherUrl);
    await listen(page, `${nginx.url}/shared/events?channel=kept-shared`);
    await opens(page);
    const answer = await page.evaluate(async (url) => {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: '{"from":"a page"}',
      });
      return { status: response.status, json: await response.json() };
    }, `${nginx.url}/shared/publish?channel=kept-shared`);
    assert.equal(answer.status, 200);
    assert.equal(answer.json.channel, 'kept-shared');
    await hears(page, 'message:{"from":"a page"}');
    await nginx.killWorker();
    await nginx.killWorker();
    await nginx.publish('kept-shared', 'again');
    await hears(page, 'message:again');
  });

  test('of another origin reads why it was refused', async () => {
    const page = await visit(nginx.otherUrl);
    const answer = await page.evaluate(async (url) => {
      const response = await fetch(url, {
        method: 'POST', body: 'x', headers: { Authorization: 'Bearer a.b.c' },
      });
      return { status: response.status, json: await response.json() };
    }, `${nginx.url}/shared/guarded?channel=kept-shared`);
    assert.equal(answer.status, 401);
    assert.equal(answer.json.error, 'unauthorized');
  });

  test('of another origin gets nothing without it', async () => {
    const page = await visit(nginx.otherUrl);
    for (const place of ['unshared', 'foreign']) {
      const outcome = await page.evaluate((url) =>
        fetch(url, { method: 'POST', body: 'x' })
          .then(() => 'read', (error) => error.name),
      `${nginx.url}/${place}/publish?channel=a`);
      assert.equal(outcome, 'TypeError', place);
    }
    await listen(page, `${nginx.url}/foreign/events?channel=a`);
    await until(() => page.evaluate(() =>
      window.source.readyState === EventSource.CLOSED), 'a refusal');
    await listen(page, `${nginx.url}/events?channel=a`);
    await until(() => page.evaluate(() =>
      window.source.readyState === EventSource.CLOSED), 'another');
  });
});
