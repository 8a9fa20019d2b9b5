"""The record as CSV or JSON lines, safe to open in a spreadsheet."""

from __future__ import annotations

import json
from collections.abc import Iterator

import sqlalchemy as sa

from app.audit import store
from app.audit.chain import Entry
from app.ui.sheets import line
from integrations.kernel.clock import iso

COLUMNS = ("seq", "at", "actor", "action", "subject", "data", "hash")


def as_csv(cx: sa.Connection) -> Iterator[str]:
    """Lines with their end; the first is the header."""
    yield line(COLUMNS)
    for entry, _, digest in store.rows(cx):
        yield line(_values(entry, digest))


def as_json(cx: sa.Connection) -> Iterator[str]:
    """One object a line; `data` is JSON, not text."""
    for entry, prev, digest in store.rows(cx):
        told = {
            "seq": entry.seq, "at": iso(entry.at), "actor": entry.actor, "action": entry.action,
            "subject": entry.subject, "data": entry.data, "commitments": entry.commitments, "prev": prev.hex(),
            "hash": digest.hex(),
        }  # fmt: skip
        yield json.dumps(told, sort_keys=True) + "\n"


def _values(entry: Entry, digest: bytes) -> list[str]:
    data = json.dumps(entry.data, sort_keys=True)
    return [str(entry.seq), iso(entry.at), entry.actor, entry.action, entry.subject, data, digest.hex()]
