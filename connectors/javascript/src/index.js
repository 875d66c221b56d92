export { Connector } from './connector.js';
export { DeliveryError, TokenError } from './error.js';
export { Tokens } from './tokens.js';
