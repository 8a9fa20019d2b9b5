"""Names of the endpoints we call, for budgets and metrics, and the limits of each.

Source: Zendesk, "Rate limits" and the tickets reference, read 2026-11 (2): ticket updates 100 a minute and account, 30 in
10 minutes for one user and ticket; incremental exports 10 a minute. Whether batches count as updates is not said: they
are counted with them.
"""

from __future__ import annotations

import re

from integrations.transport.limits import Limit

WRITES = Limit("ticket_writes", 100, 60.0)
ONE_TICKET = Limit("ticket", 30, 600.0, each=True)

_ROUTES = (
    ("GET", re.compile(r"/tickets/show_many"), "tickets_show_many"),
    ("PUT", re.compile(r"/tickets/update_many"), "tickets_update_many"),
    ("GET", re.compile(r"/job_statuses/"), "job_statuses"),
    ("*", re.compile(r"/tickets/(\d+)/tags"), "ticket_tags"),
    ("GET", re.compile(r"/tickets/\d+/comments"), "ticket_comments"),
    ("PUT", re.compile(r"/tickets/(\d+)"), "ticket_update"),
    ("GET", re.compile(r"/incremental/"), "incremental"),
    ("GET", re.compile(r"/users/me"), "users_me"),
    ("GET", re.compile(r"/users/show_many"), "users_show_many"),
    ("GET", re.compile(r"/users(?:\.json)?$"), "users"),
    ("GET", re.compile(r"/group_memberships"), "group_memberships"),
    ("GET", re.compile(r"/users/\d+/identities"), "identities"),
    ("GET", re.compile(r"/users/\d+(?:\.json)?$"), "user"),
)
LIMITS: dict[str, tuple[Limit, ...]] = {
    "account": (Limit("account", 400, 60.0),),
    "tickets_update_many": (WRITES,),
    "ticket_update": (WRITES, ONE_TICKET),
    "ticket_tags": (WRITES, ONE_TICKET),
    "incremental": (Limit("incremental", 10, 60.0),),
}


def endpoint_of(method: str, path: str) -> str:
    """The endpoint's name, with `#ticket` where each ticket has a limit; `other` for what is not in the table."""
    for verb, route, name in _ROUTES:
        if verb in ("*", method) and (found := route.search(path)):
            return f"{name}#{found[1]}" if found.groups() else name
    return "other"
