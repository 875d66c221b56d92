"""Messaging by Redis. Requests wait in a list, from which BLPOP gives each to
one back end; the other topics are published.
"""

import logging
import random
import threading
from typing import Optional

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from . import topics
from .error import DeliveryError

TAKE_FOR = 0.2  # seconds that BLPOP waits
SILENCE = 10.0  # seconds after which a connection is given up
LONGEST_PAUSE = 2.0  # seconds between two tries


class RedisMessaging:
    """``client`` is an address, or a ``redis.Redis`` of the caller's."""

    def __init__(self, client, logger: logging.Logger) -> None:
        self._logger = logger
        self._own = isinstance(client, str)
        self._client = _connect(client) if self._own else _check(client)
        self._lock = threading.Lock()
        self._failures = 0
        self._closed = threading.Event()

    def start(self) -> None:
        try:
            self._client.ping()
        except redis.RedisError as error:
            self._failed(error)

    def take(self) -> Optional[bytes]:
        try:
            taken = self._client.blpop([topics.REQUEST], TAKE_FOR)
        except Exception as error:
            if not self._closed.is_set():
                self._closed.wait(self._failed(error))
            return None
        self._worked()
        if taken is None:
            return None
        data = taken[1]
        return data.encode() if isinstance(data, str) else data

    def publish(self, topic: str, data: bytes) -> int:
        if self._closed.is_set():
            raise DeliveryError("it is closed")
        try:
            return self._client.publish(topic, data)
        except (redis.RedisError, OSError) as error:
            raise DeliveryError(f"Redis took no message: {error}") from error

    def close(self) -> None:
        self._closed.set()
        if self._own:
            self._client.connection_pool.disconnect()

    # What goes wrong is told once, not at every try; how long to wait then.
    def _failed(self, error: Exception) -> float:
        with self._lock:
            self._failures += 1
            failures = self._failures
        if failures == 1:
            self._logger.error(
                "Redis gives no requests, trying again: %s", error
            )
        longest = min(0.05 * 2 ** min(failures, 10), LONGEST_PAUSE)
        return longest * random.uniform(0.5, 1)

    def _worked(self) -> None:
        if not self._failures:
            return
        with self._lock:
            self._failures = 0
        self._logger.info("Redis gives requests")


def _connect(address: str) -> redis.Redis:
    try:
        # What the address says of these itself holds.
        return redis.Redis.from_url(
            address,
            socket_timeout=SILENCE,
            socket_connect_timeout=5,
            socket_keepalive=True,
            retry=Retry(NoBackoff(), 0),  # we do that
        )
    except Exception:
        # What it says may show the password in the address.
        raise ValueError("redis: redis-py refuses the address") from None


def _check(client):
    if not isinstance(client, redis.Redis):
        raise TypeError("redis: an address or a redis.Redis is expected")
    timeout = client.connection_pool.connection_kwargs.get("socket_timeout")
    if timeout is not None and timeout < 1:
        raise ValueError("redis: its socket_timeout is below 1 second")
    return client
