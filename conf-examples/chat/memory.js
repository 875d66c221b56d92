// What the page remembers: a window keeps who and where it is when it is
// reloaded; a new one begins with the name that was used last. Browsers that
// keep nothing for us throw, and then it is forgotten.
const get = (storage, key) => {
  try {
    return globalThis[storage].getItem(key) ?? '';
  } catch {
    return '';
  }
};

const set = (storage, key, value) => {
  try {
    globalThis[storage].setItem(key, value);
  } catch {
    // As said above.
  }
};

export const name = () => get('sessionStorage', 'name');
export const lastName = () => get('localStorage', 'name');

export function keepName(value) {
  set('sessionStorage', 'name', value);
  set('localStorage', 'name', value);
}

// Names of rooms are without spaces at their ends, and with them encoded.
export const rooms = () =>
  get('sessionStorage', 'rooms').split(' ').filter(Boolean)
    .map(decodeURIComponent);

export const keepRooms = (names) =>
  set('sessionStorage', 'rooms', names.map(encodeURIComponent).join(' '));
