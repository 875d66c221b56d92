// What a room's channel carries: {id, name, text, at}, or what anybody else has
// published there. Nothing of it is to be trusted, its type included.

const most = { id: 64, name: 32, text: 4000 };

const cut = (value, length) =>
  value.length > length ? `${value.slice(0, length)}…` : value;

/** A publication's data as a message that can be shown. */
export function read(data) {
  const said = typeof data?.text === 'string' ? data : { text: data };
  const text =
    typeof said.text === 'string' ? said.text : JSON.stringify(said.text);
  return {
    id: typeof said.id === 'string' ? said.id.slice(0, most.id) : null,
    name: readName(said.name),
    text: cut(text, most.text),
    at: readTime(said.at),
  };
}

// When it was said, by its author's clock; null: nobody knows.
function readTime(at) {
  const day = 24 * 3600_000;
  if (!(at > Date.now() - 7 * day)) return null;
  return new Date(Math.min(at, Date.now()));
}

export const readName = (name) =>
  (typeof name === 'string' && cut(name.trim(), most.name)) || 'somebody';

/** An id that nobody guesses. (randomUUID is for https pages alone.) */
export const makeId = () =>
  [...crypto.getRandomValues(new Uint8Array(12))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');

/** A name's colour, as a hue. */
export const hue = (name) =>
  [...name].reduce((sum, c) => (sum * 31 + c.codePointAt(0)) % 360, 7);
