/** A token that lets nobody in. It says why, and holds nothing of it. */
export class TokenError extends Error {
  name = 'TokenError';
}

/** A message that no server took. It may be sent again. */
export class DeliveryError extends Error {
  name = 'DeliveryError';
}
