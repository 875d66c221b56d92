#!/usr/bin/python3
"""Publishes a message in a channel, with Debian's python3-redis.

    ./publish.py redis://127.0.0.1:6379 CHANNEL TEXT
"""
import sys

import redis

url, channel, text = sys.argv[1:]
client = redis.Redis.from_url(url)
# Nodes that are all away for long find the newest million.
client.xadd(
    "paperboy:{0}:inbox", {"channel": channel, "data": text}, maxlen=1_000_000
)
