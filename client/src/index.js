export { CloseCode, ErrorCode, UnsubscribeCode } from './codes.js';
export { PaperboyError } from './error.js';
export { Paperboy } from './paperboy.js';
export { PaperboyClient } from './classic.js';
