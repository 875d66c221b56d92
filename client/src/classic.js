import { ErrorCode } from './codes.js';
import { PaperboyError } from './error.js';
import { Paperboy } from './paperboy.js';

/**
 * The classic constructor: a handler a channel, each channel with a token that
 * the application hands out at <tokenBaseUrl><channel>.
 */
export class PaperboyClient {
  constructor(tokenBaseUrl, wsUrl, options = {}) {
    this._base = tokenBaseUrl;
    this._url = wsUrl;
    this._options = options;
    this._handlers = new Map();
  }

  /** Calls `handler` with each message; one handler a channel. */
  subscribe(channel, handler) {
    this._handlers.set(channel, handler);
    // One that was closed for good is no reason not to try another channel.
    if (!this.paperboy || this.paperboy.error) {
      this.paperboy = this._connect(channel);
    }
    return this.paperboy.subscribe(channel, {
      getToken: () => this._token(channel),
    });
  }

  /** Ends this client's subscription, and nobody else's. */
  unsubscribe(channel) {
    this._handlers.delete(channel);
    this.paperboy?._subscriptions.get(channel)?.unsubscribe();
  }

  close() {
    this.paperboy?.close();
  }

  _connect(first) {
    const paperboy = new Paperboy(this._url, {
      getToken: () => this._anyToken(first),
      ...this._options,
    });
    paperboy.on('publication', ({ channel, data, time }) =>
      this._handlers.get(channel)?.({
        userId: null,
        channel,
        payload: data,
        timestamp: time ?? Date.now(),
      }),
    );
    return paperboy;
  }

  // A channel's token also opens the connection: the first that is handed out.
  async _anyToken(first) {
    const channels = [...this._handlers.keys()];
    let failure;
    for (const channel of channels.length ? channels : [first]) {
      try {
        const token = await this._token(channel);
        if (token) return token;
      } catch (error) {
        failure = error;
      }
    }
    if (failure) throw failure;
  }

  async _token(channel) {
    const path = encodeURI(channel).replace(/[?#]/g, encodeURIComponent);
    const { fetch = globalThis.fetch } = this._options;
    const answer = await fetch(this._base + path);
    if (answer.ok) return (await answer.text()).trim();
    // A refusal ends the subscription; anything else is tried again.
    if ([401, 403, 404].includes(answer.status)) return null;
    throw new Error(`the application answered ${answer.status}`);
  }
}
