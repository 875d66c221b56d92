"""A public back-end library, unmodified: cent. TAP goes out.

python library.py URL KEY
"""

import sys
import time
import traceback

from cent import (
    BatchRequest,
    BroadcastRequest,
    CentApiResponseError,
    CentUnauthorizedError,
    ChannelsRequest,
    Client,
    DisconnectRequest,
    HistoryRemoveRequest,
    HistoryRequest,
    InfoRequest,
    PresenceRequest,
    PresenceStatsRequest,
    PublishRequest,
    RefreshRequest,
    SubscribeRequest,
    UnsubscribeRequest,
)

url, key = sys.argv[1:]
client = Client(url, key)
channel = "kept:library"
count = 0


def test(name):
    def run(body):
        global count
        count += 1
        try:
            body()
            print(f"ok {count} - {name}", flush=True)
        except Exception:
            print(f"not ok {count} - {name}", flush=True)
            for line in traceback.format_exc().splitlines():
                print(f"# {line}", flush=True)

    return run


@test("publish")
def _():
    request = PublishRequest(
        channel=channel, data={"n": 1}, tags={"a": "b"}, idempotency_key="k"
    )
    first = client.publish(request)
    assert client.publish(request) == first
    assert client.publish(PublishRequest(channel=channel, data=2)).offset == 2
    assert first.offset == 1 and first.epoch


@test("broadcast")
def _():
    result = client.broadcast(BroadcastRequest(channels=[channel, "plain"], data=3))
    assert [r.result.offset for r in result.responses] == [3, 1]


@test("history")
def _():
    result = client.history(HistoryRequest(channel=channel, limit=2, reverse=True))
    assert result.offset == 3
    assert [p.data for p in result.publications] == [3, 2]
    client.history_remove(HistoryRemoveRequest(channel=channel))
    result = client.history(HistoryRequest(channel=channel, limit=9))
    assert not result.publications


@test("presence")
def _():
    there = client.presence(PresenceRequest(channel="room:a")).presence
    assert [info.user for info in there.values()] == ["ann"]
    stats = client.presence_stats(PresenceStatsRequest(channel="room:a"))
    assert (stats.num_clients, stats.num_users) == (1, 1)


@test("channels and info")
def _():
    channels = client.channels(ChannelsRequest(pattern="room:*")).channels
    assert {name: c.num_clients for name, c in channels.items()} == {"room:a": 1}
    assert len(client.info(InfoRequest()).nodes) == 1


@test("clients")
def _():
    client.subscribe(SubscribeRequest(user="ann", channel="given"))
    client.unsubscribe(UnsubscribeRequest(user="ann", channel="given"))
    client.refresh(RefreshRequest(user="ann", expire_at=int(time.time()) + 60))
    client.disconnect(DisconnectRequest(user="ann"))


@test("errors")
def _():
    try:
        client.history(HistoryRequest(channel="plain"))
    except CentApiResponseError as error:
        assert error.code == 108
    else:
        raise AssertionError("no error")
    try:
        Client(url, "wrong").info(InfoRequest())
    except CentUnauthorizedError:
        pass
    else:
        raise AssertionError("the wrong key is good")


@test("several commands at once")
def _():
    publish = PublishRequest(channel="many", data=1)
    replies = client.batch(BatchRequest(requests=[publish, publish])).replies
    assert [r.offset for r in replies] == [1, 2], replies


print(f"1..{count}", flush=True)
