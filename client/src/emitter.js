// Something that has a state, tells of it by events, and can be waited for.

export class Emitter {
  constructor(state, good, last) {
    this.state = state;
    this._good = good;
    this._last = last;
    this._listeners = {};
  }

  /** Calls `listener` at each event; the answer is a function that stops it. */
  on(type, listener) {
    const all = (this._listeners[type] ||= new Set());
    all.add(listener);
    return () => all.delete(listener);
  }

  /** Resolves once all is well, rejects when it can't be any more. */
  ready() {
    // One for all that wait, however many they are.
    return (this._ready ||= new Promise((resolve, reject) => {
      const look = () => {
        if (this.state === this._good) resolve();
        else if (this.state === this._last) reject(this.error);
        else return;
        stop();
      };
      const stop = this.on('state', look);
      look();
    }).finally(() => (this._ready = null)));
  }

  // A new state: its own event, and `state` for those that want all.
  _become(state, detail) {
    this.state = state;
    this._emit(state, detail);
    this._emit('state', { ...detail, state });
  }

  // Whether anybody listened. A listener that throws hurts nobody else.
  _emit(type, detail) {
    const all = [...(this._listeners[type] || [])];
    for (const listener of all) {
      try {
        listener(detail);
      } catch (error) {
        setTimeout(() => {
          throw error;
        });
      }
    }
    return all.length > 0;
  }
}
