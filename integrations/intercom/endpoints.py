"""Names of the endpoints we call, for budgets and metrics, and the limits.

Source: Intercom developer docs, "Rate limiting", read 2026-11: 10,000 calls a minute and app, spread over windows of ten
seconds.
"""

from __future__ import annotations

import re

from integrations.transport.limits import Limit

LIMITS: dict[str, tuple[Limit, ...]] = {"account": (Limit("account", 10_000 // 6, 10.0),)}

_ROUTES = (
    ("POST", re.compile(r"/conversations/search"), "conversations_search"),
    ("*", re.compile(r"/conversations/[^/]+/tags(/[^/]+)?"), "conversation_tags"),
    ("POST", re.compile(r"/conversations/[^/]+/reply"), "conversation_reply"),
    ("POST", re.compile(r"/conversations/[^/]+/parts"), "conversation_parts"),
    ("GET", re.compile(r"/conversations/[^/]+"), "conversation"),
    ("PUT", re.compile(r"/conversations/[^/]+"), "conversation_update"),
    ("GET", re.compile(r"/contacts/[^/]+"), "contact"),
    ("*", re.compile(r"/tags"), "tags"),
    ("GET", re.compile(r"/admins"), "admins"),
    ("GET", re.compile(r"/me"), "me"),
)


def endpoint_of(method: str, path: str) -> str:
    """The endpoint's name; `other` for what is not in the table."""
    return next((name for verb, route, name in _ROUTES if verb in ("*", method) and route.fullmatch(path)), "other")
