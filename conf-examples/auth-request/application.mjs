#!/usr/bin/env node
// The application behind nginx, which knows who may be in which room.
//
//   [PORT=3001] ./application.mjs
//
//   POST /session   signs in: the body is a name, which a cookie stands for
//                   from then on
//   GET  /may       about who connects, by its cookie, and the channels in
//                   X-Channels: 200 and who that is, or 401, or 403
//   POST /may       about a subscription of somebody who is connected: the body
//                   is nginx's question in JSON; 204, or 403
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';

const { PORT = '3001' } = process.env;
const mostBody = 16 * 1024;

const names = new Map(); // of sessions

// An application of yours asks its database. null: everybody.
const rooms = new Map([
  ['lobby', null],
  ['staff', new Set(['ann', 'bob'])],
]);

function mayListen(name, channel) {
  const [, room] = channel.match(/^room:(\w+)$/) ?? [];
  if (!rooms.has(room)) return false;
  return rooms.get(room)?.has(name) ?? true;
}

const nameOf = (request) =>
  names.get(request.headers.cookie?.match(/(?:^|; )session=([\w-]+)/)?.[1]);

async function bodyOf(request) {
  let text = '';
  for await (const part of request.setEncoding('utf8')) {
    text += part;
    if (text.length > mostBody) throw new Error('the body is too long');
  }
  return text;
}

const routes = {
  'POST /session': async (request) => {
    const name = (await bodyOf(request)).trim();
    if (!/^\w{1,32}$/.test(name)) return [400, {}, 'Take another name\n'];
    const session = randomUUID();
    names.set(session, name);
    const cookie = `session=${session}; Path=/; HttpOnly; SameSite=Lax`;
    return [200, { 'Set-Cookie': cookie }, `You are ${name}\n`];
  },

  'GET /may': (request) => {
    const name = nameOf(request);
    if (name === undefined) return [401];
    const channels = request.headers['x-channels']?.split(', ') ?? [];
    if (!channels.every((channel) => mayListen(name, channel))) return [403];
    // What others see of it, where a channel tells who is there.
    const who = { user: name, info: { name } };
    return [200, { 'Content-Type': 'application/json' }, JSON.stringify(who)];
  },

  'POST /may': async (request) => {
    const { event, user, channel } = JSON.parse(await bodyOf(request));
    return [event === 'subscribe' && mayListen(user, channel) ? 204 : 403];
  },
};

async function serve(request, response) {
  const route = routes[`${request.method} ${request.url.split('?')[0]}`];
  try {
    const [status, headers, text] = route ? await route(request) : [404];
    response.writeHead(status, headers).end(text);
  } catch (error) {
    console.error(error);
    response.writeHead(500, { Connection: 'close' }).end();
  }
}

createServer(serve).listen(Number(PORT), '127.0.0.1');
