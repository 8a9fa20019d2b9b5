"""All SQL of the tickets' mirror; every function takes many tickets and is a fixed number of statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

import sqlalchemy as sa

from app.tickets.models import CHANGEABLE, OPEN, ticket
from app.tickets.policy import Held, Outcome
from app.tickets.policy import apply as apply_record
from app.tickets.text import to_json
from integrations.kernel.clock import iso, parse_iso
from integrations.kernel.records import TicketRecord

Ticket = Held  # what readers call it


@dataclass(frozen=True, slots=True)
class Applied:
    """What a batch did to one ticket. outcome: of the telling that changed most. previous: before the batch."""

    outcome: Outcome
    ticket: Ticket
    previous: Ticket | None

    @property
    def as_of(self) -> datetime:
        return self.ticket.as_of


class Landed(Protocol):
    """A write of ours that was done: what the ticket's values are after it."""

    def applied_to(self, values: Mapping[str, Any]) -> dict[str, Any]: ...


# Rows in id order, so that two batches never wait for each other crosswise.
_NEW_ROWS = """
    SELECT :connection AS connection_id, n.* FROM unnest(
        CAST(:ids AS text[]), CAST(:times AS timestamptz[]), CAST(:reads AS timestamptz[]), CAST(:told AS jsonb[]),
        CAST(:reread AS boolean[]), CAST(:gone AS boolean[]), CAST(:status AS text[]), CAST(:requesters AS text[]),
        CAST(:organizations AS text[]), CAST(:documents AS jsonb[])
    ) AS n(id, as_of, read_as_of, told, reread, gone, status, requester_id, organization_id, "values")
"""
_INSERT = sa.text(
    "INSERT INTO ticket (connection_id, id, as_of, read_as_of, told, reread, gone, status, requester_id,"
    f' organization_id, "values") {_NEW_ROWS} ON CONFLICT DO NOTHING RETURNING id'
)
_UPDATE = sa.text(
    f"""
    UPDATE ticket SET as_of = n.as_of, read_as_of = n.read_as_of, told = n.told, reread = n.reread, gone = n.gone,
        status = n.status, requester_id = n.requester_id, organization_id = n.organization_id,
        "values" = n."values", changed_at = now()
    FROM ({_NEW_ROWS}) n WHERE ticket.connection_id = n.connection_id AND ticket.id = n.id
    """  # noqa: S608 - constant text
)
_BURY = sa.text(
    """
    INSERT INTO ticket (connection_id, id, as_of, gone, "values")
    SELECT :connection, id, CAST(:as_of AS timestamptz), true, '{}' FROM unnest(CAST(:ids AS text[])) AS n(id)
    ON CONFLICT (connection_id, id) DO UPDATE
    SET gone = true, reread = false, as_of = greatest(ticket.as_of, excluded.as_of), changed_at = now()
    WHERE :now_known OR ticket.as_of <= excluded.as_of
    """
)
_LONG_AGO = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def apply(cx: sa.Connection, connection_id: str, records: Sequence[TicketRecord]) -> dict[str, Applied]:
    """Put records into the mirror, oldest first whatever their order; of one moment, reads after events.

    Returns:
        by ticket: what the batch did and what the mirror holds now. Tickets are locked in id order until the commit.
    """
    if not records:
        return {}
    before = _locked(cx, connection_id, sorted({record.id for record in records}))
    after: dict[str, Held] = dict(before)
    outcomes: dict[str, Outcome] = {}
    for record in sorted(records, key=lambda r: (r.as_of, r.complete)):
        after[record.id], outcome = apply_record(after.get(record.id), record)
        outcomes[record.id] = max(outcome, outcomes.get(record.id, outcome), key=list(Outcome).index)
    lost = _insert(cx, connection_id, [one for key, one in after.items() if key not in before])
    _update(cx, connection_id, [one for key, one in after.items() if key in before and one is not before[key]])
    result = {key: Applied(outcomes[key], one, before.get(key)) for key, one in after.items()}
    if lost:  # another batch made these rows since we looked: they exist now, so this is done at most once more
        result |= apply(cx, connection_id, [record for record in records if record.id in lost])
    return result


def fold(cx: sa.Connection, connection_id: str, landed: Sequence[tuple[str, Landed]]) -> None:
    """Put our own finished writes into the mirror: what we did needs no read. The vendor's time stays as it was."""
    if not landed:
        return
    before = _locked(cx, connection_id, sorted({ticket_id for ticket_id, _ in landed}))
    after = dict(before)
    for ticket_id, change in landed:
        if (one := after.get(ticket_id)) is not None:
            after[ticket_id] = replace(one, values=change.applied_to(one.values))
    _update(cx, connection_id, [one for key, one in after.items() if one.values != before[key].values])


def lock(cx: sa.Connection, connection_id: str, ids: Sequence[str]) -> None:
    """Lock tickets in id order. Whoever writes mirror and outbox locks the mirror first: no waiting in a circle."""
    _locked(cx, connection_id, sorted(set(ids)))


def _locked(cx: sa.Connection, connection_id: str, ids: Sequence[str]) -> dict[str, Held]:
    query = _of(connection_id, ids).order_by(ticket.c.id).with_for_update()
    return {row.id: _held(row) for row in cx.execute(query)}


def _of(connection_id: str, ids: Iterable[str]) -> sa.Select[tuple[Any, ...]]:
    wanted = sa.any_(sa.literal(list(ids), sa.ARRAY(sa.Text)))
    return sa.select(ticket).where(ticket.c.connection_id == connection_id, ticket.c.id == wanted)


def _held(row: sa.Row[tuple[Any, ...]]) -> Held:
    told_at = {name: parse_iso(moment) for moment, names in row.told.items() for name in names}
    return Held(row.id, row.as_of, row.read_as_of, row.reread, row.gone, row._mapping["values"], told_at)


def _told(held: Held) -> str:
    """Names by time: an event tells many values at once."""
    by_time: dict[str, list[str]] = defaultdict(list)
    for name, moment in held.told_at.items():
        by_time[iso(moment)].append(name)
    return to_json(by_time)


def _insert(cx: sa.Connection, connection_id: str, held: Sequence[Held]) -> set[str]:
    """New rows; answers the tickets another transaction was faster with."""
    if not held:
        return set()
    done = set(cx.execute(_INSERT, _arrays(connection_id, held)).scalars())
    return {one.id for one in held} - done


def _update(cx: sa.Connection, connection_id: str, held: Sequence[Held]) -> None:
    if held:
        cx.execute(_UPDATE, _arrays(connection_id, held))


def _arrays(connection_id: str, held: Sequence[Held]) -> dict[str, Any]:
    rows = sorted(held, key=lambda one: one.id)
    return {
        "connection": connection_id,
        "ids": [one.id for one in rows],
        "times": [one.as_of for one in rows],
        "reads": [one.read_as_of for one in rows],
        "told": [_told(one) for one in rows],
        "reread": [one.reread for one in rows],
        "gone": [one.gone for one in rows],
        "status": [one.status for one in rows],
        "requesters": [one.requester_id for one in rows],
        "organizations": [one.values.get("organization_id") for one in rows],
        "documents": [to_json(one.values) for one in rows],
    }


def read(cx: sa.Connection, connection_id: str, ids: Sequence[str]) -> dict[str, Ticket]:
    """Tickets by id; an unknown one is missing."""
    if not ids:
        return {}
    return {row.id: _held(row) for row in cx.execute(_READ, {"connection": connection_id, "ids": list(ids)})}


_READ = sa.select(ticket).where(
    ticket.c.connection_id == sa.bindparam("connection", type_=sa.Text),
    ticket.c.id == sa.any_(sa.bindparam("ids", type_=sa.ARRAY(sa.Text))),
)


def needing_read(cx: sa.Connection, connection_id: str, ids: Sequence[str]) -> list[str]:
    """Of these, the tickets that are unknown, not wholly known, in doubt, or thought gone though someone names them."""
    if not ids:
        return []
    well = _of(connection_id, ids).with_only_columns(ticket.c.id)
    known = set(cx.execute(well.where(ticket.c.read_as_of.is_not(None), ~ticket.c.reread, ~ticket.c.gone)).scalars())
    return [one for one in dict.fromkeys(ids) if one not in known]


def mark_gone(cx: sa.Connection, connection_id: str, ids: Sequence[str], as_of: datetime | None = None) -> None:
    """These tickets are no longer at the helpdesk. `as_of`: since when, by the vendor's clock, where it was told.

    What is known of a later moment stands: the ticket was restored, and its deletion comes late. None: gone as of now.
    """
    if ids:
        known = as_of is None
        given = {"connection": connection_id, "ids": sorted(set(ids)), "as_of": as_of or _LONG_AGO, "now_known": known}
        cx.execute(_BURY, given)


def open_tickets_of(
    cx: sa.Connection,
    connection_id: str,
    requesters: Sequence[str] = (),
    *,
    organizations: Sequence[str] = (),
    also_solved: bool = True,
    after_id: str,
    limit: int,
) -> list[str]:
    """Ids of these people's and companies' tickets after an id, in id order: the next chunk of a fan-out.

    Closed and gone tickets never; solved ones unless `also_solved` is off.
    """
    people = sa.any_(sa.literal(list(requesters), sa.ARRAY(sa.Text)))
    companies = sa.any_(sa.literal(list(organizations), sa.ARRAY(sa.Text)))
    whose = [ticket.c.requester_id == people, ticket.c.organization_id == companies]
    given = [clause for clause, ids in zip(whose, (requesters, organizations), strict=True) if ids]
    if not given:
        return []
    query = sa.select(ticket.c.id).where(ticket.c.connection_id == connection_id, sa.or_(*given), CHANGEABLE)
    if not also_solved:
        query = query.where(OPEN)
    return list(cx.execute(query.where(ticket.c.id > after_id).order_by(ticket.c.id).limit(limit)).scalars())
