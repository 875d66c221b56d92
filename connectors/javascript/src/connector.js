// The application's side of the classic protocol. What requests come by and
// messages go by is a messaging (redis.js, embedded.js):
//   start()              connects, or begins to: it goes on by itself
//   take()               the next request's text, or null: none so far.
//                        Never throws, never waits for long
//   publish(topic, text) how many servers took it; throws DeliveryError
//   close()              ends all
import { EmbeddedMessaging } from './embedded.js';
import { DeliveryError, TokenError } from './error.js';
import * as look from './options.js';
import { RedisMessaging } from './redis.js';
import { checkName, Tokens } from './tokens.js';
import { maxRequest, topics } from './topics.js';

const closeWithin = 2000; // ms for callbacks that run when it is closed

const known = {
  secret: (value) => value, // and this: the tokens' own
  tokenLifetime: (value) => value,
  redis: (value) => value, // and this: the messaging's
  embedded: (value) => value,
  hasAccess: look.callback(),
  onSubscription: look.callback(() => {}),
  concurrency: look.integer(1, 1000, 16),
  maxMessageSize: look.integer(1, 64 * 1024 * 1024, 64 * 1024),
  logger: look.logger,
};

export class Connector {
  #tokens;
  #options;
  #messaging;
  #started = false;
  #closed = false;
  #running = null; // the loop, until it has ended
  #handling = new Set();

  constructor(options) {
    this.#options = look.read(options, known);
    const { secret, tokenLifetime, redis, embedded, logger } = this.#options;
    if ((redis === undefined) === (embedded === undefined)) {
      throw new TypeError('options: one of redis and embedded is expected');
    }
    this.#tokens = new Tokens({ secret, lifetime: tokenLifetime });
    this.#messaging = embedded
      ? new EmbeddedMessaging(embedded, logger)
      : new RedisMessaging(redis, logger);
  }

  /** A token that lets a user into a channel; without one, be a user. */
  generateToken(userId, channel = null) {
    return this.#tokens.generate(userId, channel);
  }

  /** {userId, channel} of a token; throws TokenError for a bad one. */
  verifyToken(token) {
    return this.#tokens.verify(token);
  }

  /**
   * Begins to take requests, once it is connected or the first try has failed:
   * it goes on trying by itself.
   */
  async start() {
    if (this.#closed) throw new Error('it is closed');
    if (this.#started) throw new Error('start() came before');
    this.#started = true;
    await this.#messaging.start();
    this.#running = this.#takeAll();
  }

  /** Sends to all of the user's connections. */
  async sendToUser(userId, payload) {
    checkName('userId', userId);
    return this.#send({ userId, channel: null }, payload);
  }

  /** Sends to all who have subscribed to the channel. */
  async sendToChannel(channel, payload) {
    checkName('channel', channel);
    return this.#send({ userId: null, channel }, payload);
  }

  /** Ends the user's subscriptions to the channel. */
  async closeSubscription(userId, channel) {
    checkName('userId', userId);
    checkName('channel', channel);
    const close = { wsId: null, token: null, userId, channel };
    return this.#publish(topics.close, close);
  }

  /** Takes no more requests, ends those that run, disconnects. */
  async close() {
    if (this.#closed) return;
    this.#closed = true;
    let timer;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, closeWithin);
    });
    const ended = Promise.resolve(this.#running);
    const done = ended.then(() => Promise.all(this.#handling));
    await Promise.race([done, late]);
    clearTimeout(timer);
    await this.#messaging.close();
  }

  // --- messages --------------------------------------------------------------

  #send(to, payload) {
    if (JSON.stringify(payload) === undefined) {
      throw new TypeError('payload: it has no form in JSON');
    }
    const timestamp = Date.now();
    return this.#publish(topics.message, { ...to, payload, timestamp });
  }

  async #publish(topic, message) {
    const text = JSON.stringify(message);
    const size = Buffer.byteLength(text);
    if (size > this.#options.maxMessageSize) {
      throw new RangeError(
        `the message has ${size} bytes; maxMessageSize is ` +
          this.#options.maxMessageSize,
      );
    }
    if (!this.#started) throw new DeliveryError('it was not started');
    return this.#messaging.publish(topic, text);
  }

  // --- requests --------------------------------------------------------------

  async #takeAll() {
    while (!this.#closed) {
      const text = await this.#messaging.take();
      if (text === null) continue;
      const handling = this.#handle(text).catch((error) => {
        this.#options.logger.error('paperboy: a request failed:', error);
      });
      this.#handling.add(handling);
      handling.finally(() => this.#handling.delete(handling));
      // At most so many at once: the others wait where they are.
      if (this.#handling.size >= this.#options.concurrency) {
        await Promise.race(this.#handling);
      }
    }
  }

  async #handle(text) {
    const { logger, hasAccess, onSubscription } = this.#options;
    const request = readRequest(text);
    if (!request) {
      logger.warn('paperboy: a request that is none was dropped');
      return;
    }
    const { wsId } = request;
    const asked = this.#verified(request);
    if (!asked) return;
    const { userId, channel } = asked;
    const who = JSON.stringify({ wsId, userId, channel });
    try {
      // A promise that nobody awaited, or a text, is no yes.
      if ((await hasAccess(userId, channel)) !== true) {
        logger.info(`paperboy: no access: ${who}`);
        return;
      }
    } catch (error) {
      logger.error(`paperboy: hasAccess failed: ${who}:`, error);
      return;
    }
    try {
      const authorized = { wsId, token: null, userId, channel };
      await this.#publish(topics.authorized, authorized);
    } catch (error) {
      logger.error(`paperboy: no authorisation was sent: ${who}:`, error);
      return;
    }
    try {
      await onSubscription(userId, channel);
    } catch (error) {
      logger.error(`paperboy: onSubscription failed: ${who}:`, error);
    }
  }

  #verified({ wsId, token }) {
    try {
      return this.#tokens.verify(token);
    } catch (error) {
      if (!(error instanceof TokenError)) throw error;
      const whose = JSON.stringify(wsId);
      this.#options.logger.warn(
        `paperboy: a bad token of connection ${whose}: ${error.message}`,
      );
      return null;
    }
  }
}

function readRequest(text) {
  if (Buffer.byteLength(text) > maxRequest) return null;
  let request;
  try {
    request = JSON.parse(text);
  } catch {
    return null;
  }
  const { wsId, token } = Object(request);
  if (typeof wsId !== 'string' || wsId === '' || wsId.length > 128) return null;
  return typeof token === 'string' ? { wsId, token } : null;
}
