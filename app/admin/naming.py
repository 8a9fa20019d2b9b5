"""Whom a lead is about, in words: the company at the CRM where it is known, else the subject by its name in a mirror."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from app.billing import store as billing
from app.customers import store as customers_store
from app.ui.words import plain


def names(cx: sa.Connection, subjects: Iterable[str]) -> dict[str, str]:
    """Names by subject (`payer:bank:cus_1`); what no mirror knows is missing. One query a kind and connection."""
    wanted: dict[tuple[str, str], list[str]] = defaultdict(list)
    for subject in set(subjects):
        what, connection_id, one = parts(subject)
        if one:
            wanted[what, connection_id].append(one)
    found: dict[str, str] = {}
    for (what, connection_id), ids in wanted.items():
        known = _LOOKED_UP[what](cx, connection_id, ids) if what in _LOOKED_UP else {}
        found |= {f"{what}:{connection_id}:{one}": plain(name) for one, name in known.items() if name}
    return found


def parts(subject: str) -> tuple[str, str, str]:
    """(what, connection, id) of a subject; a domain has no connection: ("domain", "", "northwind.example")."""
    what, _, rest = subject.partition(":")
    if what == "domain":
        return what, "", rest
    connection_id, _, one = rest.partition(":")
    return what, connection_id, one


def name_of(row: sa.RowMapping, known: Mapping[str, str]) -> str:
    """The name a lead's row is shown under."""
    what, _, one = parts(str(row["subject"]))
    return plain(row.get("account_name")) or known.get(row["subject"], "") or plain(one) or what


def _payers(cx: sa.Connection, connection_id: str, ids: list[str]) -> dict[str, str]:
    found = billing.by_id(cx, connection_id, [("payer", one) for one in ids])
    return {one: data.get("name") or data.get("email") or "" for (_, one), data in found.items()}


def _organizations(cx: sa.Connection, connection_id: str, ids: list[str]) -> dict[str, str]:
    return {one: found.name for one, found in customers_store.organizations(cx, connection_id, ids).items()}


def _people(cx: sa.Connection, connection_id: str, ids: list[str]) -> dict[str, str]:
    return {one: found.name for one, found in customers_store.people(cx, connection_id, ids).items()}


_LOOKED_UP = {"payer": _payers, "organization": _organizations, "person": _people}
