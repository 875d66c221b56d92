#!/usr/bin/env node
// The application behind the chat: signs people in by a name that they choose,
// hands out tokens, sends what they say.
//
//   PAPERBOY_JWT_SECRET=... [REDIS_URL=...] [PORT=...] ./backend.mjs
//
//   GET  /session                   {"userId"} of who has signed in, or 401
//   POST /session                   signs in: the body is a name
//   GET  /paperboyAuth/<channel>    a token for the channel
//   POST /sendMessage/<channel>     the body is said there
//
// Any number of these may run beside each other.
import { createServer } from 'node:http';
// In an application of your own: from 'paperboy-connector'.
import {
  Connector,
  TokenError,
} from '../../connectors/javascript/src/index.js';

const { PORT = '3001', REDIS_URL = 'redis://127.0.0.1:6379' } = process.env;
const most = { name: 32, body: 4096 };
const room = /^[\p{L}\p{N}_-]{1,20}$/u;

// Everybody may go into every room; an application of yours asks its database.
const hasAccess = (userId, channel) => channel !== null && room.test(channel);

const say = (channel, source, message) =>
  connector.sendToChannel(channel, { source, message });

const connector = new Connector({
  redis: REDIS_URL,
  hasAccess,
  onSubscription: (userId, channel) =>
    say(channel, 'system', `User '${userId}' joined.`),
});

// --- who it is --------------------------------------------------------------

// The cookie is a token too: for the user, and for no channel.
function userOf(request) {
  const [, token] =
    request.headers.cookie?.match(/(?:^|; )session=([\w.-]+)/) ?? [];
  if (!token) return null;
  try {
    const { userId, channel } = connector.verifyToken(token);
    return channel === null ? userId : null;
  } catch (error) {
    if (error instanceof TokenError) return null;
    throw error;
  }
}

// --- what is asked ----------------------------------------------------------

class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function bodyOf(request) {
  const parts = [];
  let size = 0;
  for await (const part of request) {
    size += part.length;
    if (size > most.body) throw new Refusal(413, 'That is too long');
    parts.push(part);
  }
  const text = Buffer.concat(parts).toString().trim();
  if (!text) throw new Refusal(400, 'That says nothing');
  return text;
}

const signedIn = (request) => {
  const userId = userOf(request);
  if (userId === null) throw new Refusal(401, 'Sign in first');
  return userId;
};

// The channel of /verb/<channel>, if the user may be there.
function channelOf(request, userId) {
  let channel;
  try {
    channel = decodeURIComponent(request.url.split('/')[2] ?? '');
  } catch {
    throw new Refusal(400, 'That is no channel');
  }
  if (!hasAccess(userId, channel)) throw new Refusal(403, 'You may not');
  return channel;
}

const routes = {
  'GET session': async (request, response) => {
    response.setHeader('Content-Type', 'application/json');
    return JSON.stringify({ userId: signedIn(request) });
  },

  'POST session': async (request, response) => {
    const name = await bodyOf(request);
    if (name.length > most.name || name === 'system') {
      throw new Refusal(400, 'Take another name');
    }
    response.setHeader(
      'Set-Cookie',
      `session=${connector.generateToken(name)}; Path=/; HttpOnly; ` +
        'SameSite=Lax; Max-Age=28800',
    );
    return '';
  },

  'GET paperboyAuth': async (request) => {
    const userId = signedIn(request);
    return connector.generateToken(userId, channelOf(request, userId));
  },

  'POST sendMessage': async (request) => {
    const userId = signedIn(request);
    const channel = channelOf(request, userId);
    await say(channel, userId, await bodyOf(request));
    return '';
  },
};

async function serve(request, response) {
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.setHeader('Cache-Control', 'no-store');
  try {
    const route = routes[`${request.method} ${request.url.split('/')[1]}`];
    if (!route) throw new Refusal(404, 'There is nothing here');
    const site = request.headers['sec-fetch-site'] ?? 'same-origin';
    if (site !== 'same-origin' && request.method === 'POST') {
      throw new Refusal(403, 'Pages of other sites may not');
    }
    response.end(await route(request, response));
  } catch (error) {
    if (!error.status) console.error(error);
    response.setHeader('Connection', 'close'); // the body may not be read
    response.writeHead(error.status ?? 503);
    response.end(error.status ? error.message : 'It did not work. Try again.');
  }
}

await connector.start();
const server = createServer(serve).listen(Number(PORT), '127.0.0.1', () =>
  console.log(`the chat's application listens on port ${PORT}`),
);
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    server.close();
    server.closeAllConnections?.();
    await connector.close();
  });
}
