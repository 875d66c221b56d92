"""The application's side of Paperboy's classic protocol."""

from .connector import Connector
from .embedded import Embedded
from .error import DeliveryError, TokenError
from .tokens import Tokens

__all__ = ["Connector", "DeliveryError", "Embedded", "TokenError", "Tokens"]
