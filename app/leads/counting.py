"""How many leads came how far, since the first: for a command and for whoever compares it with the CRM."""

from __future__ import annotations

import sqlalchemy as sa

from app.leads.models import lead, lead_signal

# Held before it was sent and due again later, or told at the CRM that the wait is over.
_HELD = sa.text(
    """
    SELECT count(DISTINCT s.lead_id) AS held,
           count(DISTINCT s.lead_id) FILTER (WHERE s.what = 'hold released' OR later.what IS NOT NULL) AS released
    FROM lead_step s LEFT JOIN LATERAL (
        SELECT n.what FROM lead_step n WHERE n.lead_id = s.lead_id AND n.id > s.id AND n.what = 'due'
        ORDER BY n.id LIMIT 1) AS later ON s.what = 'held'
    WHERE s.what IN ('held', 'on hold', 'hold released')
    """
)


def count(cx: sa.Connection) -> dict[str, dict[str, int]]:
    """`signals` by name, `states` of leads, and what happened to them: `pushed` to the CRM, `held`, `released`, answered
    (`verdicts`), by number of leads. Reads the whole tables."""
    c, s = lead.c, lead_signal.c
    signals, states = (
        {
            str(name): int(number)
            for name, number in cx.execute(sa.select(one, sa.func.count()).group_by(one).order_by(one))
        }
        for one in (s.name, c.state)
    )
    sent, answered = (sa.func.count().filter(one != "") for one in (c.object_id, c.verdict))
    pushed, verdicts = cx.execute(sa.select(sent, answered)).one()
    held = cx.execute(_HELD).one()
    came = {"pushed": pushed, "held": held.held, "released": held.released, "verdicts": verdicts}
    return {"signals": signals, "states": states, "leads": came}


def elsewhere(cx: sa.Connection, crm_id: str) -> dict[str, int]:
    """Leads by the CRM connection they were found for, where that is another one. Reads the whole table."""
    c = lead.c
    query = sa.select(c.crm_id, sa.func.count()).where(c.crm_id.not_in(["", crm_id]))
    found = cx.execute(query.group_by(c.crm_id).order_by(c.crm_id))
    return {str(other): int(number) for other, number in found}
