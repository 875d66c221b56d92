// Who is typing in a room. It goes through a channel of its own beside the
// room's, as {by, name, typing}, so that the room's holds messages only. `by`
// tells pages apart: two people may have the same name.
import { makeId, readName } from './message.js';

const renewed = 3000; // ms: how often we say that we go on
const over = 7000; // ms: who hasn't said so for that long, has stopped
const most = 50; // people kept at a time

const by = makeId();

export class Typing {
  /** `changed` is called when there is another answer to `names`. */
  constructor(subscription, me, changed) {
    this.subscription = subscription;
    this.me = me;
    this.changed = changed;
    this.others = new Map(); // by -> {name, timer}
    this.told = 0; // when we last said that we type
    subscription.on('publication', ({ data }) => this.heard(data));
    subscription.on('subscribing', () => this.forget());
  }

  names() {
    return [...this.others.values()].map(({ name }) => name);
  }

  /** The text of the field has changed. */
  wrote(text) {
    if (!text.trim()) this.stopped();
    else if (Date.now() - this.told > renewed) this.tell(true);
  }

  /** The text was sent, or is left alone. */
  stopped() {
    if (this.told) this.tell(false);
  }

  end() {
    this.stopped();
    this.forget();
    this.subscription.unsubscribe();
  }

  // Without a connection it isn't worth a word, nor is it later.
  tell(typing) {
    this.told = typing ? Date.now() : 0;
    if (this.subscription.state !== 'subscribed') return;
    const news = { by, name: this.me.name, typing };
    this.subscription.publish(news).catch(() => {});
  }

  heard(data) {
    const who = data?.by;
    if (typeof who !== 'string' || who === by) return;
    clearTimeout(this.others.get(who)?.timer);
    const known = this.others.delete(who);
    if (data.typing === true && this.others.size < most) {
      const timer = setTimeout(() => this.drop(who), over);
      this.others.set(who, { name: readName(data.name), timer });
    } else if (!known) {
      return;
    }
    this.changed();
  }

  drop(who) {
    this.others.delete(who);
    this.changed();
  }

  forget() {
    for (const { timer } of this.others.values()) clearTimeout(timer);
    this.others.clear();
    this.changed();
  }
}

/** "Ann is typing", "Ann and Ben are typing", "Ann, Ben and 3 others ...". */
export function words(names) {
  if (names.length === 0) return '';
  if (names.length === 1) return `${names[0]} is typing`;
  const rest = names.length - 2;
  if (rest === 0) return `${names[0]} and ${names[1]} are typing`;
  const others = rest === 1 ? 'one other' : `${rest} others`;
  return `${names[0]}, ${names[1]} and ${others} are typing`;
}
