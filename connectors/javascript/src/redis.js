// Messaging by Redis. Requests wait in a list, from which BLPOP gives each to
// one back end; the other topics are published.
//
// BLPOP keeps a connection busy, so there are two. Each says something at least
// every few seconds, so a connection that the network lost is found out.
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { createClient } from 'redis';
import { DeliveryError } from './error.js';
import { topics } from './topics.js';

const takeFor = 0.2; // seconds that BLPOP waits
const silence = 10_000; // ms after which a connection is given up
const maxQueue = 10_000; // commands that wait for an answer
const backoff = (retries) =>
  Math.min(50 * 2 ** Math.min(retries, 6), 2000) * (0.5 + Math.random() / 2);

const ours = (socket) => ({
  disableOfflineQueue: true,
  commandsQueueMaxLength: maxQueue,
  pingInterval: silence / 3,
  socket: {
    socketTimeout: silence,
    connectTimeout: 5000,
    ...socket,
    reconnectStrategy: backoff,
  },
});

export class RedisMessaging {
  #logger;
  #publisher;
  #taker;
  #own; // those that we made, and are to end
  #away = new Set(); // those whose trouble was told
  #failures = 0;
  #closed = false;

  /** `redis` is an address, options of createClient(), or a client. */
  constructor(redis, logger) {
    this.#logger = logger;
    if (typeof redis?.duplicate === 'function') {
      this.#publisher = redis;
      this.#taker = redis.duplicate(ours(redis.options?.socket));
      this.#own = [this.#taker];
    } else {
      this.#publisher = create(redis);
      this.#taker = this.#publisher.duplicate();
      this.#own = [this.#publisher, this.#taker];
    }
    for (const client of this.#own) this.#watch(client);
  }

  async start() {
    await Promise.all(
      this.#own.map((client) => {
        const first = once(client, 'ready').catch(() => {}); // or an error
        client.connect().catch((error) => this.#tell(client, error));
        return first;
      }),
    );
  }

  async take() {
    if (!this.#taker.isReady) {
      await pause(50);
      return null;
    }
    try {
      const taken = await this.#taker.blPop(topics.request, takeFor);
      if (this.#failures) this.#logger.info('paperboy: Redis gives requests');
      this.#failures = 0;
      return taken && String(taken.element);
    } catch (error) {
      // A lost connection is told by its own event.
      if (this.#closed || !this.#taker.isReady) return null;
      if (!this.#failures++) {
        this.#logger.error('paperboy: Redis gives no requests:', error);
      }
      await pause(backoff(this.#failures));
      return null;
    }
  }

  async publish(topic, text) {
    try {
      return await this.#publisher.publish(topic, text);
    } catch (cause) {
      throw new DeliveryError(`Redis took no message: ${cause.message}`, {
        cause,
      });
    }
  }

  async close() {
    this.#closed = true;
    for (const client of this.#own) {
      if (client.isOpen) client.destroy();
    }
  }

  #watch(client) {
    client.on('error', (error) => this.#tell(client, error));
    client.on('ready', () => {
      if (this.#away.delete(client) && !this.#away.size) {
        this.#logger.info('paperboy: Redis is there again');
      }
    });
  }

  // Once, not at every try.
  #tell(client, error) {
    if (this.#closed) return;
    if (!this.#away.size) {
      const why = error.code ?? error.message;
      this.#logger.error(`paperboy: Redis is away, trying again: ${why}`);
    }
    this.#away.add(client);
  }
}

function create(redis) {
  const options = typeof redis === 'string' ? { url: redis } : redis;
  if (options === null || typeof options !== 'object') {
    throw new TypeError(
      'option redis: an address, options of createClient() or a client of ' +
        'redis is expected',
    );
  }
  try {
    return createClient({ ...options, ...ours(options.socket) });
  } catch {
    // What it says may show the password in the address.
    throw new TypeError('option redis: createClient() of redis refuses it');
  }
}
