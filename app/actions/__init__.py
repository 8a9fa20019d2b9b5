"""What a rule can do: one folder an action, found, not listed."""

from app.actions.base import Action, Known, Params, Subject
from app.actions.registry import actions, cases, find

__all__ = ["Action", "Known", "Params", "Subject", "actions", "cases", "find"]
