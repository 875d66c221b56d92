// Who is in a room. The server knows connections, by ids; names are told by
// their owners, once when they come, through a channel of the room's that keeps
// them. Whose name it is, is the server's word: `info` says who published.
import { readName } from './message.js';

const most = 500; // names that are remembered

export class Here {
  /** `room` says who comes and goes; `changed` is called when that happens. */
  constructor(room, names, me, changed) {
    this.room = room;
    this.names = names;
    this.me = me;
    this.changed = changed;
    this.there = new Set(); // ids
    this.known = new Map(); // id -> name
    room.on('join', ({ info }) => this.came(info.client));
    room.on('leave', ({ info }) => this.went(info.client));
    room.on('subscribed', () => this.look());
    names.on('publication', (one) => this.learn([one]));
    names.on('subscribed', () => this.tell());
    names.on('gap', () => this.read());
    this.read();
  }

  /** Those with a name, and how many there are without; ourselves first. */
  people() {
    const others = [...this.there].filter((id) => id !== this.me.client);
    const named = others.filter((id) => this.known.has(id));
    return {
      count: this.there.size,
      names: named.map((id) => this.known.get(id)).sort(),
      nameless: others.length - named.length,
    };
  }

  // Also when the name is another one. Without a connection it is told later.
  tell() {
    if (this.names.state !== 'subscribed') return;
    this.names.publish({ name: this.me.name }).catch(() => {});
  }

  end() {
    this.names.unsubscribe();
  }

  // --- what is known ----------------------------------------------------------

  async look() {
    const there = await this.room.presence().catch(() => []);
    this.there = new Set(there.map(({ client }) => client));
    this.changed();
  }

  came(client) {
    this.there.add(client);
    this.changed();
  }

  went(client) {
    this.there.delete(client);
    this.known.delete(client);
    this.changed();
  }

  async read() {
    const kept = await this.names.history().catch(() => null);
    if (kept) this.learn(kept.publications);
  }

  learn(publications) {
    for (const { data, info } of publications) {
      if (!info) continue; // by HTTP: nobody's name
      this.known.delete(info.client);
      this.known.set(info.client, readName(data?.name));
      if (this.known.size > most) {
        this.known.delete(this.known.keys().next().value);
      }
    }
    this.changed();
  }
}
