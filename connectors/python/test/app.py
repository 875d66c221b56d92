#!/usr/bin/env python3
"""A small application on the connector, for tests that have a real nginx:

    test/app.py redis URL
    test/app.py embedded TOKEN URL...

It lets everybody into channels that don't begin with `secret`, and tells the
channel who has come. It does what it is told on standard input, one order a
line, and answers each with a line; it ends where that ends:

    token USER [CHANNEL]     the token
    channel CHANNEL JSON     how many servers took it, or `error: WHY`
    user USER JSON           the same
    close USER CHANNEL       the same
"""

import json
import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from paperboy_connector import Connector, Embedded  # noqa: E402

logging.basicConfig(level=logging.INFO)
kind, *where = sys.argv[1:]
if kind == "redis":
    messaging = {"redis": where[0]}
else:
    token, *servers = where
    messaging = {
        "embedded": Embedded(
            servers, token, "127.0.0.1", 0, "127.0.0.1", interval=0.1
        )
    }


def has_access(user_id, channel):
    return not (channel or "").startswith("secret")


def on_subscription(user_id, channel):
    if channel is not None:
        text = f"User '{user_id}' joined."
        payload = {"source": "system", "message": text}
        connector.send_to_channel(channel, payload)


connector = Connector(
    has_access=has_access, on_subscription=on_subscription, **messaging
)
orders = {
    "token": lambda name, rest: connector.generate_token(name, rest or None),
    "channel": lambda name, rest: connector.send_to_channel(
        name, json.loads(rest)
    ),
    "user": lambda name, rest: connector.send_to_user(name, json.loads(rest)),
    "close": connector.close_subscription,
}
with connector:
    print("ready", flush=True)
    for line in sys.stdin:
        order, name, rest = [*line.rstrip("\n").split(" ", 2), "", ""][:3]
        try:
            answer = orders[order](name, rest)
        except Exception as error:
            answer = f"error: {error!r}"
        print(answer, flush=True)
