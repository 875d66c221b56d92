"""The application's side of the classic protocol. What requests come by and
messages go by is a messaging (redis_messaging.py, embedded.py):

    start()               connects, or begins to: it goes on by itself
    take()                the next request's bytes, or None: none so far. Never
                          raises, never waits for long
    publish(topic, text)  how many servers took it; raises DeliveryError
    close()               ends all
"""

import json
import logging
import threading
import time
from typing import Callable, Optional

from . import check, topics
from .embedded import Embedded, EmbeddedMessaging
from .error import DeliveryError, TokenError
from .redis_messaging import RedisMessaging
from .tokens import Claims, Tokens

CLOSE_WITHIN = 2.0  # seconds for callbacks that run when it is closed


class Connector:
    """Tokens, authorisation, messages. May be used by any thread.

    Give it ``redis`` (an address or a ``redis.Redis``) or ``embedded``.
    ``has_access(user_id, channel)`` lets a user in with ``True``, and nothing
    else; ``on_subscription(user_id, channel)`` hears of it. Both are called on
    threads of the connector's, of which there are ``concurrency``.
    """

    def __init__(
        self,
        *,
        has_access: Callable[[str, Optional[str]], bool],
        on_subscription: Optional[
            Callable[[str, Optional[str]], object]
        ] = None,
        redis=None,
        embedded: Optional[Embedded] = None,
        secret: Optional[str] = None,
        token_lifetime: int = 8 * 3600,
        concurrency: int = 4,
        max_message_size: int = 64 * 1024,
        logger: Optional[logging.Logger] = None,
    ) -> None:
        if (redis is None) == (embedded is None):
            raise TypeError("one of redis and embedded is expected")
        self._tokens = Tokens(secret, token_lifetime)
        self._has_access = check.function("has_access", has_access)
        self._on_subscription = check.function(
            "on_subscription",
            on_subscription or (lambda user_id, channel: None),
        )
        concurrency = check.integer("concurrency", concurrency, 1, 1000)
        self._max_message_size = check.integer(
            "max_message_size", max_message_size, 1, 64 * 1024 * 1024
        )
        self._logger = logger or logging.getLogger("paperboy_connector")
        if embedded is not None:
            self._messaging = EmbeddedMessaging(embedded, self._logger)
        else:
            self._messaging = RedisMessaging(redis, self._logger)
        # Nobody's end waits for a callback that hangs.
        self._threads = [
            threading.Thread(
                target=self._take_all, name=f"paperboy-{i}", daemon=True
            )
            for i in range(concurrency)
        ]
        self._lock = threading.Lock()
        self._started = self._closed = False

    def generate_token(
        self, user_id: str, channel: Optional[str] = None
    ) -> str:
        """A token that lets a user into a channel; without one, be a user."""
        return self._tokens.generate(user_id, channel)

    def verify_token(self, token: str) -> Claims:
        """Who it is for; raises TokenError for a bad one."""
        return self._tokens.verify(token)

    def start(self) -> None:
        """Begins to take requests. What is away is tried again by itself."""
        with self._lock:
            if self._closed:
                raise RuntimeError("it is closed")
            if self._started:
                raise RuntimeError("start() came before")
            self._messaging.start()
            self._started = True
            for thread in self._threads:
                thread.start()

    def send_to_user(self, user_id: str, payload: object) -> int:
        """Sends to all of the user's connections."""
        check.name("user_id", user_id)
        return self._send(user_id, None, payload)

    def send_to_channel(self, channel: str, payload: object) -> int:
        """Sends to all who have subscribed to the channel."""
        check.name("channel", channel)
        return self._send(None, channel, payload)

    def close_subscription(self, user_id: str, channel: str) -> int:
        """Ends the user's subscriptions to the channel."""
        check.name("user_id", user_id)
        check.name("channel", channel)
        return self._publish(topics.CLOSE, _about(None, user_id, channel))

    def close(self) -> None:
        """Takes no more requests, ends those that run, disconnects."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        deadline = time.monotonic() + CLOSE_WITHIN
        if self._started:
            for thread in self._threads:
                if thread is not threading.current_thread():
                    thread.join(max(deadline - time.monotonic(), 0))
        self._messaging.close()

    def __enter__(self) -> "Connector":
        self.start()
        return self

    def __exit__(self, *_) -> None:
        self.close()

    # --- messages ------------------------------------------------------------

    def _send(
        self, user_id: Optional[str], channel: Optional[str], payload: object
    ) -> int:
        message = {
            "userId": user_id,
            "channel": channel,
            "payload": payload,
            "timestamp": time.time_ns() // 1_000_000,
        }
        return self._publish(topics.MESSAGE, message)

    def _publish(self, topic: str, message: dict) -> int:
        # NaN is no JSON; TypeError and ValueError say what else is none.
        text = json.dumps(message, allow_nan=False, ensure_ascii=False)
        try:
            data = text.encode()
        except UnicodeEncodeError:
            raise ValueError("the payload is no Unicode") from None
        if len(data) > self._max_message_size:
            raise ValueError(
                f"the message has {len(data)} bytes; max_message_size is "
                f"{self._max_message_size}"
            )
        if not self._started:
            raise DeliveryError("it was not started")
        return self._messaging.publish(topic, data)

    # --- requests ------------------------------------------------------------

    def _take_all(self) -> None:
        while not self._closed:
            data = self._messaging.take()
            if data is None:
                continue
            try:
                self._handle(data)
            except Exception:
                self._logger.exception("a request failed")

    def _handle(self, data: bytes) -> None:
        request = _read(data)
        if request is None:
            self._logger.warning("a request that is none was dropped")
            return
        ws_id, token = request
        try:
            user_id, channel = self._tokens.verify(token)
        except TokenError as error:
            self._logger.warning(
                "a bad token of connection %r: %s", ws_id, error
            )
            return
        who = f"connection {ws_id!r}, user {user_id!r}, channel {channel!r}"
        if not self._lets_in(user_id, channel, who):
            return
        try:
            self._publish(topics.AUTHORIZED, _about(ws_id, user_id, channel))
        except DeliveryError as error:
            self._logger.error("no authorisation was sent: %s: %s", who, error)
            return
        try:
            self._on_subscription(user_id, channel)
        except Exception:
            self._logger.exception("on_subscription failed: %s", who)

    def _lets_in(self, user_id: str, channel: Optional[str], who: str) -> bool:
        try:
            # A coroutine that nobody awaited, or a text, is no yes.
            if self._has_access(user_id, channel) is True:
                return True
            self._logger.info("no access: %s", who)
        except Exception:
            self._logger.exception("has_access failed: %s", who)
        return False


def _about(ws_id: Optional[str], user_id: str, channel: Optional[str]) -> dict:
    return {
        "wsId": ws_id,
        "token": None,
        "userId": user_id,
        "channel": channel,
    }


def _read(data: bytes):
    if len(data) > topics.MAX_REQUEST:
        return None
    try:
        request = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(request, dict):
        return None
    ws_id, token = request.get("wsId"), request.get("token")
    if not isinstance(ws_id, str) or not 0 < len(ws_id) <= 128:
        return None
    return (ws_id, token) if isinstance(token, str) else None
