"""What the canvases are made from: the panel of a conversation, one payment of it, its refunds. No vendor is called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app import refunds
from app.access import Actor
from app.refunds import Intent, Prepared, Where
from integrations.kernel.errors import NotFound
from sidebar_app import billed, canvas_door, canvas_views, panel, payers, reading, refund_states, two_facts
from sidebar_app.canvas_door import Asked
from sidebar_app.canvas_kit import Component
from sidebar_app.canvas_views import Asking
from sidebar_app.identity import Visit
from sidebar_app.panel import Panel
from sidebar_app.parts import parts
from sidebar_app.rows import Row


class NotShown(NotFound):
    code, public = "canvas.no_payment", "This payment is none of this conversation's payer. Go back and choose again."


class NotAsked(NotFound):
    code, public = "canvas.no_refund", "This refund was not asked for in this conversation."


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment of the conversation's payer, and where somebody asks for it back. held: as `Payer` says it."""

    row: Row
    where: Where
    who: Visit
    actor: Actor
    held: str


@contextmanager
def visiting(asked: Asked, now: datetime) -> Iterator[tuple[sa.Connection, Visit]]:
    """One transaction around what is shown."""
    parts().accounts()
    with parts().runtime.database.begin() as cx:
        yield cx, canvas_door.visit(cx, asked, now)


def stored(asked: Asked, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """What the next request shall bring back; nothing of it is believed. payer: its key. first: of a list. charge."""
    kept = {name: asked.stored[name] for name in ("payer", "first", "charge") if name in asked.stored}
    return {**kept, **changes}


def text_of(asked: Asked, name: str) -> str:
    """A text we stored, "" where it is none."""
    value = asked.stored.get(name)
    return value if isinstance(value, str) else ""


def first_of(asked: Asked) -> int:
    """The first row of the list that is shown; 0 for whatever is no such number."""
    value = asked.stored.get("first")
    return value if type(value) is int and 0 <= value < billed.MANY else 0


def built(cx: sa.Connection, who: Visit, key: str) -> Panel:
    """The panel with its long lists. Raises NotTheirs for a payer that is none of the requester's."""
    return panel.build(cx, who, parts().runtime.settings, parts().accounts(), asked=key, many=True)


def home(asked: Asked, now: datetime, *, problem: str = "") -> tuple[list[Component], dict[str, Any]]:
    """The first canvas and what is stored with it. A conversation that never reached us is asked for."""
    key = text_of(asked, "payer")
    with visiting(asked, now) as (cx, who):
        found = panel.with_problem(built(cx, who, key), problem, asked.typed)
        if found.state == "unknown":
            reading.want_ticket(cx, who)
    if found.state == "unknown":
        parts().bell.ring()
    shown = canvas_views.home(found, askings(asked, now), who.reader, first_of(asked), chosen=bool(key))
    return shown, stored(asked, charge="")


def intents(asked: Asked) -> Sequence[Intent]:
    """What was asked for in this conversation, newest first."""
    return refunds.of_ticket(parts().runtime.refunds, asked.account.connection_id, asked.conversation_id)


def askings(asked: Asked, now: datetime) -> Sequence[Asking]:
    """The same, each with whether this admin is offered to take it back: by the mirror, the click asks Intercom."""
    every = intents(asked)
    with visiting(asked, now) as (cx, who):
        actor = refund_states.actor(cx, who)
        held = {one: refund_states.waiting(cx, one, who.reader) for one in {i.connection_id for i in every}}
    return [Asking(one, who.writable and refunds.may_void(actor, one), held[one.connection_id]) for one in every]


def intent(asked: Asked, intent_id: str) -> Intent:
    """A refund of this conversation. Raises NotAsked for every other one."""
    found = next((one for one in intents(asked) if one.id == intent_id), None)
    if found is None:
        raise NotAsked
    return found


def payment(asked: Asked, charge_id: str, now: datetime) -> Payment:
    """A payment the canvas listed. Raises NotShown for every other one."""
    with visiting(asked, now) as (cx, who):
        found = built(cx, who, text_of(asked, "payer"))
        actor = refund_states.actor(cx, who)
    listed = found.payer.lists.charges if found.payer else ()
    row = next((one for one in listed if one.key == charge_id), None)
    if row is None or found.payer is None:
        raise NotShown
    billing = found.payer.key.partition("/")[0]
    where = Where(billing, row.key, asked.account.connection_id, asked.conversation_id)
    return Payment(row, where, who, actor, found.payer.held)


def with_names(prepared: Prepared) -> Prepared:
    """The strip with names where it has ids of people."""
    with parts().runtime.database.begin() as cx:
        return refund_states.with_names(cx, prepared)


def choose(asked: Asked, key: str, now: datetime) -> None:
    """One of several payers; remembered where their match is more than an unverified address. Raises NotTheirs."""
    with visiting(asked, now) as (cx, who):
        settings, accounts = parts().runtime.settings, parts().accounts()
        found = panel.found_match(cx, who, settings, accounts)
        one = payers.pick(found, key)
        if one is not None and who.requester is not None and who.writable:
            payers.choose(cx, who.requester, found, one, who.by)


def refresh(asked: Asked, now: datetime) -> None:
    """Have the payer read at the vendor again by a worker."""
    with visiting(asked, now) as (cx, who):
        match = panel.found_match(cx, who, parts().runtime.settings, parts().accounts())
        one = payers.pick(match, text_of(asked, "payer"))
        if one is not None:
            reading.want_payer(cx, one.key, now)


def prove(asked: Asked, now: datetime) -> str:
    """Facts that prove who pays; answers why they do not, or "". Each try counts, so it is committed first."""
    with visiting(asked, now) as (cx, who):
        if not who.writable or who.requester is None:
            raise canvas_door.NoSeat
        reading.count_try(cx, who, now)
    with parts().runtime.database.begin() as cx:
        match = panel.found_match(cx, who, parts().runtime.settings, parts().accounts())
        try:
            facts = two_facts.typed(asked.typed)
            candidates = [one.key for one in match.payers]
            two_facts.upgrade(cx, who.requester, facts, candidates, list(parts().accounts()), who.by)
        except (two_facts.FactsDiffer, two_facts.FactsMissing) as error:
            return error.public
    return ""


def once(connection_id: str) -> str:
    """The purpose under which this connection's confirmations are used up."""
    return f"canvas/{connection_id}"


def typed_of(asked: Asked) -> Mapping[str, str]:
    """What stood in the refund's form."""
    return {name: asked.typed.get(name, "") for name in ("amount", "reason", "note")}
