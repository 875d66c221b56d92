// socket.io, with a room for each channel:
//   node socketio.cjs PORT MODULES
// The event "sub" joins a room, POST /?id=CHANNEL publishes the body to it.
'use strict';
const http = require('node:http');
const [port, modules] = process.argv.slice(2);
const { Server } = require(`${modules}/socket.io`);

const server = http.createServer((request, response) => {
  if (request.method !== 'POST') return;
  const id = new URL(request.url, 'http://localhost').searchParams.get('id');
  let message = '';
  request.setEncoding('utf8');
  request.on('data', (chunk) => (message += chunk));
  request.on('end', () => {
    io.to(id).emit('m', message);
    response.writeHead(204).end();
  });
});
server.keepAliveTimeout = 0;

const io = new Server(server, {
  transports: ['websocket'],
  pingInterval: 3_600_000,
});
io.on('connection', (socket) => {
  socket.on('sub', (id) => {
    socket.join(id);
    socket.emit('subscribed');
  });
});
server.listen({ port: Number(port), host: '127.0.0.1', backlog: 65535 });
