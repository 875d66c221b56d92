"""The SDK centrifuge-python, unmodified, against a running nginx.

t/native_sdk.t starts both, and reads a line of TAP for each check. "restart"
asks it to restart nginx; it answers with a line.
"""
import asyncio
import base64
import hashlib
import hmac
import json
import sys
import time

from centrifuge import (Client, ClientEventHandler, ClientState, ReplyError,
                        SubscriptionEventHandler, SubscriptionState,
                        UnauthorizedError)

PATIENCE = 8  # seconds
URL, SECRET = sys.argv[1:3]
checks = 0
clients = []


def ok(good, name):
    global checks
    checks += 1
    print(f'{"ok" if good else "not ok"} {checks} - {name}', flush=True)


def equal(got, expected, name):
    ok(got == expected, name)
    if got != expected:
        print(f'# got {got!r}, not {expected!r}', flush=True)


def jwt(**claims):
    def part(data):
        return base64.urlsafe_b64encode(data).rstrip(b'=')
    signed = b'.'.join(part(json.dumps(one).encode())
                       for one in ({'alg': 'HS256', 'typ': 'JWT'}, claims))
    mac = hmac.new(SECRET.encode(), signed, hashlib.sha256)
    return (signed + b'.' + part(mac.digest())).decode()


def seconds(left):
    return int(time.time()) + left


class Told:
    """Keeps the events of one handler, by name."""

    def __init__(self):
        self.queues = {}

    def queue(self, name):
        return self.queues.setdefault(name, asyncio.Queue())

    async def next(self, name):
        try:
            return await asyncio.wait_for(self.queue(name).get(), PATIENCE)
        except asyncio.TimeoutError:
            raise AssertionError(f'no {name}') from None


def keeps(base):
    """A handler of `base` whose every method keeps its event."""
    def keep(name):
        async def method(self, event):
            self.told.queue(name).put_nowait(event)
        return method

    def init(self):
        self.told = Told()
    names = [name for name in vars(base) if name.startswith('on_')]
    methods = {name: keep(name[3:]) for name in names}
    return type('Keeping' + base.__name__, (base,),
                {**methods, '__init__': init})


ClientEvents = keeps(ClientEventHandler)
RoomEvents = keeps(SubscriptionEventHandler)


async def client(path, **options):
    events = ClientEvents()
    made = Client(URL + path, events=events, min_reconnect_delay=0.05,
                  max_reconnect_delay=0.5, **options)
    clients.append(made)
    return made, events.told


async def connected(path, **options):
    made, told = await client(path, **options)
    await made.connect()
    await told.next('connected')
    await told.next('connecting')
    return made, told


async def room(one, name, **options):
    events = RoomEvents()
    made = one.new_subscription(name, events=events, **options)
    await made.subscribe()
    return made, events.told


async def joined(one, name, **options):
    made, told = await room(one, name, **options)
    await told.next('subscribed')
    return made, told


async def code(call):
    try:
        await call
    except ReplyError as error:
        return error.code
    return 0


async def no():
    raise UnauthorizedError


async def connect_subscribe_publish():
    one, _ = await connected('/open')
    two, _ = await connected('/open')
    _, told = await joined(one, 'room')
    await two.publish('room', {'text': 'hé "you"', 'n': 0.1})
    heard = (await told.next('publication')).pub
    equal(heard.data, {'text': 'hé "you"', 'n': 0.1}, 'the data')
    ok(heard.offset > 0, 'the offset')
    equal(await code(one.rpc('any', {})), 104, 'rpc')
    equal(await code(two.publish('', {})), 107, 'no channel')


async def loops_of_subscribing():
    one, _ = await connected('/open')
    here, told = await room(one, 'loop')
    for _ in range(50):
        await told.next('subscribed')
        await here.unsubscribe()
        await told.next('unsubscribed')
        await here.subscribe()
    await told.next('subscribed')
    ok(True, 'fifty times')
    await one.publish('loop', 1)
    equal((await told.next('publication')).pub.data, 1, 'and it hears')


async def a_hundred_subscriptions_at_once():
    one, _ = await client('/open')
    rooms = [await room(one, f'many-{i}') for i in range(100)]
    await one.connect()
    for _, told in rooms:
        await told.next('subscribed')
    ok(True, 'all of them')
    for i in range(28):
        await joined(one, f'more-{i}')
    _, told = await room(one, 'above')
    equal((await told.next('unsubscribed')).code, 106, 'one above the limit')


async def connection_tokens():
    one, _ = await connected('/keyed', token=jwt(sub='a'))
    equal(one.state, ClientState.CONNECTED, 'a token')
    got = []

    async def token():
        got.append(1)
        return jwt(sub='b', channel='b', exp=seconds(3))
    two, _ = await connected('/keyed', get_token=token)
    here, _ = await joined(two, 'b')
    await asyncio.sleep(5)
    equal(two.state, ClientState.CONNECTED, 'outlives its first token')
    equal(here.state, SubscriptionState.SUBSCRIBED,
          'and its subscriptions with it')
    ok(len(got) >= 2, 'by refreshing')

    async def another():
        return jwt(sub='c')
    await connected('/keyed', token=jwt(exp=seconds(-9)), get_token=another)
    ok(True, 'an expired one is replaced')


async def tokens_that_are_refused():
    for name, path, options, expected in (
            ('no token', '/keyed', {}, 101),
            ('a bad token', '/keyed', {'token': 'bad'}, 3500),
            ('a token for other channels', '/given',
             {'token': jwt(channel='other')}, 3507),
            ('a token for too many', '/given',
             {'token': jwt(channels=['news', 'a', 'b'])}, 3505),
            ('an application that says no', '/keyed', {'get_token': no}, 1)):
        one, told = await client(path, **options)
        await one.connect()
        equal((await told.next('disconnected')).code, expected,
              f'{name} ends it')
        equal(one.state, ClientState.DISCONNECTED, 'for good')


async def channel_tokens():
    one, _ = await connected('/keyed', token=jwt(sub='a'))
    got = []

    async def token(channel):
        got.append(1)
        return jwt(sub='a', channel=channel, exp=seconds(3))
    here, _ = await joined(one, 'x', get_token=token)
    await asyncio.sleep(5)
    equal(here.state, SubscriptionState.SUBSCRIBED,
          'outlives its first token')
    ok(len(got) >= 2, 'by refreshing')
    _, told = await room(one, 'y')
    equal((await told.next('unsubscribed')).code, 103, 'no token, no channel')
    _, told = await room(one, 'z', get_token=lambda channel: no())
    equal((await told.next('unsubscribed')).code, 1, 'an application says no')

    async def another(channel):
        return jwt(sub='a', channel=channel)
    await joined(one, 'w', token=jwt(sub='a', channel='w', exp=seconds(-5)),
                 get_token=another)
    ok(True, 'an expired one is replaced')


async def subscriptions_of_the_server():
    one, told = await client('/keyed', token=jwt(
        sub='a', channels=['srv'], scope='subscribe publish'))
    await one.connect()
    equal((await told.next('subscribed')).channel, 'srv', 'it is told')
    await one.publish('srv', [1])
    equal((await told.next('publication')).channel, 'srv', 'and hears')


async def coming_back():
    one, told = await connected('/open')
    two, _ = await connected('/open')
    kept, here = await joined(one, 'kept:back')

    async def hears(*expected):
        for data in expected:
            equal((await here.next('publication')).pub.data, data,
                  f'hears {data}')

    async def away(channel, *missed):
        await one.disconnect()
        for data in missed:
            await two.publish(channel, data)
        await one.connect()
        return await here.next('subscribed')
    await two.publish('kept:back', 1)
    await hears(1)
    back = await away('kept:back', 2, 3)
    ok(back.was_recovering and back.recovered, 'what was missed is recovered')
    await two.publish('kept:back', 4)
    await hears(2, 3, 4)
    back = await away('kept:back')
    ok(back.was_recovering and back.recovered, 'nothing was missed')
    await two.publish('kept:back', 5)
    await hears(5)
    await kept.unsubscribe()
    _, here = await joined(one, 'short:back')
    await two.publish('short:back', 1)
    await hears(1)
    back = await away('short:back', 2, 3, 4)
    ok(back.was_recovering and not back.recovered, 'too much was missed')
    await two.publish('short:back', 5)
    await hears(5)


async def history_presence_join_and_leave():
    one, _ = await connected('/open')
    two, _ = await connected('/open')
    here, told = await joined(one, 'kept:read', join_leave=True)
    for data in (1, 2, 3):
        await two.publish('kept:read', data)
    everything = await here.history(limit=-1)
    equal([pub.data for pub in everything.publications], [1, 2, 3], 'history')
    equal(everything.offset, 3, 'up to here')
    last = await here.history(limit=1, reverse=True)
    equal([pub.data for pub in last.publications], [3], 'backwards')
    await joined(two, 'kept:read')
    there = (await here.presence()).clients
    equal(len(there), 2, 'who is there')
    equal((await here.presence_stats()).num_clients, 2, 'how many')
    await two.disconnect()
    left = (await told.next('leave')).info.client
    ok(left in there, 'who goes')
    while (await told.next('join')).info.client != left:
        pass
    ok(True, 'is who came')


async def nginx_restarts():
    one, told = await connected('/open')
    _, here = await joined(one, 'kept:again')
    await one.publish('kept:again', 1)
    await here.next('publication')
    print('restart', flush=True)
    equal((await told.next('connecting')).code, 3001, 'shutdown')
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    await told.next('connected')
    back = await here.next('subscribed')
    ok(back.was_recovering and not back.recovered,
       'its position is gone with the epoch')
    await one.publish('kept:again', 2)
    equal((await here.next('publication')).pub.data, 2,
          'it comes back, subscribed')


async def main():
    for test in (connect_subscribe_publish, loops_of_subscribing,
                 a_hundred_subscriptions_at_once, connection_tokens,
                 tokens_that_are_refused, channel_tokens,
                 subscriptions_of_the_server, coming_back,
                 history_presence_join_and_leave, nginx_restarts):
        name = test.__name__.replace('_', ' ')
        print(f'# {name}', flush=True)
        try:
            await test()
        except Exception as error:
            ok(False, f'{name}: {error!r}')
        for one in clients:
            await one.disconnect()
        clients.clear()
    print(f'1..{checks}', flush=True)


asyncio.run(main())
