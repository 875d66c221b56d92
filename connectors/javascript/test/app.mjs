#!/usr/bin/env node
// A small application on the connector, for tests that have a real nginx:
//
//   test/app.mjs redis URL
//   test/app.mjs embedded TOKEN URL...
//
// It lets everybody into channels that don't begin with `secret`, and tells the
// channel who has come. It does what it is told on standard input, one order a
// line, and answers each with a line; it ends where that ends:
//
//   token USER [CHANNEL]     the token
//   channel CHANNEL JSON     how many servers took it, or `error: WHY`
//   user USER JSON           the same
//   close USER CHANNEL       the same
import { createInterface } from 'node:readline';
import { Connector } from '../src/index.js';

const [, , kind, ...where] = process.argv;
const [token, ...servers] = where;
const local = {
  host: '127.0.0.1',
  port: 0,
  callbackHost: '127.0.0.1',
  interval: 100,
};

const connector = new Connector({
  ...(kind === 'redis'
    ? { redis: where[0] }
    : { embedded: { ...local, token, servers } }),
  hasAccess: (userId, channel) => !channel?.startsWith('secret'),
  onSubscription: (userId, channel) =>
    channel &&
    connector.sendToChannel(channel, {
      source: 'system',
      message: `User '${userId}' joined.`,
    }),
  logger: { info: console.error, warn: console.error, error: console.error },
});

const orders = {
  token: (userId, channel) => connector.generateToken(userId, channel),
  channel: (channel, json) =>
    connector.sendToChannel(channel, JSON.parse(json)),
  user: (userId, json) => connector.sendToUser(userId, JSON.parse(json)),
  close: (userId, channel) => connector.closeSubscription(userId, channel),
};

await connector.start();
console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
  const [, order, name, rest] = line.match(/^(\w+) (\S+) ?(.*)$/) ?? [];
  try {
    console.log(await orders[order](name, rest || undefined));
  } catch (error) {
    console.log(`error: ${error.message}`);
  }
}
await connector.close();
