#!/usr/bin/env node
// The application behind nginx, which knows whose session a cookie is.
//
//   [PORT=3001] ./application.mjs
//
//   POST /session   signs in: the body is a name, which a cookie stands for
//                   from then on
//   GET  /who       204 and X-User, or 401
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';

const { PORT = '3001' } = process.env;
const names = new Map(); // of sessions

const nameOf = (request) =>
  names.get(request.headers.cookie?.match(/(?:^|; )session=([\w-]+)/)?.[1]);

async function signIn(request, response) {
  let name = '';
  for await (const part of request.setEncoding('utf8')) name += part;
  if (!/^\w{1,32}$/.test(name)) {
    response.writeHead(400).end('Take another name\n');
    return;
  }
  const session = randomUUID();
  names.set(session, name);
  response
    .writeHead(200, {
      'Set-Cookie': `session=${session}; Path=/; HttpOnly; SameSite=Lax`,
    })
    .end(`You are ${name}\n`);
}

function tell(request, response) {
  const name = nameOf(request);
  const headers = name === undefined ? {} : { 'X-User': name };
  response.writeHead(name === undefined ? 401 : 204, headers).end();
}

const routes = { 'POST /session': signIn, 'GET /who': tell };

createServer((request, response) => {
  const route = routes[`${request.method} ${request.url.split('?')[0]}`];
  if (route) route(request, response);
  else response.writeHead(404).end();
}).listen(Number(PORT), '127.0.0.1');
