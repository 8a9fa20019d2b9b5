"""What the ticket gets to know: one internal note a result; failed and stalled refunds open it again with a tag.

The helpdesk takes no write to a ticket that is closed for good or deleted (vendor sheet: 422), and a bank may answer after
that. So nothing is wanted of such a ticket, and whoever asks is answered with the sentence for people instead.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from app import outbox
from app.config import Settings
from app.outbox.wanted import Wanted
from app.refunds.intent import Intent
from app.refunds.money import plain
from app.refunds.states import RETURNED, State
from app.telemetry.logs import get_logger
from app.tickets import store as tickets
from app.tickets.policy import Held
from integrations.kernel.records import Note

log = get_logger(__name__)

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


def tell(cx: sa.Connection, settings: Settings, intent: Intent, why: str) -> str:
    """Want the note of a state, where it has one; nothing is said twice. Answers why it cannot be told, or ""."""
    text = _TEXTS.get(intent.state)
    if text is None:
        return ""
    lines = [text.format(amount=plain(intent.amount)), *([why] if why else []), *_ids(intent)]
    tags = [f"{settings.tag_prefix}refund_failed"] if intent.state in RETURNED else []
    return _want(cx, settings, intent, f"{intent.id}-{intent.state.value}", lines, tags)


def stalled(cx: sa.Connection, settings: Settings, intent: Intent) -> str:
    """The bank takes too long: open the ticket again. Answers why that cannot be, or ""."""
    hours = int(settings.refund_stall_hours)
    lines = [f"Refund of {plain(intent.amount)} has waited for the bank for {hours} hours.", *_ids(intent)]
    return _want(cx, settings, intent, f"{intent.id}-stalled", lines, [f"{settings.tag_prefix}refund_stalled"])


def of_closed_tickets(cx: sa.Connection, intents: Iterable[Intent]) -> set[str]:
    """Ids of those whose ticket takes no write any more, by our mirror."""
    by_desk: dict[str, list[Intent]] = defaultdict(list)
    for one in intents:
        by_desk[one.helpdesk_id].append(one)
    found: set[str] = set()
    for desk, mine in by_desk.items():
        known = tickets.read(cx, desk, sorted({one.ticket_id for one in mine}))
        found |= {one.id for one in mine if one.ticket_id in known and _is_closed(known[one.ticket_id])}
    return found


def _is_closed(ticket: Held) -> bool:
    return ticket.gone or ticket.status in ("closed", "deleted")


def _ids(intent: Intent) -> list[str]:
    at_vendor = f" ({intent.refund_id})" if intent.refund_id else ""
    return [f"Charge {intent.charge_id}, refund {intent.id}{at_vendor}."]


def _want(
    cx: sa.Connection, settings: Settings, intent: Intent, key: str, lines: Sequence[str], tags: Sequence[str]
) -> str:
    ticket = tickets.read(cx, intent.helpdesk_id, [intent.ticket_id]).get(intent.ticket_id)
    if ticket is not None and _is_closed(ticket):
        log.info("refund_ticket_closed", refund_id=intent.id, state=intent.state.value)
        word = "closed" if ticket.status == "closed" else "deleted"
        return f"Ticket {intent.ticket_id} is {word} and cannot be opened again: contact the customer."
    fields = {"status": "open"} if tags and (ticket is None or ticket.values.get("status") != "open") else {}
    wanted = Wanted(dict.fromkeys(tags, True), fields, (Note(key, "\n".join(lines)),))
    plan = outbox.Plan(intent.ticket_id, wanted, ticket.values if ticket else {}, (RULE,))
    outbox.enqueue(cx, intent.helpdesk_id, [plan], gather_s=settings.outbox_gather_s)
    return ""
