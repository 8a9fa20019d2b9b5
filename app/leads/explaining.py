"""Why a lead is where it is, and why a ticket made one or not: sentences, for the command and for pages."""

from __future__ import annotations

import sqlalchemy as sa

from app.leads import store
from app.leads.models import lead, lead_signal, lead_step
from app.leads.words import amount
from integrations.kernel.errors import NotFound

c, s = lead.c, lead_signal.c


def of_lead(cx: sa.Connection, lead_id: str) -> list[str]:
    """The whole story of a lead. Raises NotFound."""
    row = store.by_ids(cx, [lead_id]).get(lead_id)
    if row is None:
        raise NotFound(f"There is no lead {lead_id}.")
    worth = (
        f", {amount(row['money'], row['currency'])} at stake" if row["money"] is not None and row["currency"] else ""
    )
    lines = [f"{row['id']}: {row['kind']} of {row['company']}, {row['state']}. {row['why']}".strip()]
    lines.append(f"  {row['score']} points{worth}. {(row['match'] or {}).get('reason', '')}".rstrip())
    lines += [f"  {r['points']:>4}  {r['text']}" for r in row["card"].get("reasons", ())]
    if row["object_id"]:
        lines.append(f"  at the CRM: {row['shape']} {row['object_id']}, owner {row['owner_id'] or 'by its own rules'}")
    query = sa.select(lead_step).where(lead_step.c.lead_id == lead_id).order_by(lead_step.c.id)
    lines += [
        f"  {r.at:%Y-%m-%d %H:%M:%S} UTC  {r.what:<14} {r.detail} {_by(r.actor)}".rstrip() for r in cx.execute(query)
    ]
    return lines


def _by(actor: str) -> str:
    return f"(by {actor})" if actor not in ("", store.MACHINE) else ""


def of_ticket(cx: sa.Connection, ticket_id: str) -> list[str]:
    """The leads a ticket caused, and its signals that made none."""
    rows = cx.execute(sa.select(lead_signal).where(s.ticket_id == ticket_id).order_by(s.id)).all()
    if not rows:
        return [f"No signal was seen in ticket {ticket_id}: no rule with create_lead fired on it."]
    lines = []
    for row in rows:
        ended = f", ended {row.ended_at:%Y-%m-%d}" if row.ended_at else ""
        waits = "waits to be gathered" if row.judged_digest != row.digest else "made no lead"
        lines.append(f"{row.name} of {row.subject} (rule {row.rule or '-'}){ended}: {row.lead_id or waits}")
    for lead_id in sorted({row.lead_id for row in rows if row.lead_id}):
        lines += of_lead(cx, lead_id)
    return lines
