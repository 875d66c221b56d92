// Waits until `look` answers something true, and hands it back.
export async function until(look, what = 'it', ms = 10_000) {
  const deadline = Date.now() + ms;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((done) => setTimeout(done, 5));
  }
}

/** A logger that keeps what it is told, as [level, text]. */
export class Log {
  lines = [];
  info = (...what) => this.#keep('info', what);
  warn = (...what) => this.#keep('warn', what);
  error = (...what) => this.#keep('error', what);

  #keep(level, what) {
    const text = what.map((one) => one?.stack ?? String(one)).join(' ');
    this.lines.push([level, text]);
  }

  has(level, pattern) {
    return this.lines.some(([of, text]) => of === level && pattern.test(text));
  }

  get text() {
    return this.lines.flat().join('\n');
  }
}
