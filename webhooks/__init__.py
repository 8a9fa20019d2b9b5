"""The door for machines: verify, store, answer. Nothing is interpreted here."""

from webhooks.routes import blueprint

__all__ = ["blueprint"]
