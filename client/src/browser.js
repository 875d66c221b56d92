// The one-file build makes two globals: Paperboy, with PaperboyError on it, and
// PaperboyClient.
import { PaperboyClient } from './classic.js';
import { PaperboyError } from './error.js';
import { Paperboy } from './paperboy.js';

Paperboy.PaperboyError = PaperboyError;
Object.assign(globalThis, { Paperboy, PaperboyClient });
