import type { RedisClientOptions } from 'redis';

/** Who a token is for; without a channel, for a user's own messages alone. */
export interface Claims {
  userId: string;
  channel: string | null;
}

export interface Logger {
  info(...what: unknown[]): void;
  warn(...what: unknown[]): void;
  error(...what: unknown[]): void;
}

export interface EmbeddedOptions {
  /** Addresses of all servers. */
  servers: string[];
  /** What both sides show; else PAPERBOY_EMBEDDED_BACKEND_TOKEN. */
  token?: string;
  /** Where requests are listened for: '0.0.0.0'. */
  host?: string;
  /** 8080; 0 takes a free one. */
  port?: number;
  /** What servers call: this machine's name. */
  callbackHost?: string;
  /** What servers call: the port listened on. */
  callbackPort?: number;
  /** ms between questions for a server's instance: 2000. */
  interval?: number;
  /** ms for an answer: 5000. */
  timeout?: number;
  /** Requests that wait, and messages on their way: 1000. */
  maxQueue?: number;
}

/** A client of the package redis, 5 or newer. */
export interface RedisClient {
  publish(channel: string, message: string): Promise<number>;
  duplicate(options?: object): unknown;
}

export interface ConnectorOptions {
  /** This or embedded: an address, createClient()'s options, a client. */
  redis?: string | RedisClientOptions | RedisClient;
  embedded?: EmbeddedOptions;
  /** Signs tokens; else PAPERBOY_JWT_SECRET. */
  secret?: string;
  /** Seconds: 28800. */
  tokenLifetime?: number;
  /** Only `true` is a yes. */
  hasAccess(userId: string, channel: string | null): unknown;
  onSubscription?(userId: string, channel: string | null): unknown;
  /** Requests that are looked at side by side: 16. */
  concurrency?: number;
  /** Bytes of what is sent: 65536. */
  maxMessageSize?: number;
  /** The console. */
  logger?: Logger;
}

export class Connector {
  constructor(options: ConnectorOptions);
  generateToken(userId: string, channel?: string | null): string;
  /** Throws TokenError. */
  verifyToken(token: string): Claims;
  start(): Promise<void>;
  /** How many servers took it; DeliveryError where none could be asked. */
  sendToUser(userId: string, payload: unknown): Promise<number>;
  sendToChannel(channel: string, payload: unknown): Promise<number>;
  closeSubscription(userId: string, channel: string): Promise<number>;
  close(): Promise<void>;
}

/** Makes and verifies tokens, where no connector is needed. */
export class Tokens {
  constructor(options?: { secret?: string; lifetime?: number });
  generate(userId: string, channel?: string | null): string;
  verify(token: string): Claims;
}

export class TokenError extends Error {}
export class DeliveryError extends Error {}
