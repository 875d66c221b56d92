// The chat page when nginx goes away, comes back, and reads its configuration
// anew.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { Chat } from './chat.mjs';
import { until } from './demo.mjs';

describe('an open page', () => {
  let chat;

  before(async () => { chat = await Chat.start('outage'); });
  afterEach(() => chat.leave());
  after(() => chat?.stop());

  // All that stands in the element from now on, as it changes.
  async function history(window, id) {
    await window.page.evaluate((of) => {
      const element = document.getElementById(of);
      const all = (globalThis[`${of}es`] = []);
      new MutationObserver(() => all.push(element.textContent))
        .observe(element, { childList: true, characterData: true });
    }, id);
    return () => window.page.evaluate((of) => globalThis[`${of}es`], id);
  }

  const shows = (window, words) => until(
    async () => words.test(await window.status()), String(words));

  test('says that nginx is away, and comes back by itself', async () => {
    const ann = await chat.join('Ann', 'storm');
    const ben = await chat.join('Ben', 'storm');
    await ann.say('Before');
    await ben.sees('Before');
    const told = await history(ann, 'told');
    const statuses = await history(ann, 'status');
    await chat.demo.stop();
    for (const window of [ann, ben]) {
      await shows(window, /^Reconnecting/);
    }
    await ann.say('Is anybody there?');
    await ann.say('Hello?');
    const waits = ann.page.locator('li.late');
    await until(async () => await waits.count() === 2, 'both to wait');
    assert.match(await waits.first().textContent(),
      /Waiting to be sent/);
    assert.equal(await ann.page.getByRole('dialog').count(), 0);
    await chat.demo.start();
    await ann.online();
    await ben.online();
    // What waited is sent by itself, in its order, and once. Who was back later
    // may have missed it, and is told so.
    await until(async () => await waits.count() === 0, 'nothing to wait');
    await ann.say('Here we are');
    await ben.sees('Here we are');
    await ben.say('So are we');
    await ann.sees('So are we');
    const texts = await ann.page.locator('.log .text').allTextContents();
    assert.deepEqual(texts, ['Before', 'Is anybody there?', 'Hello?',
      'Here we are', 'So are we']);
    await ann.sees('You were away for a moment');
    await ben.sees('You were away for a moment');
    assert.deepEqual(await told(),
      ['Connection lost, reconnecting', 'Online again']);
    const states = await statuses();
    assert.ok(states.every((words) =>
      /^Reconnecting( in \d+ s|…)$|^Online$/.test(words)), states.join());
  });

  test('does not notice a reload', async () => {
    const ann = await chat.join('Ann', 'calm');
    const statuses = await history(ann, 'status');
    const told = await history(ann, 'told');
    const old = chat.demo.workers();
    await chat.demo.nameWorkers(); // a reload
    const ben = await chat.join('Ben', 'calm');
    assert.ok(!old.includes(ben.worker), 'Ben is at a new worker');
    await ben.say('I am new');
    await ann.sees('I am new');
    await ann.say('I am still here');
    await ben.sees('I am still here');
    assert.equal(ann.connections, 1);
    assert.deepEqual(await statuses(), []);
    assert.deepEqual(await told(), []);
    assert.equal(await ann.page.locator('li.note').count(), 0);
  });

  test('moves on when its worker is killed', async () => {
    const ann = await chat.join('Ann', 'killed');
    const ben = await chat.join('Ben', 'killed');
    await ann.people('2 here');
    for (const pid of chat.demo.workers()) process.kill(pid, 'SIGKILL');
    // Said while both are away, or may be.
    await until(() => {
      try {
        return chat.curl('killed', { name: 'shop', text: 'order 9' });
      } catch {
        return false; // no worker yet
      }
    }, 'a worker');
    await until(() => ann.connections + ben.connections === 4,
      'both to be back');
    await ann.online();
    await ben.online();
    await ann.say('Did you feel that?');
    await ben.sees('Did you feel that?');
    await ben.say('Feel what?');
    await ann.sees('Feel what?');
    assert.equal(await ann.item('Did you feel that?').count(), 1);
    for (const window of [ann, ben]) {
      const texts = await window.page.locator('.log .text').allTextContents();
      assert.deepEqual(texts, ['order 9', 'Did you feel that?', 'Feel what?']);
      assert.equal(await window.page.locator('li.note').count(), 0);
      await window.people('2 here');
    }
  });

  test('says nothing of what is over at once', async () => {
    let drop = null;
    const ann = await chat.visit({ route: (socket) => {
      socket.connectToServer();
      drop ??= () => socket.close({ code: 3001, reason: 'shutdown' });
    } });
    await ann.page.clock.install();
    await ann.box('Your name').fill('Ann');
    await ann.box('Your name').press('Enter');
    await ann.online();
    const statuses = await history(ann, 'status');
    await ann.page.clock.pauseAt(Date.now() + 3600_000);
    await drop();
    await ann.page.locator('.log[aria-busy=true]').waitFor();
    await ann.page.clock.runFor(700); // longer than the first pause
    await ann.online();
    await ann.page.clock.runFor(5000);
    await ann.online();
    assert.deepEqual(await statuses(), ['Online']);
  });

  test('says what is wrong when the server wants it no more', async () => {
    const ann = await chat.visit({ route: (socket) =>
      socket.close({ code: 3503, reason: 'you are not welcome' }) });
    await ann.box('Your name').fill('Ann');
    await ann.box('Your name').press('Enter');
    await shows(ann, /^Closed: .*you are not welcome/);
    await ann.page.getByRole('status')
      .filter({ hasText: 'The connection is closed' }).waitFor();
  });

  // A page whose messages `answer(id, forward, reply)` deals with.
  async function between(answer) {
    const ann = await chat.visit({ route: (socket) => {
      const server = socket.connectToServer();
      socket.onMessage((text) => {
        const [, id] = /"id":(\d+),"publish".*"text"/.exec(text) ?? [];
        const forward = () => server.send(text);
        if (!id) return forward();
        return answer(forward, (error) =>
          socket.send(JSON.stringify({ id: Number(id), error })));
      });
    } });
    await ann.box('Your name').fill('Ann');
    await ann.box('Your name').press('Enter');
    await ann.online();
    return ann;
  }

  test('says what is wrong with a message', async () => {
    const ann = await between((_, refuse) =>
      refuse({ code: 103, message: 'permission denied' }));
    await ann.say('Hear me');
    await ann.item('Hear me')
      .getByText(/Not sent: publish: permission denied/).waitFor();
  });

  test('sends again what the server could not take', async () => {
    let attempts = 0;
    const ann = await between((forward, refuse) => (++attempts < 2
      ? refuse({ code: 100, message: 'internal error', temporary: true })
      : forward()));
    await ann.say('Hear me');
    await until(async () => await ann.item('Hear me').locator('time').count(),
      'the message');
    assert.equal(await ann.item('Hear me').count(), 1);
    assert.equal(attempts, 2);
  });

  test('keeps no more than 20 messages that wait', async () => {
    const ann = await between(() => {});
    for (let i = 1; i <= 21; i++) await ann.say(`${i}.`);
    assert.equal(await ann.page.locator('li.waits').count(), 20);
    assert.equal(await ann.field().inputValue(), '21.');
    await ann.page.getByRole('alert')
      .filter({ hasText: 'Too much waits to be sent' }).waitFor();
  });

  test('knows that there is no network, and when there is', async () => {
    const ann = await chat.join('Ann', 'cable');
    await chat.demo.stop();
    await ann.page.context().setOffline(true);
    await shows(ann, /^No network$/);
    await chat.demo.start();
    await ann.page.context().setOffline(false);
    await ann.online();
    await ann.say('Plugged in');
    await ann.sees('Plugged in');
  });

  test('is not in a room that it may not hear, and says so', async () => {
    const ann = await chat.visit({ route: (socket) => {
      const server = socket.connectToServer();
      socket.onMessage((text) => server.send(
        text.replaceAll('"channel":"room:secret"', '"channel":""')));
    } });
    await ann.box('Your name').fill('Ann');
    await ann.box('Room').fill('secret');
    await ann.box('Room').press('Enter');
    await ann.sees('You are not in this room: subscribe: bad request');
  });
});
