// The codes of the Centrifugal client protocol, and what a client is to do
// about each.

// Names of codes that follow each other, by the first of each run.
const table = (runs) =>
  Object.fromEntries(
    Object.keys(runs).flatMap((first) =>
      runs[first].split(' ').map((name, at) => [name, +first + at]),
    ),
  );

/** Why a connection ended: RFC 6455's codes, then the protocol's. */
export const CloseCode = /* @__PURE__ */ table({
  1000: 'Normal GoingAway ProtocolError UnsupportedData',
  1005:
    'NoStatus Abnormal InvalidText PolicyViolation MessageTooBig ' +
    'MissingExtension InternalError',
  1013: 'TryAgainLater',
  3000: 'ConnectionClosed Shutdown',
  3004: 'ServerError Expired SubscriptionExpired',
  3008:
    'Slow WriteError InsufficientState ForceReconnect NoPong ' +
    'TooManyRequests StateInvalidated',
  3500:
    'InvalidToken BadRequest Stale ForceDisconnect ConnectionLimit ' +
    'ChannelLimit InappropriateProtocol PermissionDenied NotAvailable ' +
    'TooManyErrors',
});

/** Why a subscription ended. */
export const UnsubscribeCode = /* @__PURE__ */ table({
  0: 'Application',
  2000: 'Server',
  2500: 'InsufficientState Expired',
});

/** Why something failed: below 100 here, from 100 on at the server. */
export const ErrorCode = /* @__PURE__ */ table({
  1: 'Timeout Unreachable ConnectionLost TokenFailed NoToken Closed TooSlow',
  100:
    'Internal Unauthorized UnknownChannel PermissionDenied MethodNotFound ' +
    'AlreadySubscribed LimitExceeded BadRequest NotAvailable TokenExpired ' +
    'Expired TooManyRequests Unrecoverable',
});

// Below 3000 these are a client's bug, which it would only repeat.
const HOPELESS = [1002, 1003, 1007, 1010];

/** Whether a connection that ended so is not to be opened again. */
export const isFinal = (code) =>
  HOPELESS.includes(code) ||
  (code >= 3500 && code < 4000) ||
  (code >= 4500 && code < 5000);

export const NO_REASON = 'no reason given';
