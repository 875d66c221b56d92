"""Messaging by HTTP, embedded in the servers. Each server posts its requests to
a callback that is registered there, and what is sent goes to all servers. A
server whose instance has changed has lost its callbacks.
"""

import hmac
import json
import logging
import queue
import re
import socket
import threading
import urllib.error
import urllib.request
import uuid
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Dict, Optional, Sequence
from urllib.parse import urlsplit

from . import check, topics
from .error import DeliveryError

HEADER = "PaperboyEmbeddedBackendToken"
PATH = f"/messageCallback/{topics.REQUEST}"
MAX_ANSWER = 1024  # bytes
TAKE_FOR = 0.2  # seconds
MAX_CALLS = 64  # of servers, at once
CALL_TIMEOUT = 10  # seconds


@dataclass(frozen=True)
class Embedded:
    """Where servers are, and where they find this application. Times are in
    seconds.
    """

    servers: Sequence[str]
    token: Optional[str] = None  # else PAPERBOY_EMBEDDED_BACKEND_TOKEN
    host: str = ""  # every address of this machine
    port: int = 8080
    callback_host: Optional[str] = None  # else this machine's name
    callback_port: Optional[int] = None  # else the port listened on
    interval: float = 2
    timeout: float = 5
    max_queue: int = 1000


class EmbeddedMessaging:
    def __init__(self, options: Embedded, logger: logging.Logger) -> None:
        if not isinstance(options, Embedded):
            raise TypeError("embedded: an Embedded is expected")
        self._servers = _servers(options.servers)
        self.token = check.secret(
            "embedded.token", options.token, "PAPERBOY_EMBEDDED_BACKEND_TOKEN"
        )
        if not re.fullmatch(r"[!-~]([ -~]*[!-~])?", self.token):
            raise ValueError("embedded.token: it can't stand in a header")
        check.integer("embedded.port", options.port, 0, 65535)
        if options.callback_port is not None:
            check.integer(
                "embedded.callback_port", options.callback_port, 1, 65535
            )
        check.seconds("embedded.interval", options.interval, 0.1, 3600)
        check.seconds("embedded.timeout", options.timeout, 0.1, 3600)
        size = check.integer("embedded.max_queue", options.max_queue, 1, 10**6)
        self._options = options
        self.logger = logger
        self._queue: "queue.Queue[bytes]" = queue.Queue(size)
        self._full = False
        self._http: Optional[_Server] = None
        self._closed = threading.Event()
        # No proxy of the environment's, and nobody elsewhere, gets our token.
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), _NoRedirect
        )
        self._senders = ThreadPoolExecutor(
            2 * len(self._servers), "paperboy-send"
        )

    def start(self) -> None:
        options = self._options
        self._http = _Server((options.host, options.port), self)
        threading.Thread(
            target=self._http.serve_forever,
            kwargs={"poll_interval": 0.1},
            name="paperboy-callback",
            daemon=True,
        ).start()
        pollers = [_Poller(self, url) for url in self._servers]
        list(self._senders.map(_Poller.poll, pollers))
        for poller in pollers:
            threading.Thread(
                target=poller.run, name="paperboy-poll", daemon=True
            ).start()

    def take(self) -> Optional[bytes]:
        try:
            data = self._queue.get(timeout=TAKE_FOR)
        except queue.Empty:
            return None
        self._full = False
        return data

    def publish(self, topic: str, data: bytes) -> int:
        # Servers that share their channels publish what has the same key once.
        once = {"Idempotency-Key": str(uuid.uuid4())}

        def push(url: str) -> Optional[Exception]:
            try:
                self.ask(f"{url}/pushMessage/{topic}", data, once)
            except OSError as error:
                return error
            return None

        if self._closed.is_set():
            raise DeliveryError("it is closed")
        try:
            answers = list(self._senders.map(push, self._servers))
        except (RuntimeError, CancelledError):
            raise DeliveryError("it is closed") from None
        errors = [error for error in answers if error]
        if len(errors) == len(answers):
            raise DeliveryError(f"no server took it: {errors[0]}") from errors[
                0
            ]
        return len(answers) - len(errors)

    def close(self) -> None:
        self._closed.set()
        self._senders.shutdown(wait=False, cancel_futures=True)
        if self._http:
            self._http.shutdown()
            self._http.server_close()

    # --- servers -------------------------------------------------------------

    @property
    def port(self) -> int:
        """The port that servers call."""
        assert self._http
        return self._http.server_address[1]

    def wait(self) -> bool:
        """False when it is closed."""
        return not self._closed.wait(self._options.interval)

    def register(self, url: str) -> None:
        options = self._options
        callback = {
            "restHostname": options.callback_host or socket.gethostname(),
            "restPort": options.callback_port or self.port,
            "restPath": PATH,
        }
        self.ask(
            f"{url}/subscribeTopic/{topics.REQUEST}",
            json.dumps(callback).encode(),
        )

    def ask(
        self,
        url: str,
        data: Optional[bytes] = None,
        headers: Optional[Dict[str, str]] = None,
    ) -> str:
        """The answer to a GET; with data, to a POST. Raises OSError."""
        request = urllib.request.Request(
            url,
            data,
            {
                HEADER: self.token,
                "Content-Type": "application/json",
                **(headers or {}),
            },
        )
        timeout = self._options.timeout
        try:
            with self._opener.open(request, timeout=timeout) as answer:
                said = answer.read(MAX_ANSWER + 1)
        except urllib.error.HTTPError as error:
            with error:
                why = _why(error.read(MAX_ANSWER))
            raise OSError(f"it answered {error.code}{why}") from None
        except OSError:
            raise
        except Exception as error:  # what is no HTTP
            raise OSError(f"it answered no HTTP: {error!r}") from None
        if len(said) > MAX_ANSWER:
            raise OSError("its answer is too long")
        return said.decode(errors="replace")

    # --- what servers call ---------------------------------------------------

    def add(self, data: bytes) -> None:
        try:
            self._queue.put_nowait(data)
        except queue.Full:
            if not self._full:
                self._full = True
                self.logger.warning("too many requests wait; more are dropped")


class _Poller:
    """Keeps the callback registered at one server."""

    def __init__(self, messaging: EmbeddedMessaging, url: str) -> None:
        self._messaging = messaging
        self._url = url
        self._instance: Optional[str] = None  # where the callback is
        self._away = False  # its trouble was told

    def run(self) -> None:
        while self._messaging.wait():
            self.poll()

    def poll(self) -> None:
        logger = self._messaging.logger
        try:
            instance = self._messaging.ask(f"{self._url}/instance")
            if instance != self._instance:
                self._messaging.register(self._url)
                self._instance = instance
        except OSError as error:
            if not self._away:
                logger.error("%s is away: %s", self._url, error)
            self._away = True
            return
        if self._away:
            logger.info("%s is there again", self._url)
        self._away = False


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address, messaging: EmbeddedMessaging) -> None:
        self.messaging = messaging
        self._calls = threading.BoundedSemaphore(MAX_CALLS)
        super().__init__(address, _Handler)

    def process_request(self, request, client_address) -> None:
        if self._calls.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request, client_address) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._calls.release()

    def handle_error(self, request, client_address) -> None:
        pass  # a caller that went away


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = CALL_TIMEOUT
    server_version = "paperboy-connector"
    sys_version = ""

    def do_POST(self) -> None:
        messaging = self.server.messaging
        shown = self.headers.get(HEADER, "").encode(errors="replace")
        if not hmac.compare_digest(shown, messaging.token.encode()):
            return self._answer(401, b"its token is wrong\n")
        if self.path != PATH:
            return self._answer(404, b"there is nothing here\n")
        data = self._body()
        if data is None:
            messaging.logger.warning("a request that is too large was dropped")
        else:
            messaging.add(data)
        # A server forgets whoever answers anything else, and a client must not
        # be able to bring that about.
        self._answer(200, b"done")

    def log_message(self, *_) -> None:
        pass

    # None: too large. It is read all the same, so that the answer is heard.
    def _body(self) -> Optional[bytes]:
        length = self.headers.get("Content-Length", "0")
        left = int(length) if length.isdecimal() else 0
        if left <= topics.MAX_REQUEST:
            return self.rfile.read(left)
        while left > 0:
            part = self.rfile.read(min(left, 65536))
            if not part:
                break
            left -= len(part)
        return None

    def _answer(self, status: int, text: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_) -> None:
        return None


def _why(said: bytes) -> str:
    """What a server says of a refusal, in JSON."""
    try:
        why = json.loads(said)["message"]
    except (ValueError, TypeError, KeyError):
        return ""
    return re.sub(r"[^ -~]", "?", f": {why}"[:200])


def _servers(servers: Sequence[str]) -> "list[str]":
    if isinstance(servers, str) or not 1 <= len(servers) <= 100:
        raise ValueError("embedded.servers: 1 to 100 addresses are expected")
    for address in servers:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(
                "embedded.servers: an address is http://HOST:PORT or "
                "https://HOST:PORT"
            )
    return [address.rstrip("/") for address in servers]
