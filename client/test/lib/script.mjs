// A server that plays what a test writes: it answers each command by the
// function of its name in `answers`, else with success. What comes back from
// one is the reply's content; null is no reply at all.
import { WebSocketServer } from 'ws';
import { Paperboy } from '../../src/index.js';
import WebSocket from 'ws';

export class Script {
  connections = []; // each { socket, commands, frames, url, send, push }
  answers = {};
  clients = [];

  static async start(answers = {}) {
    const script = new Script();
    script.answers = answers;
    await script.listen(0);
    return script;
  }

  async listen(port) {
    this.server = new WebSocketServer({ host: '127.0.0.1', port });
    this.server.on('connection', (socket, { url }) => this.take(socket, url));
    await new Promise((done) => this.server.once('listening', done));
    this.port = this.server.address().port;
    this.url = `ws://127.0.0.1:${this.port}/ws`;
  }

  take(socket, url) {
    const connection = {
      socket,
      url,
      commands: [],
      frames: [],
      send: (...replies) =>
        socket.send(replies.map((one) => JSON.stringify(one)).join('\n')),
      push: (channel, push) => connection.send({ push: { channel, ...push } }),
      pub: (channel, data) => connection.push(channel, { pub: { data } }),
    };
    this.connections.push(connection);
    socket.on('message', (bytes) => {
      connection.frames.push(String(bytes));
      for (const line of String(bytes).split('\n')) {
        this.answer(JSON.parse(line), connection);
      }
    });
  }

  async answer(command, connection) {
    connection.commands.push(command);
    const { id } = command;
    if (!id) return;
    const name = Object.keys(command).find((key) => key !== 'id');
    const body = command[name];
    const given = await this.answers[name]?.(body, connection);
    if (given === null) return;
    connection.send({ id, ...(given ?? { [name]: standard(name) }) });
  }

  get last() {
    return this.connections.at(-1);
  }

  // All commands of this name, over all connections.
  commands(name) {
    return this.connections
      .flatMap(({ commands }) => commands)
      .filter((command) => name in command)
      .map((command) => command[name]);
  }

  // A client with short times, closed by stop().
  client(options = {}) {
    const client = new Paperboy(this.url, {
      WebSocket,
      minDelay: 10,
      maxDelay: 50,
      timeout: 2000,
      ...options,
    });
    client.errors = [];
    client.on('error', (error) => client.errors.push(error));
    this.clients.push(client);
    return client;
  }

  async down() {
    for (const socket of this.server.clients) socket.terminate();
    await new Promise((done) => this.server.close(done));
  }

  async stop() {
    for (const client of this.clients) client.close();
    await this.down();
  }
}

const standard = (name) =>
  name === 'connect' ? { client: 'c1', version: '1' } : {};
