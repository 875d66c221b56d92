import { ErrorCode } from './codes.js';
import { PaperboyError } from './error.js';

// The publications of a subscription from now on, one after the other. Ends
// with it; throws if it was ended by an error, or if `most` publications wait.
export function iterate(subscription, most) {
  const queue = [];
  let over = subscription.state === 'unsubscribed';
  let failure = subscription._failure;
  let wake = () => {};

  const end = (error) => {
    over = true;
    failure = error;
    stops.map((stop) => stop());
    wake();
  };
  const stops = [
    subscription.on('unsubscribed', ({ error }) => end(error)),
    subscription.on('publication', (publication) => {
      queue.push(publication);
      wake();
      if (queue.length > most) {
        const words = `more than ${most} publications wait for their reader`;
        end(new PaperboyError(words, ErrorCode.TooSlow));
      }
    }),
  ];

  // The listeners are there before it is first asked for anything.
  async function* read() {
    try {
      while (queue.length || !over) {
        if (queue.length) yield queue.shift();
        else await new Promise((resolve) => (wake = resolve));
      }
      if (failure) throw failure;
    } finally {
      end();
    }
  }
  return read();
}
