// Messaging by HTTP, embedded in the servers. Each server posts its requests to
// a callback that is registered there, and what is sent goes to all servers.
// A server whose instance has changed has lost its callbacks.
import { createServer } from 'node:http';
import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import { hostname } from 'node:os';
import { DeliveryError } from './error.js';
import * as look from './options.js';
import { maxRequest, topics } from './topics.js';

const header = 'PaperboyEmbeddedBackendToken';
const path = `/messageCallback/${topics.request}`;
const maxAnswer = 1024; // bytes
const takeFor = 200; // ms

const known = {
  servers: look.servers,
  token: look.headerValue(look.secret('PAPERBOY_EMBEDDED_BACKEND_TOKEN')),
  host: look.text('0.0.0.0'),
  port: look.integer(0, 65535, 8080),
  callbackHost: look.text(hostname()),
  callbackPort: (value, name) =>
    value === undefined ? value : look.integer(1, 65535)(value, name),
  interval: look.integer(100, 3600_000, 2000),
  timeout: look.integer(100, 3600_000, 5000),
  maxQueue: look.integer(1, 1_000_000, 1000),
};

export class EmbeddedMessaging {
  #options;
  #logger;
  #http;
  #digest; // of the token that servers show
  #queue = [];
  #wake = () => {};
  #full = false;
  #sending = 0;
  #peers;
  #asking = new Set(); // the requests on their way
  #closed = false;

  constructor(options, logger) {
    this.#options = look.read(options, known, 'embedded.');
    this.#logger = logger;
    this.#digest = digest(this.#options.token);
    this.#peers = this.#options.servers.map((url) => ({
      url,
      instance: null, // where our callback is registered
      away: false, // its trouble was told
      timer: null,
    }));
  }

  /** The port that servers call. */
  get port() {
    return this.#http?.address()?.port;
  }

  async start() {
    await this.#listen();
    await Promise.all(this.#peers.map((peer) => this.#poll(peer)));
  }

  async take() {
    if (!this.#queue.length) {
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, takeFor);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#full &&= this.#queue.length > 1;
    return this.#queue.shift() ?? null;
  }

  async publish(topic, text) {
    if (this.#closed) throw new DeliveryError('it is closed');
    if (this.#sending >= this.#options.maxQueue) {
      throw new DeliveryError('too many messages are on their way');
    }
    this.#sending++;
    // Servers that share their channels publish what has the same key once.
    const once = { 'Idempotency-Key': randomUUID() };
    try {
      const answers = await Promise.allSettled(
        this.#peers.map(({ url }) =>
          this.#ask(`${url}/pushMessage/${topic}`, text, once),
        ),
      );
      const failed = answers.filter(({ status }) => status === 'rejected');
      if (failed.length === answers.length) {
        const cause = failed[0].reason;
        throw new DeliveryError(`no server took it: ${cause.message}`, {
          cause,
        });
      }
      return answers.length - failed.length;
    } finally {
      this.#sending--;
    }
  }

  async close() {
    this.#closed = true;
    for (const asking of this.#asking) asking.abort(new Error('closed'));
    this.#wake();
    for (const { timer } of this.#peers) clearTimeout(timer);
    if (!this.#http) return;
    this.#http.closeAllConnections?.();
    await new Promise((resolve) => this.#http.close(resolve));
  }

  // --- servers ---------------------------------------------------------------

  async #poll(peer) {
    try {
      const instance = await this.#ask(`${peer.url}/instance`);
      if (instance !== peer.instance) {
        await this.#register(peer.url);
        peer.instance = instance;
      }
      if (peer.away) this.#logger.info(`paperboy: ${peer.url} is there again`);
      peer.away = false;
    } catch (error) {
      if (this.#closed) return;
      if (!peer.away) {
        this.#logger.error(`paperboy: ${peer.url} is away: ${error.message}`);
      }
      peer.away = true;
    }
    if (this.#closed) return;
    peer.timer = setTimeout(() => this.#poll(peer), this.#options.interval);
  }

  #register(url) {
    const { callbackHost, callbackPort = this.port } = this.#options;
    const callback = {
      restHostname: callbackHost,
      restPort: callbackPort,
      restPath: path,
    };
    return this.#ask(
      `${url}/subscribeTopic/${topics.request}`,
      JSON.stringify(callback),
    );
  }

  // The body of the answer; with `text`, of a POST.
  async #ask(url, text, headers) {
    const asking = new AbortController();
    const timer = setTimeout(
      () => asking.abort(new Error('no answer in time')),
      this.#options.timeout,
    );
    this.#asking.add(asking);
    try {
      const answer = await fetch(url, {
        method: text === undefined ? 'GET' : 'POST',
        headers: {
          [header]: this.#options.token,
          ...(text !== undefined && { 'Content-Type': 'application/json' }),
          ...headers,
        },
        body: text,
        redirect: 'error', // our token is for this server
        signal: asking.signal,
      });
      const said = await readAnswer(answer);
      if (!answer.ok) throw new Error(refusal(answer.status, said));
      return said;
    } catch (error) {
      throw error.cause?.code ? new Error(error.cause.code) : error;
    } finally {
      clearTimeout(timer);
      this.#asking.delete(asking);
    }
  }

  // --- what servers call -----------------------------------------------------

  #listen() {
    const { host, port } = this.#options;
    this.#http = createServer((request, response) =>
      this.#serve(request, response),
    );
    this.#http.headersTimeout = 5000;
    this.#http.requestTimeout = 10_000;
    this.#http.maxConnections = 256;
    return new Promise((resolve, reject) => {
      this.#http.once('error', reject);
      this.#http.listen(port, host, () => {
        this.#http.off('error', reject);
        resolve();
      });
    });
  }

  #serve(request, response) {
    const answer = (status, text) => {
      response.writeHead(status, {
        'Content-Type': 'text/plain',
        ...(status !== 200 && { Connection: 'close' }), // its body is not read
      });
      response.end(text);
    };
    const shown = request.headers[header.toLowerCase()] ?? '';
    if (!timingSafeEqual(digest(shown), this.#digest)) {
      return answer(401, 'its token is wrong\n');
    }
    if (request.method !== 'POST' || request.url !== path) {
      return answer(404, 'there is nothing here\n');
    }
    let size = 0;
    const parts = [];
    request.on('data', (part) => {
      size += part.length;
      if (size <= maxRequest) parts.push(part);
    });
    request.on('error', () => {});
    request.on('end', () => {
      // A server forgets whoever answers anything else, and a client must not
      // be able to bring that about.
      answer(200, 'done');
      if (size > maxRequest) {
        this.#logger.warn('paperboy: a request that is too large was dropped');
      } else {
        this.#add(Buffer.concat(parts).toString());
      }
    });
  }

  #add(text) {
    if (this.#queue.length < this.#options.maxQueue) {
      this.#queue.push(text);
      this.#wake();
    } else if (!this.#full) {
      this.#full = true;
      this.#logger.warn('paperboy: too many requests wait; more are dropped');
    }
  }
}

// Equally long, whatever was shown.
const digest = (text) => createHash('sha256').update(text).digest();

// A server may say why, in JSON.
function refusal(status, said) {
  let why;
  try {
    why = JSON.parse(said).message;
  } catch {
    // it says nothing of the kind
  }
  const words = typeof why === 'string' ? `: ${why}` : '';
  return `it answered ${status}${words.replace(/[^ -~]/g, '?').slice(0, 200)}`;
}

async function readAnswer(answer) {
  let text = '';
  const decoder = new TextDecoder();
  for await (const part of answer.body ?? []) {
    text += decoder.decode(part, { stream: true });
    if (text.length > maxAnswer) throw new Error('its answer is too long');
  }
  return text;
}
