import { ErrorCode, NO_REASON, UnsubscribeCode } from './codes.js';
import { PaperboyError } from './error.js';
import { Holder } from './holder.js';
import { iterate } from './iterate.js';
import { after, backoff, within } from './timing.js';

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
    this._begin(options);
  }

  /** Up to where it is complete: what `since` takes. */
  get position() {
    return this._position && { ...this._position };
  }

  publish(data) {
    return this._client.publish(this.channel, data);
  }

  /** What the server keeps: `{publications, epoch, offset}`. */
  async history({ limit = -1, since, reverse } = {}) {
    const { publications = [], ...rest } = await this._read('history', {
      limit,
      since,
      reverse,
    });
    return { publications: publications.map((one) => this._own(one)), ...rest };
  }

  /** Who is there: an array, one of each connection. */
  async presence() {
    return Object.values((await this._read('presence')).presence || {});
  }

  async presenceStats() {
    const answer = await this._read('presence_stats');
    const { num_clients: clients = 0, num_users: users = 0 } = answer;
    return { clients, users };
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

  // From where to catch up, if the application knows.
  _begin({ since }) {
    if (!since) return;
    this._position = { ...since };
    this._before = this._recoverable = true;
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

  // Subscribed, by a command or by the server itself (`given`).
  _joined(result, given) {
    const { data, recovered, recoverable, publications = [] } = result;
    const { epoch, offset = 0 } = result;
    const last = this._position;
    // How far it got, if that can be compared with where the channel is.
    const at = last && last.epoch === epoch && last.offset <= offset;
    const gap = this._before && !recovered && !(at && last.offset === offset);
    const next = publications[0]?.offset || offset + 1;
    this._position = epoch && {
      epoch,
      offset: at ? Math.max(last.offset, next - 1) : next - 1,
    };
    this._before = true;
    this._given = !!given;
    this._attempt = 0;
    this._recoverable = recoverable;
    this._keepFresh(result);
    this._become('subscribed', { channel: this.channel, data, gap: !!gap });
    if (gap) this._missed(last);
    for (const pub of publications) this._pushed({ pub });
    if (this.state === 'subscribed' && epoch) this._position.offset = offset;
  }

  _pushed({ pub, join, leave, unsubscribe }) {
    if (this.state !== 'subscribed') return; // of a subscription before
    if (pub) this._heard(pub);
    if (join) this._emit('join', this._own(join));
    if (leave) this._emit('leave', this._own(leave));
    if (unsubscribe) this._dismissed(unsubscribe);
  }

  // Each once, in the order of their offsets; those without one just pass by.
  _heard(pub) {
    const { offset } = pub;
    const last = this._position;
    if (offset && last) {
      if (offset <= last.offset) return;
      if (offset > last.offset + 1) this._missed(last);
      last.offset = offset;
    }
    const detail = this._own(pub);
    if (this._gap) detail.gap = true;
    this._gap = false;
    this._emit('publication', detail);
  }

  // The next publication says it too, for those that read one by one.
  _missed(since) {
    this._gap = true;
    const { channel } = this;
    const message =
      `publications of "${channel}" may be missing: ` +
      'load afresh what builds on them';
    if (!this._emit('gap', { channel, message, since: since && { ...since } }))
      console.warn(`Paperboy: ${message}`);
  }

  _own(detail) {
    return { ...detail, channel: this.channel };
  }

  async _read(name, body) {
    await within(this._times.timeout, this.ready(), 'not subscribed');
    return this._client.call(name, this._own(body));
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
    const { data, recoverable, joinLeave } = this._options;
    return {
      channel: this.channel,
      token: this._token || undefined,
      data,
      recoverable,
      join_leave: joinLeave,
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
    this._later();
  }

  _later() {
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
  _dismissed({ code, reason = NO_REASON }) {
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
    this._later();
  }

  // All but `state` reaches the client's listeners too.
  _emit(type, detail) {
    const here = super._emit(type, detail);
    return (type !== 'state' && this._client._emit(type, detail)) || here;
  }
}
