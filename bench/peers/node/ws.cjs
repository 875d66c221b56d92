// ws, as its documentation broadcasts:
//   node ws.cjs PORT MODULES
// GET /?id=CHANNEL subscribes, POST /?id=CHANNEL publishes the body.
'use strict';
const http = require('node:http');
const [port, modules] = process.argv.slice(2);
const { WebSocketServer } = require(`${modules}/ws`);

const channels = new Map();
const idOf = (url) => new URL(url, 'http://localhost').searchParams.get('id');

const server = http.createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const message = Buffer.concat(chunks);
    for (const socket of channels.get(idOf(request.url)) ?? []) {
      socket.send(message, { binary: false });
    }
    response.writeHead(204).end();
  });
});
server.keepAliveTimeout = 0;

new WebSocketServer({ server, perMessageDeflate: false }).on(
  'connection',
  (socket, request) => {
    const id = idOf(request.url);
    if (!channels.has(id)) channels.set(id, new Set());
    channels.get(id).add(socket);
    socket.on('close', () => channels.get(id).delete(socket));
    socket.on('error', () => {});
  },
);
server.listen({ port: Number(port), host: '127.0.0.1', backlog: 65535 });
