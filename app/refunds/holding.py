"""While a refund is open, sales leaves the payer alone: written beside each move, and never in the way of money.

The hold is written inside a savepoint: whatever is wrong with it, the move stands, and the sweep makes it good.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from app import holds
from app.refunds.intent import Intent
from app.refunds.states import AT_THE_BANK, OPEN
from app.telemetry.logs import get_logger

SOURCE = "refund"
HOLDING = frozenset({*OPEN, *AT_THE_BANK})
UNTIL = "until the refund has ended"
_STATES = tuple(sorted(state.value for state in HOLDING))

log = get_logger(__name__)


def follow(cx: sa.Connection, intent: Intent) -> None:
    """Open or release the hold of an intent that was just made or moved."""
    try:
        with cx.begin_nested():
            if intent.state in HOLDING:
                _open(cx, intent)
            else:
                holds.release(cx, SOURCE, intent.id, f"the refund is {intent.state.value}")
    except DBAPIError as error:
        if error.connection_invalidated:
            raise  # the move is lost as well, with or without us
        log.warning("refund_hold_not_written", refund_id=intent.id, cause=type(error).__name__)


def _open(cx: sa.Connection, intent: Intent) -> None:
    ticket = (intent.helpdesk_id, intent.ticket_id)
    payer = (intent.connection_id, intent.payer_id)
    holds.open(cx, holds.Hold(SOURCE, intent.id, "a refund is open", UNTIL, payer, ticket=ticket))


_MISSING = sa.text(
    """
    INSERT INTO hold (source, source_id, why, until_what, payer_connection_id, payer_id, connection_id, ticket_id)
    SELECT 'refund', i.id, 'a refund is open', :until, i.connection_id, i.payer_id, i.helpdesk_id, i.ticket_id
    FROM refund_intent i
    WHERE i.state IN ('proposed', 'awaiting_approval', 'reserved', 'sending', 'unknown', 'needs_human',
                      'pending_vendor', 'requires_action')
      AND i.state_at < now() - interval '1 minute'
      AND NOT EXISTS (SELECT FROM hold h WHERE h.source = 'refund' AND h.source_id = i.id AND h.released_at IS NULL)
    ON CONFLICT DO NOTHING
    """
)
_OVER = sa.text(
    """
    UPDATE hold h SET released_at = now(), released_why = 'the refund is ' || i.state FROM refund_intent i
    WHERE h.id IN (SELECT id FROM hold WHERE source = 'refund' AND released_at IS NULL FOR UPDATE SKIP LOCKED)
      AND i.id = h.source_id AND NOT i.state = ANY(:states)
    """
)


def sweep(cx: sa.Connection) -> int:
    """Make good what a move could not write; waits for nobody. Answers how many holds were opened or released."""
    missing = cx.execute(_MISSING, {"until": UNTIL}).rowcount
    return int(missing + cx.execute(_OVER, {"states": list(_STATES)}).rowcount)
