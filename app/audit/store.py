"""All SQL of the audit record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.audit.chain import GENESIS, Entry
from app.audit.models import audit, audit_head, audit_personal

PAGE = 1_000


def lock_head(cx: sa.Connection) -> tuple[int, bytes]:
    """(last seq, its hash), locked until the transaction ends: rows get their numbers one after the other."""
    query = sa.select(audit_head.c.seq, audit_head.c.hash).where(audit_head.c.id == 1)
    row = cx.execute(query.with_for_update()).one()
    return int(row.seq), bytes(row.hash)


def read_head(cx: sa.Connection) -> tuple[int, bytes]:
    row = cx.execute(sa.select(audit_head.c.seq, audit_head.c.hash).where(audit_head.c.id == 1)).first()
    return (int(row.seq), bytes(row.hash)) if row else (0, GENESIS)


def append(cx: sa.Connection, entry: Entry, prev: bytes, digest: bytes, personal: Sequence[Mapping[str, Any]]) -> None:
    """Write one row and move the head to it."""
    cx.execute(
        sa.insert(audit).values(
            seq=entry.seq, at=entry.at, actor=entry.actor, action=entry.action, subject=entry.subject, data=entry.data,
            commitments=entry.commitments, prev=prev, hash=digest,
        )
    )  # fmt: skip
    if personal:
        cx.execute(insert(audit_personal), list(personal))
    cx.execute(sa.update(audit_head).where(audit_head.c.id == 1).values(seq=entry.seq, hash=digest))


def rows(cx: sa.Connection, *, after: int = 0, subject: str = "") -> Iterator[tuple[Entry, bytes, bytes]]:
    """Every row after a number in order, with its `prev` and `hash`, read in pages."""
    while True:
        query = sa.select(audit).where(audit.c.seq > after).order_by(audit.c.seq).limit(PAGE)
        page = cx.execute(query.where(audit.c.subject == subject) if subject else query).all()
        for r in page:
            entry = Entry(r.seq, r.at, r.actor, r.action, r.subject, r.data, r.commitments)
            yield entry, bytes(r.prev), bytes(r.hash)
        if len(page) < PAGE:
            return
        after = page[-1].seq


def personal(cx: sa.Connection, first: int, last: int) -> dict[tuple[int, str], tuple[bytes, str]]:
    """(seq, name) -> salt and value, of what has not been erased."""
    query = sa.select(audit_personal).where(audit_personal.c.seq.between(first, last))
    return {(r.seq, r.name): (bytes(r.salt), r.value) for r in cx.execute(query)}


def forget(cx: sa.Connection, person: str) -> int:
    """Erase the salts and values of a person; answers how many there were."""
    return cx.execute(sa.delete(audit_personal).where(audit_personal.c.person == person)).rowcount
