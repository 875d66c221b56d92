// Chat over one connection: each room is a channel of the page's client. This
// file ties rooms, their logs and the page together.
import { Paperboy } from './client/index.js';
import { Log } from './log.js';
import * as memory from './memory.js';
import { hue } from './message.js';
import { Room } from './room.js';
import { watch } from './status.js';
import { words } from './typing.js';

const $ = (id) => document.getElementById(id);
const most = { rooms: 16, name: 20 }; // a channel's name has 255 bytes

const me = { name: memory.name() };
const places = new Map(); // a room's name -> {room, log, item, link, badge}
let paperboy = null;
let here = null; // the place that is open

const tell = (text) => { $('told').textContent = text; };
const complain = (text) => { $('trouble').textContent = text; };

// --- rooms -------------------------------------------------------------------

const tidy = (name) => [...name.trim()].slice(0, most.name).join('').trim();
const hash = (name) => `#${encodeURIComponent(name)}`;

function roomOfHash() {
  try {
    return tidy(decodeURIComponent(location.hash.slice(1)));
  } catch {
    return '';
  }
}

// What rooms tell of, see room.js.
const page = {
  ready: (room, yes) => places.get(room.name).log.ready(yes),
  said(room, message, old) {
    const place = places.get(room.name);
    const seen = place.log.said(message);
    const looking = place === here && !document.hidden;
    if (!looking && !old) room.unread++;
    if (place === here) $('latest').hidden &&= seen;
    showUnread(place);
  },
  waits: (room, message) => places.get(room.name).log.waits(message),
  refused: (room, id, why) => places.get(room.name).log.refused(id, why),
  note: (room, text) => places.get(room.name)?.log.note(text),
  typing: (room) => { if (room === here?.room) showTyping(); },
  here: (room) => { if (room === here?.room) showHere(); },
};

function add(name) {
  const log = new Log(name);
  log.element.addEventListener('scroll', () => {
    if (log.follows) $('latest').hidden = true;
  });
  $('logs').append(log.element);

  const link = document.createElement('a');
  link.href = hash(name);
  const label = document.createElement('bdi');
  label.textContent = name;
  const badge = document.createElement('span');
  badge.className = 'badge';
  link.append(label, ' ', badge);
  const item = document.createElement('li');
  item.append(link);
  $('rooms').append(item);

  const place = { log, item, link, badge };
  places.set(name, place);
  place.room = new Room(paperboy, name, me, page);
  memory.keepRooms([...places.keys()]);
}

function open(name) {
  if (!places.has(name)) {
    if (places.size >= most.rooms) {
      complain(`You are in ${places.size} rooms. Leave one first.`);
      return history.replaceState(null, '', hash(here.room.name));
    }
    add(name);
  }
  history.replaceState(null, '', hash(name));
  close();
  here = places.get(name);
  here.link.setAttribute('aria-current', 'page');
  here.link.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  here.log.element.hidden = false;
  here.log.toEnd();
  $('title').textContent = name;
  $('say-where').textContent = `Message to ${name}`;
  $('text').value = here.room.draft;
  $('leave').hidden = places.size < 2;
  $('latest').hidden = true;
  complain('');
  look();
  showTyping();
  $('here').open = false;
  showHere();
  // A touch screen's keyboard would hide what was said.
  if (!matchMedia('(pointer: coarse)').matches) $('text').focus();
}

// What was begun here can be gone on with later.
function close() {
  if (!here) return;
  here.room.draft = $('text').value;
  here.room.typing.stopped();
  here.link.removeAttribute('aria-current');
  here.log.element.hidden = true;
}

function leave() {
  const left = here;
  const { name } = left.room;
  const names = [...places.keys()];
  const next = names[names.indexOf(name) + 1] ?? names.at(-2);
  open(next);
  places.delete(name);
  left.room.leave();
  left.item.remove();
  left.log.element.remove();
  memory.keepRooms([...places.keys()]);
  $('leave').hidden = places.size < 2;
  showTitle();
  tell(`You left ${name}`);
}

function look() {
  if (!here || document.hidden) return;
  here.room.unread = 0;
  showUnread(here);
}

// --- what is shown -----------------------------------------------------------

function showUnread({ room, badge }) {
  const { unread } = room;
  badge.textContent = unread === 0 ? '' : unread > 99 ? '99+' : unread;
  if (unread > 0) {
    const what = document.createElement('span');
    what.className = 'unseen';
    what.textContent = ' unread';
    badge.append(what);
  }
  showTitle();
}

function showTitle() {
  const all = [...places.values()];
  const unread = all.reduce((sum, { room }) => sum + room.unread, 0);
  const count = unread ? `(${unread}) ` : '';
  document.title = `${count}${here.room.name} – Chat`;
}

function showTyping() {
  $('typing').textContent = words(here.room.typing.names());
}

function showHere() {
  const { count, names, nameless } = here.room.here.people();
  $('here').hidden = count === 0;
  $('how-many').textContent = count === 1 ? 'Only you' : `${count} here`;
  const people = [`${me.name} (you)`, ...names];
  if (nameless) people.push(nameless === 1 ? 'one more' : `${nameless} more`);
  $('people').replaceChildren(...people.map((name) => {
    const item = document.createElement('li');
    item.textContent = name;
    item.dir = 'auto';
    return item;
  }));
}

function showStatus(state, text) {
  $('status').dataset.state = state;
  $('status').textContent = text;
}

function showMe() {
  $('my-name').textContent = me.name;
  const face = document.querySelector('#me .face');
  face.textContent = [...me.name][0].toUpperCase();
  face.style.setProperty('--hue', hue(me.name));
}

// --- what the reader does ----------------------------------------------------

$('say').addEventListener('submit', (event) => {
  event.preventDefault();
  const text = $('text').value.trim();
  if (!text) return;
  if (here.room.say(text)) {
    $('text').value = '';
    complain('');
  } else {
    complain('Too much waits to be sent. Try again when you are online.');
  }
});

$('text').addEventListener('input', () =>
  here.room.typing.wrote($('text').value));

$('text').addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  $('say').requestSubmit();
});

$('latest').addEventListener('click', () => {
  here.log.toEnd();
  $('text').focus();
});

$('leave').addEventListener('click', leave);

// As menus do: a click elsewhere closes it, and so does Escape.
addEventListener('click', ({ target }) => {
  if (!$('here').contains(target)) $('here').open = false;
});
$('here').addEventListener('keydown', ({ key }) => {
  if (key !== 'Escape') return;
  $('here').open = false;
  $('how-many').focus();
});

$('join').addEventListener('submit', (event) => {
  event.preventDefault();
  const name = tidy($('another').value);
  $('another').value = '';
  if (name) open(name);
});

function rename(on) {
  $('rename').hidden = !on;
  $('me').hidden = on;
  $('me').setAttribute('aria-expanded', on);
  if (on) {
    $('name').value = me.name;
    $('name').select();
  } else {
    $('me').focus();
  }
}

$('me').addEventListener('click', () => rename(true));
$('keep-name').addEventListener('click', () => rename(false));
$('rename').addEventListener('keydown', (event) => {
  if (event.key === 'Escape') rename(false);
});
$('rename').addEventListener('submit', (event) => {
  event.preventDefault();
  if (!setName($('name').value)) return;
  rename(false);
  tell(`You are now ${me.name}`);
});

function setName(value) {
  const name = value.trim();
  if (!name) return false;
  me.name = name;
  memory.keepName(name);
  showMe();
  for (const { room } of places.values()) room.here.tell();
  if (here) showHere();
  return true;
}

// --- the beginning -----------------------------------------------------------

function begin() {
  $('enter').hidden = true;
  $('chat').hidden = false;
  showMe();
  paperboy = new Paperboy('ws', { name: 'chat' });
  paperboy.on('connected', ({ client }) => { me.client = client; });
  watch(paperboy, { show: showStatus, tell });
  paperboy.on('error', ({ channel, message, temporary }) => {
    if (channel && temporary) complain(`${message}. It is tried again.`);
  });
  memory.rooms().slice(0, most.rooms - 1).forEach(add); // and one to open
  open(roomOfHash() || places.keys().next().value || 'lobby');
  addEventListener('hashchange', () => open(roomOfHash() || 'lobby'));
  document.addEventListener('visibilitychange', look);
}

function ask() {
  $('enter').hidden = false;
  $('first-name').value = memory.lastName();
  $('first-room').value = roomOfHash() || 'lobby';
  $('first-name').select();
  $('enter').addEventListener('submit', (event) => {
    event.preventDefault();
    if (!setName($('first-name').value)) return;
    const name = tidy($('first-room').value) || 'lobby';
    history.replaceState(null, '', hash(name));
    begin();
  });
}

if (me.name) begin();
else ask();
