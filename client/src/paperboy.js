import {
  CloseCode,
  ErrorCode,
  NO_REASON,
  UnsubscribeCode,
  isFinal,
} from './codes.js';
import { PaperboyError } from './error.js';
import { Holder } from './holder.js';
import { Link } from './link.js';
import { Subscription } from './subscription.js';
import { after, backoff, ceiling, within } from './timing.js';

const TIMES = {
  timeout: 10000, // for a connection, a reply, a token
  minDelay: 500,
  maxDelay: 20000,
  pingSlack: 10000, // how late a ping may be
  maxQueue: 10000, // publications that wait for an iteration
};

// "/ws" and "https://..." are as good as "wss://...".
function absolute(url) {
  const to = new URL(url, globalThis.location?.href);
  to.protocol = to.protocol.replace('http', 'ws');
  return to.href;
}

/**
 * One connection and its subscriptions. It connects by itself, again whenever
 * it is lost, until it is closed, here or by a code that says so.
 */
export class Paperboy extends Holder {
  constructor(url, options = {}) {
    const times = { ...TIMES };
    for (const key in times) times[key] = options[key] ?? times[key];
    super(['connecting', 'connected', 'closed'], options, times);
    this._url = absolute(url);
    this._options = options;
    this._context = {};
    this._renewBy = 'refresh';
    this._subscriptions = new Map();
    this._attempt = 0;
    this._online = () => this._retry && this._open();
    globalThis.addEventListener?.('online', this._online);
    // Listeners that are added at once hear everything.
    queueMicrotask(() => this._open());
  }

  /** The subscription of a channel; there is one at most. */
  subscribe(channel, options = {}) {
    let one = this._subscriptions.get(channel);
    if (one) {
      one._adopt(options);
      return one;
    }
    one = this._add(channel, options);
    if (this.state === 'closed') {
      one._end(this._code, this.error.message, this._failure);
    } else {
      one._subscribe();
    }
    return one;
  }

  async publish(channel, data = null) {
    await this.call('publish', { channel, data });
  }

  /** Any command of the protocol; what is answered to it. */
  async call(name, body = {}) {
    await within(this._times.timeout, this.ready(), 'not connected');
    const link = this._live();
    if (!link) {
      const words = `the connection ended before ${name} was sent`;
      throw new PaperboyError(words, ErrorCode.ConnectionLost, true);
    }
    return new Promise((resolve, reject) =>
      link.call(name, body, (error, result) =>
        error ? reject(error) : resolve(result),
      ),
    );
  }

  close() {
    if (this.state === 'closed') return;
    this._finish(CloseCode.Normal, 'closed by the application');
  }

  // --- opening -------------------------------------------------------------

  async _open() {
    clearTimeout(this._retry);
    this._retry = 0;
    const opening = (this._opening = {});
    const stale = () => this._opening !== opening || this.state === 'closed';
    try {
      if (stale()) return;
      if (!this._token && this._getToken) await this._ask();
      if (!stale())
        this._link = new Link(this._dial(), this._times.timeout, this);
    } catch (error) {
      if (!stale()) this._lost(this._link, error.code, error.message, error);
    }
  }

  _dial() {
    const { WebSocket = globalThis.WebSocket, protocols } = this._options;
    if (!WebSocket) {
      const words = 'no WebSocket here: pass one as the option {WebSocket}';
      throw new PaperboyError(words, ErrorCode.Unreachable);
    }
    try {
      return new WebSocket(this._url, protocols);
    } catch ({ message }) {
      throw this._unreachable(message, false);
    }
  }

  _opened() {
    const { data, name = 'paperboy', version } = this._options;
    const token = this._token || undefined;
    const link = this._link;
    const request = { token, data, name, version, subs: this._positions() };
    link.call('connect', request, (error, result) => {
      if (link !== this._link) return;
      if (error) {
        error.temporary = this._mayRetry(error);
        link._end(error.code, error.message, error);
      } else {
        this._connected(result);
      }
    });
  }

  // Where the server's own subscriptions are to go on; of new ones it isn't
  // known yet whose they are.
  _positions() {
    const subs = {};
    for (const one of this._subscriptions.values()) {
      if (one._given !== false && one._recoverable) {
        subs[one.channel] = one._since();
      }
    }
    return subs;
  }

  _connected(result) {
    const { client, version, data, subs = {} } = result;
    const before = [...this._subscriptions.values()];
    this._since = Date.now();
    this._link._watch(result, this._times.pingSlack);
    this._keepFresh(result);
    this._become('connected', { client, version, data });
    for (const channel in subs) this._given(channel, subs[channel]);
    for (const one of before) {
      if (one.state !== 'subscribing') continue;
      if (one._wanted) one._subscribe();
      else one._dismissed({ code: UnsubscribeCode.Server });
    }
  }

  // --- what the server says by itself --------------------------------------

  _pushed(push) {
    const { channel, message, subscribe, disconnect } = push;
    if (message) this._emit('message', message.data);
    if (subscribe) this._given(channel, subscribe);
    if (disconnect) this._link._end(disconnect.code, disconnect.reason);
    this._subscriptions.get(channel)?._pushed(push);
  }

  // A subscription that the server made.
  _given(channel, result) {
    if (!this._live()) return; // a listener closed it
    let one = this._subscriptions.get(channel);
    if (!one) {
      one = this._add(channel, {});
      one._wanted = false;
    }
    one._joined(result, true);
  }

  _add(channel, options) {
    const one = new Subscription(this, channel, options, this._times);
    this._subscriptions.set(channel, one);
    return one;
  }

  // --- the end of a link, and of all ---------------------------------------

  _lost(link, code, reason, error) {
    if (link !== this._link || this.state === 'closed') return;
    const connected = this.state === 'connected';
    this._link = null;
    clearTimeout(this._fresh);
    reason ||= this._explain(code, connected);
    this._outdate(code);
    const tooBig = code === CloseCode.MessageTooBig && !connected;
    if (error ? !error.temporary : isFinal(code) || tooBig) {
      const words = `the server ended the connection: ${reason} (${code})`;
      return this._finish(
        code,
        reason,
        error || new PaperboyError(words, code),
      );
    }
    // Only a connection that lasted shows that all is well again.
    const calm = ceiling(this._times, this._attempt);
    if (connected && Date.now() - this._since > calm) this._attempt = 0;
    const delay = backoff(this._times, this._attempt++);
    this._retry = after(delay, () => this._open());
    this._become('connecting', { code, reason, delay });
    for (const one of this._subscriptions.values()) {
      one._suspend(code, reason);
    }
    if (!connected) this._fail(error || this._unreachable(reason, true));
  }

  _explain(code, connected) {
    if (code !== CloseCode.Abnormal) return NO_REASON;
    return connected ? 'the network broke' : 'no answer, or refused';
  }

  // Without the query, which may hold secrets.
  _unreachable(reason, temporary) {
    const words = `can't connect to ${this._url.split('?')[0]}: ${reason}`;
    return new PaperboyError(words, ErrorCode.Unreachable, temporary);
  }

  // The code may say that tokens are of no use any more.
  _outdate(code) {
    if (code === CloseCode.Expired) this._forgetToken();
    if (code !== CloseCode.StateInvalidated) return;
    this._forgetToken();
    for (const one of this._subscriptions.values()) one._forgetToken();
  }

  _finish(code, reason, error) {
    const link = this._link;
    this._link = this._opening = null;
    this._code = code;
    this._failure = error;
    this.error = error || new PaperboyError(reason, ErrorCode.Closed);
    clearTimeout(this._retry);
    clearTimeout(this._fresh);
    globalThis.removeEventListener?.('online', this._online);
    this.state = 'closed';
    link?._end(code, reason);
    for (const one of this._subscriptions.values()) {
      one._end(code, reason, error);
    }
    this._become('closed', { code, reason, error });
    if (error) this._fail(error);
  }

  _giveUp(error) {
    this._finish(error.code, error.message, error);
  }

  _live() {
    return this.state === 'connected' ? this._link : null;
  }
}
