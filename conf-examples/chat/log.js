// A room's messages in the page: the last 500. Whatever strangers sent becomes
// text, never markup.
import { hue } from './message.js';

const most = 500;
const slow = 700; // ms after which a message that waits says so
const together = 5 * 60_000; // ms: messages of one breath share a heading

function make(tag, className, ...content) {
  const element = document.createElement(tag);
  element.className = className;
  element.append(...content);
  return element;
}

function hour(at) {
  const today = at.toDateString() === new Date().toDateString();
  return at.toLocaleTimeString([], {
    hour: '2-digit',
    minute: '2-digit',
    ...(!today && { weekday: 'short' }),
  });
}

export class Log {
  constructor(room) {
    this.list = make('ol', '');
    this.element = make('div', 'log', this.list);
    this.element.setAttribute('role', 'log');
    this.element.setAttribute('aria-label', `Messages in ${room}`);
    this.element.tabIndex = 0; // arrow keys scroll it
    this.element.hidden = true;
    this.ready(false);
    this.waiting = new Map(); // id -> item
    this.last = null; // the message before
    this.follows = true; // the reader is at the end, and stays there
    this.element.addEventListener('scroll', () => this.scrolled());
    new ResizeObserver(() => this.follow()).observe(this.element);
    this.note('Nothing has been said here lately. '
      + 'The address of this page invites others.', 'empty');
  }

  /** Whether what is said comes here now. */
  ready(yes) {
    this.element.setAttribute('aria-busy', !yes);
  }

  /** A message that came. Whether it can be seen now. */
  said(message) {
    const item = this.waiting.get(message.id) ?? this.item(message);
    this.waiting.delete(message.id);
    item.classList.remove('waits', 'late');
    item.classList.toggle('again', this.goesOn(message));
    const { at } = message;
    item.querySelector('.when').replaceChildren(at ? this.time(at) : '');
    this.last = message;
    return this.place(item);
  }

  /** One of our own that hasn't come back yet; it stays below all that did. */
  waits(message) {
    const item = this.item({ ...message, mine: true });
    item.classList.add('waits');
    item.classList.toggle('again', this.goesOn({ ...message, mine: true }));
    this.waiting.set(message.id, item);
    this.add(item, null);
    this.toEnd();
    setTimeout(() => this.late(message.id), slow);
  }

  late(id) {
    this.waiting.get(id)?.classList.add('late');
    this.follow();
  }

  /** One of our own that the server doesn't take. */
  refused(id, why) {
    const item = this.waiting.get(id);
    if (!item) return;
    this.waiting.delete(id);
    item.classList.remove('waits', 'late', 'again');
    item.classList.add('refused');
    item.querySelector('.when').textContent = `Not sent: ${why}`;
    this.place(item);
    this.last = null;
  }

  note(words, kind = '') {
    this.last = null;
    this.place(make('li', `note ${kind}`, words));
  }

  toEnd() {
    this.follows = true;
    this.element.scrollTop = this.element.scrollHeight;
  }

  follow() {
    if (this.follows) this.toEnd();
  }

  scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.element;
    this.follows = scrollHeight - scrollTop - clientHeight < 60;
  }

  // --- items -----------------------------------------------------------------

  goesOn({ name, mine, at = new Date() }) {
    const { last } = this;
    return !!last && last.name === name && !!last.mine === !!mine &&
      Math.abs(at - last.at) < together; // both null: of the same past
  }

  item({ name, text, mine }) {
    const who = make('bdi', mine ? 'unseen' : 'who', mine ? 'You' : name);
    who.style.setProperty('--hue', hue(name));
    const when = make('span', 'when', 'Waiting to be sent');
    const said = make('p', 'text', text);
    said.dir = 'auto';
    return make('li', mine ? 'mine' : '',
      make('div', 'head', who, ' ', when), said);
  }

  time(at) {
    const time = make('time', '', hour(at));
    time.dateTime = at.toISOString();
    return time;
  }

  // Below what came, above what waits. Not moved where it stands there already:
  // it would be read out a second time.
  place(item) {
    const next = this.waiting.values().next().value ?? null;
    if (!item.parentNode || item.nextSibling !== next) this.add(item, next);
    this.follow(); // it may have grown where it stands
    return this.follows;
  }

  add(item, next) {
    this.list.querySelector('.empty')?.remove();
    this.list.insertBefore(item, next);
    if (this.list.children.length > most) this.list.firstElementChild.remove();
    this.follow();
  }
}
