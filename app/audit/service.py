"""Write, verify, forget. `record` comes last in its transaction: it locks the head, and every row lock goes before it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from app.audit import store
from app.audit.chain import GENESIS, SALT_BYTES, Entry, commit, plain
from app.db import Database
from app.telemetry.logs import get_logger
from integrations.kernel.clock import iso, utc_now

log = get_logger(__name__)


def record(
    cx: sa.Connection,
    actor: str,
    action: str,
    subject: str,
    data: Mapping[str, Any] | None = None,
    *,
    personal: Mapping[str, str] | None = None,
    person: str = "",
    at: datetime | None = None,
) -> int:
    """Append one row; answers its number.

    Args:
        actor: the id of a person of ours, or `machine`.
        action: past tense, as `refund.reserved`.
        subject: the id it is about.
        data: ids, whole numbers and constant words only; never a name, an address or free text.
        personal: free text and the like: the chain gets a salted commitment, the value can be erased later.
        person: whose erasure takes `personal` with it: `connection:person id`, or "".
    """
    seq, prev = store.lock_head(cx)
    rows = [
        {"seq": seq + 1, "name": name, "person": person, "salt": os.urandom(SALT_BYTES), "value": plain(value)}
        for name, value in sorted((personal or {}).items())
    ]
    commitments = {row["name"]: commit(row["salt"], row["value"]) for row in rows}
    entry = Entry(seq + 1, at or utc_now(), actor, action, subject, plain(data or {}), commitments)
    store.append(cx, entry, prev, entry.digest(prev), rows)
    return entry.seq


def head(cx: sa.Connection) -> str:
    """`seq:hash` of the newest row: what is copied outside, so that a cut tail shows."""
    seq, digest = store.read_head(cx)
    return f"{seq}:{digest.hex()}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """broken: number of the first row that does not fit, None when all do. why: a sentence about it."""

    rows: int
    broken: int | None = None
    why: str = ""


def verify(cx: sa.Connection, outside: str = "") -> Verdict:
    """Recompute the whole chain and name the first row that does not fit.

    The head is read before the rows, and once more after them: what is appended meanwhile lies between the two, and whatever
    of it was seen has to fit as well.

    Args:
        outside: `seq:hash` copied earlier by `head`; without it a tail cut off together with the head cannot be seen.
    """
    seq, named = store.read_head(cx)
    number, prev, at_head = 0, GENESIS, GENESIS
    wanted, _, wanted_hash = outside.partition(":")
    for entry, told, digest in store.rows(cx):
        number += 1
        why = _fault(cx, number, prev, entry, told, digest)
        if not why and str(entry.seq) == wanted and digest.hex() != wanted_hash:
            why = "it is not the row that was copied outside under this number"
        if why:
            return Verdict(number, number, f"row {number}: {why}")
        prev = digest
        at_head = digest if number == seq else at_head
    if number < seq:
        return Verdict(number, number + 1, f"row {number + 1}: missing; the head says there are {seq}")
    if at_head != named:
        return Verdict(number, seq, f"row {seq}: it is not the row that the head names")
    last, _ = store.read_head(cx)
    if number > last:
        return Verdict(number, last + 1, f"row {last + 1}: the head does not know of it; it names row {last}")
    if wanted.isdigit() and int(wanted) > number:
        return Verdict(number, number + 1, f"row {number + 1}: missing; {wanted} rows were there when it was copied")
    return Verdict(number)


def _fault(cx: sa.Connection, number: int, prev: bytes, entry: Entry, told: bytes, digest: bytes) -> str:
    if entry.seq != number:
        return f"missing; the next one is {entry.seq}"
    if told != prev:
        return "does not continue the row before it"
    if entry.digest(prev) != digest:
        return "was changed after it was written"
    if not entry.commitments:
        return ""
    kept = store.personal(cx, number, number)
    for (_, name), (salt, value) in kept.items():
        if entry.commitments.get(name) != commit(salt, value):
            return f"its personal value {name} was changed after it was written"
    return ""


def copy_head(database: Database, path: str) -> str:
    """Say the head in the log, and append it to a file outside the database where one is set; answers it."""
    with database.begin() as cx:
        copied = head(cx)
    log.info("audit_head", head=copied)
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(f"{iso(utc_now())} {copied}\n")
    return copied


def forget(cx: sa.Connection, person: str) -> int:
    """Erase what the record holds of a person in clear; the chain still verifies. Answers how many values."""
    return store.forget(cx, person)
