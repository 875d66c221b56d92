// One WebSocket, from its opening to its end: commands and their replies,
// pushes, heartbeats. A client makes a new one for each attempt.

import { CloseCode, ErrorCode } from './codes.js';
import { PaperboyError, replyError } from './error.js';
import { after, late } from './timing.js';

// What one frame takes, so that servers' limits are kept: commands, and
// roughly characters.
const MOST_COMMANDS = 32;
const MOST_LENGTH = 16384;

function parse(line) {
  const reply = JSON.parse(line);
  if (reply.constructor !== Object) throw reply;
  return reply;
}

export class Link {
  // `owner` hears _opened(), _pushed(push) and _lost(link, code, reason).
  constructor(socket, timeout, owner) {
    this._socket = socket;
    this._timeout = timeout;
    this._owner = owner;
    this._calls = new Map();
    this._id = 0;
    this._out = [];
    this._timer = after(timeout, () =>
      this._end(CloseCode.Abnormal, late('no connection', timeout).message),
    );
    socket.onopen = () => this._over || owner._opened();
    socket.onmessage = ({ data }) => this._receive(data);
    // ws tells the reason here, browsers tell nothing; Node's own tells it, and
    // then no close follows where nobody answers.
    socket.onerror = ({ message }) => {
      this._cause = message;
      after(0, () => this._end(CloseCode.Abnormal, message));
    };
    socket.onclose = ({ code, reason }) =>
      this._end(code, reason || this._cause);
  }

  // `done(error, result)` runs in the order of the replies, before what the
  // server sent after them.
  call(name, body, done) {
    const id = ++this._id;
    let text;
    try {
      text = JSON.stringify({ id, [name]: body });
    } catch ({ message }) {
      const words = `can't send ${name}: ${message}`;
      done(new PaperboyError(words, ErrorCode.BadRequest));
      return;
    }
    const timeout = this._timeout;
    const timer = after(timeout, () => {
      this._calls.delete(id);
      done(late(`no answer to ${name}`, timeout));
    });
    this._calls.set(id, [name, done, timer]);
    this._send(text);
  }

  // Expects pings from now on, and answers them where that is asked for.
  _watch({ ping, pong }, slack) {
    clearTimeout(this._timer);
    this._pong = pong;
    const limit = ping * 1000 + slack;
    const look = () => {
      const left = this._heard + limit - Date.now();
      if (left > 0) this._timer = after(left, look);
      else this._end(CloseCode.NoPong, 'the server fell silent');
    };
    if (ping) look();
  }

  // Ends it, and tells its owner why.
  _end(code, reason, error) {
    if (this._over) return;
    this._over = true;
    clearTimeout(this._timer);
    this._socket.close(CloseCode.Normal);
    this._owner._lost(this, code, reason, error);
    for (const [name, done, timer] of this._calls.values()) {
      clearTimeout(timer);
      const words = `the connection ended before ${name} was answered`;
      done(new PaperboyError(words, ErrorCode.ConnectionLost, true));
    }
  }

  // What one turn brings leaves together.
  _send(text) {
    if (!this._out.length) queueMicrotask(() => this._flush());
    this._out.push(text);
  }

  _flush() {
    const commands = this._out;
    this._out = [];
    while (commands.length && this._socket.readyState === 1) {
      let [count, length] = [1, commands[0].length];
      while (
        count < Math.min(MOST_COMMANDS, commands.length) &&
        (length += commands[count].length) < MOST_LENGTH
      ) {
        count++;
      }
      this._socket.send(commands.splice(0, count).join('\n'));
    }
  }

  _receive(data) {
    this._heard = Date.now();
    let replies;
    try {
      replies = data.split('\n').filter(Boolean).map(parse);
    } catch {
      const words = "what came isn't the Centrifugal client protocol in JSON";
      this._end(CloseCode.InappropriateProtocol, words);
      return;
    }
    for (const reply of replies) {
      if (this._over) return;
      this._handle(reply);
    }
  }

  _handle(reply) {
    const { id, push, error } = reply;
    if (push) {
      this._owner._pushed(push);
    } else if (id) {
      const call = this._calls.get(id);
      if (!call) return; // its time was over
      this._calls.delete(id);
      const [name, done, timer] = call;
      clearTimeout(timer);
      if (error) done(replyError(name, error));
      else done(null, reply[name] || {});
    } else if (this._pong) {
      this._send('{}');
    }
  }
}
