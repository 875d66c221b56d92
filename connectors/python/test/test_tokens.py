"""Tokens: those that all connectors must tell apart, and what is made here."""

import base64
import json
import os
import time
import unittest
from pathlib import Path
from unittest import mock

from paperboy_connector import TokenError, Tokens

SHARED = json.loads(
    Path(__file__).parents[2].joinpath("tokens.json").read_text("utf-8")
)
SECRET = SHARED["secret"]


def claims_of(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


class TokensTest(unittest.TestCase):
    def setUp(self):
        self.tokens = Tokens(SECRET)

    def test_good_ones(self):
        for one in SHARED["good"]:
            with self.subTest(one["name"]):
                self.assertEqual(
                    self.tokens.verify(one["token"]),
                    (one["userId"], one["channel"]),
                )

    def test_bad_ones_whose_errors_hold_nothing_of_them(self):
        for one in SHARED["bad"]:
            with self.subTest(one["name"]):
                with self.assertRaises(TokenError) as caught:
                    self.tokens.verify(one["token"])
                if len(one["token"]) > 9:
                    self.assertNotIn(one["token"][9:], str(caught.exception))

    def test_anything_but_a_text_is_bad(self):
        for token in (None, 7, b"a.b.c", {}, ["a"]):
            with self.subTest(token), self.assertRaises(TokenError):
                self.tokens.verify(token)

    def test_hold_what_they_are_for_for_eight_hours(self):
        before = int(time.time())
        token = self.tokens.generate("Zoë", "räume/1")
        after = int(time.time())
        claims = claims_of(token)
        exp = claims.pop("exp")
        self.assertTrue(before + 28800 <= exp <= after + 28800)
        self.assertEqual(
            claims, {"iss": "paperboy", "userId": "Zoë", "channel": "räume/1"}
        )
        claims = self.tokens.verify(token)
        self.assertEqual(claims.user_id, "Zoë")
        self.assertEqual(claims.channel, "räume/1")

    def test_without_a_channel_are_for_a_user_alone(self):
        token = self.tokens.generate("ann")
        self.assertEqual(self.tokens.verify(token), ("ann", None))

    def test_expire(self):
        tokens = Tokens(SECRET, lifetime=1)
        token = tokens.generate("ann", "news")
        later = time.time() + 1
        with mock.patch("time.time", lambda: later):
            with self.assertRaisesRegex(TokenError, "expired"):
                tokens.verify(token)

    def test_are_made_for_names_alone(self):
        for user_id, channel in (
            (None, "a"),
            ("", "a"),
            (7, "a"),
            (b"ann", "a"),
            ("ann", ""),
            ("ann", ["a"]),
            ("x" * 256, "a"),
            ("ann", "ä" * 128),
            ("ann", "\ud800"),
        ):
            with self.subTest((user_id, channel)):
                with self.assertRaisesRegex(
                    (TypeError, ValueError), "^(user_id|channel): "
                ):
                    self.tokens.generate(user_id, channel)

    def test_need_a_secret_that_says_something(self):
        with mock.patch.dict(os.environ):
            os.environ.pop("PAPERBOY_JWT_SECRET", None)
            for none in (None, "", "  ", 7):
                with self.assertRaisesRegex(ValueError, "^secret: neither"):
                    Tokens(none)
            os.environ["PAPERBOY_JWT_SECRET"] = ""
            with self.assertRaisesRegex(ValueError, "PAPERBOY_JWT_SECRET"):
                Tokens()
            os.environ["PAPERBOY_JWT_SECRET"] = SECRET
            Tokens().verify(SHARED["good"][0]["token"])

    def test_have_a_lifetime_of_seconds(self):
        for lifetime in (0, -1, 1.5, "1", True, 10**9):
            with self.subTest(lifetime):
                with self.assertRaisesRegex(
                    ValueError, "^lifetime: an integer"
                ):
                    Tokens(SECRET, lifetime)


if __name__ == "__main__":
    unittest.main()
