// What a client and a subscription have in common: a token that is got from
// the application, used, and renewed before it expires.
//
// A heir has `_context` (what the callback is told), `_renewBy` (the command),
// `_live()` (the link while all is well, else null), `_giveUp(error)`.

import { ErrorCode } from './codes.js';
import { Emitter } from './emitter.js';
import { PaperboyError } from './error.js';
import { after, backoff, renewal, within } from './timing.js';

export class Holder extends Emitter {
  constructor(states, { token, getToken }, times) {
    super(...states);
    this._token = token;
    this._getToken = getToken;
    this._times = times;
  }

  // A new token, or what is wrong with getting one, in words.
  async _ask() {
    const { channel } = this._context;
    const what = channel ? `a token for "${channel}"` : 'a connection token';
    let token;
    try {
      // A callback that throws at once fails like one that rejects.
      const asked = (async () => this._getToken({ ...this._context }))();
      token = await within(this._times.timeout, asked, 'no answer');
    } catch (error) {
      const words = `can't get ${what}: ${error?.message ?? error}`;
      throw new PaperboyError(words, ErrorCode.TokenFailed, true, error);
    }
    if (!token || typeof token !== 'string') {
      throw new PaperboyError(`getToken refused ${what}`, ErrorCode.NoToken);
    }
    this._token = token;
  }

  // The next attempt asks for a new one; without a callback there is none.
  _forgetToken() {
    if (this._getToken) this._token = null;
  }

  // Whether it is worth another attempt.
  _mayRetry(error) {
    if (error.code !== ErrorCode.TokenExpired) return error.temporary;
    this._forgetToken();
    return !!this._getToken;
  }

  _keepFresh({ expires, ttl }) {
    clearTimeout(this._fresh);
    if (expires && this._getToken) {
      this._fresh = after(renewal(ttl || 1), () => this._renew(0));
    }
  }

  async _renew(attempt) {
    const link = this._live();
    const done = (error, result) => {
      if (!link || link !== this._live()) return;
      if (!error) {
        this._keepFresh(result);
      } else if (this._mayRetry(error)) {
        const delay = this._times.minDelay + backoff(this._times, attempt);
        this._fresh = after(delay, () => this._renew(attempt + 1));
        this._fail(error);
      } else {
        this._giveUp(error);
      }
    };
    try {
      await this._ask();
    } catch (error) {
      return done(error);
    }
    if (link && link === this._live()) {
      const body = { ...this._context, token: this._token };
      link.call(this._renewBy, body, done);
    }
  }

  _fail(error) {
    error.channel = this._context.channel;
    if (!this._emit('error', error))
      console.error(`Paperboy: ${error.message}`);
  }
}
