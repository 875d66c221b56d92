// Waits until `look` answers something true, and hands it back.
export async function until(look, what = 'it', ms = 5000) {
  const deadline = Date.now() + ms;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await pause(5);
  }
}

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// The next event of this type.
export const event = (source, type, ms = 5000) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`waited in vain for the event ${type}`)),
      ms,
    );
    const stop = source.on(type, (detail) => {
      clearTimeout(timer);
      stop();
      resolve(detail);
    });
  });

// All events of these types from now on, as [type, detail].
export function record(source, ...types) {
  const events = [];
  for (const type of types) {
    source.on(type, (detail) => events.push([type, detail]));
  }
  return events;
}
