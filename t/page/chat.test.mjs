import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { Demo, openBrowser, pictures, until } from './demo.mjs';

let demo;
let browser;
let tabs = [];

// A window of its own with the page in it, and what the page complained of.
async function visit(options = {}) {
  const { hash = '', ...context } = options;
  const window = await browser.newContext(context);
  const page = await window.newPage();
  page.complaints = [];
  page.on('pageerror', (error) => page.complaints.push(String(error)));
  page.on('console', (message) => {
    const text = message.text();
    // Chromium writes one of these for each connection that was refused.
    if (message.type() === 'error' && !/WebSocket|ERR_CONN/.test(text)) {
      page.complaints.push(text);
    }
  });
  tabs.push(page);
  await page.goto(demo.url + hash);
  return page;
}

async function join(name, room, options) {
  const page = await visit(options);
  await page.getByLabel('Your name').fill(name);
  await page.getByLabel('Room').fill(room);
  await page.getByRole('button', { name: 'Join' }).click();
  await connected(page);
  return page;
}

const status = (page) => page.getByRole('status').textContent();
const connected = (page) =>
  until(async () => await status(page) === 'Connected', 'the connection');

async function say(page, text) {
  await page.getByLabel('Message', { exact: true }).fill(text);
  await page.keyboard.press('Enter');
}

const item = (page, text) =>
  page.getByRole('log').getByRole('listitem').filter({ hasText: text });
const sees = (page, text) => item(page, text).waitFor({ timeout: 10_000 });

describe('the chat page', () => {
  before(async () => {
    demo = await Demo.start();
    browser = await openBrowser();
  });

  afterEach(async () => {
    const complaints = tabs.flatMap((page) => page.complaints);
    for (const page of tabs) await page.context().close();
    tabs = [];
    assert.deepEqual(complaints, []);
  });

  after(async () => {
    await browser?.close();
    await demo?.stop();
  });

  test('two tabs on two workers see what each of them says', async () => {
    const ann = await demo.onWorker(0, () => join('Ann', 'lobby'));
    const ben = await demo.onWorker(1, () => join('Ben', 'lobby'));
    await say(ann, 'Good morning');
    await sees(ann, 'Good morning');
    await sees(ben, 'Good morning');
    await say(ben, 'And to you');
    await sees(ann, 'And to you');
    assert.match(await item(ben, 'Good morning').textContent(), /Ann/);
    assert.match(await item(ann, 'And to you').textContent(), /Ben/);
  });

  test('another room does not hear it', async () => {
    const ann = await join('Ann', 'kitchen');
    const ben = await join('Ben', 'cellar');
    await say(ann, 'Only for the kitchen');
    await sees(ann, 'Only for the kitchen');
    demo.curl('say?room=cellar', 'a mark');
    await sees(ben, 'a mark');
    assert.equal(await item(ben, 'Only for the kitchen').count(), 0);
  });

  test('the address leads to the room', async () => {
    const ann = await join('Ann', 'caf\u00e9 & bar');
    const ben = await visit({ hash: new URL(ann.url()).hash });
    assert.equal(await ben.getByLabel('Room').inputValue(), 'caf\u00e9 & bar');
    await ben.getByLabel('Your name').fill('Ben');
    await ben.getByLabel('Your name').press('Enter');
    await connected(ben);
    await say(ben, 'Here I am');
    await sees(ann, 'Here I am');
  });

  test('what curl publishes is shown', async () => {
    const ann = await join('Ann', 'shell');
    const answer = JSON.parse(demo.curl('say?room=shell',
      '{"name":"curl","text":"from a shell"}'));
    assert.equal(answer.channel, 'room:shell');
    assert.equal(answer.subscribers, 1);
    await sees(ann, 'from a shell');
  });

  test('HTML in a message is text, in its name too', async () => {
    const ann = await join('Ann', 'markup');
    const markup = '<img src=x onerror="document.title=1"><b>bold</b>';
    await say(ann, markup);
    await sees(ann, markup);
    demo.curl('say?room=markup',
      JSON.stringify({ name: '<i>x</i>', text: 'named so' }));
    await sees(ann, '<i>x</i>');
    demo.curl('say?room=markup', '<u>no JSON</u>');
    await sees(ann, '<u>no JSON</u>');
    const made = await ann.locator('#messages :is(img, i, u)').count();
    assert.equal(made, 0);
    assert.equal(await ann.title(), '# markup');
  });

  test('a restart of nginx: all come back by themselves', async () => {
    const ann = await join('Ann', 'storm');
    const ben = await join('Ben', 'storm');
    await demo.stop();
    for (const page of [ann, ben]) {
      await until(async () => /^Offline/.test(await status(page)), 'Offline');
    }
    await say(ann, 'Is anybody there?');
    await ann.getByText('That wasn’t sent').waitFor();
    await demo.start();
    await connected(ann);
    await connected(ben);
    assert.equal(await ann.getByLabel('Message', { exact: true }).inputValue(),
      'Is anybody there?');
    await ann.keyboard.press('Enter');
    await sees(ben, 'Is anybody there?');
    await sees(ben, 'Back again');
  });

  test('the keyboard alone is enough', async () => {
    const page = await visit({ hash: '#keys' });
    await page.keyboard.type('Ann');
    await page.keyboard.press('Enter');
    await connected(page);
    await page.keyboard.type('no mouse');
    await page.keyboard.press('Enter');
    await sees(page, 'no mouse');
  });

  test('it fits a phone and a desk, by day and by night', async () => {
    for (const [name, context] of Object.entries({
      wide: { viewport: { width: 1100, height: 720 } },
      narrow: { viewport: { width: 360, height: 640 } },
      dark: { viewport: { width: 1100, height: 720 }, colorScheme: 'dark' },
    })) {
      const page = await visit(context);
      await page.screenshot({ path: `${pictures}/chat-${name}-join.png` });
      await page.context().close();
      const room = `picture-${name}`;
      const ann = await join('Ann', room, context);
      const told = (from, text) => demo.curl(`say?room=${room}`,
        JSON.stringify({ name: from, text, at: Date.now() }));
      told('Ben', 'Good morning! Did the new build reach the shop?');
      told('Ben', 'I see two of three pages.');
      await sees(ann, 'two of three');
      await say(ann, 'All three by now. The last one needed a reload.');
      await sees(ann, 'All three');
      told('Chloë', `And here is a long word: ${'paper'.repeat(30)}`);
      await sees(ann, 'long word');
      await ann.screenshot({ path: `${pictures}/chat-${name}.png` });
      const overflow = await ann.evaluate(() =>
        document.documentElement.scrollWidth - innerWidth);
      assert.ok(overflow <= 0, `${name}: ${overflow} px too wide`);
    }
  });
});
