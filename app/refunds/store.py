"""SQL of intents and their charges. Row locks are taken in one order: intent, charge, then the head of the audit record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app import audit
from app.refunds import holding
from app.refunds.intent import Intent, of_row
from app.refunds.models import refund_charge, refund_hold, refund_intent, refund_policy
from app.refunds.policy import Policy, from_json
from app.refunds.states import COUNTED, MOVES, RESERVING, State, sum_of
from app.refunds.store_work import HELD, Hold, hold_of, is_held
from integrations.kernel.errors import Conflict

MACHINE = "machine"
i, c = refund_intent.c, refund_charge.c


def lock_names(cx: sa.Connection, *names: str) -> None:
    """Until the transaction ends nobody else decides on these; taken in one order, so that nobody waits in a circle."""
    cx.execute(_LOCK, {"names": sorted(set(names))})


_LOCK = sa.text(
    "SELECT pg_advisory_xact_lock(hashtextextended('refunds/' || name, 0)) FROM unnest(CAST(:names AS text[])) AS name"
)


def lock_charge(
    cx: sa.Connection, connection_id: str, charge_id: str, currency: str, captured: int, elsewhere: int
) -> sa.Row[Any]:
    """The charge's row, made where there is none, locked, and brought to what the mirror knows.

    elsewhere: given back by others; never so much that our own sums would not fit any more: then the vendor refuses.
    """
    key = {"connection_id": connection_id, "charge_id": charge_id}
    cx.execute(insert(refund_charge).values(**key, currency=currency, captured=captured).on_conflict_do_nothing())
    mine = sa.and_(c.connection_id == connection_id, c.charge_id == charge_id)
    cx.execute(sa.select(c.charge_id).where(mine).with_for_update())
    whole = sa.func.greatest(captured, c.refunded + c.reserved)
    others = sa.func.least(elsewhere, whole - c.refunded - c.reserved)
    statement = sa.update(refund_charge).where(mine).values(captured=whole, elsewhere=others).returning(refund_charge)
    return cx.execute(statement).one()


def insert_intent(cx: sa.Connection, values: Mapping[str, Any], note: str) -> Intent:
    """A new intent in `proposed`, with the first row of its record."""
    statement = (
        sa.insert(refund_intent).values(**values, state=State.PROPOSED.value, note=note).returning(refund_intent)
    )
    made = of_row(cx.execute(statement).one())
    _record(cx, made, "", State.PROPOSED, made.person_id, {"bound": made.bound}, note)
    holding.follow(cx, made)
    return made


def take(cx: sa.Connection, intent_id: str, token: int | None = None) -> Intent | None:
    """Lock an intent and its charge. None when there is none, or when another one has claimed it since `token`."""
    row = cx.execute(sa.select(refund_intent).where(i.id == intent_id).with_for_update()).first()
    if row is None or (token is not None and row.token != token):
        return None
    mine = sa.and_(c.connection_id == row.connection_id, c.charge_id == row.charge_id)
    cx.execute(sa.select(c.charge_id).where(mine).with_for_update())
    return of_row(row)


def move(
    cx: sa.Connection,
    intent: Intent,
    new: State,
    actor: str,
    why: str = "",
    **data: Any,  # noqa: ANN401 - ids, numbers
) -> Intent:
    """One move: compare and set, the charge's sums, one row of the audit record. The intent was taken before."""
    if new not in MOVES[intent.state]:
        raise ValueError(f"{intent.state} -> {new} is not a move")  # a bug, not a situation
    statement = (
        sa.update(refund_intent)
        .where(i.id == intent.id, i.state == intent.state.value)
        .values(state=new.value, state_at=sa.func.now(), moves=i.moves + 1, why=why)
        .returning(refund_intent)
    )
    row = cx.execute(statement).first()
    if row is None:
        raise Conflict("This refund was changed by someone else. Look at it again.", intent_id=intent.id)
    _shift(cx, intent, sum_of(intent.state), sum_of(new))
    _record(cx, intent, intent.state.value, new, actor, data)
    moved = of_row(row)
    if (moved.state in holding.HOLDING) != (intent.state in holding.HOLDING):
        holding.follow(cx, moved)
    return moved


def _shift(cx: sa.Connection, intent: Intent, old: str, new: str) -> None:
    """Take the amount out of one sum and put it into the other; the CHECK refuses what does not fit."""
    if old == new:
        return
    changes = {name: c[name] + sign * intent.amount.minor for name, sign in ((old, -1), (new, 1)) if name}
    mine = sa.and_(c.connection_id == intent.connection_id, c.charge_id == intent.charge_id)
    cx.execute(sa.update(refund_charge).where(mine).values(**changes))


def _record(
    cx: sa.Connection, intent: Intent, old: str, new: State, actor: str, data: Mapping[str, Any], note: str = ""
) -> None:
    told = {
        "from": old, "to": new.value, "charge": intent.charge_id, "connection_id": intent.connection_id,
        "amount": intent.amount.minor, "currency": intent.amount.currency, "ticket": intent.ticket_id, **data,
    }  # fmt: skip
    whose = f"{intent.connection_id}:{intent.payer_id}"
    personal = {"note": note} if note else None
    audit.record(cx, actor, f"refund.{new.value}", intent.id, told, personal=personal, person=whose)


def change(cx: sa.Connection, intent_id: str, **values: Any) -> None:  # noqa: ANN401 - columns
    """Set columns that are no state. The intent was taken before."""
    cx.execute(sa.update(refund_intent).where(i.id == intent_id).values(**values))


def get(cx: sa.Connection, intent_id: str) -> Intent | None:
    row = cx.execute(sa.select(refund_intent).where(i.id == intent_id)).first()
    return of_row(row) if row else None


def by_request(cx: sa.Connection, request_id: str) -> Intent | None:
    row = cx.execute(sa.select(refund_intent).where(i.request_id == request_id)).first()
    return of_row(row) if row else None


def of_charge(cx: sa.Connection, connection_id: str, charge_id: str) -> list[Intent]:
    """Every intent of a charge, newest first."""
    query = sa.select(refund_intent).where(i.connection_id == connection_id, i.charge_id == charge_id)
    return [of_row(row) for row in cx.execute(query.order_by(i.created_at.desc(), i.id.desc()))]


def of_ticket(cx: sa.Connection, helpdesk_id: str, ticket_id: str) -> list[Intent]:
    """Every intent of a ticket, newest first."""
    query = sa.select(refund_intent).where(i.helpdesk_id == helpdesk_id, i.ticket_id == ticket_id)
    return [of_row(row) for row in cx.execute(query.order_by(i.created_at.desc(), i.id.desc()))]


def of_payer(
    cx: sa.Connection, payer: tuple[str, str], charges: Sequence[str], helpdesk_id: str, ticket_id: str
) -> tuple[list[Intent], Hold | None]:
    """Intents of a payer (connection, id), newest first: those of some charges, and those of a ticket; and why nothing is
    sent to their vendor now. One statement, as each look at a panel makes it."""
    told = {
        "connection": payer[0], "payer": payer[1], "charges": list(charges), "desk": helpdesk_id, "ticket": ticket_id,
    }  # fmt: skip
    rows = cx.execute(_OF_PAYER, told).all()
    return [of_row(row) for row in rows if row.id is not None], hold_of(rows[0])


def _of_payer() -> sa.Select[Any]:
    connection, payer, desk, ticket = (
        sa.bindparam(n, type_=sa.Text) for n in ("connection", "payer", "desk", "ticket")
    )
    charges = sa.bindparam("charges", type_=sa.ARRAY(sa.Text))
    mine = sa.and_(i.connection_id == connection, i.charge_id == sa.any_(charges))
    here = sa.and_(i.helpdesk_id == desk, i.ticket_id == ticket, i.connection_id == connection)
    one = sa.select(connection.label("connection")).subquery("one")
    beside = one.outerjoin(refund_hold, is_held(one.c.connection)).outerjoin(
        refund_intent, sa.and_(sa.or_(mine, here), i.payer_id == payer)
    )
    query = sa.select(refund_intent, *HELD).select_from(beside)
    return query.order_by(i.created_at.desc(), i.id.desc())


_OF_PAYER = _of_payer()


def listing(cx: sa.Connection, states: Sequence[State], limit: int) -> list[Intent]:
    """Intents in these states, newest first."""
    query = sa.select(refund_intent).where(i.state.in_([s.value for s in states]))
    return [of_row(row) for row in cx.execute(query.order_by(i.created_at.desc()).limit(limit))]


_ASKED = (State.PROPOSED, State.AWAITING_APPROVAL, *RESERVING, *COUNTED)


def asked_today(cx: sa.Connection, person_id: str, currency: str) -> int:
    """What a person asked for in the last 24 hours and what has not come to nothing; minor units."""
    query = sa.select(sa.func.coalesce(sa.func.sum(i.amount), 0)).where(
        i.person_id == person_id, i.currency == currency, i.state.in_([s.value for s in _ASKED]),
        i.created_at > sa.func.now() - sa.text("interval '24 hours'"),
    )  # fmt: skip
    return int(cx.execute(query).scalar_one())


# States are written out: of a parameter the planner cannot tell that a partial index holds it. A refund that the mirror
# has is in its payer's profile when it is at the bank or succeeded and its payer is known (app.billing.profile).
ON_THE_WAY = sa.text(
    """
    WITH mine AS (
        SELECT i.currency, i.amount, i.connection_id, i.payer_id, i.refund_id,
            i.state IN ('pending_vendor', 'requires_action') AS made
        FROM unnest(CAST(:connections AS text[]), CAST(:payers AS text[])) AS w(connection_id, payer_id)
        JOIN refund_intent i ON i.connection_id = w.connection_id AND i.payer_id = w.payer_id
        WHERE i.state IN ('reserved', 'sending', 'unknown', 'needs_human', 'pending_vendor', 'requires_action')
        UNION ALL
        SELECT i.currency, i.amount, i.connection_id, i.payer_id, i.refund_id, true
        FROM unnest(CAST(:connections AS text[]), CAST(:payers AS text[])) AS w(connection_id, payer_id)
        JOIN refund_intent i ON i.connection_id = w.connection_id AND i.payer_id = w.payer_id
        WHERE i.state = 'succeeded' AND i.created_at > now() - interval '90 days'
    )
    SELECT currency, count(*) AS n, sum(amount) AS minor FROM mine
    WHERE NOT made OR NOT EXISTS (
        SELECT FROM billing_object o
        WHERE o.connection_id = mine.connection_id AND o.kind = 'refund' AND o.id = mine.refund_id
            AND o.payer_id = mine.payer_id AND o.data ->> 'status' IN ('succeeded', 'pending')
    )
    GROUP BY currency
    """
)


def on_the_way(cx: sa.Connection, payers: Sequence[tuple[str, str]]) -> dict[str, tuple[int, int]]:
    """Of payers (connection, id): currency -> count and minor units of intents that the mirror does not show yet.

    Of the last 90 days: those that may have gone or will go, and those that the vendor made and we have not heard of.
    """
    told = {"connections": [one for one, _ in payers], "payers": [one for _, one in payers]}
    return {row.currency: (int(row.n), int(row.minor)) for row in cx.execute(ON_THE_WAY, told)}


def active_policy(cx: sa.Connection) -> Policy:
    """The policy in force; without one nobody may refund."""
    document = cx.execute(_POLICY).scalar()
    return from_json(document) if document else Policy()


_POLICY = sa.select(refund_policy.c.document).order_by(refund_policy.c.version.desc()).limit(1)


def put_policy(cx: sa.Connection, policy: Policy, by: str) -> int:
    """A new version; answers its number."""
    statement = sa.insert(refund_policy).values(document=policy.to_json(), made_by=by)
    version = int(cx.execute(statement.returning(refund_policy.c.version)).scalar_one())
    audit.record(cx, by, "policy.set", f"policy-{version}", policy.to_json())
    return version


def recorded(cx: sa.Connection, connection_id: str, since: datetime) -> Sequence[Intent]:
    """Every intent of a connection made since then, oldest first."""
    query = sa.select(refund_intent).where(i.connection_id == connection_id, i.created_at >= since)
    return [of_row(row) for row in cx.execute(query.order_by(i.created_at, i.id))]
