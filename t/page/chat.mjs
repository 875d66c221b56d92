// The chat page in as many windows as a test wants, with what one does there.
import assert from 'node:assert/strict';
import { Demo, openBrowser, until } from './demo.mjs';

export class Chat {
  static async start(name) {
    const chat = new Chat();
    chat.windows = [];
    chat.demo = await Demo.start(name);
    chat.browser = await openBrowser();
    return chat;
  }

  async stop() {
    await this.browser.close();
    await this.demo.stop();
  }

  // A window of its own with the page in it.
  // `route` may stand between page and server.
  async visit({ hash = '', route, ...context } = {}) {
    const browsing = await this.browser.newContext(context);
    const window = new Window(await browsing.newPage());
    this.windows.push(window);
    await window.watch();
    if (route) await window.page.routeWebSocket(/\/ws$/, route);
    await window.page.goto(this.demo.url + hash);
    return window;
  }

  async join(name, room, options) {
    const window = await this.visit(options);
    await window.box('Your name').fill(name);
    await window.box('Room').fill(room);
    await window.page.getByRole('button', { name: 'Join' }).click();
    await window.online();
    return window;
  }

  // Closes all windows; none may have complained.
  async leave() {
    const complaints = this.windows.flatMap((window) => window.complaints);
    for (const window of this.windows) await window.close();
    this.windows = [];
    assert.deepEqual(complaints, []);
  }

  curl(room, data) {
    return this.demo.curl(`say?room=${encodeURIComponent(room)}`,
      typeof data === 'string' ? data : JSON.stringify(data));
  }
}

class Window {
  constructor(page) {
    this.page = page;
    this.complaints = [];
    this.connections = 0;
    this.worker = null; // which took the last one, if it told
  }

  async watch() {
    const { page } = this;
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('console', (message) => {
      const text = message.text();
      // Chromium writes one of these for each connection that was refused.
      if (message.type() === 'error' && !/WebSocket|ERR_CONN/.test(text)) {
        this.complaints.push(text);
      }
    });
    this.devtools = await page.context().newCDPSession(page);
    await this.devtools.send('Network.enable');
    this.devtools.on('Network.webSocketHandshakeResponseReceived',
      ({ response }) => {
        this.connections++;
        this.worker = Number(response.headers['X-Worker']);
      });
  }

  close() {
    return this.page.context().close();
  }

  status() {
    return this.page.locator('#status').textContent();
  }

  // Connected, and subscribed to both channels of the open room.
  async online() {
    await until(async () => await this.status() === 'Online', 'the connection');
    await this.page.locator('.log[aria-busy=false]:not([hidden])').waitFor();
  }

  box(name) {
    return this.page.getByRole('textbox', { name, exact: true });
  }

  field() {
    return this.page.getByRole('textbox', { name: /^Message to/ });
  }

  async say(text) {
    await this.field().fill(text);
    await this.field().press('Enter');
  }

  item(text) {
    return this.page.getByRole('log').getByRole('listitem')
      .filter({ hasText: text });
  }

  sees(text) {
    return this.item(text).first().waitFor({ timeout: 10_000 });
  }

  // Waits until this is said of who is here.
  people(words) {
    return until(async () => await this.page.locator('#how-many')
      .textContent() === words, `"${words}"`);
  }

  // Their names, ourselves first.
  names() {
    return this.page.locator('#people li').allTextContents();
  }

  atEnd() {
    return this.page.getByRole('log').evaluate((log) =>
      log.scrollHeight - log.scrollTop - log.clientHeight < 5);
  }

  // As another client would, over a connection of its own.
  publish(channel, messages) {
    return this.page.evaluate(async ([to, all]) => {
      const { Paperboy } = await import('/client/index.js');
      const other = new Paperboy('ws');
      await Promise.all(all.map((data) => other.publish(to, data)));
      other.close();
    }, [channel, messages]);
  }

  publishMany(channel, count) {
    return this.publish(channel, Array.from({ length: count },
      (_, i) => ({ name: 'Ben', text: `number ${i}.` })));
  }

  // Somebody begins to type in the open room.
  async type({ by = 'stranger', name }) {
    const room = new URL(this.page.url()).hash.slice(1);
    await this.publish(`typing:${room}`, [{ by, name, typing: true }]);
  }
}
