// One room: its three channels, what was said, what waits to be sent. It knows
// no page: `page` hears ready(room, yes), said(room, message, old),
// waits(room, message), refused(room, id, why), typing(room), here(room),
// note(room, words).
import { Here } from './here.js';
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
    this.at = {}; // the position of what was shown last
    this.held = null; // what comes while the history is read
    this.loading = null;

    // As the location of /say has it: $arg_room comes as it was sent.
    const key = encodeURIComponent(name);
    this.subscription =
      paperboy.subscribe(`room:${key}`, { joinLeave: true });
    this.subscription.on('publication', (one) => this.heard(one));
    this.subscription.on('subscribed', () => this.joined());
    this.subscription.on('gap', () => this.missed());
    this.subscription.on('subscribing', () => page.ready(this, false));
    this.subscription.on('unsubscribed', ({ error }) => {
      if (error) page.note(this, `You are not in this room: ${error.message}.`);
    });
    this.typing = new Typing(
      paperboy.subscribe(`typing:${key}`), me, () => page.typing(this));
    this.here = new Here(this.subscription,
      paperboy.subscribe(`here:${key}`), me, () => page.here(this));
  }

  /** Whether there was room for it; it is sent as soon as that is possible. */
  say(text) {
    if (this.waiting.size >= most.waiting) return false;
    const message = { id: makeId(), name: this.me.name, text, at: Date.now() };
    this.waiting.set(message.id, message);
    this.page.waits(this, message);
    this.send(message);
    this.typing.stopped();
    return true;
  }

  leave() {
    this.typing.end();
    this.here.end();
    this.subscription.unsubscribe();
    this.waiting.clear();
  }

  // What was missed is delivered by itself, before this goes on.
  async joined() {
    if (!this.loading) this.load();
    await null;
    await this.loading;
    if (this.subscription.state !== 'subscribed') return;
    this.page.ready(this, true);
    for (const message of this.waiting.values()) this.send(message);
  }

  // Some of it isn't kept any more; what is, is shown.
  missed() {
    this.page.note(this,
      'You were away for a moment: something may be missing here.');
    this.load();
  }

  load() {
    this.held ??= [];
    this.loading = this.read();
  }

  async read() {
    const kept = await this.subscription.history().catch(() => null);
    if (!kept) this.loading = null; // when it is back
    for (const one of kept?.publications ?? []) this.show(one, kept.epoch, true);
    const held = this.held ?? [];
    this.held = null;
    for (const one of held) this.heard(one);
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

  heard(publication) {
    if (this.held) this.held.push(publication);
    else this.show(publication, this.subscription.position?.epoch, false);
  }

  // Nothing is shown twice: neither a publication, nor a message that was
  // published twice.
  show({ data, offset }, epoch, old) {
    if (epoch === this.at.epoch && offset <= this.at.offset) return;
    this.at = { epoch, offset };
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
    if (!message.at && !old) message.at = new Date();
    this.page.said(this, message, old);
  }
}
