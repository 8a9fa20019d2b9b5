"""One port for notices to people: written in the transaction that has something to say, sent after it."""

from app.notify.sending import send_due
from app.notify.store import listing, tell

__all__ = ["listing", "send_due", "tell"]
