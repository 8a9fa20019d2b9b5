"""The outbox relay: gathers what is due, sends it in the fewest calls, follows the vendor's jobs, settles."""

from app.relay.service import Relay

__all__ = ["Relay"]
