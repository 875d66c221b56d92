// Chat on plain WebSocket and fetch. What arrives in the room's channel is
// JSON, {name, text, at}; at is in milliseconds since 1970.

const $ = (id) => document.getElementById(id);
const url = (path, room) =>
  new URL(`${path}?room=${encodeURIComponent(room)}`, location.href);

let me = sessionStorage.getItem('name') ?? '';
let room = '';

// --- the connection --------------------------------------------------------

const retry = { least: 500, most: 20_000, calm: 5_000 };
let socket = null;
let attempts = 0;
let timer = 0;
let wasOpen = false;

function connect() {
  clearTimeout(timer);
  const to = url('/ws', room);
  to.protocol = to.protocol === 'https:' ? 'wss:' : 'ws:';
  const mine = socket = new WebSocket(to);
  show('wait', wasOpen ? 'Reconnecting…' : 'Connecting…');

  mine.onopen = () => {
    // Only a connection that lasts shows that all is well again.
    timer = setTimeout(() => { attempts = 0; }, retry.calm);
    if (wasOpen) {
      note('Back again. What was said in between isn’t shown here.');
    }
    wasOpen = true;
    show('open', 'Connected');
  };
  mine.onmessage = (event) => {
    if (mine === socket) receive(event.data);
  };
  mine.onclose = () => {
    if (mine === socket) connectLater();
  };
}

// Twice as long each time, and never at the same moment as everybody else.
function connectLater() {
  clearTimeout(timer);
  const most = Math.min(retry.most, retry.least * 2 ** attempts++);
  const delay = most * (0.5 + Math.random() / 2);
  show('wait', `Offline. Trying again in ${Math.ceil(delay / 1000)} s`);
  timer = setTimeout(connect, delay);
}

function leave() {
  clearTimeout(timer);
  const old = socket;
  socket = null;
  wasOpen = false;
  attempts = 0;
  old?.close();
}

addEventListener('online', () => {
  if (socket?.readyState === WebSocket.CLOSED) connect();
});

function show(state, words) {
  $('status').dataset.state = state;
  $('status').textContent = words;
}

// --- messages --------------------------------------------------------------

const kept = 500;
let lastName = null;

function receive(data) {
  let message;
  try {
    message = JSON.parse(data);
  } catch {
    message = null;
  }
  // Anybody may publish anything: what is no message of ours is shown as is.
  if (typeof message?.text !== 'string') message = { text: String(data) };
  const name = String(message.name ?? 'somebody').slice(0, 32);
  const at = new Date(message.at ?? Date.now());

  const item = document.createElement('li');
  item.classList.toggle('mine', name === me);
  item.classList.toggle('again', name === lastName);
  item.append(heading(name, at), message.text);
  append(item);
  lastName = name;
}

function heading(name, at) {
  const who = document.createElement('div');
  who.className = 'who';
  const bold = document.createElement('b');
  bold.textContent = name;
  bold.style.setProperty('--hue', hue(name));
  const time = document.createElement('time');
  if (!Number.isNaN(at.getTime())) {
    time.dateTime = at.toISOString();
    time.textContent =
      at.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  }
  who.append(bold, time);
  return who;
}

const hue = (name) =>
  [...name].reduce((sum, c) => (sum * 31 + c.codePointAt(0)) % 360, 7);

function note(words) {
  const item = document.createElement('li');
  item.className = 'note';
  item.textContent = words;
  append(item);
  lastName = null;
}

function append(item) {
  const list = $('messages');
  const atEnd =
    list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  list.append(item);
  if (list.children.length > kept) list.firstElementChild.remove();
  if (atEnd) list.scrollTop = list.scrollHeight;
}

// It appears when it comes back from the channel, as everybody sees it.
async function say(text) {
  const body = JSON.stringify({ name: me, text, at: Date.now() });
  const answer = await fetch(url('/say', room), { method: 'POST', body });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
}

$('say').addEventListener('submit', async (event) => {
  event.preventDefault();
  const text = $('text').value.trim();
  if (!text) return;
  $('text').value = '';
  $('trouble').textContent = '';
  try {
    await say(text);
  } catch {
    // Give it back, unless the next one is already being written.
    $('text').value ||= text;
    $('trouble').textContent = 'That wasn’t sent. Please try again.';
  }
});

// --- rooms -----------------------------------------------------------------

function roomOfHash() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return '';
  }
}

function enter() {
  leave();
  room = roomOfHash() || 'lobby';
  const joined = me !== '';
  $('join').hidden = joined;
  $('chat').hidden = !joined;
  if (!joined) {
    $('room').value = room;
    $('name').focus();
    return;
  }
  document.title = $('title').textContent = `# ${room}`;
  $('messages').replaceChildren();
  note(`You are here as ${me}. Share the address to invite others.`);
  connect();
  $('text').focus();
}

$('join').addEventListener('submit', (event) => {
  event.preventDefault();
  me = $('name').value.trim();
  if (!me) return;
  sessionStorage.setItem('name', me);
  const hash = `#${encodeURIComponent($('room').value.trim() || 'lobby')}`;
  if (location.hash === hash) enter();
  else location.hash = hash; // and hashchange enters
});

addEventListener('hashchange', enter);
enter();
