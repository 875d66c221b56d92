"""What a connector is made with, and what is wrong there."""

import unittest

import redis
from support import SECRET, Log

from paperboy_connector import Connector, DeliveryError, Embedded

URL = "redis://127.0.0.1:1"
SERVERS = ["http://127.0.0.1:1"]


def make(**change):
    options = {
        "secret": SECRET,
        "redis": URL,
        "has_access": lambda *_: True,
        "logger": Log(),
        **change,
    }
    return Connector(**options)


def embedded(**change):
    options = {"servers": SERVERS, "token": "shown", **change}
    return make(redis=None, embedded=Embedded(**options))


class OptionsTest(unittest.TestCase):
    def test_wrong_ones_are_named(self):
        for change, words in (
            ({"secret": ""}, "^secret: neither it nor PAPERBOY_JWT_SECRET"),
            ({"has_access": None}, "^has_access: a function"),
            ({"on_subscription": "x"}, "^on_subscription: a function"),
            ({"concurrency": 0}, "^concurrency: an integer from 1 to 1000"),
            ({"max_message_size": "1k"}, "^max_message_size: an integer"),
            ({"token_lifetime": 0}, "^lifetime: an integer"),
            ({"redis": None}, "^one of redis and embedded"),
            ({"embedded": Embedded(SERVERS)}, "^one of redis and embedded"),
            ({"redis": None, "embedded": {}}, "^embedded: an Embedded"),
            ({"redis": 7}, "^redis: an address or a redis.Redis"),
            ({"redis": "http://x"}, "^redis: redis-py refuses"),
            (
                {"redis": redis.Redis(socket_timeout=0.1)},
                "^redis: its socket_",
            ),
        ):
            with self.subTest(change):
                with self.assertRaisesRegex((TypeError, ValueError), words):
                    make(**change)

    def test_wrong_ones_of_embedded_are_named(self):
        for change, words in (
            ({"servers": []}, "servers: 1 to 100 addresses"),
            ({"servers": SERVERS[0]}, "servers: 1 to 100 addresses"),
            ({"servers": ["localhost:1"]}, "servers: an address is http"),
            ({"servers": ["/x"]}, "servers: an address is http"),
            ({"token": ""}, "token: neither it nor PAPERBOY_EMBEDDED"),
            ({"token": "ä"}, "token: it can't stand in a header"),
            ({"token": "a\nb"}, "token: it can't stand in a header"),
            ({"port": 65536}, "port: an integer from 0 to 65535"),
            ({"callback_port": 0}, "callback_port: an integer from 1"),
            ({"interval": 0}, "interval: from 0.1 to 3600 seconds"),
            ({"timeout": "1"}, "timeout: from 0.1 to 3600 seconds"),
            ({"max_queue": 0}, "max_queue: an integer"),
        ):
            with self.subTest(change):
                with self.assertRaisesRegex(ValueError, "^embedded." + words):
                    embedded(**change)

    def test_that_are_wrong_show_no_password(self):
        with self.assertRaises(ValueError) as caught:
            make(redis="http://me:hidden@x")
        self.assertNotIn("hidden", repr(caught.exception))
        self.assertIsNone(caught.exception.__cause__)
        self.assertTrue(caught.exception.__suppress_context__)


class NotStartedTest(unittest.TestCase):
    def test_makes_and_verifies_tokens(self):
        connector = make()
        token = connector.generate_token("ann", "news")
        self.assertEqual(connector.verify_token(token), ("ann", "news"))

    def test_sends_nothing_and_closes(self):
        connector = make()
        with self.assertRaises(DeliveryError):
            connector.send_to_user("ann", 1)
        connector.close()
        connector.close()
        with self.assertRaisesRegex(RuntimeError, "it is closed"):
            connector.start()

    def test_tells_what_is_wrong_with_a_message(self):
        connector = make(max_message_size=100)
        for send, words in (
            (lambda: connector.send_to_user("", 1), "^user_id: a text"),
            (lambda: connector.send_to_channel(7, 1), "^channel: a text"),
            (
                lambda: connector.close_subscription("a", None),
                "^channel: a te",
            ),
            (lambda: connector.send_to_user("a", {1}), "not JSON serial"),
            (lambda: connector.send_to_user("a", float("nan")), "JSON"),
            (lambda: connector.send_to_user("a", "\ud800"), "no Unicode"),
            (
                lambda: connector.send_to_channel("a", "ä" * 30),
                r"the message has \d+ bytes; max_message_size is 100",
            ),
        ):
            with self.subTest(words):
                with self.assertRaisesRegex((TypeError, ValueError), words):
                    send()


if __name__ == "__main__":
    unittest.main()
