/**
 * What failed, in words. `temporary`: it is tried again, or worth trying again.
 */
export class PaperboyError extends Error {
  constructor(message, code, temporary, cause) {
    super(message, cause && { cause });
    this.name = 'PaperboyError';
    this.code = code;
    this.temporary = !!temporary;
  }
}

/** An error of a reply; the protocol's `temporary` says what it is. */
export const replyError = (what, { code, message, temporary }) =>
  new PaperboyError(`${what}: ${message} (${code})`, code, temporary);
