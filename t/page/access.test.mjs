// Who uses the chat page without a mouse, without eyes, on a phone, at night.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { Chat } from './chat.mjs';
import { pictures, until } from './demo.mjs';

const desk = { viewport: { width: 1100, height: 720 } };
const phone = { viewport: { width: 360, height: 640 }, hasTouch: true,
  isMobile: true };

describe('the chat page for everybody', () => {
  let chat;

  before(async () => { chat = await Chat.start('access'); });
  afterEach(() => chat.leave());
  after(() => chat?.stop());

  // What has the focus, as a screen reader says it: "button: Send".
  async function focused(window) {
    const nodes = await tree(window);
    const node = nodes.findLast(({ focused: yes }) => yes);
    return node && `${node.role}: ${node.name}`;
  }

  // Chromium's accessibility tree, without what is ignored.
  async function tree({ devtools }) {
    const { nodes } = await devtools.send('Accessibility.getFullAXTree');
    const value = (node, name) =>
      node.properties?.find((property) => property.name === name)?.value.value;
    return nodes.filter((node) => !node.ignored).map((node) => ({
      role: node.role.value,
      name: node.name?.value ?? '',
      description: node.description?.value ?? '',
      focused: value(node, 'focused') === true,
      focusable: value(node, 'focusable') === true,
      live: value(node, 'live'),
      required: value(node, 'required'),
      expanded: value(node, 'expanded'),
    }));
  }

  test('the keyboard alone is enough', async () => {
    const ann = await chat.visit({ hash: '#keys', ...desk });
    const { keyboard } = ann.page;
    const press = async (keys) => {
      for (const key of keys) await keyboard.press(key);
    };
    assert.equal(await focused(ann), 'textbox: Your name');
    await keyboard.type('Ann');
    await press(['Enter']);
    await ann.online();
    assert.equal(await focused(ann), 'textbox: Message to keys');
    await keyboard.type('no mouse');
    await press(['Enter']);
    await ann.sees('no mouse');

    // From the message back to the beginning, and each has a ring.
    const stops = [];
    for (let i = 0; i < 5; i++) {
      await press(['Shift+Tab']);
      stops.push(await focused(ann));
      const ring = await ann.page.evaluate(() => {
        const { outlineStyle, outlineWidth } =
          getComputedStyle(document.activeElement);
        return `${outlineStyle} ${outlineWidth}`;
      });
      assert.equal(ring, 'solid 2px', stops.at(-1));
    }
    assert.deepEqual(stops, ['log: Messages in keys',
      'DisclosureTriangle: Only you', 'button: You are Ann Change your name', 'textbox: Join a room',
      'link: keys']);
    await press(['Tab', 'Tab']);
    assert.equal(await focused(ann), 'button: Join');
  });

  test('who is here, by the keyboard', async () => {
    const ann = await chat.join('Ann', 'who', desk);
    const { keyboard } = ann.page;
    await ann.people('Only you');
    await ann.page.locator('#how-many').focus();
    await keyboard.press('Enter');
    const list = ann.page.getByRole('list', { name: 'Who is here' });
    await list.waitFor();
    assert.deepEqual(await list.getByRole('listitem').allTextContents(),
      ['Ann (you)']);
    await keyboard.press('Escape');
    await list.waitFor({ state: 'hidden' });
    assert.equal(await focused(ann), 'DisclosureTriangle: Only you');
  });

  test('rooms and names by the keyboard', async () => {
    const ann = await chat.join('Ann', 'one', desk);
    const { keyboard } = ann.page;
    await ann.box('Join a room').focus();
    await keyboard.type('two');
    await keyboard.press('Enter');
    await ann.online();
    assert.equal(await focused(ann), 'textbox: Message to two');
    await ann.page.getByRole('link', { name: 'one' }).focus();
    await keyboard.press('Enter');
    await until(async () => await focused(ann) === 'textbox: Message to one',
      'the other room');
    await keyboard.type('line one');
    await keyboard.press('Shift+Enter');
    await keyboard.type('line two');
    await keyboard.press('Enter');
    await ann.sees('line two');
    assert.equal(await ann.page.locator('.text').textContent(),
      'line one\nline two');

    const me = ann.page.getByRole('button', { name: /^You are/ });
    await me.focus();
    await keyboard.press('Enter');
    assert.equal(await focused(ann), 'textbox: Your name');
    await keyboard.press('Escape');
    assert.equal(await focused(ann), 'button: You are Ann Change your name');
    await keyboard.press('Enter');
    await keyboard.type('Anna');
    await keyboard.press('Enter');
    assert.equal(await focused(ann), 'button: You are Anna Change your name');
  });

  test('a screen reader gets all of it, and what changes', async () => {
    const asked = await chat.visit(desk);
    for (const expected of ['heading: Chat', 'textbox: Your name',
      'textbox: Room', 'button: Join']) {
      const has = (await tree(asked)).map(({ role, name }) => `${role}: ${name}`);
      assert.ok(has.includes(expected), `${expected} in ${has.join(', ')}`);
    }
    const ann = await chat.join('Ann', 'reader', desk);
    await ann.page.goto(`${chat.demo.url}#other`);
    await ann.online();
    chat.curl('reader', { name: 'Ben', text: 'unseen' });
    chat.curl('other', { name: 'Ben', text: 'first' });
    chat.curl('other', { name: 'Ben', text: 'second' });
    await ann.say('third');
    await ann.sees('third');
    const nodes = await tree(ann);
    const all = nodes.map(({ role, name }) => `${role}: ${name}`);
    for (const expected of [
      'complementary: Rooms and you', 'navigation: Rooms',
      'link: reader 1 unread', 'link: other', 'textbox: Join a room',
      'button: You are Ann Change your name', 'main: ', 'heading: other',
      'button: Leave this room', 'log: Messages in other',
      'textbox: Message to other', 'button: Send',
    ]) {
      assert.ok(all.includes(expected), `${expected} in\n${all.join('\n')}`);
    }
    assert.ok(all.some((one) => /^StaticText: Online/.test(one)));
    // Who speaks is said for each message, also where the eye doesn't need it.
    const items = await ann.page.getByRole('log').getByRole('listitem')
      .allInnerTexts();
    assert.match(items[1], /^Ben/);
    const live = (role) => nodes.filter((one) => one.role === role)
      .map((one) => one.live);
    assert.deepEqual(live('log'), ['polite']);
    assert.deepEqual(live('status'), ['polite']);
    assert.deepEqual(live('alert'), []); // empty, so not there yet
    const nameless = nodes.filter((one) => one.focusable && one.name === '');
    assert.deepEqual(nameless, []);
  });

  // WCAG 2.2, 1.4.3: 4.5 to 1 for text of this size.
  const contrasts = () => {
    const canvas = document.createElement('canvas').getContext('2d',
      { willReadFrequently: true });
    const pixel = (layers) => {
      for (const color of layers) {
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
      }
      return canvas.getImageData(0, 0, 1, 1).data;
    };
    const light = (layers) => [...pixel(layers)].slice(0, 3)
      .map((c) => c / 255)
      .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
      .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const grounds = (element) => {
      const all = [];
      for (let e = element; e; e = e.parentElement) {
        all.unshift(getComputedStyle(e).backgroundColor);
      }
      return all;
    };
    const texts = [...document.body.querySelectorAll('*')].filter((element) =>
      element.checkVisibility() && [...element.childNodes].some((node) =>
        node.nodeType === Node.TEXT_NODE && node.data.trim()));
    return texts.map((element) => {
      const under = grounds(element);
      const [a, b] = [light(under),
        light([...under, getComputedStyle(element).color])];
      const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      return { text: element.textContent.slice(0, 20), ratio };
    });
  };

  let rooms = 0;

  // A room in the midst of a day, as Ann sees it.
  async function lively(context) {
    const room = `design ${++rooms}`;
    for (const name of ['Ben', 'Chlo\u00eb']) await chat.join(name, room);
    const ann = await chat.join('Ann', room, context);
    await ann.page.goto(`${chat.demo.url}#lobby`);
    await ann.online();
    await ann.page.goto(`${chat.demo.url}#${encodeURIComponent(room)}`);
    await ann.online();
    const told = (from, text, where = room) =>
      chat.curl(where, { name: from, text });
    told('shop', 'order 7 is on its way', 'lobby');
    told('shop', 'order 8 is on its way', 'lobby');
    told('Ben', 'Good morning! Did the new build reach the shop?');
    told('Ben', 'I see two of three pages.');
    await ann.sees('two of three');
    await ann.say('All three by now. The last one needed a reload.');
    await ann.sees('All three');
    told('Chlo\u00eb', 'Lovely. The colours on the second page are much calmer'
      + ' than they were, and the prices line up at last.');
    told('Chlo\u00eb', `Here is a long word: ${'paper'.repeat(16)}`);
    await ann.sees('long word');
    await ann.say('They do!');
    await ann.say('Who tells the others?');
    await ann.sees('Who tells');
    await ann.type({ name: 'Ben' });
    await ann.page.getByText('Ben is typing').waitFor();
    await ann.people('3 here');
    return ann;
  }

  // How far the page and its messages scroll sideways.
  const width = (window) => window.page.evaluate(() => Math.max(
    document.documentElement.scrollWidth - innerWidth,
    ...[...document.querySelectorAll('.log')].map((log) =>
      log.scrollWidth - log.clientWidth)));

  for (const [name, context] of Object.entries({
    wide: desk,
    narrow: phone,
    dark: { ...desk, colorScheme: 'dark' },
    'narrow-dark': { ...phone, colorScheme: 'dark' },
  })) {
    test(`it fits: ${name}`, async () => {
      const first = await chat.visit(context);
      await first.page.screenshot({ path: `${pictures}/chat-${name}-join.png` });
      assert.equal(await width(first), 0);
      const ann = await lively(context);
      await ann.page.screenshot({ path: `${pictures}/chat-${name}.png` });
      assert.equal(await width(ann), 0, 'no horizontal scrolling');
      assert.ok(await ann.atEnd());
      const dim = (await ann.page.evaluate(contrasts))
        .filter(({ ratio }) => ratio < 4.5);
      assert.deepEqual(dim, []);
      await ann.page.locator('#how-many').click();
      await ann.page.getByText('Ann (you)').waitFor();
      assert.equal(await width(ann), 0, 'nor for who is here');
      await ann.page.screenshot({ path: `${pictures}/chat-${name}-here.png` });
      await ann.page.getByRole('log').click();
      await ann.page.getByText('Ann (you)').waitFor({ state: 'hidden' });
      if (name.startsWith('narrow')) {
        await ann.page.getByRole('button', { name: /^You are/ }).tap();
        assert.equal(await width(ann), 0, 'nor while the name is changed');
        await ann.page.screenshot({
          path: `${pictures}/chat-${name}-rename.png` });
      }
    });
  }

  test('an outage is shown calmly', async () => {
    const ann = await lively(desk);
    await chat.demo.stop();
    await until(async () => /^Reconnecting in/.test(await ann.status()),
      'the countdown');
    await ann.say('This one waits');
    await ann.item('This one waits').getByText('Waiting').waitFor();
    await ann.page.screenshot({ path: `${pictures}/chat-outage.png` });
    await chat.demo.start();
    await ann.online();
    await ann.sees('You were away for a moment');
    await ann.item('This one waits').locator('time').waitFor();
    assert.ok(await ann.atEnd());
    await ann.page.screenshot({ path: `${pictures}/chat-gap.png` });
  });
});
