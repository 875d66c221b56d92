// The connection's state in words, for a reader who wants to be left in peace:
// short interruptions are not worth a word, and no state flickers.

const calm = 800; // ms

/**
 * Calls `show(state, words)` with what to show (state: wait, online, offline,
 * closed) and `tell(words)` with what is worth reading out.
 */
export function watch(paperboy, { show, tell }) {
  let timer = 0;
  let due = 0; // when the next attempt is
  let wasOnline = false;
  let troubled = false;

  const later = (ms, action) => {
    clearTimeout(timer);
    timer = setTimeout(action, ms);
  };

  // An attempt that fails at once goes from one countdown to the next, without
  // a word in between.
  function count() {
    const left = due - Date.now();
    const what = wasOnline ? 'Reconnecting' : 'Trying again';
    if (!troubled) {
      tell(wasOnline ? 'Connection lost, reconnecting'
        : 'No connection, trying again');
    }
    troubled = true;
    if (navigator.onLine === false) {
      show('offline', 'No network');
      later(1000, count);
    } else if (left > 0) {
      show('offline', `${what} in ${Math.ceil(left / 1000)} s`);
      later(left % 1000 || 1000, count);
    } else {
      later(500, () => show('offline', `${what}…`));
    }
  }

  paperboy.on('connecting', ({ delay }) => {
    due = Date.now() + delay;
    if (troubled) count();
    else if (!timer) later(calm, count);
  });

  paperboy.on('connected', () => {
    clearTimeout(timer);
    timer = 0;
    show('online', 'Online');
    if (troubled) tell('Online again');
    troubled = false;
    wasOnline = true;
  });

  paperboy.on('closed', ({ error, reason }) => {
    clearTimeout(timer);
    show('closed', `Closed: ${error?.message ?? reason}`);
    tell('The connection is closed');
  });

  show('wait', 'Connecting…');
}
