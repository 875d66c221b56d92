// A public back-end library, unmodified: cent.js. TAP goes out.
//
//   node library.mjs URL KEY
import assert from "node:assert/strict";
import cent from "cent.js";

const [url, apiKey] = process.argv.slice(2);
const client = new cent.CentClient({ url, apiKey });

let count = 0;
const test = async (name, run) => {
  try {
    await run();
    console.log(`ok ${++count} - ${name}`);
  } catch (error) {
    console.log(`not ok ${++count} - ${name}`);
    console.log(`# ${error.stack.replace(/\n/g, "\n# ")}`);
  }
};

const channel = "kept:library";
await test("publish", async () => {
  const first = await client.publish({ channel, data: { n: 1 } });
  const next = await client.publish({ channel, data: { n: 2 } });
  assert.deepEqual([first.offset, next.offset], [1, 2]);
  assert.equal(first.epoch, next.epoch);
});
await test("broadcast", async () => {
  const { responses } = await client.broadcast({
    channels: [channel, "plain"], data: 3 });
  assert.deepEqual(responses.map((r) => r.result.offset), [3, 1]);
});
await test("history", async () => {
  const { publications, offset } = await client.getHistory({
    channel, limit: 2, reverse: true });
  assert.equal(offset, 3);
  assert.deepEqual(publications.map((p) => p.data), [3, { n: 2 }]);
  await client.removeHistory({ channel });
  assert.deepEqual((await client.getHistory({ channel, limit: 9 })).publications,
                   []);
});
await test("presence", async () => {
  const { presence } = await client.getPresence({ channel: "room:a" });
  const [there] = Object.values(presence);
  assert.equal(there.user, "ann");
  assert.deepEqual(await client.getPresenceStats({ channel: "room:a" }),
                   { num_clients: 1, num_users: 1 });
});
await test("channels and info", async () => {
  const { channels } = await client.getChannels({ pattern: "room:*" });
  assert.deepEqual(channels, { "room:a": { num_clients: 1 } });
  const { nodes } = await client.getInfo();
  assert.equal(nodes.length, 1);
});
await test("clients", async () => {
  const user = "ann";
  await client.subscribe({ user, channel: "given" });
  await client.unsubscribe({ user, channel: "given" });
  await client.refresh({ user, expire_at: Math.floor(Date.now() / 1000) + 60 });
  await client.disconnect({ user });
});
await test("errors", async () => {
  await assert.rejects(client.getHistory({ channel: "plain" }),
                       (error) => error.constructor.name === "CentException");
});
await test("several commands at once", async () => {
  const replies = await client.pipeline([
    { method: "publish", params: { channel: "many", data: 1 } },
    { method: "publish", params: { channel: "many", data: 2 } },
  ]);
  assert.deepEqual(replies.map((r) => r.offset), [1, 2]);
});
console.log(`1..${count}`);
