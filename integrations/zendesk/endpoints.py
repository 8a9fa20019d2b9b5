"""Names of the endpoints we call, for budgets and metrics, and the limits of each.

Source: Zendesk, "Rate limits" and the tickets reference, read 2026-11 (2): update ticket 100 a minute and account;
incremental exports 10 a minute.
"""

from __future__ import annotations

import re

_ROUTES = (
    ("GET", re.compile(r"/tickets/show_many"), "tickets_show_many"),
    ("PUT", re.compile(r"/tickets/update_many"), "tickets_update_many"),
    ("GET", re.compile(r"/job_statuses/"), "job_statuses"),
    ("*", re.compile(r"/tickets/\d+/tags"), "ticket_tags"),
    ("GET", re.compile(r"/tickets/\d+/comments"), "ticket_comments"),
    ("PUT", re.compile(r"/tickets/\d+"), "ticket_update"),
    ("GET", re.compile(r"/incremental/"), "incremental"),
    ("GET", re.compile(r"/users/me"), "users_me"),
    ("GET", re.compile(r"/users/\d+/identities"), "identities"),
)
LIMITS: dict[str, tuple[int, float]] = {
    "account": (400, 60.0),
    "tickets_update_many": (100, 60.0),
    "ticket_update": (100, 60.0),
    "ticket_tags": (100, 60.0),
    "incremental": (10, 60.0),
}


def endpoint_of(method: str, path: str) -> str:
    """The endpoint's name; `other` for what is not in the table."""
    for verb, route, name in _ROUTES:
        if verb in ("*", method) and route.search(path):
            return name
    return "other"
