"""One-time links that sign one named approver in on our own page. The database keeps the code's digest only."""

from __future__ import annotations

import sqlalchemy as sa

from app import access, sessions
from app.access import CONSOLE, Role
from app.refunds.context import Context
from integrations.kernel.errors import NotAllowed

PATH = "/approvals/enter"


class NoApprover(NotAllowed):
    code, public = "refund.no_approver", "This person may approve nothing. Give the role first: `flask people role`."


def make(cx: sa.Connection, ctx: Context, person_id: str) -> str:
    """A link for a person, good once within an hour. Raises NotFound, NoApprover."""
    now = ctx.clock()
    if not access.named(cx, person_id, now).role.is_at_least(Role.APPROVER):
        raise NoApprover
    code = sessions.issue_link(cx, CONSOLE, person_id, now)
    return f"{ctx.settings.public_url}{PATH}?code={code}"
