"""How another telling of a ticket changes what we hold. Pure; nothing given is ever changed in place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from integrations.kernel.records import TicketRecord


class Outcome(StrEnum):
    """What a telling was to the mirror, weakest first."""

    STALE = "stale"
    TIE = "tie"
    NEWER = "newer"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Held:
    """What the mirror holds of one ticket. values: a TicketValues; `reread`: it is in doubt."""

    id: str
    as_of: datetime
    complete: bool
    reread: bool = False
    gone: bool = False
    values: Mapping[str, Any] = field(default_factory=dict)

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

    Older: nothing. Newer: a complete record replaces all, an event's values are laid over what is known. A tie that
    differs asks for one more read. Only a complete record brings back a ticket that was gone.
    """
    told = _normal(record.values)
    if held is None:
        return Held(record.id, record.as_of, record.complete, False, _is_deleted(told), told), Outcome.NEW
    if record.as_of < held.as_of:
        return (_older_read(held, told) if record.complete else held), Outcome.STALE
    if record.as_of > held.as_of:
        return (_read(held, record, told) if record.complete else _newer_event(held, record, told)), Outcome.NEWER
    return (_tied_read(held, record, told) if record.complete else _tied_event(held, told)), Outcome.TIE


def _read(held: Held, record: TicketRecord, told: dict[str, Any]) -> Held:
    """All that is known is what was read; it also ends every doubt."""
    return Held(held.id, record.as_of, True, False, _is_deleted(told), told)


def _older_read(held: Held, told: dict[str, Any]) -> Held:
    """A read from before the event we hold (the vendor's copies lag): it fills what the event did not carry.

    The doubt this leaves is good for one more read; when that is as old, the vendor knows nothing newer.
    """
    if not held.complete:
        return replace(held, values=_merged(told, held.values), complete=True, reread=True)
    return replace(held, reread=False) if held.reread else held


def _newer_event(held: Held, record: TicketRecord, told: dict[str, Any]) -> Held:
    return replace(
        held,
        as_of=record.as_of,
        values=_merged(held.values, told),
        gone=held.gone or _is_deleted(told),
        reread=held.reread or held.gone,
    )


def _tied_read(held: Held, record: TicketRecord, told: dict[str, Any]) -> Held:
    """The vendor's word of now wins. Where it was not asked for and differs, one more read settles it."""
    doubt = held.complete and not held.reread and not held.gone and dict(held.values) != told
    read = replace(_read(held, record, told), reread=doubt)
    return held if read == held else read


def _tied_event(held: Held, told: dict[str, Any]) -> Held:
    """What is unknown is taken; what differs is asked for, since nobody can say which came last."""
    both = _merged(told, held.values)
    doubt = _merged(both, told) != both
    known = replace(held, values=both, reread=held.reread or doubt)
    return held if known == held else known


def _merged(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Later values over earlier ones; custom fields one by one."""
    merged = {**before, **after}
    if "custom_fields" in before and "custom_fields" in after:
        merged["custom_fields"] = {**before["custom_fields"], **after["custom_fields"]}
    return merged


def _normal(values: Mapping[str, Any]) -> dict[str, Any]:
    """Tags as a sorted, lower-case set, whatever the vendor's folder did."""
    told = dict(values)
    if "tags" in told:
        told["tags"] = sorted({str(tag).lower() for tag in told["tags"] or ()})
    return told


def _is_deleted(values: Mapping[str, Any]) -> bool:
    return values.get("status") == "deleted"
