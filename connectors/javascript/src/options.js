// Options are looked at once, when a connector is made: what is wrong there is
// told there, and in words.

const wrong = (name, what) => {
  throw new TypeError(`option ${name}: ${what}`);
};

/** Options with their defaults; `known` is name -> (value, name) => value. */
export function read(options, known, prefix = '') {
  if (options === null || typeof options !== 'object') {
    throw new TypeError(`${prefix || 'options'}: an object is expected`);
  }
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(known, name)) wrong(prefix + name, 'there is none');
  }
  return Object.fromEntries(
    Object.entries(known).map(([name, look]) => [
      name,
      look(options[name], prefix + name),
    ]),
  );
}

/** A function, which may be left out where there is a default. */
export const callback = (otherwise) => (value, name) => {
  value ??= otherwise;
  if (typeof value !== 'function') wrong(name, 'a function is expected');
  return value;
};

export const integer = (least, most, otherwise) => (value, name) => {
  value ??= otherwise;
  if (!Number.isInteger(value) || value < least || value > most) {
    wrong(name, `an integer from ${least} to ${most} is expected`);
  }
  return value;
};

/** A text, from the environment where it isn't given. */
export const secret = (variable) => (value, name) => {
  value ??= process.env[variable];
  if (typeof value !== 'string' || value.trim() === '') {
    wrong(name, `neither it nor ${variable} in the environment says anything`);
  }
  return value;
};

export const headerValue = (look) => (value, name) => {
  value = look(value, name);
  if (!/^[!-~]([ -~]*[!-~])?$/.test(value)) {
    wrong(name, "it can't stand in a header");
  }
  return value;
};

export const text = (otherwise) => (value, name) => {
  value ??= otherwise;
  if (typeof value !== 'string' || value === '') {
    wrong(name, 'a text is expected');
  }
  return value;
};

export const logger = (value, name) => {
  value ??= console;
  for (const level of ['info', 'warn', 'error']) {
    if (typeof value[level] !== 'function') wrong(name, `it has no ${level}()`);
  }
  return value;
};

export const servers = (value, name) => {
  if (!Array.isArray(value) || value.length === 0 || value.length > 100) {
    wrong(name, 'a list of 1 to 100 addresses is expected');
  }
  return value.map((address) => {
    const url = parse(address);
    if (!url || !/^https?:$/.test(url.protocol)) {
      wrong(name, 'an address is http://HOST:PORT or https://HOST:PORT');
    }
    return url.href.replace(/\/$/, '');
  });
};

function parse(address) {
  try {
    return new URL(address);
  } catch {
    return null;
  }
}
