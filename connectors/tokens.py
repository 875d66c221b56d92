#!/usr/bin/python3
"""Makes tokens.json: what all connectors must say of the same tokens.

connectors/tokens.py > connectors/tokens.json
"""

import base64
import hashlib
import hmac
import json

SECRET = "a secret of the tests, not of yours"
FAR, PAST = 4_102_444_800, 1_000_000_000
GOOD = {"iss": "paperboy", "userId": "ann", "channel": "news", "exp": FAR}
HEADER = {"alg": "HS256", "typ": "JWT"}


def encode(value):
    if not isinstance(value, bytes):
        value = json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def token(claims=GOOD, header=HEADER, secret=SECRET, way=hashlib.sha256):
    signed = f"{encode(header)}.{encode(claims)}"
    signature = hmac.new(secret.encode(), signed.encode(), way).digest()
    return f"{signed}.{encode(signature)}"


def but(**claims):
    return {**GOOD, **claims}


def without(name):
    return {key: value for key, value in GOOD.items() if key != name}


def other_last(text):
    """The same bytes in another spelling: the last character's spare bits."""
    letters = (
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" "0123456789-_"
    )
    return text[:-1] + letters[letters.index(text[-1]) ^ 1]


good = [
    ("as we make them", token(), "ann", "news"),
    ("without a channel", token(without("channel")), "ann", None),
    ("with a channel of null", token(but(channel=None)), "ann", None),
    (
        "with text of the world",
        token(but(userId="Zoë ☃", channel="日本 😀")),
        "Zoë ☃",
        "日本 😀",
    ),
    ("without typ", token(header={"alg": "HS256"}), "ann", "news"),
    ("with a fraction of a second", token(but(exp=FAR + 0.5)), "ann", "news"),
    ("with claims of others", token(but(aud="x", role=[1])), "ann", "news"),
    (
        "of the longest names",
        token(but(userId="u" * 255, channel="ä" * 127)),
        "u" * 255,
        "ä" * 127,
    ),
]
signed = token().rsplit(".", 1)[0]
bad = [
    ("nothing", ""),
    ("a word", "token"),
    ("two parts", signed),
    ("no signature", signed + "."),
    ("four parts", token() + ".x"),
    ("no header", "." + token().split(".", 1)[1]),
    ("a space at its end", token() + " "),
    ("a newline at its end", token() + "\n"),
    ("padding", token() + "="),
    ("a signature spelt otherwise", other_last(token())),
    ("another secret's", token(secret="another secret of the tests")),
    (
        "another's claims",
        ".".join(
            [
                encode(HEADER),
                encode(but(userId="bob")),
                token().rsplit(".", 1)[1],
            ]
        ),
    ),
    ("alg none, unsigned", f"{encode({'alg': 'none'})}.{encode(GOOD)}."),
    ("alg none, signed", token(header={"alg": "none"})),
    ("alg of other letters", token(header={"alg": "hs256"})),
    ("alg HS512", token(header={"alg": "HS512"}, way=hashlib.sha512)),
    ("alg HS512, signed as HS256", token(header={"alg": "HS512"})),
    ("alg RS256", token(header={"alg": "RS256"})),
    ("no alg", token(header={"typ": "JWT"})),
    ("an extension", token(header={**HEADER, "crit": ["b64"]})),
    ("a header that is a list", token(header=[HEADER])),
    ("a header that is no JSON", token(header=b"{")),
    ("claims that are a list", token([GOOD])),
    ("claims that are null", token(None)),
    ("claims that are no JSON", token(b"claims")),
    ("another issuer", token(but(iss="postman"))),
    ("no issuer", token(without("iss"))),
    ("expired", token(but(exp=PAST))),
    ("no exp", token(without("exp"))),
    ("an exp of text", token(but(exp=str(FAR)))),
    ("an exp of null", token(but(exp=None))),
    ("an exp of true", token(but(exp=True))),
    ("no user", token(without("userId"))),
    ("an empty user", token(but(userId=""))),
    ("a user that is a number", token(but(userId=7))),
    ("a user of 256 bytes", token(but(userId="u" * 256))),
    ("an empty channel", token(but(channel=""))),
    ("a channel that is a list", token(but(channel=["news"]))),
    ("a channel of 256 bytes", token(but(channel="ä" * 128))),
    ("more than 8192 bytes", token(but(aud="x" * 8192))),
]
print(
    json.dumps(
        {
            "secret": SECRET,
            "good": [
                {
                    "name": name,
                    "token": text,
                    "userId": user,
                    "channel": channel,
                }
                for name, text, user, channel in good
            ],
            "bad": [{"name": name, "token": text} for name, text in bad],
        },
        indent=1,
        ensure_ascii=False,
    )
)
