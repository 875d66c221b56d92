"""What is wrong with an argument is told at once, and in words."""

import os
from typing import Optional

MAX_NAME = 255  # bytes of a channel's or a user's name


def name(what: str, value: object) -> None:
    """Raises for what is no name of a user or a channel."""
    if not isinstance(value, str) or value == "":
        raise TypeError(f"{what}: a text is expected")
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise ValueError(f"{what}: it is no Unicode") from None
    if size > MAX_NAME:
        raise ValueError(f"{what}: more than {MAX_NAME} bytes")


def integer(what: str, value: object, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise ValueError(
            f"{what}: an integer from {least} to {most} is expected"
        )
    return value


def seconds(what: str, value: object, least: float, most: float) -> float:
    if type(value) not in (int, float) or not least <= value <= most:
        raise ValueError(
            f"{what}: from {least} to {most} seconds are expected"
        )
    return value


def function(what: str, value: object):
    if not callable(value):
        raise TypeError(f"{what}: a function is expected")
    return value


def secret(what: str, value: Optional[str], variable: str) -> str:
    """A text, from the environment where it isn't given."""
    if value is None:
        value = os.environ.get(variable)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(
            f"{what}: neither it nor {variable} in the environment says "
            "anything"
        )
    return value
