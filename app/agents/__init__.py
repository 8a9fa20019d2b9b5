"""Mirror of the helpdesks' staff: who works there, in which role and groups. What the sidebar's authorisation reads."""

from app.agents.store import Agent, emails, find, want
from app.agents.sync import due, sync

__all__ = ["Agent", "due", "emails", "find", "sync", "want"]
