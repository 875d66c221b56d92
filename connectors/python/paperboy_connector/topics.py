"""What back end and server call the four kinds of their messages."""

REQUEST = "paperboy-subscription-request"
AUTHORIZED = "paperboy-subscription-authorized"
CLOSE = "paperboy-subscription-close"
MESSAGE = "paperboy-message"

# Bytes; a request is an id and a token, of which there are no larger ones.
MAX_REQUEST = 16 * 1024
