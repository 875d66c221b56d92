import { ErrorCode, UnsubscribeCode, nameOf } from './codes.js';
import { PaperboyError } from './error.js';
import { Holder } from './holder.js';
import { iterate } from './iterate.js';
import { after, backoff } from './timing.js';

/**
 * One channel of a client, until it is unsubscribed: over reconnects, retries
 * and renewed tokens. What ends it for good tells why.
 */
export class Subscription extends Holder {
  constructor(client, channel, options, times) {
    super(['subscribing', 'subscribed', 'unsubscribed'], options, times);
    this.channel = channel;
    this._client = client;
    this._options = options;
    this._wanted = true; // by the application, not by the server alone
    this._context = { channel };
    this._renewBy = 'sub_refresh';
    this._attempt = 0;
  }

  publish(data) {
    return this._client.publish(this.channel, data);
  }

  unsubscribe() {
    if (this.state === 'unsubscribed') return;
    this._leave();
    this._end(UnsubscribeCode.Application, 'unsubscribed by the application');
  }

  [Symbol.asyncIterator]() {
    return iterate(this, this._times.maxQueue);
  }

  // --- what the client calls -----------------------------------------------

  // The application wants what the server gave by itself.
  _adopt(options) {
    if (this._wanted) return;
    this._wanted = true;
    this._options = options;
    this._token = options.token;
    this._getToken = options.getToken;
  }

  async _subscribe() {
    const link = this._client._live();
    const stale = () =>
      !link || link !== this._client._live() || this.state !== 'subscribing';
    if (stale()) return;
    try {
      if (!this._token && this._getToken) await this._ask();
    } catch (error) {
      if (!stale()) this._refused(error);
      return;
    }
    if (stale()) return;
    this._asked = link;
    link.call('subscribe', this._request(), (error, result) => {
      if (stale()) return;
      if (error) this._refused(error);
      else this._joined(result);
    });
  }

  // Subscribed, by a command or by the server itself.
  _joined(result) {
    const { data, recovered, recoverable, epoch, offset = 0 } = result;
    const last = this._position;
    const missed = !last || last.epoch !== epoch || last.offset !== offset;
    const gap = !!this._before && !recovered && missed;
    this._before = true;
    this._attempt = 0;
    this._position = epoch && { epoch, offset };
    this._recoverable = recoverable;
    this._keepFresh(result);
    this._become('subscribed', { channel: this.channel, data, gap });
    for (const one of result.publications || []) this._pushed({ pub: one });
  }

  _pushed({ pub, unsubscribe }) {
    const { channel } = this;
    if (this.state !== 'subscribed') return; // of a subscription before
    if (pub) {
      if (pub.offset && this._position) this._position.offset = pub.offset;
      this._emit('publication', { ...pub, channel });
    }
    if (unsubscribe) this._dismissed(unsubscribe);
  }

  // The connection is gone.
  _suspend(code, reason) {
    clearTimeout(this._timer);
    clearTimeout(this._fresh);
    if (this.state === 'subscribed') {
      this._become('subscribing', { channel: this.channel, code, reason });
    }
  }

  _end(code, reason, error) {
    const { channel } = this;
    if (this.state === 'unsubscribed') return; // by a listener, meanwhile
    clearTimeout(this._timer);
    clearTimeout(this._fresh);
    this._client._subscriptions.delete(channel);
    this._failure = error;
    this.error = error || new PaperboyError(reason, ErrorCode.Closed);
    this._become('unsubscribed', { channel, code, reason, error });
  }

  // -------------------------------------------------------------------------

  _live() {
    return this.state === 'subscribed' ? this._client._live() : null;
  }

  _request() {
    const { data, recoverable } = this._options;
    return {
      channel: this.channel,
      token: this._token || undefined,
      data,
      recoverable,
      ...this._since(),
    };
  }

  // From where to catch up, if the server keeps what was published.
  _since() {
    return this._recoverable && { recover: true, ...this._position };
  }

  _refused(error) {
    if (!this._mayRetry(error)) return this._giveUp(error);
    this._fail(error);
    // Whether it was done is unknown: a new connection settles that.
    if (error.code === ErrorCode.Timeout) {
      this._client._live()?._end(ErrorCode.Timeout, error.message);
      return;
    }
    const delay = backoff(this._times, this._attempt++);
    this._timer = after(delay, () => this._subscribe());
  }

  _giveUp(error) {
    if (this._live()) this._leave();
    this._end(error.code, error.message, error);
    this._fail(error);
  }

  // The server holds it, or is about to.
  _leave() {
    const link = this._client._live();
    if (link && (this._live() || this._asked === link)) {
      link.call('unsubscribe', this._context, () => {});
    }
  }

  // The server ended it; from 2500 on it is to be asked for again.
  _dismissed({ code, reason = nameOf(UnsubscribeCode, code) }) {
    const { channel } = this;
    if (code < 2500 || !this._wanted) {
      const words = `the server ended it: ${reason} (${code})`;
      const error = new PaperboyError(words, code);
      this._end(code, reason, error);
      this._fail(error);
      return;
    }
    if (code === UnsubscribeCode.Expired) this._forgetToken();
    clearTimeout(this._fresh);
    this._become('subscribing', { channel, code, reason });
    this._subscribe();
  }

  // All but `state` reaches the client's listeners too.
  _emit(type, detail) {
    const here = super._emit(type, detail);
    return (type !== 'state' && this._client._emit(type, detail)) || here;
  }
}
