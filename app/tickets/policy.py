"""How another telling of a ticket changes what we hold. Pure; nothing given is ever changed in place.

Every value keeps the newest telling of itself, by the vendor's time: a read tells all values at once, an event those it
carries. So any order and number of tellings ends alike; only where two of one moment differ, a read must decide.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from app.tickets.flat import CUSTOM, flat, nested
from integrations.kernel.records import TicketRecord


class Outcome(StrEnum):
    """What a telling was to the mirror, weakest first. A stale one may still fill what no newer one told."""

    STALE = "stale"
    TIE = "tie"
    NEWER = "newer"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Held:
    """What the mirror holds of one ticket.

    as_of: of the newest telling. read_as_of: of the newest read; None when there was none (then it is not complete).
    told_at: of the values that events told after that read, by flat name. reread: in doubt. values: a TicketValues.
    """

    id: str
    as_of: datetime
    read_as_of: datetime | None = None
    reread: bool = False
    gone: bool = False
    values: Mapping[str, Any] = field(default_factory=dict)
    told_at: Mapping[str, datetime] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        return self.read_as_of is not None

    @property
    def status(self) -> str | None:
        status: str | None = self.values.get("status")
        return status

    @property
    def requester_id(self) -> str | None:
        requester: str | None = self.values.get("requester_id")
        return requester


def apply(held: Held | None, record: TicketRecord) -> tuple[Held, Outcome]:
    """The ticket after this telling, the same object where nothing changed.

    Only a read brings back a ticket that was gone.
    """
    before = held or Held(record.id, record.as_of)
    after = _read(before, record) if record.complete else _event(before, record)
    if held is None:
        return after, Outcome.NEW
    outcome = {True: Outcome.NEWER, False: Outcome.STALE}[record.as_of > held.as_of]
    return (held if after == held else after), Outcome.TIE if record.as_of == held.as_of else outcome


def _read(held: Held, record: TicketRecord) -> Held:
    """All values at once, but those an event told later. Of one moment, the read wins: it is the vendor's word of now.

    Two reads of one moment that differ leave a doubt, once: the next read settles it.
    """
    if held.read_as_of is not None and record.as_of < held.read_as_of:
        return held
    later = {name: moment for name, moment in held.told_at.items() if moment > record.as_of}
    known = flat(held.values)
    values = nested(flat(record.values) | {name: known[name] for name in later if name in known})
    is_newest = record.as_of >= held.as_of
    differs = _content(values) != _content(held.values)
    doubt = record.as_of == held.read_as_of and differs and not (held.reread or held.gone)
    return Held(
        held.id,
        max(held.as_of, record.as_of),
        record.as_of,
        reread=doubt or (held.reread and not is_newest),
        gone=_is_deleted(values) if is_newest else held.gone,
        values=values,
        told_at=later,
    )


def _event(held: Held, record: TicketRecord) -> Held:
    """The values it carries, each unless something newer told it; a value told twice in one moment is asked for."""
    known, told_at = flat(held.values), dict(held.told_at)
    doubt = False
    for name, value in flat(record.values).items():
        moment = told_at.get(name, held.read_as_of)
        if name == CUSTOM:
            known.setdefault(name, value)
        elif moment is None or record.as_of > moment:
            known[name], told_at[name] = value, record.as_of
        elif record.as_of == moment:
            doubt = doubt or name not in known or known[name] != value
    is_newer = record.as_of > held.as_of
    values = nested(known)
    return replace(
        held,
        as_of=max(held.as_of, record.as_of),
        reread=held.reread or doubt or (held.gone and is_newer),
        gone=held.gone or _is_deleted(values),
        values=values,
        told_at=told_at,
    )


def _content(values: Mapping[str, Any]) -> dict[str, Any]:
    """What a ticket says; that it was saved at another moment is no difference."""
    return {name: value for name, value in values.items() if name != "updated_at"}


def _is_deleted(values: Mapping[str, Any]) -> bool:
    return values.get("status") == "deleted"
