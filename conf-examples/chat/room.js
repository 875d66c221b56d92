// One room: its two channels, what was said, what waits to be sent. It knows
// no page: `page` hears ready(room, yes), said(room, message),
// waits(room, message), refused(room, id, why), typing(room), note(room, words).
import { makeId, read } from './message.js';
import { Typing } from './typing.js';

const most = { waiting: 20, seen: 500 };
const again = 2000; // ms until a message that the server couldn't take now

export class Room {
  constructor(paperboy, name, me, page) {
    this.name = name;
    this.me = me;
    this.page = page;
    this.unread = 0;
    this.draft = '';
    this.waiting = new Map(); // id -> {id, name, text}
    this.seen = new Set(); // ids

    // As the location of /say has it: $arg_room comes as it was sent.
    const key = encodeURIComponent(name);
    this.subscription = paperboy.subscribe(`room:${key}`);
    this.subscription.on('publication', (one) => this.heard(one));
    this.subscription.on('subscribed', ({ gap }) => this.joined(gap));
    this.subscription.on('subscribing', () => page.ready(this, false));
    this.subscription.on('unsubscribed', ({ error }) => {
      if (error) page.note(this, `You are not in this room: ${error.message}.`);
    });
    this.typing = new Typing(
      paperboy.subscribe(`typing:${key}`), me, () => page.typing(this));
  }

  /** Whether there was room for it; it is sent as soon as that is possible. */
  say(text) {
    if (this.waiting.size >= most.waiting) return false;
    const message = { id: makeId(), name: this.me.name, text };
    this.waiting.set(message.id, message);
    this.page.waits(this, message);
    this.send(message);
    this.typing.stopped();
    return true;
  }

  leave() {
    this.typing.end();
    this.subscription.unsubscribe();
    this.waiting.clear();
  }

  joined(gap) {
    this.page.ready(this, true);
    if (gap) {
      this.page.note(this,
        'You were away for a moment: something may be missing here.');
    }
    for (const message of this.waiting.values()) this.send(message);
  }

  // A message may be sent twice, since a connection can break between its
  // publication and the answer; `heard` shows each once.
  async send(message) {
    if (this.subscription.state !== 'subscribed') return; // `joined` will
    try {
      await this.subscription.publish(message);
    } catch (error) {
      if (!this.waiting.has(message.id)) return;
      if (error.temporary) {
        setTimeout(() => this.resend(message), again);
      } else {
        this.waiting.delete(message.id);
        this.page.refused(this, message.id, error.message);
      }
    }
  }

  resend(message) {
    if (this.waiting.has(message.id)) this.send(message);
  }

  heard({ data, time }) {
    const message = read(data);
    const { id } = message;
    if (id !== null) {
      if (this.seen.has(id)) return;
      this.seen.add(id);
      if (this.seen.size > most.seen) {
        this.seen.delete(this.seen.values().next().value);
      }
    }
    message.mine = this.waiting.delete(id);
    message.at = new Date(time ?? Date.now());
    this.page.said(this, message);
  }
}
