// What back end and server call the four kinds of their messages.
export const topics = {
  request: 'paperboy-subscription-request',
  authorized: 'paperboy-subscription-authorized',
  close: 'paperboy-subscription-close',
  message: 'paperboy-message',
};

/** Bytes; a request is an id and a token, of which there are no larger ones. */
export const maxRequest = 16 * 1024;
