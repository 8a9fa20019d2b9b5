"""SQL of claims, leases, looks and holds. Every time is the database's: workers' clocks may differ."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.refunds.intent import Intent, of_row
from app.refunds.models import refund_credit, refund_hold, refund_intent, refund_look
from app.refunds.states import AT_THE_BANK, ON_ITS_WAY, State

i, k, h = refund_intent.c, refund_look.c, refund_hold.c
LOOK_LEASE_S = 60.0


class Hold(NamedTuple):
    """Why nothing of a connection is sent to its vendor, and since when."""

    since: datetime
    why: str


def after(seconds: float) -> sa.ColumnElement[Any]:
    """A moment from now."""
    return sa.func.now() + sa.func.make_interval(0, 0, 0, 0, 0, 0, float(seconds))


def moment(cx: sa.Connection) -> datetime:
    """Now, by the clock that `state_at` is written by: when this transaction began."""
    found: datetime = cx.execute(sa.select(sa.func.now())).scalar_one()
    return found


def _due() -> sa.ColumnElement[bool]:
    held = sa.exists().where(h.connection_id == i.connection_id, h.until > sa.func.now())
    return sa.and_(
        i.state.in_([s.value for s in ON_ITS_WAY]), i.lease_until.is_(None), i.due_at <= sa.func.now(), ~held
    )


def claim(cx: sa.Connection, limit: int, lease_s: float) -> list[Intent]:
    """Take due intents nobody owns. A claim raises the token, so that whoever owned one before writes nothing more."""
    due = sa.select(i.id).where(_due()).order_by(i.due_at).limit(limit).with_for_update(skip_locked=True)
    statement = (
        sa.update(refund_intent)
        .where(i.id.in_(due))
        .values(token=i.token + 1, tries=i.tries + 1, lease_until=after(lease_s))
        .returning(refund_intent)
    )
    return sorted((of_row(row) for row in cx.execute(statement)), key=lambda one: one.id)


def lapsed(cx: sa.Connection, limit: int) -> list[Intent]:
    """Intents whose worker did not come back in time, locked. The token is raised: it is out of the race from now on."""
    query = (
        sa.select(i.id)
        .where(i.state.in_([s.value for s in ON_ITS_WAY]), i.lease_until <= sa.func.now())
        .order_by(i.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    statement = (
        sa.update(refund_intent)
        .where(i.id.in_(query))
        .values(token=i.token + 1, lease_until=None, due_at=sa.func.now())
        .returning(refund_intent)
    )
    return sorted((of_row(row) for row in cx.execute(statement)), key=lambda one: one.id)


def age_s(cx: sa.Connection, intent_id: str) -> float:
    """Seconds since its first call began, by the database's clock; 0 when none did."""
    query = sa.select(sa.extract("epoch", sa.func.now() - i.first_sent_at)).where(i.id == intent_id)
    return float(cx.execute(query).scalar() or 0.0)


def expired(cx: sa.Connection, limit: int) -> list[str]:
    """Intents that waited for an approval for too long."""
    query = sa.select(i.id).where(i.state == State.AWAITING_APPROVAL.value, i.expires_at <= sa.func.now()).limit(limit)
    return list(cx.execute(query).scalars())


def has_due(cx: sa.Connection) -> bool:
    """Is there a refund to send or to look at, or a credit note to write?"""
    n = refund_credit.c
    credit = sa.and_(n.state.in_(("pending", "sending", "unknown")), n.due_at <= sa.func.now())
    queries = (
        sa.select(i.id).where(_due()), sa.select(k.intent_id).where(k.due_at <= sa.func.now()),
        sa.select(n.intent_id).where(credit),
    )  # fmt: skip
    return any(cx.execute(query.limit(1)).first() is not None for query in queries)


def heard(
    cx: sa.Connection, connection_id: str, intents: Sequence[str], refunds: Sequence[str], charges: Sequence[str]
) -> int:
    """Somebody told of these: look at the intents meant. Takes no lock of an intent, so the inbox may call it."""
    undecided = (*(s.value for s in ON_ITS_WAY), State.NEEDS_HUMAN.value, *(s.value for s in AT_THE_BANK))
    meant = sa.select(i.id, sa.func.now()).where(
        i.connection_id == connection_id,
        i.attempts > 0,
        sa.or_(
            i.id.in_(list(intents)), i.refund_id.in_([r for r in refunds if r]),
            sa.and_(i.charge_id.in_(list(charges)), i.state.in_(undecided)),
        ),
    )  # fmt: skip
    statement = insert(refund_look).from_select(["intent_id", "due_at"], meant.order_by(i.id))
    return cx.execute(
        statement.on_conflict_do_update(index_elements=["intent_id"], set_={"due_at": statement.excluded.due_at})
    ).rowcount


def poll_due(cx: sa.Connection, limit: int, every_s: float) -> int:
    """Look at refunds the bank has not answered whose time has come."""
    due = (
        sa.select(i.id)
        .where(i.next_look_at <= sa.func.now(), i.state.in_([s.value for s in AT_THE_BANK]))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    statement = sa.update(refund_intent).where(i.id.in_(due)).values(next_look_at=after(every_s)).returning(i.id)
    rows = [{"intent_id": one} for one in cx.execute(statement).scalars()]
    if rows:
        cx.execute(insert(refund_look).on_conflict_do_nothing(), rows)
    return len(rows)


def stalled(cx: sa.Connection, hours: float, limit: int) -> list[str]:
    """Refunds at the bank for longer than this, that nobody was told of."""
    since = sa.func.now() - sa.func.make_interval(0, 0, 0, 0, 0, 0, hours * 3600.0)
    query = sa.select(i.id).where(
        i.state.in_([s.value for s in AT_THE_BANK]), i.stalled_at.is_(None), i.state_at < since
    )
    return list(cx.execute(query.limit(limit)).scalars())


def claim_looks(cx: sa.Connection, limit: int) -> list[tuple[str, Any]]:
    """(intent, when it is due again if we die) of what is to be looked at."""
    due = sa.select(k.intent_id).where(k.due_at <= sa.func.now()).order_by(k.due_at).limit(limit)
    statement = (
        sa.update(refund_look)
        .where(k.intent_id.in_(due.with_for_update(skip_locked=True)))
        .values(due_at=after(LOOK_LEASE_S))
        .returning(k.intent_id, k.due_at)
    )
    return [(row.intent_id, row.due_at) for row in cx.execute(statement)]


def looked(cx: sa.Connection, intent_id: str, due_at: Any) -> None:  # noqa: ANN401 - a time, as claimed
    """Done, unless somebody told of it again meanwhile."""
    cx.execute(sa.delete(refund_look).where(k.intent_id == intent_id, k.due_at == due_at))


def hold(cx: sa.Connection, connection_id: str, why: str, seconds: float) -> bool:
    """Send nothing of a connection for a while; True when it was not held before, or not for an hour."""
    statement = insert(refund_hold).values(connection_id=connection_id, until=after(seconds), why=why)
    is_over = h.until < sa.func.now() - sa.text("interval '1 hour'")
    since = sa.case((is_over, sa.func.now()), else_=h.since)
    statement = statement.on_conflict_do_update(
        index_elements=["connection_id"], set_={"until": statement.excluded.until, "why": why, "since": since}
    )
    return bool(cx.execute(statement.returning(h.since == sa.func.now())).scalar_one())


def held(cx: sa.Connection, connection_id: str) -> Hold | None:
    """Why nothing of a connection is sent, None while it is. For a page: nothing is locked."""
    row = cx.execute(_HELD, {"connection": connection_id}).first()
    return hold_of(row) if row else None


def is_held(connection: Any) -> sa.ColumnElement[bool]:  # noqa: ANN401 - a column or a parameter
    """Its row says so. What is held is tried again when its time is over, and held anew within seconds: a page does not
    blink meanwhile."""
    return sa.and_(h.connection_id == connection, h.until > sa.func.now() - sa.text("interval '1 minute'"))


def hold_of(row: Any) -> Hold | None:  # noqa: ANN401 - a row
    """From a row with the columns HELD."""
    return Hold(row.held_since, row.held_why) if row.held_since is not None else None


HELD: Final = (h.since.label("held_since"), h.why.label("held_why"))
_HELD = sa.select(*HELD).where(is_held(sa.bindparam("connection", type_=sa.Text)))


def release(cx: sa.Connection, connection_id: str) -> bool:
    """End a hold; False when there was none."""
    return cx.execute(sa.delete(refund_hold).where(h.connection_id == connection_id)).rowcount == 1


def holds(cx: sa.Connection) -> Sequence[sa.RowMapping]:
    return cx.execute(sa.select(refund_hold).order_by(h.connection_id)).mappings().all()
