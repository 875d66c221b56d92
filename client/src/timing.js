import { ErrorCode } from './codes.js';
import { PaperboyError } from './error.js';

// The longest that timers take; above it they would fire at once.
const LONGEST = 2 ** 31 - 1;

export const after = (ms, action) => setTimeout(action, Math.min(ms, LONGEST));

// The upper bound of the pause before the next attempt.
export const ceiling = ({ minDelay, maxDelay }, attempt) =>
  Math.min(maxDelay, minDelay * 2 ** attempt);

// Full jitter: clients that fell together don't come back together.
export const backoff = (options, attempt) =>
  Math.random() * ceiling(options, attempt);

// When to renew what lives for `ttl` seconds, in ms: well before its end, and
// spread out, so that neither a slow answer nor a crowd lets it lapse.
export const renewal = (ttl) =>
  1000 * (ttl - Math.min(30, ttl / 2) * (0.5 + Math.random() / 2));

export const late = (what, ms) =>
  new PaperboyError(`${what} within ${ms} ms`, ErrorCode.Timeout, true);

// `promise`, or an error if it takes longer than `ms`: "no answer", say.
export const within = (ms, promise, what) =>
  new Promise((resolve, reject) => {
    const timer = after(ms, () => reject(late(what, ms)));
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
