"""The open leads of companies, with cards of today and in the state that follows: a fixed number of statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from app.leads import accounts, store
from app.leads.card import Card, card
from app.leads.holding import Blocked
from app.leads.judging import Judged, Standing, judge
from app.leads.match import UNKNOWN, Found
from app.leads.models import lead
from app.leads.signal import Signal, of_row
from app.leads.states import UNSENT, State, may

if TYPE_CHECKING:
    from app.leads.gather import Scene

Row = Mapping[Any, Any]
c = lead.c

_CHANGE = (
    sa.update(lead)
    .where(c.id == sa.bindparam("b_id"))
    .values(
        state=sa.bindparam("b_state"), why=sa.bindparam("b_why"), match=sa.bindparam("b_match", type_=JSONB),
        state_at=sa.case((c.state != sa.bindparam("b_state"), sa.func.now()), else_=c.state_at),
        card=sa.bindparam("b_card", type_=JSONB), digest=sa.bindparam("b_digest"), score=sa.bindparam("b_score"),
        money=sa.bindparam("b_money", type_=sa.BigInteger), currency=sa.bindparam("b_currency"),
        rules=sa.bindparam("b_rules", type_=c.rules.type), on_hold=sa.bindparam("b_on_hold", type_=sa.Boolean),
        connection_id=sa.bindparam("b_connection"), ticket_id=sa.bindparam("b_ticket"),
        expires_at=sa.bindparam("b_expires", type_=sa.DateTime(timezone=True)),
        due_at=sa.case(
            (sa.bindparam("b_due", type_=sa.Text) == "keep", c.due_at),
            (sa.bindparam("b_due", type_=sa.Text) == "never", None),
            else_=sa.func.least(
                c.due_at,
                sa.func.now() + sa.func.make_interval(0, 0, 0, 0, 0, 0, sa.bindparam("b_due_in", type_=sa.Float)),
            ),
        ),
    )
)  # fmt: skip


def refresh(
    cx: sa.Connection, scene: Scene, companies: Collection[str], found: Mapping[str, Found] | None = None
) -> None:
    """Args: companies: locked by the caller. found: matches of subjects, where the caller has them."""
    rows = store.open_of(cx, companies)
    if not rows:
        return
    found = found if found is not None else {}
    missing = {row["subject"] for row in rows if row["state"] in UNSENT and not row["account_id"]} - found.keys()
    matches = {**found, **accounts.match(cx, scene.crm_id, missing)}
    signals: dict[str, list[Signal]] = defaultdict(list)
    for one in store.signals_of(cx, [row["id"] for row in rows]):
        signals[one.lead_id].append(of_row(one))
    risks = {row["company"]: signals[row["id"]] for row in rows if row["kind"] == "risk"}
    changes, steps = [], []
    for row in rows:
        mine = signals[row["id"]]
        made = (
            card(row["kind"], [*mine, *risks.get(row["company"], ())], scene.policy, scene.now.date()) if mine else None
        )
        change = _change(scene, row, made, mine, matches)
        if change is not None:
            changes.append(change)
            if change["b_state"] != row["state"]:
                steps.append((row["id"], change["b_state"], change["b_why"]))
            elif change["b_on_hold"] != row["on_hold"]:
                steps.append((row["id"], *_hold_step(_block(scene, row))))
    if changes:
        cx.execute(_CHANGE, changes)
        store.tell(cx, steps)


def _block(scene: Scene, row: Row) -> Blocked | None:
    """Why its company must be left alone; by its subject too, which may stand for another company by now."""
    return scene.blocked.get(row["company"]) or scene.blocked.get(row["subject"])


def _hold_step(block: Blocked | None) -> tuple[str, str]:
    return ("on hold", block.sentence) if block else ("hold released", "")


def _change(
    scene: Scene, row: Row, made: Card | None, mine: Sequence[Signal], matches: Mapping[str, Found]
) -> dict[str, Any] | None:
    """The row's new values; None when there is nothing to write."""
    state = State(row["state"])
    block = _block(scene, row)
    # A company once found stays the lead's, whatever the mirror says later.
    match = None if row["account_id"] else matches.get(row["subject"])
    found = match or UNKNOWN
    where = Standing(state, row["company"], row["kind"], row["period"], row["expires_at"])
    end = judge(where, made, found, block, scene.policy, scene.now)
    if end.state is not state and not may(state, end.state):
        return None
    sent = state not in UNSENT
    why = _why_it_waits(row, block) if sent else end.why
    values = _values(row, made, mine) | _moved(scene, row, end, made)
    values |= {
        "b_id": row["id"], "b_state": end.state.value, "b_why": why,
        "b_match": match.to_json() if match and not sent else row["match"], "b_on_hold": sent and block is not None,
    }  # fmt: skip
    if sent and (values["b_on_hold"] != row["on_hold"] or why != row["why"]):
        values["b_due"], values["b_due_in"] = "soon", 0.0
    same = (
        end.state is state and values["b_digest"] == row["digest"] and values["b_on_hold"] == row["on_hold"]
        and values["b_why"] == row["why"] and values["b_match"] == row["match"] and values["b_ticket"] == row["ticket_id"]
        and values["b_rules"] == row["rules"]
    )  # fmt: skip
    return None if same else values


def _why_it_waits(row: Row, block: Blocked | None) -> str:
    """Of a lead at the CRM: what it waits for, as the record says it; while it is being sent, why is of that."""
    if State(row["state"]) is not State.PUSHED or row["due_at"] is not None:
        return str(row["why"])
    return block.sentence if block else ""


def _values(row: Row, made: Card | None, mine: Sequence[Signal]) -> dict[str, Any]:
    """What the card says; without one, as it was."""
    asked = max((one for one in mine if one.ticket[1]), key=lambda one: one.happened_at, default=None)
    ticket = (row["connection_id"], row["ticket_id"]) if row["ticket_id"] or asked is None else asked.ticket
    values = {"b_connection": ticket[0], "b_ticket": ticket[1]}
    if made is None:
        return values | {
            "b_card": row["card"], "b_digest": row["digest"], "b_score": row["score"], "b_money": row["money"],
            "b_currency": row["currency"], "b_rules": row["rules"],
        }  # fmt: skip
    money = made.money[0] if made.money else None
    return values | {
        "b_card": made.to_json(), "b_digest": made.digest(), "b_score": made.score,
        "b_money": money.minor if money else None, "b_currency": money.currency if money else "",
        "b_rules": sorted({name for one in mine for name in (one.name, one.rule) if name} | _sent_for(row)),
    }  # fmt: skip


def _sent_for(row: Row) -> set[str]:
    """What sales was told it is for: a reason that ends later was one all the same, and the report card counts it."""
    sent = State(row["state"]) not in UNSENT or row["pushed_at"] is not None
    return set(row["rules"]) if sent else set()


def _moved(scene: Scene, row: Row, end: Judged, made: Card | None) -> dict[str, Any]:
    """When it is due, and how long it may be held."""
    expires = row["expires_at"]
    if end.state is State.HELD and expires is None:
        expires = scene.now + timedelta(days=scene.policy.hold_days)
    if end.state is State.DUE or (end.state is State.DROPPED and not end.waited_too_long):
        expires = None  # kept, it says that the lead is not to come back
    gather_s = float(scene.policy.gather_s)
    if end.state is State.DUE and row["state"] != State.DUE.value:
        asked = made is not None and any(what == "ticket" for what, _, _ in made.refs)
        return {"b_expires": expires, "b_due": "soon", "b_due_in": gather_s if asked else 0.0}
    if end.state in UNSENT and end.state is not State.DUE or end.state in (State.DROPPED, State.WITHHELD):
        return {"b_expires": expires, "b_due": "never", "b_due_in": 0.0}
    news = end.state is State.PUSHED and made is not None and made.digest() != row["digest"]
    return {"b_expires": expires, "b_due": "soon" if news else "keep", "b_due_in": gather_s}
