// The page: who you are, what is said in the room that the address names.
import { ClassicClient } from './client.js';

const most = 500; // messages that are kept
const $ = (selector) => document.querySelector(selector);
const room = decodeURIComponent(location.hash.slice(1)) || 'lobby';
let me = null;

async function ask(path, body) {
  const answer = await fetch(path, body && { method: 'POST', body });
  const text = await answer.text();
  if (!answer.ok) throw Object.assign(new Error(text), answer);
  return text;
}

function complain(form, text) {
  form.querySelector('.trouble').textContent = text;
}

// --- what is said -----------------------------------------------------------

function make(tag, className, ...content) {
  const element = document.createElement(tag);
  element.className = className;
  element.append(...content);
  return element;
}

const hue = (name) =>
  [...name].reduce((sum, c) => (sum * 31 + c.codePointAt(0)) % 360, 7);

// What others say becomes text, never markup.
function show({ payload, timestamp }) {
  const { source, message } = Object(payload);
  if (typeof source !== 'string' || typeof message !== 'string') return;
  const list = $('#log ol');
  const atEnd = $('#log').scrollHeight - $('#log').clientHeight
    - $('#log').scrollTop < 40;
  if (source === 'system') {
    list.append(make('li', 'note', message));
  } else {
    const who = make('b', 'who', source);
    who.style.setProperty('--hue', hue(source));
    const time = make('time', '', new Date(timestamp).toLocaleTimeString([], {
      hour: '2-digit',
      minute: '2-digit',
    }));
    const said = make('p', 'text', message);
    said.dir = 'auto';
    const item = make('li', source === me ? 'mine' : '',
      make('p', 'head', who, ' ', time), said);
    const { source: before } = list.lastElementChild?.dataset ?? {};
    item.classList.toggle('again', before === source);
    item.dataset.source = source;
    list.append(item);
  }
  while (list.children.length > most) list.firstElementChild.remove();
  if (atEnd) $('#log').scrollTop = $('#log').scrollHeight;
}

// --- the connection ---------------------------------------------------------

function status(state, words) {
  $('#status').dataset.state = state;
  $('#status').textContent = words;
}

function begin() {
  $('#enter').hidden = true;
  $('#chat').hidden = false;
  $('#room').textContent = room;
  $('#me').textContent = me;
  document.title = `${room} – Chat`;
  const address = `${location.origin.replace(/^http/, 'ws')}/ws`;
  const client = new ClassicClient('/paperboyAuth/', address, {
    state: (state) =>
      status(state === 'open' ? 'connecting' : state,
        state === 'away' ? 'Offline, trying again' : 'Connecting…'),
    subscribed: () => status('online', 'Online'),
    trouble: (channel, { message }) => status('away', message),
  });
  client.subscribe(room, show);
  $('#text').focus();
}

$('#say').addEventListener('submit', async (event) => {
  event.preventDefault();
  const text = $('#text').value.trim();
  if (!text) return;
  $('#text').value = '';
  complain($('#say'), '');
  try {
    await ask(`/sendMessage/${encodeURIComponent(room)}`, text);
    $('#log').scrollTop = $('#log').scrollHeight;
  } catch (error) {
    $('#text').value ||= text;
    complain($('#say'), `It was not sent: ${error.message}`);
  }
});

// --- who you are ------------------------------------------------------------

async function whoAmI() {
  ({ userId: me } = JSON.parse(await ask('/session')));
  begin();
}

$('#enter').addEventListener('submit', async (event) => {
  event.preventDefault();
  try {
    await ask('/session', $('#name').value);
    await whoAmI();
  } catch (error) {
    complain($('#enter'), error.message);
  }
});

addEventListener('hashchange', () => location.reload());
whoAmI().catch((error) => {
  $('#enter').hidden = false;
  $('#name').focus();
  if (error.status !== 401) complain($('#enter'), error.message);
});
