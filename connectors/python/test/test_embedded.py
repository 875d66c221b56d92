"""Connectors on servers with embedded messaging, over real HTTP."""

import json
import os
import threading
import unittest
from unittest import mock
from urllib.parse import urlsplit

from support import REQUEST, SECRET, TOKEN, Log, Server, free_port, post, until

from paperboy_connector import Connector, DeliveryError, Embedded


class EmbeddedTest(unittest.TestCase):
    def setUp(self):
        self.servers = [Server(), Server()]
        for server in self.servers:
            self.addCleanup(server.stop)
        self.one, self.two = self.servers
        self.log = Log()
        self.joined = []

    def make(self, embedded=None, **options):
        embedded = {
            "servers": [server.url for server in self.servers],
            "token": TOKEN,
            "host": "127.0.0.1",
            "port": 0,
            "callback_host": "127.0.0.1",
            "interval": 0.1,
            "timeout": 20,
            **(embedded or {}),
        }
        options = {
            "has_access": lambda *_: True,
            "on_subscription": lambda user, _: self.joined.append(user),
            **options,
        }
        connector = Connector(
            secret=SECRET,
            embedded=Embedded(**embedded),
            logger=self.log,
            **options,
        )
        self.addCleanup(connector.close)
        return connector

    def connect(self, embedded=None, **options):
        self.connector = self.make(embedded, **options)
        self.connector.start()
        return self.connector

    @property
    def port(self):
        """Where the connector listens, as it has told a server."""
        return urlsplit(self.one.callbacks[REQUEST][0]).port

    @property
    def callback(self):
        return f"http://127.0.0.1:{self.port}/messageCallback/{REQUEST}"

    def request(self, user, ws_id="w"):
        token = self.connector.generate_token(user, "news")
        return {"wsId": ws_id, "token": token}

    def test_registers_at_every_server_and_shows_its_token(self):
        self.connect()
        told = {
            "restHostname": "127.0.0.1",
            "restPort": self.port,
            "restPath": f"/messageCallback/{REQUEST}",
        }
        for server in self.servers:
            self.assertEqual(server.callbacks[REQUEST], [self.callback])
            self.assertEqual(
                server.requests[:2],
                [
                    ("GET", "/instance", TOKEN, ""),
                    (
                        "POST",
                        f"/subscribeTopic/{REQUEST}",
                        TOKEN,
                        json.dumps(told),
                    ),
                ],
            )

    def test_registers_once_and_again_when_the_instance_changes(self):
        self.connect()
        seen = len(self.one.requests)
        until(lambda: len(self.one.requests) > seen + 2, "more questions")
        self.assertEqual(len(self.one.callbacks[REQUEST]), 1)
        self.one.forget("two")
        until(lambda: self.one.callbacks.get(REQUEST), "the callback")
        self.assertEqual(len(self.two.callbacks[REQUEST]), 1)

    def test_authorises_and_tells_all_servers(self):
        self.connect()
        self.assertEqual(
            self.one.push(self.request("ann", "w1")), [(200, "done")]
        )
        until(lambda: self.joined, "the subscription")
        message = {
            "wsId": "w1",
            "token": None,
            "userId": "ann",
            "channel": "news",
        }
        for server in self.servers:
            self.assertEqual(
                server.pushed, [("paperboy-subscription-authorized", message)]
            )

    def test_sends_to_all_servers_and_says_how_many_took_it(self):
        connector = self.connect()
        self.assertEqual(connector.send_to_channel("news", {"a": 1}), 2)
        self.assertEqual(connector.close_subscription("ann", "news"), 2)
        close = {
            "wsId": None,
            "token": None,
            "userId": "ann",
            "channel": "news",
        }
        # The same message has the same key, and another another.
        self.assertEqual(self.one.keys, self.two.keys)
        self.assertEqual(len(set(self.one.keys)), 2)
        self.assertNotIn(None, self.one.keys)
        for server in self.servers:
            self.assertEqual(server.pushed[0][1]["payload"], {"a": 1})
            self.assertEqual(
                server.pushed[1], ("paperboy-subscription-close", close)
            )
        self.one.status = 500
        self.assertEqual(connector.send_to_user("ann", 1), 1)
        self.two.status = 500
        with self.assertRaisesRegex(DeliveryError, "took it: it answered 500"):
            connector.send_to_user("ann", 1)

    def test_answers_nobody_who_shows_another_token(self):
        self.connect()
        for other in ("", "x", TOKEN + "x", TOKEN.upper()):
            answers = self.one.push(self.request("bob"), other)
            self.assertEqual(answers[0][0], 401)
        self.one.push(self.request("ann"))
        until(lambda: self.joined, "the subscription")
        self.assertEqual(self.joined, ["ann"])

    def test_answers_done_to_bad_requests_so_that_it_is_not_forgotten(self):
        self.connect()
        for bad in (
            "",
            "no JSON",
            "[]",
            {"wsId": "w", "token": "not a token"},
            {"wsId": "w", "token": "x" * 100_000},
        ):
            self.assertEqual(self.one.push(bad), [(200, "done")])
        self.one.push(self.request("ann"))
        until(lambda: self.joined, "the good one")
        self.assertTrue(self.log.has("WARNING", "too large"))
        self.assertNotIn("not a token", self.log.text)
        self.assertNotIn(TOKEN, self.log.text)

    def test_serves_its_callback_alone(self):
        self.connect()
        base = f"http://127.0.0.1:{self.port}"
        for path in ("/messageCallback/paperboy-message", "/"):
            self.assertEqual(post(base + path, "{}")[0], 404)
        self.assertEqual(post(self.callback, None, method="GET")[0], 501)

    def test_keeps_no_more_requests_than_it_may(self):
        gate, asked = threading.Event(), []
        self.connect(
            {"max_queue": 2},
            concurrency=1,
            has_access=lambda *who: asked.append(who) or gate.wait(),
        )
        self.one.push(self.request("a"))
        until(lambda: asked, "the first")
        for user in "bcdef":
            self.assertEqual(
                self.one.push(self.request(user)), [(200, "done")]
            )
        until(lambda: self.log.has("WARNING", "too many requests"), "a line")
        gate.set()
        until(lambda: len(self.joined) >= 3, "those that were kept")
        self.assertEqual(self.joined, ["a", "b", "c"])

    def test_waits_for_a_server_that_is_away_and_tells_it_once(self):
        gone = f"http://127.0.0.1:{free_port()}"
        connector = self.connect({"servers": [self.one.url, gone]})
        self.assertEqual(connector.send_to_user("ann", 1), 1)
        seen = len(self.one.requests)
        until(lambda: len(self.one.requests) > seen + 3, "more questions")
        told = [line for line in self.log.lines if line[0] == "ERROR"]
        self.assertEqual(len(told), 1, told)
        self.assertIn("is away", told[0][1])

    def test_registers_when_a_server_comes_back(self):
        self.one.status = 503
        self.connect()
        self.assertTrue(self.log.has("ERROR", "is away: it answered 503"))
        self.one.status = 200
        until(lambda: self.one.callbacks.get(REQUEST), "the callback")
        until(lambda: self.log.has("INFO", "there again"), "a line")

    def test_tells_why_a_server_refuses_it(self):
        self.one.status = 403
        self.one.says = '{"error":"forbidden","message":"not\\n you"}'
        self.connect()
        self.assertTrue(
            self.log.has("ERROR", "is away: it answered 403: not? you")
        )

    def test_follows_nobody_elsewhere_with_its_token(self):
        self.one.status = 302
        connector = self.connect({"servers": [self.one.url]})
        with self.assertRaises(DeliveryError):
            connector.send_to_user("ann", 1)
        paths = [path for _, path, _, _ in self.one.requests]
        self.assertNotIn("/elsewhere", paths)

    def test_gives_a_server_up_that_does_not_answer(self):
        self.one.gate.clear()
        connector = self.connect({"servers": [self.one.url], "timeout": 0.1})
        self.assertTrue(self.log.has("ERROR", "is away", "timed out"))
        with self.assertRaisesRegex(DeliveryError, "timed out"):
            connector.send_to_user("ann", 1)

    def test_takes_no_endless_answer_for_an_instance(self):
        self.one.instance = "x" * 100_000
        self.connect({"servers": [self.one.url]})
        self.assertTrue(self.log.has("ERROR", "its answer is too long"))

    def test_says_that_its_port_is_taken(self):
        self.connect()
        with self.assertRaises(OSError):
            self.make({"port": self.port}).start()

    def test_takes_its_token_from_the_environment(self):
        with mock.patch.dict(
            os.environ, PAPERBOY_EMBEDDED_BACKEND_TOKEN=TOKEN
        ):
            self.connect({"token": None})
        self.assertEqual(self.one.requests[0][2], TOKEN)

    def test_ends_while_servers_do_not_answer(self):
        connector = self.connect()
        self.one.gate.clear()
        errors = []

        def send():
            try:
                connector.send_to_user("ann", 1)
            except DeliveryError as error:
                errors.append(error)

        thread = threading.Thread(target=send)
        thread.start()
        until(lambda: self.one.pushed, "the message")
        connector.close()
        self.one.gate.set()
        thread.join()
        with self.assertRaises(DeliveryError):
            connector.send_to_user("ann", 1)


if __name__ == "__main__":
    unittest.main()
