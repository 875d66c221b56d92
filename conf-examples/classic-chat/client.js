// A client of the classic protocol: one WebSocket, a token a channel, a handler
// a channel. Every 5 seconds it looks whether the socket is gone, and begins
// anew with new tokens.
const check = 5000; // ms
const short = 100; // UTF-16 units: longer texts are messages
const subscribed = 'subscribed:';
const channelMost = short - subscribed.length - 1;

/**
 * Events are methods of `told`, each may be left out: state(words) of the
 * connection, 'connecting', 'open' or 'away'; subscribed(channel);
 * trouble(channel, error), which is tried again; message(message) of a user's
 * own messages.
 */
export class ClassicClient {
  constructor(tokenBaseUrl, wsUrl, told = {}) {
    this.base = tokenBaseUrl;
    this.url = wsUrl;
    this.told = told;
    this.handlers = new Map(); // channel -> handler
    this.socket = null;
    this.timer = null;
  }

  subscribe(channel, handler) {
    if (channel.length > channelMost) throw new RangeError('a long channel');
    this.handlers.set(channel, handler);
    if (!this.socket) this.open();
    else if (this.socket.readyState === WebSocket.OPEN) this.ask(channel);
    this.timer ??= setInterval(() => this.look(), check);
  }

  /** For all connections of this user. */
  unsubscribe(channel) {
    this.handlers.delete(channel);
    this.send(`unsubscribe:${channel}`);
  }

  close() {
    clearInterval(this.timer);
    this.timer = null;
    this.handlers.clear();
    this.socket?.close();
    this.socket = null;
  }

  open() {
    this.told.state?.('connecting');
    const socket = new WebSocket(this.url);
    this.socket = socket;
    socket.onopen = () => {
      this.told.state?.('open');
      for (const channel of this.handlers.keys()) this.ask(channel);
    };
    socket.onmessage = ({ data }) => this.heard(data);
    socket.onclose = () => {
      if (socket === this.socket) this.told.state?.('away');
    };
  }

  look() {
    if (this.socket.readyState > WebSocket.OPEN) this.open();
  }

  // A token that can't be had is asked for at the next look, too.
  async ask(channel) {
    const { socket } = this;
    try {
      const answer = await fetch(this.base + encodeURIComponent(channel));
      const text = await answer.text();
      if (!answer.ok) throw new Error(text);
      if (socket === this.socket && this.handlers.has(channel)) this.send(text);
    } catch (error) {
      this.told.trouble?.(channel, error);
      // Whoever has no token is closed after 5 seconds, and then looks again;
      // with another channel's it stays.
      setTimeout(() => {
        const here = socket === this.socket && this.handlers.has(channel);
        if (here && socket.readyState === WebSocket.OPEN) this.ask(channel);
      }, check);
    }
  }

  send(text) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(text);
  }

  heard(data) {
    if (data.length < short && data.startsWith(subscribed)) {
      this.told.subscribed?.(data.slice(subscribed.length));
      return;
    }
    const message = JSON.parse(data);
    if (message.channel === null) this.told.message?.(message);
    else this.handlers.get(message.channel)?.(message);
  }
}
