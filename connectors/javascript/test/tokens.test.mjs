// Tokens: those that all connectors must tell apart, and what is made here.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { TokenError, Tokens } from '../src/index.js';

const shared = JSON.parse(
  readFileSync(new URL('../../tokens.json', import.meta.url)),
);
const { secret } = shared;
const claimsOf = (token) =>
  JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));

describe('tokens', () => {
  for (const { name, token, userId, channel } of shared.good) {
    test(`good: ${name}`, () => {
      assert.deepEqual(new Tokens({ secret }).verify(token), {
        userId,
        channel,
      });
    });
  }

  for (const { name, token } of shared.bad) {
    test(`bad: ${name}`, () => {
      assert.throws(() => new Tokens({ secret }).verify(token), TokenError);
    });
  }

  test('anything but a text is bad', () => {
    for (const token of [undefined, null, 7, {}, ['a']]) {
      assert.throws(() => new Tokens({ secret }).verify(token), TokenError);
    }
  });

  test('what is wrong is told without the token', () => {
    for (const { token } of shared.bad) {
      assert.throws(
        () => new Tokens({ secret }).verify(token),
        ({ message }) => token.length < 9 || !message.includes(token.slice(9)),
      );
    }
  });

  test('hold what they are for, for eight hours', () => {
    const tokens = new Tokens({ secret });
    const before = Math.floor(Date.now() / 1000);
    const token = tokens.generate('Zoë', 'räume/1');
    const after = Math.floor(Date.now() / 1000);
    const { exp, ...claims } = claimsOf(token);
    assert.deepEqual(claims, {
      iss: 'paperboy',
      userId: 'Zoë',
      channel: 'räume/1',
    });
    assert.ok(exp >= before + 28800 && exp <= after + 28800);
    assert.deepEqual(tokens.verify(token), {
      userId: 'Zoë',
      channel: 'räume/1',
    });
  });

  test('without a channel are for a user alone', () => {
    const tokens = new Tokens({ secret });
    assert.deepEqual(tokens.verify(tokens.generate('ann')), {
      userId: 'ann',
      channel: null,
    });
  });

  test('expire', (t) => {
    const tokens = new Tokens({ secret, lifetime: 1 });
    const token = tokens.generate('ann', 'news');
    tokens.verify(token);
    const { now } = Date;
    t.mock.method(Date, 'now', () => now() + 1000);
    assert.throws(() => tokens.verify(token), /expired/);
  });

  test('are made for names alone', () => {
    const tokens = new Tokens({ secret });
    for (const [user, channel] of [
      [undefined, 'a'],
      ['', 'a'],
      [7, 'a'],
      ['ann', ''],
      ['ann', ['a']],
      ['x'.repeat(256), 'a'],
      ['ann', 'ä'.repeat(128)],
    ]) {
      assert.throws(
        () => tokens.generate(user, channel),
        /^(Type|Range)Error: (userId|channel): /,
      );
    }
  });

  test('need a secret that says something', () => {
    delete process.env.PAPERBOY_JWT_SECRET;
    for (const none of [undefined, null, '', '  ', 7]) {
      assert.throws(() => new Tokens({ secret: none }), /option secret: /);
    }
    process.env.PAPERBOY_JWT_SECRET = '';
    assert.throws(() => new Tokens(), /PAPERBOY_JWT_SECRET/);
    process.env.PAPERBOY_JWT_SECRET = secret;
    new Tokens().verify(shared.good[0].token);
    delete process.env.PAPERBOY_JWT_SECRET;
  });

  test('have a lifetime of seconds', () => {
    for (const lifetime of [0, -1, 1.5, '1', NaN, 1e9]) {
      assert.throws(
        () => new Tokens({ secret, lifetime }),
        /option lifetime: an integer/,
      );
    }
  });
});
