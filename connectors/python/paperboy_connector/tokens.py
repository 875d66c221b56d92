"""Tokens are JWTs of one kind, HS256, so few lines make and read them: nothing
of a token says how it is to be verified.
"""

import base64
import binascii
import hashlib
import hmac
import json
import math
import re
import time
from typing import NamedTuple, Optional

from . import check
from .error import TokenError

ISSUER = "paperboy"
MAX_TOKEN = 8192  # bytes


class Claims(NamedTuple):
    """Who a token is for; without a channel, for a user alone."""

    user_id: str
    channel: Optional[str]


class Tokens:
    """Makes and verifies tokens. ``lifetime`` is in seconds."""

    def __init__(
        self, secret: Optional[str] = None, lifetime: int = 8 * 3600
    ) -> None:
        key = check.secret("secret", secret, "PAPERBOY_JWT_SECRET")
        self._key = key.encode()
        self._lifetime = check.integer("lifetime", lifetime, 1, 366 * 86400)

    def generate(self, user_id: str, channel: Optional[str] = None) -> str:
        """A token for a user and a channel, or for a user alone."""
        check.name("user_id", user_id)
        if channel is not None:
            check.name("channel", channel)
        claims = {
            "iss": ISSUER,
            "userId": user_id,
            "channel": channel,
            "exp": int(time.time()) + self._lifetime,
        }
        signed = f"{_HEADER}.{_encode(claims)}"
        return f"{signed}.{self._sign(signed)}"

    def verify(self, token: str) -> Claims:
        """Who it is for; raises TokenError for a bad one."""
        if not isinstance(token, str) or len(token) > MAX_TOKEN:
            raise TokenError("it is no text, or too long")
        signed, _, signature = token.rpartition(".")
        if not re.fullmatch(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", signed):
            raise TokenError("it is no JWT")
        expected = self._sign(signed).encode()
        actual = signature.encode(errors="replace")
        if not hmac.compare_digest(actual, expected):
            raise TokenError("its signature is wrong")
        header, claims = map(_decode, signed.split("."))
        if header.get("alg") != "HS256":
            raise TokenError("its algorithm is not HS256")
        if "crit" in header:
            raise TokenError("it asks for an extension")
        return _read(claims)

    def _sign(self, text: str) -> str:
        digest = hmac.new(self._key, text.encode(), hashlib.sha256).digest()
        return _base64(digest)


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _encode(value: object) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


_HEADER = _encode({"alg": "HS256", "typ": "JWT"})


def _decode(part: str) -> dict:
    try:
        data = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
        value = json.loads(data)
    except (ValueError, RecursionError, binascii.Error):
        raise TokenError("it holds no JSON") from None
    if not isinstance(value, dict):
        raise TokenError("it holds no object")
    return value


def _read(claims: dict) -> Claims:
    exp = claims.get("exp")
    if claims.get("iss") != ISSUER:
        raise TokenError("its issuer is another")
    if type(exp) not in (int, float) or not math.isfinite(exp):
        raise TokenError("it never expires")
    if time.time() >= exp:
        raise TokenError("it has expired")
    user_id, channel = claims.get("userId"), claims.get("channel")
    try:
        check.name("userId", user_id)
        if channel is not None:
            check.name("channel", channel)
    except (TypeError, ValueError) as error:
        raise TokenError(str(error)) from None
    return Claims(user_id, channel)
