"""What the ticket gets to know: one internal note a result; failed and stalled refunds open it again with a tag."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from app import outbox
from app.config import Settings
from app.outbox.wanted import Wanted
from app.refunds.intent import Intent
from app.refunds.money import plain
from app.refunds.states import RETURNED, State
from app.tickets import store as tickets
from integrations.kernel.records import Note

_TEXTS = {
    State.SUCCEEDED: "Refund of {amount} was made.",
    State.PENDING_VENDOR: "Refund of {amount} was accepted; the bank has not answered yet.",
    State.REQUIRES_ACTION: "Refund of {amount} was accepted; the customer must do something before it is paid.",
    State.REJECTED: "Refund of {amount} was refused.",
    State.FAILED: "Refund of {amount} failed at the bank: the money did not reach the customer.",
    State.CANCELED: "Refund of {amount} was canceled: the money did not reach the customer.",
    State.NEEDS_HUMAN: "Whether the refund of {amount} was made is not known. A person is asked to look; do not repeat it.",
}
RULE = "refunds"


def tell(cx: sa.Connection, settings: Settings, intent: Intent, why: str) -> None:
    """Want the note of a state, where it has one; nothing is said twice."""
    text = _TEXTS.get(intent.state)
    if text is None:
        return
    lines = [text.format(amount=plain(intent.amount)), *([why] if why else []), *_ids(intent)]
    tags = [f"{settings.tag_prefix}refund_failed"] if intent.state in RETURNED else []
    _want(cx, settings, intent, f"{intent.id}-{intent.state.value}", lines, tags)


def stalled(cx: sa.Connection, settings: Settings, intent: Intent) -> None:
    """The bank takes too long: open the ticket again."""
    hours = int(settings.refund_stall_hours)
    lines = [f"Refund of {plain(intent.amount)} has waited for the bank for {hours} hours.", *_ids(intent)]
    _want(cx, settings, intent, f"{intent.id}-stalled", lines, [f"{settings.tag_prefix}refund_stalled"])


def _ids(intent: Intent) -> list[str]:
    at_vendor = f" ({intent.refund_id})" if intent.refund_id else ""
    return [f"Charge {intent.charge_id}, refund {intent.id}{at_vendor}."]


def _want(
    cx: sa.Connection, settings: Settings, intent: Intent, key: str, lines: Sequence[str], tags: Sequence[str]
) -> None:
    ticket = tickets.read(cx, intent.helpdesk_id, [intent.ticket_id]).get(intent.ticket_id)
    fields = {"status": "open"} if tags and (ticket is None or ticket.values.get("status") != "open") else {}
    wanted = Wanted(dict.fromkeys(tags, True), fields, (Note(key, "\n".join(lines)),))
    plan = outbox.Plan(intent.ticket_id, wanted, ticket.values if ticket else {}, (RULE,))
    outbox.enqueue(cx, intent.helpdesk_id, [plan], gather_s=settings.outbox_gather_s)
