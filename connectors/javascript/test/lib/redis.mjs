// A Redis of the test's own: Debian's redis-server, on a free port of
// 127.0.0.1, in a temporary directory.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from 'redis';

const BINARY = process.env.PAPERBOY_REDIS ?? '/usr/bin/redis-server';

export const redisIsThere = existsSync(BINARY);

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

export class Redis {
  static async start(options = []) {
    const redis = new Redis();
    redis.options = options;
    redis.folder = mkdtempSync(join(tmpdir(), 'paperboy-redis-'));
    for (let tries = 1; ; tries++) {
      redis.port = await freePort();
      redis.url = `redis://127.0.0.1:${redis.port}`;
      try {
        await redis.run();
        return redis;
      } catch (error) {
        // Somebody else has taken the port meanwhile.
        if (tries === 5) throw error;
      }
    }
  }

  /** Begins, on the same port, and has nothing. */
  async run() {
    const set = { port: this.port, bind: '127.0.0.1', dir: this.folder };
    this.process = spawn(
      BINARY,
      Object.entries({ ...set, save: '', appendonly: 'no' })
        .flatMap(([name, value]) => [`--${name}`, value])
        .concat(this.options),
      { stdio: 'ignore' },
    );
    this.client = createClient({
      url: this.url,
      socket: { reconnectStrategy: (tries) => tries < 500 && 10 },
    });
    this.client.on('error', () => {});
    const ended = once(this.process, 'exit').then(() => {
      if (this.client.isOpen && !this.client.isReady) this.client.destroy();
      throw new Error('redis-server has ended');
    });
    ended.catch(() => {});
    await Promise.race([this.client.connect(), ended]);
  }

  /** Ends it at once, as a crash would. */
  async kill() {
    this.client.destroy();
    this.process.kill('SIGKILL');
    await once(this.process, 'exit');
  }

  /** Lists {topic, message} of all that is published from now on. */
  async listen() {
    const heard = [];
    const subscriber = this.client.duplicate();
    subscriber.on('error', () => {});
    await subscriber.connect();
    await subscriber.pSubscribe('*', (text, topic) =>
      heard.push({ topic, message: JSON.parse(text) }),
    );
    this.subscribers = [...(this.subscribers ?? []), subscriber];
    return heard;
  }

  ask(request) {
    const text =
      typeof request === 'string' ? request : JSON.stringify(request);
    return this.client.rPush('paperboy-subscription-request', text);
  }

  async stop() {
    for (const one of this.subscribers ?? []) if (one.isOpen) one.destroy();
    await this.kill();
    rmSync(this.folder, { recursive: true });
  }
}
