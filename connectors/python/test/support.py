"""What the tests share: a real Redis, an embedded messaging, a log."""

import contextlib
import json
import logging
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import redis

BINARY = os.environ.get("PAPERBOY_REDIS", "/usr/bin/redis-server")
SECRET = "a secret of the tests, not of yours"
TOKEN = "the token of the embedded back end"
REQUEST = "paperboy-subscription-request"
AUTHORIZED = "paperboy-subscription-authorized"


def until(look, what="it", seconds=10.0):
    """Waits until ``look`` answers something true, and hands it back."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(0.005)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Log(logging.Logger):
    """Keeps what it is told."""

    def __init__(self):
        super().__init__("test", logging.DEBUG)
        self.lines = []
        self._text = logging.Formatter("%(message)s").format

    def handle(self, record):
        self.lines.append((record.levelname, self._text(record)))

    def has(self, level, *words):
        return any(
            of == level and all(word in text for word in words)
            for of, text in self.lines
        )

    @property
    def text(self):
        return "\n".join(text for _, text in self.lines)


class Redis:
    """Debian's redis-server on a free port, in a temporary directory."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="paperboy-redis-")
        self.heard = []  # (topic, message) of all that was published
        for tries in range(5):
            self.port = free_port()
            self.url = f"redis://127.0.0.1:{self.port}"
            self.client = redis.Redis(port=self.port)
            try:
                return self.run()
            except ChildProcessError:  # somebody else has taken the port
                if tries == 4:
                    raise

    def run(self):
        """Begins, on the same port, and has nothing."""
        self.process = subprocess.Popen(
            [
                BINARY,
                "--port",
                str(self.port),
                "--bind",
                "127.0.0.1",
                "--dir",
                self.folder,
                "--save",
                "",
                "--appendonly",
                "no",
            ],
            stdout=subprocess.DEVNULL,
        )
        until(self._answers, "Redis")
        self._listener = self.client.pubsub(ignore_subscribe_messages=True)
        self._listener.psubscribe(**{"*": self._hear})
        until(
            lambda: self.client.pubsub_numpat() or self._poll(), "the listener"
        )
        self._thread = self._listener.run_in_thread(
            0.01, daemon=True, exception_handler=lambda *_: time.sleep(0.01)
        )

    def _poll(self):
        self._listener.get_message(timeout=0.01)

    def _answers(self):
        if self.process.poll() is not None:
            raise ChildProcessError("redis-server has ended")
        with contextlib.suppress(redis.RedisError):
            return self.client.ping()

    def _hear(self, message):
        topic = message["channel"].decode()
        self.heard.append((topic, json.loads(message["data"])))

    def ids(self):
        return [
            m["wsId"] for topic, m in list(self.heard) if topic == AUTHORIZED
        ]

    def ask(self, request):
        text = request if isinstance(request, str) else json.dumps(request)
        self.client.rpush(REQUEST, text)

    def kill(self):
        """Ends it at once, as a crash would."""
        self._thread.stop()
        self._thread.join()
        self.process.kill()
        self.process.wait()
        self.client.connection_pool.disconnect()

    def stop(self):
        self.kill()
        shutil.rmtree(self.folder)


class Server:
    """A server with embedded messaging, as the protocol says: callbacks by
    topic, messages pushed to it, an instance that changes when they are lost.
    """

    def __init__(self):
        self.instance = "one"
        self.status = 200
        self.says = "done"
        self.gate = threading.Event()  # answers wait for it
        self.gate.set()
        self.requests = []  # (method, path, token that was shown, body)
        self.keys = []  # Idempotency-Key of what was pushed
        self.callbacks = {}  # topic -> [url, ...]
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                server.serve(self)

            do_POST = do_GET

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        self._thread = threading.Thread(
            target=self.http.serve_forever, args=(0.01,), daemon=True
        )
        self._thread.start()

    def serve(self, call):
        body = call.rfile.read(int(call.headers.get("Content-Length", 0)))
        shown = call.headers.get("PaperboyEmbeddedBackendToken")
        self.requests.append((call.command, call.path, shown, body.decode()))
        self.gate.wait()
        _, verb, *topic = call.path.split("/")
        if verb == "pushMessage":
            self.keys.append(call.headers.get("Idempotency-Key"))
        if verb == "subscribeTopic" and self.status == 200:
            told = json.loads(body)
            self.callbacks.setdefault(topic[0], []).append(
                "http://{restHostname}:{restPort}{restPath}".format(**told)
            )
        call.send_response(self.status)
        call.send_header("Location", "/elsewhere")
        call.end_headers()
        asked = verb == "instance" and self.status == 200
        said = self.instance if asked else self.says
        with contextlib.suppress(OSError):
            call.wfile.write(said.encode())

    def forget(self, instance):
        """Loses its callbacks, as when it is started again."""
        self.callbacks.clear()
        self.instance = instance

    def push(self, message, shown=TOKEN):
        """Calls the callbacks for requests; their answers."""
        text = message if isinstance(message, str) else json.dumps(message)
        return [
            post(url, text, shown) for url in self.callbacks.get(REQUEST, [])
        ]

    @property
    def pushed(self):
        """(topic, message) of what was pushed here."""
        return [
            (path.split("/")[2], json.loads(body))
            for _, path, _, body in list(self.requests)
            if path.startswith("/pushMessage/")
        ]

    def stop(self):
        self.gate.set()
        self.http.shutdown()
        self.http.server_close()


def post(url, text, shown=TOKEN, method="POST"):
    """(status, text) of the answer."""
    request = urllib.request.Request(
        url,
        None if text is None else text.encode(),
        {"PaperboyEmbeddedBackendToken": shown},
        method=method,
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
