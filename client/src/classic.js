import { ErrorCode } from './codes.js';
import { PaperboyError } from './error.js';
import { Paperboy } from './paperboy.js';

// A refusal ends the subscription; anything else is tried again.
const REFUSALS = [401, 403, 404];

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
    // The first channel's token also opens the connection.
    this.paperboy ||= this._connect(channel);
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
      getToken: () => this._token(this._handlers.keys().next().value ?? first),
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

  async _token(channel) {
    const path = encodeURI(channel).replace(/[?#]/g, encodeURIComponent);
    const { fetch = globalThis.fetch } = this._options;
    const answer = await fetch(this._base + path);
    if (answer.ok) return (await answer.text()).trim();
    if (REFUSALS.includes(answer.status)) return null;
    throw new Error(`the application answered ${answer.status}`);
  }
}
