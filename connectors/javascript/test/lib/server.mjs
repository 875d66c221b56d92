// A server with embedded messaging, as the protocol says: callbacks by topic,
// messages pushed to them, an instance that changes when they are lost.
import { once } from 'node:events';
import { createServer } from 'node:http';

export const token = 'the token of the embedded back end';

export class Server {
  instance = 'one';
  requests = []; // [method, url, token that was shown, body]
  keys = []; // Idempotency-Key of what was pushed
  callbacks = new Map(); // topic -> [url, ...]
  status = 200;
  says = 'done';
  hangs = false;

  static async start() {
    const server = new Server();
    server.http = createServer((request, response) =>
      server.serve(request, response),
    );
    server.http.listen(0, '127.0.0.1');
    await once(server.http, 'listening');
    server.url = `http://127.0.0.1:${server.http.address().port}`;
    return server;
  }

  async serve(request, response) {
    let body = '';
    for await (const part of request) body += part;
    const { method, url } = request;
    const shown = request.headers.paperboyembeddedbackendtoken;
    this.requests.push([method, url, shown, body]);
    if (this.hangs) return;
    const [, verb, topic] = url.split('/');
    let said = this.says;
    if (verb === 'instance' && this.status === 200) said = this.instance;
    if (verb === 'pushMessage') {
      this.keys.push(request.headers['idempotency-key']);
    }
    if (verb === 'subscribeTopic') {
      const { restHostname, restPort, restPath } = JSON.parse(body);
      this.callbacks.set(topic, [
        ...(this.callbacks.get(topic) ?? []),
        `http://${restHostname}:${restPort}${restPath}`,
      ]);
    }
    response.writeHead(this.status, { Location: '/elsewhere' }).end(said);
  }

  /** Loses its callbacks, as when it is started again. */
  forget(instance) {
    this.callbacks.clear();
    this.instance = instance;
  }

  /** Calls the topic's callbacks; their answers, as [status, text]. */
  push(topic, message, shown = token) {
    const body =
      typeof message === 'string' ? message : JSON.stringify(message);
    return Promise.all(
      (this.callbacks.get(topic) ?? []).map(async (url) => {
        const answer = await fetch(url, {
          method: 'POST',
          headers: { PaperboyEmbeddedBackendToken: shown },
          body,
        });
        return [answer.status, await answer.text()];
      }),
    );
  }

  /** What was pushed here, as {topic, message}. */
  get pushed() {
    return this.requests
      .filter(([, url]) => url.startsWith('/pushMessage/'))
      .map(([, url, , body]) => ({
        topic: url.split('/')[2],
        message: JSON.parse(body),
      }));
  }

  async stop() {
    this.http.closeAllConnections();
    this.http.close();
    await once(this.http, 'close');
  }
}
