#!/usr/bin/env node
// Publishes a message in a channel, with the client `redis` of npm.
//
//   npm ci
//   ./publish.mjs redis://127.0.0.1:6379 CHANNEL TEXT
import { createClient } from 'redis';

const [url, channel, data] = process.argv.slice(2);
const client = await createClient({ url }).connect();
// Nodes that are all away for long find the newest million.
await client.xAdd('paperboy:{0}:inbox', '*', { channel, data }, {
  TRIM: { strategy: 'MAXLEN', strategyModifier: '~', threshold: 1_000_000 },
});
await client.quit();
