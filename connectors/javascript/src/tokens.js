// Tokens are JWTs of one kind, HS256, so ten lines make them and thirty read
// them: nothing of a token says how it is to be verified.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { TokenError } from './error.js';
import * as look from './options.js';

const issuer = 'paperboy';
const maxToken = 8192; // bytes
const maxName = 255; // bytes of a channel's or a user's name

const encode = (value) =>
  Buffer.from(JSON.stringify(value)).toString('base64url');
const header = encode({ alg: 'HS256', typ: 'JWT' });

/** Makes and verifies tokens. */
export class Tokens {
  #key;
  #lifetime;

  /** `lifetime` is in seconds. */
  constructor({ secret, lifetime } = {}) {
    this.#key = look.secret('PAPERBOY_JWT_SECRET')(secret, 'secret');
    this.#lifetime = look.integer(
      1,
      366 * 86400,
      8 * 3600,
    )(lifetime, 'lifetime');
  }

  /** A token for a user and a channel, or for a user alone. */
  generate(userId, channel = null) {
    checkName('userId', userId);
    if (channel !== null) checkName('channel', channel);
    const exp = Math.floor(Date.now() / 1000) + this.#lifetime;
    const claims = { iss: issuer, userId, channel, exp };
    const signed = `${header}.${encode(claims)}`;
    return `${signed}.${this.#sign(signed)}`;
  }

  /** {userId, channel} of a token; throws TokenError for a bad one. */
  verify(token) {
    if (typeof token !== 'string' || token.length > maxToken) {
      throw new TokenError('it is no text, or too long');
    }
    const end = token.lastIndexOf('.');
    const signed = token.slice(0, Math.max(end, 0));
    if (!/^[\w-]+\.[\w-]+$/.test(signed)) throw new TokenError('it is no JWT');
    const expected = Buffer.from(this.#sign(signed));
    const actual = Buffer.from(token.slice(end + 1));
    if (
      actual.length !== expected.length ||
      !timingSafeEqual(actual, expected)
    ) {
      throw new TokenError('its signature is wrong');
    }
    const [head, claims] = signed.split('.').map(decode);
    checkHeader(head);
    return readClaims(claims);
  }

  #sign(text) {
    return createHmac('sha256', this.#key).update(text).digest('base64url');
  }
}

/** Throws for what is no name of a user or a channel. */
export function checkName(what, name) {
  if (typeof name !== 'string' || name === '') {
    throw new TypeError(`${what}: a text is expected`);
  }
  if (Buffer.byteLength(name) > maxName) {
    throw new RangeError(`${what}: more than ${maxName} bytes`);
  }
}

// What JSON.parse complains of shows a part of the text: it is not passed on.
function decode(part) {
  try {
    return Object(JSON.parse(Buffer.from(part, 'base64url').toString()));
  } catch {
    throw new TokenError('it holds no JSON');
  }
}

function checkHeader({ alg, crit }) {
  if (alg !== 'HS256') throw new TokenError('its algorithm is not HS256');
  if (crit !== undefined) throw new TokenError('it asks for an extension');
}

function readClaims({ iss, exp, userId, channel = null }) {
  if (iss !== issuer) throw new TokenError('its issuer is another');
  if (!Number.isFinite(exp)) throw new TokenError('it never expires');
  if (Date.now() / 1000 >= exp) throw new TokenError('it has expired');
  try {
    checkName('userId', userId);
    if (channel !== null) checkName('channel', channel);
  } catch (error) {
    throw new TokenError(error.message);
  }
  return { userId, channel };
}
