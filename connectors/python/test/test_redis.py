"""Connectors on a real Redis: what they take from it, and put there."""

import json
import os
import threading
import time
import unittest

import redis
from support import AUTHORIZED, BINARY, REQUEST, SECRET, Log, Redis, until

from paperboy_connector import Connector, DeliveryError

needs_redis = unittest.skipUnless(os.path.exists(BINARY), "no redis-server")


@needs_redis
class RedisTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.redis = Redis()

    @classmethod
    def tearDownClass(cls):
        cls.redis.stop()

    def setUp(self):
        self.heard = self.redis.heard
        self.heard.clear()
        self.log = Log()

    def connect(self, **options):
        options = {
            "secret": SECRET,
            "redis": self.redis.url,
            "has_access": lambda *_: True,
            "logger": self.log,
            **options,
        }
        connector = Connector(**options)
        self.addCleanup(connector.close)
        connector.start()
        return connector

    def test_authorises_whom_the_application_lets_in(self):
        calls = []

        def has_access(*who):
            calls.append(("has_access", *who))
            return True

        connector = self.connect(
            has_access=has_access,
            on_subscription=lambda *who: calls.append(
                ("on_subscription", *who)
            ),
        )
        token = connector.generate_token("Zoë", "räume")
        self.redis.ask({"wsId": "w1", "token": token})
        until(lambda: len(calls) == 2, "both calls")
        self.assertEqual(
            calls,
            [
                ("has_access", "Zoë", "räume"),
                ("on_subscription", "Zoë", "räume"),
            ],
        )
        until(lambda: self.heard, "the authorisation")
        message = {
            "wsId": "w1",
            "token": None,
            "userId": "Zoë",
            "channel": "räume",
        }
        self.assertEqual(self.heard, [(AUTHORIZED, message)])

    def test_says_that_someone_has_come_after_the_server_was_told(self):
        connector = self.connect(
            on_subscription=lambda user, channel: connector.send_to_channel(
                channel, {"joined": user}
            )
        )
        token = connector.generate_token("ann", "news")
        self.redis.ask({"wsId": "w1", "token": token})
        until(lambda: len(self.heard) == 2, "both")
        self.assertEqual(
            [topic for topic, _ in self.heard],
            [AUTHORIZED, "paperboy-message"],
        )
        message = self.heard[1][1]
        del message["timestamp"]
        self.assertEqual(
            message,
            {"userId": None, "channel": "news", "payload": {"joined": "ann"}},
        )

    def test_authorises_a_user_alone(self):
        calls = []
        connector = self.connect(has_access=lambda *who: not calls.append(who))
        token = connector.generate_token("ann")
        self.redis.ask({"wsId": "w1", "token": token})
        until(lambda: self.heard, "the authorisation")
        self.assertEqual(calls, [("ann", None)])
        self.assertEqual(
            self.heard[0][1],
            {"wsId": "w1", "token": None, "userId": "ann", "channel": None},
        )

    def test_lets_in_only_whom_has_access_says_true_of(self):
        async def forgotten():
            return True

        coroutine = forgotten()
        self.addCleanup(coroutine.close)
        answers = {
            "no": False,
            "nothing": None,
            "text": "yes",
            "one": 1,
            "forgotten": coroutine,
            "ann": True,
        }
        joined = []
        connector = self.connect(
            has_access=lambda user, _: answers[user],
            on_subscription=lambda user, _: joined.append(user),
            concurrency=1,
        )
        for user in answers:
            token = connector.generate_token(user, "news")
            self.redis.ask({"wsId": f"of {user}", "token": token})
        until(lambda: joined, "the one who may")
        self.assertEqual(joined, ["ann"])
        until(self.redis.ids, "the authorisation")
        self.assertEqual(self.redis.ids(), ["of ann"])
        self.assertTrue(self.log.has("INFO", "no access", "'text'"))

    def test_drops_what_is_no_request_and_bad_tokens_and_goes_on(self):
        connector = self.connect(concurrency=1)
        token = connector.generate_token("ann", "news")
        forged = token[:-4] + "AAAA"
        for bad in (
            "",
            "no JSON",
            '{"wsId":"w"',
            "null",
            "7",
            "[]",
            "[" * 10000,
            {"token": token},
            {"wsId": "", "token": token},
            {"wsId": 7, "token": token},
            {"wsId": "x" * 129, "token": token},
            {"wsId": "w"},
            {"wsId": "w", "token": None},
            {"wsId": "w", "token": [token]},
            {"wsId": "w", "token": "x" * 17000},
            {"wsId": "w", "token": token, "more": "x" * 17000},
            {"wsId": "w", "token": "not a token"},
            {"wsId": "w", "token": forged},
        ):
            self.redis.ask(bad)
        self.redis.client.rpush(REQUEST, b'\xff{"wsId":"w","token":"x"}')
        self.redis.ask({"wsId": "good", "token": token})
        until(self.redis.ids, "the good one")
        self.assertEqual(self.redis.ids(), ["good"])
        self.assertTrue(self.log.has("WARNING", "that is none was dropped"))
        self.assertTrue(
            self.log.has(
                "WARNING", "bad token of connection 'w': its signature"
            )
        )
        for hidden in (token, forged, "not a token", "xxxxx", SECRET):
            self.assertNotIn(hidden, self.log.text)

    def test_outlives_callbacks_that_raise(self):
        def has_access(user, channel):
            if user == "one":
                raise KeyError("no database")
            return True

        def on_subscription(user, channel):
            raise OSError("no snapshot")

        connector = self.connect(
            has_access=has_access,
            on_subscription=on_subscription,
            concurrency=1,
        )
        for user in ("one", "two", "three"):
            token = connector.generate_token(user, "news")
            self.redis.ask({"wsId": user, "token": token})
        until(lambda: len(self.redis.ids()) == 2, "those who got through")
        self.assertEqual(self.redis.ids(), ["two", "three"])
        until(
            lambda: self.log.has("ERROR", "on_subscription failed", "'three'"),
            "a line",
        )
        self.assertTrue(
            self.log.has("ERROR", "has_access failed", "'one'", "no database")
        )
        self.assertTrue(
            self.log.has("ERROR", "on_subscription failed", "no snapshot")
        )

    def test_looks_at_no_more_requests_at_once_than_it_may(self):
        gate = threading.Semaphore(0)
        lock = threading.Lock()
        counts = {"running": 0, "most": 0}

        def has_access(user, channel):
            with lock:
                counts["running"] += 1
                counts["most"] = max(counts["most"], counts["running"])
            gate.acquire()
            with lock:
                counts["running"] -= 1
            return True

        connector = self.connect(concurrency=2, has_access=has_access)
        token = connector.generate_token("ann", "news")
        for ws_id in "abcde":
            self.redis.ask({"wsId": ws_id, "token": token})
        until(lambda: counts["running"] == 2, "two of them")
        # The others wait in Redis, where another back end may take them.
        self.assertEqual(self.redis.client.llen(REQUEST), 3)
        gate.release(5)
        until(lambda: len(self.redis.ids()) == 5, "all")
        self.assertEqual(counts["most"], 2)

    def test_shares_requests_with_other_back_ends_each_to_one(self):
        taken = []
        connectors = [
            self.connect(
                concurrency=1,
                on_subscription=lambda *_, name=name: taken.append(name),
            )
            for name in "abc"
        ]
        token = connectors[0].generate_token("ann", "news")
        asked = [f"w{i}" for i in range(60)]
        for ws_id in asked:
            self.redis.ask({"wsId": ws_id, "token": token})
        until(lambda: len(taken) >= 60, "all")
        until(lambda: len(self.redis.ids()) >= 60, "all")
        self.assertEqual(sorted(self.redis.ids()), sorted(asked))
        self.assertGreater(len(set(taken)), 1)

    def test_sends_to_channels_and_users_and_ends_subscriptions(self):
        connector = self.connect()
        begin = int(time.time() * 1000)
        # The listener of this test stands in for a server.
        self.assertEqual(
            connector.send_to_channel("news", {"text": "1 < 2"}), 1
        )
        self.assertEqual(connector.send_to_user("ann", [None, 0.1, "ä\n"]), 1)
        self.assertEqual(connector.close_subscription("ann", "news"), 1)
        until(lambda: len(self.heard) == 3, "all")
        for _, message in self.heard[:2]:
            stamp = message.pop("timestamp")
            self.assertIs(type(stamp), int)
            self.assertTrue(begin <= stamp <= time.time() * 1000)
        self.assertEqual(
            self.heard,
            [
                (
                    "paperboy-message",
                    {
                        "userId": None,
                        "channel": "news",
                        "payload": {"text": "1 < 2"},
                    },
                ),
                (
                    "paperboy-message",
                    {
                        "userId": "ann",
                        "channel": None,
                        "payload": [None, 0.1, "ä\n"],
                    },
                ),
                (
                    "paperboy-subscription-close",
                    {
                        "wsId": None,
                        "token": None,
                        "userId": "ann",
                        "channel": "news",
                    },
                ),
            ],
        )

    def test_takes_a_client_of_the_application_and_leaves_it_open(self):
        for decode in (False, True):
            client = redis.Redis(
                port=self.redis.port,
                client_name="ours",
                decode_responses=decode,
            )
            connector = self.connect(redis=client)
            token = connector.generate_token("ann", "news")
            self.redis.ask({"wsId": f"w{decode}", "token": token})
            until(
                lambda: f"w{decode}" in self.redis.ids(), "the authorisation"
            )
            connector.close()
            clients = self.redis.client.client_list()
            self.assertIn("ours", [one["name"] for one in clients])
            client.connection_pool.disconnect()

    def test_begins_and_ends_with_a_block(self):
        with Connector(
            secret=SECRET, redis=self.redis.url, has_access=lambda *_: True
        ) as connector:
            self.assertEqual(connector.send_to_user("ann", 1), 1)
            with self.assertRaisesRegex(RuntimeError, "came before"):
                connector.start()
        with self.assertRaises(DeliveryError):
            connector.send_to_user("ann", 1)

    def test_ends_while_a_callback_hangs_and_takes_nothing_then(self):
        asked, gate = [], threading.Event()
        connector = self.connect(
            has_access=lambda *who: asked.append(who) or gate.wait()
        )
        token = connector.generate_token("ann", "news")
        self.redis.ask({"wsId": "w", "token": token})
        until(lambda: asked, "the request")
        connector.close()
        later = json.dumps({"wsId": "later", "token": token})
        self.redis.ask(later)
        gate.set()
        with self.assertRaises(DeliveryError):
            connector.send_to_user("ann", 1)
        self.assertEqual(self.redis.client.lpop(REQUEST), later.encode())
        self.assertEqual(len(asked), 1)


@needs_redis
class RedisGoesTest(unittest.TestCase):
    def setUp(self):
        self.redis = Redis()
        self.addCleanup(self.redis.stop)
        self.log = Log()
        self.joined = []
        self.connector = Connector(
            secret=SECRET,
            redis=self.redis.url,
            has_access=lambda *_: True,
            on_subscription=lambda user, _: self.joined.append(user),
            logger=self.log,
        )
        self.addCleanup(self.connector.close)
        self.connector.start()

    def join(self, user):
        token = self.connector.generate_token(user, "news")
        self.redis.ask({"wsId": user, "token": token})
        until(lambda: user in self.joined, user)

    def test_tells_it_refuses_to_send_and_goes_on_when_it_is_back(self):
        self.join("before")
        self.redis.kill()
        until(lambda: self.log.has("ERROR", "Redis gives no"), "a line")
        with self.assertRaises(DeliveryError):
            self.connector.send_to_user("ann", 1)
        self.redis.run()
        self.join("after")
        until(lambda: self.log.has("INFO", "Redis gives requests"), "a line")
        self.assertEqual(self.connector.send_to_user("ann", 1), 1)
        told = [line for line in self.log.lines if line[0] == "ERROR"]
        self.assertEqual(len(told), 1, told)

    def test_waits_out_what_redis_answers_wrongly(self):
        self.redis.client.set(REQUEST, "no list")
        until(
            lambda: self.log.has("ERROR", "Redis gives no", "WRONG"), "a line"
        )
        self.redis.client.delete(REQUEST)
        self.join("then")


class NoRedisTest(unittest.TestCase):
    def test_starts_without_one_and_ends(self):
        log = Log()
        with Connector(
            secret=SECRET,
            redis="redis://:hidden@127.0.0.1:1",
            has_access=lambda *_: True,
            logger=log,
        ):
            self.assertTrue(
                log.has("ERROR", "Redis gives no requests", "refused")
            )
        self.assertNotIn("hidden", log.text)


if __name__ == "__main__":
    unittest.main()
