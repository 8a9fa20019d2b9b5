"""One-time links that sign one named person in on the console. The database keeps the code's digest only."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from app import access, audit, sessions
from app.access import CONSOLE, Role
from integrations.kernel.errors import NotAllowed

PATH = "/admin/enter"


class NoConsole(NotAllowed):
    code = "admin.no_console"
    public = "This person has no page there: it takes the role approver or admin. Give it first: `flask people role`."


def make(cx: sa.Connection, public_url: str, person_id: str, now: datetime, by: str) -> str:
    """A link for a person, good once within an hour. Raises NotFound, NoConsole.

    Args:
        by: who let it be made, for the record: `console`, or the person who asked for it.
    """
    if not access.named(cx, person_id, now).role.is_at_least(Role.APPROVER):
        raise NoConsole
    code = sessions.issue_link(cx, CONSOLE, person_id, now)
    audit.record(cx, by, "access.link_made", person_id)
    return f"{public_url}{PATH}?code={code}"
