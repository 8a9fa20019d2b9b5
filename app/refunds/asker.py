"""Who asked for a refund, under whatever name we know them: nobody approves what they asked for themselves."""

from __future__ import annotations

import sqlalchemy as sa

from app import access, agents
from app.refunds.intent import Intent


def people(cx: sa.Connection, intent: Intent) -> frozenset[str]:
    """Ids of whoever of ours asked for it.

    An intent keeps the id that was known when it was asked for: `connection:id` for a login nobody was named for. So the
    login is looked up as it is now, and whoever has the address of that login, or of its person, is the same one.
    """
    logins = {f"{intent.helpdesk_id}:{intent.agent_id}", intent.person_id}
    known = access.people(cx)
    mine = {row["id"] for row in known if row["id"] == intent.person_id or logins & set(row["logins"])}
    told = [row["email"] for row in known if row["id"] in mine]
    told += agents.emails(cx, intent.helpdesk_id, [intent.agent_id]).values()
    addresses = {access.folded(one) for one in told if one}
    mine |= {row["id"] for row in known if row["email"] and access.folded(row["email"]) in addresses}
    return frozenset(mine | {intent.person_id})
