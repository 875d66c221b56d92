// Compiled, never run: what applications write has to fit the types.
import {
  CloseCode,
  Paperboy,
  PaperboyClient,
  PaperboyError,
  type Publication,
  type Subscription,
} from '../../src/index.js';

const paperboy = new Paperboy('wss://example.com/ws', {
  getToken: async () => (await fetch('/token')).text(),
  WebSocket,
  minDelay: 100,
});
const news: Subscription<{ text: string }> = paperboy.subscribe('news', {
  getToken: ({ channel }) => `token for ${channel}`,
});
const stop: () => void = news.on('publication', ({ data, offset }) =>
  console.log(data.text.length, offset?.toFixed()),
);
news.on('subscribed', ({ gap }) => gap && stop());
news.on('state', ({ state }) => state === 'subscribed');
news.on('gap', ({ message, since }) => console.log(message, since?.offset));
news.on('join', ({ info }) => info.client);
const { position } = news;
paperboy.subscribe('news', { since: position, joinLeave: true });
paperboy.on('closed', ({ code, error }) => {
  if (code === CloseCode.InvalidToken) throw error;
});
paperboy.on('error', (error: PaperboyError) => error.temporary);
async function read(): Promise<Publication<{ text: string }> | undefined> {
  await paperboy.ready();
  await paperboy.publish('news', { text: '' });
  for await (const one of news) return one;
  const { publications, offset } = await news.history({ limit: 5 });
  console.log(offset, publications[0]?.data.text);
  const users: string[] = (await news.presence()).map(({ user }) => user);
  const { clients } = await news.presenceStats();
  console.log(users.length === clients);
  news.unsubscribe();
  paperboy.close();
}
read();

const classic = new PaperboyClient('/token/', '/ws', { fetch });
classic.subscribe('a', ({ payload, timestamp }) => payload + timestamp);
classic.unsubscribe('a');

// @ts-expect-error a channel has a name
paperboy.subscribe();
// @ts-expect-error a position has an epoch
paperboy.subscribe('news', { since: { offset: 1 } });
// @ts-expect-error there is no such event
paperboy.on('conected', () => {});
// @ts-expect-error codes are not for writing
CloseCode.Normal = 1;
