// The one-file build makes two globals: Paperboy, on which the rest hangs, and
// PaperboyClient.
import { PaperboyClient } from './classic.js';
import { CloseCode, ErrorCode, UnsubscribeCode } from './codes.js';
import { PaperboyError } from './error.js';
import { Paperboy } from './paperboy.js';

Object.assign(Paperboy, {
  CloseCode,
  ErrorCode,
  UnsubscribeCode,
  PaperboyError,
});
Object.assign(globalThis, { Paperboy, PaperboyClient });
