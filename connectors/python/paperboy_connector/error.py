class TokenError(ValueError):
    """A token that lets nobody in. It says why, and holds nothing of it."""


class DeliveryError(Exception):
    """A message that no server took. It may be sent again."""
