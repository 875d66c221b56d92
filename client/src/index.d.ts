// Types of paperboy-client.

/** How long things take, in milliseconds. */
export interface Times {
  /** For a connection, a reply, a token: 10000. */
  timeout?: number;
  /** The bound of the first pause before connecting again: 500. */
  minDelay?: number;
  /** The bound of the longest pause: 20000. */
  maxDelay?: number;
  /** How late the server's ping may be: 10000. */
  pingSlack?: number;
  /** How many publications may wait for an iteration: 10000. */
  maxQueue?: number;
}

export interface WebSocketLike {
  readonly readyState: number;
  onopen: ((event: any) => any) | null;
  onmessage: ((event: any) => any) | null;
  onerror: ((event: any) => any) | null;
  onclose: ((event: any) => any) | null;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}

export type WebSocketConstructor = new (
  url: string,
  protocols?: string | string[],
) => WebSocketLike;

/** Hands out a token. '' or null refuses for good; what it throws is retried. */
export type GetToken<Context> = (
  context: Context,
) => string | null | Promise<string | null>;

export interface Options extends Times {
  /** The first connection token. */
  token?: string;
  /** Where connection tokens come from. */
  getToken?: GetToken<{}>;
  /** Told to the server when connecting. */
  data?: unknown;
  /** The kind of client, for the server's statistics: 16 characters. */
  name?: string;
  /** The application's version, for the server's statistics. */
  version?: string;
  /** The class to use where there is no global one: Node before 22. */
  WebSocket?: WebSocketConstructor;
  /** Subprotocols to offer. */
  protocols?: string | string[];
}

export interface SubscriptionOptions {
  /** The first token for the channel. */
  token?: string;
  /** Where tokens for the channel come from. */
  getToken?: GetToken<{ channel: string }>;
  /** Told to the server when subscribing. */
  data?: unknown;
  /** Asks the server to keep a position to recover from. */
  recoverable?: boolean;
  /** Asks the server to tell who comes and goes. */
  joinLeave?: boolean;
  /** Goes on after this position: what was published since then comes first. */
  since?: Position;
}

/** Of a publication in its channel, or up to where one has the channel. */
export interface Position {
  epoch: string;
  offset: number;
}

export interface HistoryOptions {
  /** How many at most; 0: only the position; -1, the default: all. */
  limit?: number;
  /** Those after this position; in reverse, those before it. */
  since?: Position;
  /** The newest first. */
  reverse?: boolean;
}

/** What is kept, and the position of the channel's last publication. */
export interface History<T = any> extends Position {
  publications: Publication<T>[];
}

export interface ClientInfo {
  user: string;
  client: string;
  conn_info?: unknown;
  chan_info?: unknown;
}

export interface Publication<T = any> {
  channel: string;
  data: T;
  /** Its place in the channel, where the server tells it. */
  offset?: number;
  /** Who published it, if that was a client. */
  info?: ClientInfo;
  tags?: Record<string, string>;
  /** When, in milliseconds since 1970, where the server tells it. */
  time?: number;
  /** Some before this one may be missing: see the event `gap`. */
  gap?: true;
}

/** Publications may be missing, which the server doesn't keep any more. */
export interface Gap {
  channel: string;
  /** In words. */
  message: string;
  /** Up to where all had come. */
  since?: Position;
}

export interface Ended {
  code: number;
  reason: string;
  /** Absent where the application itself ended it. */
  error?: PaperboyError;
}

export interface SubscriptionEvents<T = any> {
  /** Asked for again: the connection was lost, or the server said so. */
  subscribing: { channel: string; code: number; reason: string };
  subscribed: {
    channel: string;
    data?: any;
    /** Publications may have been missed since the subscription was lost. */
    gap: boolean;
  };
  unsubscribed: Ended & { channel: string };
  publication: Publication<T>;
  /** Load afresh what the publications build on. */
  gap: Gap;
  join: { channel: string; info: ClientInfo };
  leave: { channel: string; info: ClientInfo };
  error: PaperboyError;
}

export interface Events extends SubscriptionEvents {
  /** The connection was lost, or an attempt failed; the next is in `delay` ms. */
  connecting: { code: number; reason: string; delay: number };
  connected: { client: string; version?: string; data?: any };
  closed: Ended;
  /** A message of the server's that belongs to no channel: its data. */
  message: any;
  state: { state: State } & Record<string, any>;
}

export type State = 'connecting' | 'connected' | 'closed';
export type SubscriptionState = 'subscribing' | 'subscribed' | 'unsubscribed';

export class Subscription<T = any> implements AsyncIterable<Publication<T>> {
  private constructor();
  readonly channel: string;
  readonly state: SubscriptionState;
  /** Why it is unsubscribed. */
  readonly error?: PaperboyError;
  /** Up to where all publications have come, where the server tells it. */
  readonly position?: Position;
  on<E extends keyof SubscriptionEvents<T>>(
    type: E,
    listener: (detail: SubscriptionEvents<T>[E]) => void,
  ): () => void;
  on(
    type: 'state',
    listener: (
      detail: { state: SubscriptionState } & Record<string, any>,
    ) => void,
  ): () => void;
  /** Resolves once subscribed, rejects when it can't be any more. */
  ready(): Promise<void>;
  publish(data: unknown): Promise<void>;
  /** What the server keeps; waits until it is subscribed. */
  history(options?: HistoryOptions): Promise<History<T>>;
  /** Who is there, one of each connection; waits until it is subscribed. */
  presence(): Promise<ClientInfo[]>;
  presenceStats(): Promise<{ clients: number; users: number }>;
  unsubscribe(): void;
  [Symbol.asyncIterator](): AsyncIterableIterator<Publication<T>>;
}

export class Paperboy {
  constructor(url: string | URL, options?: Options);
  readonly state: State;
  /** Why it is closed. */
  readonly error?: PaperboyError;
  /** Answers a function that stops the listener. */
  on<E extends keyof Events>(
    type: E,
    listener: (detail: Events[E]) => void,
  ): () => void;
  /** Resolves once connected, rejects when it can't be any more. */
  ready(): Promise<void>;
  subscribe<T = any>(
    channel: string,
    options?: SubscriptionOptions,
  ): Subscription<T>;
  publish(channel: string, data?: unknown): Promise<void>;
  /** Any command of the protocol, and what is answered to it. */
  call(name: string, body?: object): Promise<any>;
  close(): void;
}

/** What the classic client hands to handlers. */
export interface ClassicMessage<T = any> {
  userId: null;
  channel: string;
  payload: T;
  timestamp: number;
}

export class PaperboyClient {
  constructor(
    tokenBaseUrl: string,
    wsUrl: string | URL,
    options?: Options & { fetch?: typeof fetch },
  );
  /** The connection, from the first subscription on. */
  readonly paperboy?: Paperboy;
  subscribe<T = any>(
    channel: string,
    handler: (message: ClassicMessage<T>) => void,
  ): Subscription<T>;
  unsubscribe(channel: string): void;
  close(): void;
}

export class PaperboyError extends Error {
  /** An ErrorCode, CloseCode or UnsubscribeCode. */
  readonly code: number;
  /** It is tried again by itself, or worth trying again. */
  readonly temporary: boolean;
  readonly channel?: string;
  readonly cause?: unknown;
}

/** Why a connection ended. */
export const CloseCode: {
  readonly Normal: 1000;
  readonly GoingAway: 1001;
  readonly ProtocolError: 1002;
  readonly UnsupportedData: 1003;
  readonly NoStatus: 1005;
  readonly Abnormal: 1006;
  readonly InvalidText: 1007;
  readonly PolicyViolation: 1008;
  readonly MessageTooBig: 1009;
  readonly MissingExtension: 1010;
  readonly InternalError: 1011;
  readonly TryAgainLater: 1013;
  readonly ConnectionClosed: 3000;
  readonly Shutdown: 3001;
  readonly ServerError: 3004;
  readonly Expired: 3005;
  readonly SubscriptionExpired: 3006;
  readonly Slow: 3008;
  readonly WriteError: 3009;
  readonly InsufficientState: 3010;
  readonly ForceReconnect: 3011;
  readonly NoPong: 3012;
  readonly TooManyRequests: 3013;
  readonly StateInvalidated: 3014;
  readonly InvalidToken: 3500;
  readonly BadRequest: 3501;
  readonly Stale: 3502;
  readonly ForceDisconnect: 3503;
  readonly ConnectionLimit: 3504;
  readonly ChannelLimit: 3505;
  readonly InappropriateProtocol: 3506;
  readonly PermissionDenied: 3507;
  readonly NotAvailable: 3508;
  readonly TooManyErrors: 3509;
};

/** Why a subscription ended, or was asked for again. */
export const UnsubscribeCode: {
  readonly Application: 0;
  readonly Server: 2000;
  readonly InsufficientState: 2500;
  readonly Expired: 2501;
};

/** Why something failed: below 100 here, from 100 on at the server. */
export const ErrorCode: {
  readonly Timeout: 1;
  readonly Unreachable: 2;
  readonly ConnectionLost: 3;
  readonly TokenFailed: 4;
  readonly NoToken: 5;
  readonly Closed: 6;
  readonly TooSlow: 7;
  readonly Internal: 100;
  readonly Unauthorized: 101;
  readonly UnknownChannel: 102;
  readonly PermissionDenied: 103;
  readonly MethodNotFound: 104;
  readonly AlreadySubscribed: 105;
  readonly LimitExceeded: 106;
  readonly BadRequest: 107;
  readonly NotAvailable: 108;
  readonly TokenExpired: 109;
  readonly Expired: 110;
  readonly TooManyRequests: 111;
  readonly Unrecoverable: 112;
};
