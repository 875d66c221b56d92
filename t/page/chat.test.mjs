// The chat page, as people use it.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { Chat } from './chat.mjs';
import { until } from './demo.mjs';

describe('the chat page', () => {
  let chat;
  let visit;
  let join;

  before(async () => {
    chat = await Chat.start('chat');
    visit = (options) => chat.visit(options);
    join = (name, room, options) => chat.join(name, room, options);
  });
  afterEach(() => chat.leave());
  after(() => chat?.stop());

  test('two tabs on two workers see what each of them says', async () => {
    await chat.demo.nameWorkers();
    const ann = await join('Ann', 'lobby');
    let ben;
    for (let i = 0; i < 50 && ben?.worker === ann.worker || !ben; i++) {
      await ben?.close();
      ben = await join('Ben', 'lobby');
    }
    const workers = chat.demo.workers();
    assert.ok(workers.includes(ann.worker), `${ann.worker} is a worker`);
    assert.ok(workers.includes(ben.worker), `${ben.worker} is a worker`);
    assert.notEqual(ann.worker, ben.worker);

    await ann.say('Good morning');
    await ann.sees('Good morning');
    await ben.sees('Good morning');
    await ben.say('And to you');
    await ann.sees('And to you');
    assert.match(await ben.item('Good morning').textContent(), /^Ann/);
    assert.match(await ann.item('And to you').textContent(), /^Ben/);
    assert.match(await ann.item('Good morning').textContent(), /^You/);
    assert.equal(await ann.item('Good morning').count(), 1);
  });

  test('a room does not hear another', async () => {
    const ann = await join('Ann', 'kitchen');
    const ben = await join('Ben', 'cellar');
    await ann.say('Only for the kitchen');
    await ann.sees('Only for the kitchen');
    chat.curl('cellar', 'a mark');
    await ben.sees('a mark');
    assert.equal(await ben.item('Only for the kitchen').count(), 0);
  });

  test('several rooms at once, with marks for what is unread', async () => {
    const ann = await join('Ann', 'first');
    await ann.box('Join a room').fill('second');
    await ann.box('Join a room').press('Enter');
    await ann.page.getByRole('heading', { name: 'second' }).waitFor();
    await ann.online();
    chat.curl('second', { name: 'Ben', text: 'seen at once' });
    await ann.sees('seen at once');
    chat.curl('first', { name: 'Ben', text: 'one' });
    chat.curl('first', { name: 'Ben', text: 'two' });
    const first = ann.page.getByRole('link', { name: 'first' });
    await until(async () => await first.textContent() === 'first 2 unread',
      'a mark');
    assert.equal(await ann.page.title(), '(2) second – Chat');
    assert.equal(await ann.item('one').count(), 0);

    await ann.box('Message to second').fill('a draft');
    await first.click();
    await ann.sees('one');
    await ann.sees('two');
    assert.equal(await first.textContent(), 'first ');
    assert.equal(await first.getAttribute('aria-current'), 'page');
    assert.equal(await ann.page.title(), 'first – Chat');
    assert.equal(await ann.field().inputValue(), '');

    await ann.page.reload();
    await ann.online();
    await ann.page.getByRole('link', { name: 'second' }).click();
    await ann.page.getByRole('button', { name: 'Leave this room' }).click();
    await ann.page.getByRole('heading', { name: 'first' }).waitFor();
    assert.equal(await ann.page.getByRole('link').count(), 1);
    const gone = JSON.parse(chat.curl('second', 'to nobody'));
    assert.equal(gone.subscribers, 0);
  });

  test('a room shows what was said before', async () => {
    for (let i = 1; i <= 60; i++) chat.curl('old', `number ${i}.`);
    const ann = await join('Ann', 'old');
    await ann.say('Now');
    await ann.sees('Now');
    const texts = () => ann.page.locator('.log .text').allTextContents();
    const kept = Array.from({ length: 50 }, (_, i) => `number ${i + 11}.`);
    assert.deepEqual(await texts(), [...kept, 'Now']);
    assert.equal(await ann.page.title(), 'old \u2013 Chat', 'none is unread');
    // Nobody knows when the shell said it, but when Ann did.
    await ann.page.locator('.log time').first().waitFor();
    assert.equal(await ann.page.locator('.log time').count(), 1);
    assert.ok(await ann.atEnd());
    const ben = await join('Ben', 'old');
    await ben.sees('Now');
    assert.equal(await ben.page.locator('.log time').count(), 1);
    assert.match(await ben.item('Now').textContent(), /^Ann/);
    assert.equal(await ben.page.locator('li.note').count(), 0);
  });

  test('who is here is known, by the names they have', async () => {
    const ann = await join('Ann', 'people');
    await ann.people('Only you');
    const ben = await join('Ben', 'people');
    const cleo = await join('<b>Cleo</b>', 'people');
    for (const one of [ann, ben, cleo]) await one.people('3 here');
    const named = (one, names) => until(async () =>
      (await one.names()).join() === names.join(), names.join());
    await named(ann, ['Ann (you)', '<b>Cleo</b>', 'Ben']);
    await named(cleo, ['<b>Cleo</b> (you)', 'Ann', 'Ben']);
    await ben.page.getByRole('button', { name: /You are/ }).click();
    await ben.box('Your name').fill('Benny');
    await ben.page.keyboard.press('Enter');
    await named(ann, ['Ann (you)', '<b>Cleo</b>', 'Benny']);
    await named(ben, ['Benny (you)', '<b>Cleo</b>', 'Ann']);
    await cleo.page.close();
    await ann.people('2 here');
    await named(ann, ['Ann (you)', 'Benny']);
    await ben.page.evaluate(async () => { // who listens, and tells no name
      const { Paperboy } = await import('/client/index.js');
      globalThis.other = new Paperboy('ws');
      globalThis.other.subscribe('room:people');
    });
    await ann.people('3 here');
    await named(ann, ['Ann (you)', 'Benny', 'one more']);
    await ben.page.reload();
    await ann.people('2 here');
    await named(ann, ['Ann (you)', 'Benny']);
  });

  test('nobody is in more than 16 rooms', async () => {
    const ann = await join('Ann', 'r1');
    for (let i = 2; i <= 17; i++) {
      await ann.box('Join a room').fill(`r${i}`);
      await ann.box('Join a room').press('Enter');
    }
    await ann.page.getByRole('alert')
      .filter({ hasText: 'You are in 16 rooms. Leave one first.' }).waitFor();
    assert.equal(await ann.page.getByRole('link').count(), 16);
    assert.equal(new URL(ann.page.url()).hash, '#r16');
    await ann.page.goto('about:blank');
    await ann.page.goto(`${chat.demo.url}#r99`); // by the address
    await ann.online();
    await ann.page.getByRole('heading', { name: 'r99' }).waitFor();
    assert.equal(await ann.page.getByRole('link').count(), 16);
  });

  test('a draft stays with its room', async () => {
    const ann = await join('Ann', 'here');
    await ann.field().fill('half a sent');
    await ann.page.goto(`${chat.demo.url}#there`);
    await ann.page.getByRole('heading', { name: 'there' }).waitFor();
    assert.equal(await ann.field().inputValue(), '');
    await ann.page.goBack();
    await ann.page.getByRole('heading', { name: 'here' }).waitFor();
    assert.equal(await ann.field().inputValue(), 'half a sent');
  });

  test('the address leads to the room', async () => {
    const ann = await join('Ann', 'caf\u00e9 & bar');
    const ben = await visit({ hash: new URL(ann.page.url()).hash });
    const room = ben.box('Room');
    assert.equal(await room.inputValue(), 'caf\u00e9 & bar');
    await ben.box('Your name').fill('Ben');
    await ben.box('Your name').press('Enter');
    await ben.online();
    await ben.say('Here I am');
    await ann.sees('Here I am');
    chat.curl('caf\u00e9 & bar', 'and a shell');
    await ann.sees('and a shell');
  });

  test('what curl publishes is shown, whatever it is', async () => {
    const ann = await join('Ann', 'shell');
    const answer = JSON.parse(chat.curl('shell',
      '{"name":"curl","text":"from a shell"}'));
    assert.equal(answer.channel, 'room:shell');
    assert.equal(answer.subscribers, 1);
    await ann.sees('from a shell');
    for (const [data, shown] of [
      ['plain words', 'plain words'], ['null', 'null'], ['17', '17'],
      ['[1,{"a":2}]', '[1,{"a":2}]'], ['{"b":3}', '{"b":3}'],
      ['{"text":{"c":4},"name":5,"id":6}', '{"c":4}'],
      ['{"text":"","name":"silent"}', 'silent'],
    ]) {
      chat.curl('shell', data);
      await ann.sees(shown);
    }
    const twice = { id: 'an id', name: 'Ben', text: 'sent twice' };
    chat.curl('shell', twice);
    chat.curl('shell', twice);
    const long = 'x'.repeat(7000);
    chat.curl('shell', { name: 'y'.repeat(500), text: long });
    await ann.sees('xxx');
    const text = await ann.item('xxx').textContent();
    assert.equal(await ann.item('sent twice').count(), 1);
    assert.ok(text.length < 4070, `${text.length} characters`);
  });

  test('HTML in a message is text, in a name too', async () => {
    const ann = await join('Ann', 'markup');
    const markup = '<img src=x onerror="document.title=1"><b>bold</b>';
    await ann.say(markup);
    await ann.sees(markup);
    chat.curl('markup', { name: '<i>x</i>', text: 'named so' });
    await ann.sees('<i>x</i>');
    chat.curl('markup', '<u>no JSON</u>');
    await ann.sees('<u>no JSON</u>');
    await ann.type({ name: '<s>y</s>' });
    await ann.page.getByText('<s>y</s> is typing').waitFor();
    assert.equal(await ann.page.locator(':is(img, i, b, u, s)').count(), 0);
    assert.equal(await ann.page.title(), 'markup – Chat');
  });

  test('the last 500 messages are kept', async () => {
    const ann = await join('Ann', 'flood');
    await ann.publishMany('room:flood', 520);
    await ann.sees('number 519.');
    assert.equal(await ann.page.getByRole('log')
      .getByRole('listitem').count(), 500);
    assert.equal(await ann.item('number 19.').count(), 0);
    await ann.item('number 20.').waitFor({ state: 'attached' });
    assert.ok(await ann.atEnd());
  });

  test('who reads further up is left there, and told', async () => {
    const ann = await join('Ann', 'scroll');
    await ann.publishMany('room:scroll', 60);
    await ann.sees('number 59.');
    const log = ann.page.getByRole('log');
    await log.focus();
    await ann.page.keyboard.press('Home');
    await until(() => log.evaluate((e) => e.scrollTop === 0), 'the top');
    chat.curl('scroll', 'something new');
    await ann.page.getByRole('button', { name: 'New messages' }).click();
    await until(() => ann.atEnd(), 'the end');
    assert.equal(await ann.page.locator('#latest').isVisible(), false);
    await ann.field().fill('many\nlines\nof\ntext'); // take the log's room
    await until(() => ann.atEnd(), 'the end again');
  });

  test('typing is shown, and goes away when it is over', async () => {
    const ann = await join('Ann', 'typing');
    const ben = await join('Ben', 'typing');
    const cleo = await join('Cleo', 'typing');
    const typing = (who, words) => until(
      async () => await who.page.locator('#typing').textContent() === words,
      `"${words}"`);
    await ben.field().pressSequentially('Well');
    await typing(ann, 'Ben is typing');
    await typing(ben, '');
    await cleo.field().pressSequentially('I');
    await typing(ann, 'Ben and Cleo are typing');
    await ben.page.keyboard.press('Enter'); // sent
    await ann.sees('Well');
    await typing(ann, 'Cleo is typing');
    await cleo.field().fill(''); // given up
    await typing(ann, '');
    await ben.field().pressSequentially('And');
    await typing(ann, 'Ben is typing');
    await ben.page.close(); // gone without a word
    await typing(ann, '');
    await cleo.say('Still there');
    await ann.sees('Still there');
    await typing(ann, '');
  });

  test('many who type are a number', async () => {
    const ann = await join('Ann', 'crowd');
    for (let i = 0; i < 70; i++) await ann.type({ by: `p${i}`, name: `N${i}` });
    await ann.page.getByText('N0, N1 and 48 others are typing').waitFor();
  });

  test('the name is kept, and can be changed', async () => {
    const ann = await join('Ann', 'names');
    await ann.say('as Ann');
    const me = ann.page.getByRole('button', { name: /You are/ });
    await me.click();
    await ann.box('Your name').fill('Anna');
    await ann.page.keyboard.press('Enter');
    await ann.page.getByRole('status')
      .filter({ hasText: 'You are now Anna' }).waitFor();
    await ann.say('as Anna');
    const ben = await join('Ben', 'names');
    await ann.say('and to Ben');
    await ben.sees('and to Ben');
    assert.match(await ben.item('and to Ben').textContent(), /^Anna/);

    await me.click();
    await ann.box('Your name').fill('never');
    await ann.page.keyboard.press('Escape');
    await ann.page.reload();
    await ann.online();
    assert.match(await me.textContent(), /Anna/);
    const other = await ann.page.context().newPage(); // asks, with that name
    await other.goto(chat.demo.url);
    assert.equal(await other.locator('#first-name').inputValue(), 'Anna');
  });
});
