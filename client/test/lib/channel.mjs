// A channel of a scripted server that keeps what is published, as the protocol
// says: {name, epoch, kept: [{data, offset}]}. `most` is how many it keeps.
export class Channel {
  kept = [];
  offset = 0;
  connections = new Set();

  constructor(script, { name = 'a', epoch = 'e', most = 100 } = {}) {
    Object.assign(this, { name, epoch, most });
    script.answers.subscribe = (request, connection) => {
      const { id } = connection.commands.at(-1);
      connection.send({ id, subscribe: this.join(request, connection) });
      return null; // answered, before anything that is published later
    };
    script.answers.unsubscribe = (_, connection) => {
      this.connections.delete(connection);
    };
  }

  join({ recover, epoch, offset }, connection) {
    this.connections.add(connection);
    connection.socket.once('close', () => this.connections.delete(connection));
    const publications = this.kept.filter((one) => one.offset > offset);
    const recovered =
      epoch === this.epoch && offset + publications.length === this.offset;
    return {
      recoverable: true,
      positioned: true,
      epoch: this.epoch,
      offset: this.offset,
      ...(recover && { was_recovering: true }),
      ...(recover && recovered && { recovered, publications }),
    };
  }

  publish(...all) {
    for (const data of all) {
      const pub = { data, offset: ++this.offset };
      this.kept.push(pub);
      if (this.kept.length > this.most) this.kept.shift();
      this.push({ pub });
    }
  }

  push(push) {
    for (const one of this.connections) one.push(this.name, push);
  }

  // As a worker that lost some: it is to be subscribed to again.
  dismiss(code = 2500) {
    this.push({ unsubscribe: { code, reason: 'insufficient state' } });
    this.connections.clear();
  }

  // Another server, which knows nothing of this one.
  forget(epoch) {
    Object.assign(this, { epoch, kept: [], offset: 0 });
  }
}
