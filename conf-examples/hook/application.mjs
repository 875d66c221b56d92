#!/usr/bin/env node
// The application behind nginx: it publishes the time each second in all
// channels that somebody listens to, and in no others.
//
//   [PORT=3001] [NGINX=http://127.0.0.1:8080] ./application.mjs
//
//   POST /told      what nginx tells (paperboy_hook)
//   GET  /ticking   the channels
//
// For one nginx. Of several with the same channels each tells of its own
// clients: then keep `heard` for each of them, by the post's `node`.
import { createServer } from 'node:http';

const { PORT = '3001', NGINX = 'http://127.0.0.1:8080' } = process.env;
const keptMs = 600_000; // longer than nginx tries a post again

const heard = new Map(); // channel: what was told last, and when

// Several workers tell, each by itself, so the later may come first; and a post
// that was answered too late comes again. What has the highest number is so.
function hear({ type, channel, seq }) {
  if (seq === undefined || seq <= (heard.get(channel)?.seq ?? -1)) return;
  heard.set(channel, { seq, first: type === 'channel_first', at: Date.now() });
}

const ticking = () =>
  [...heard].filter(([, last]) => last.first).map(([channel]) => channel);

async function ask(method, parameters) {
  const response = await fetch(`${NGINX}/api/${method}`, {
    method: 'POST',
    body: JSON.stringify(parameters),
  });
  if (!response.ok) throw new Error(`${method}: nginx says ${response.status}`);
  const { result, error } = await response.json();
  if (error) throw new Error(`${method}: ${error.message}`);
  return result;
}

// What was told before this application began, or was lost: who is there now?
// What is told while that is answered is newer than the answer.
async function catchUp() {
  const began = Date.now();
  const result = await ask('channels', {});
  const there = new Set(Object.keys(result.channels));
  for (const channel of new Set([...heard.keys(), ...there])) {
    const last = heard.get(channel) ?? { seq: -1, at: 0 };
    if (last.at >= began) continue;
    const first = there.has(channel);
    heard.set(channel, { seq: last.seq, first, at: began });
  }
}

async function tick() {
  for (const [channel, last] of heard) {
    if (!last.first && Date.now() - last.at > keptMs) heard.delete(channel);
  }
  const channels = ticking();
  const time = new Date().toISOString();
  if (channels.length > 0) await ask('broadcast', { channels, data: { time } });
}

async function bodyOf(request) {
  let text = '';
  for await (const part of request.setEncoding('utf8')) text += part;
  return text;
}

// Any 2xx says that the events have been taken: nginx waits for no work.
async function told(request, response) {
  const { lost, events } = JSON.parse(await bodyOf(request));
  events.forEach(hear);
  response.writeHead(204).end();
  if (lost) await catchUp();
}

async function serve(request, response) {
  const asked = `${request.method} ${request.url}`;
  if (asked === 'POST /told') return told(request, response);
  if (asked !== 'GET /ticking') return response.writeHead(404).end();
  return response.end(JSON.stringify(ticking()));
}

const complain = (error) => console.error(error.cause?.message ?? error);

// Until nginx is there, and once more each minute: who is killed tells nothing.
let next = 0;
setInterval(() => {
  if (Date.now() >= next) {
    catchUp().then(() => (next = Date.now() + 60_000), complain);
  }
  tick().catch(complain);
}, 1000);

createServer((request, response) => {
  serve(request, response).catch((error) => {
    complain(error);
    response.destroy();
  });
}).listen(Number(PORT), '127.0.0.1');
