"""Queries and what their rows mean. Pure: a query is a text with `{}` and the values that go there, quoted by the client.

Names of objects and fields in the texts are constants, or settings that were checked to be names. Source: vendor sheet 4.3
and 4.4, read 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

import idna

from integrations.kernel.clock import parse_iso
from integrations.kernel.crm import AccountRecord, ContactRecord, CrmUser, Shape, Standing
from integrations.salesforce.org import CURRENCY, OBJECTS, Sheet
from integrations.salesforce.settings import REASON_FIELD, VERDICT_FIELD
from integrations.salesforce.words import money

PAGE: Final = 2000
CHUNK: Final = 200  # ids or keys in one query: an address may have 16,000 characters
Query = tuple[str, tuple[Any, ...]]
Row = Mapping[str, Any]

_COMMON: Final = ("Id", "SystemModstamp", "IsDeleted", "OwnerId", VERDICT_FIELD, REASON_FIELD)
_STANDING: Final[Mapping[Shape, tuple[str, ...]]] = {
    Shape.LEAD: (
        "Status",
        "IsConverted",
        "ConvertedAccountId",
        "ConvertedContactId",
        "ConvertedOpportunityId",
        "MasterRecordId",
    ),
    Shape.DEAL: ("StageName", "IsClosed", "IsWon", "Amount", CURRENCY, "AccountId"),
    Shape.TASK: ("Status", "IsClosed", "WhatId", "WhoId"),
}
DESCRIPTION: Final = "Description"
DIRECTORY: Final = ("Account", "Contact", "User")
_DIRECTORY: Final = {
    "Account": ("Id", "SystemModstamp", "IsDeleted", "Name", "OwnerId", "ParentId", "Website"),
    "Contact": ("Id", "SystemModstamp", "IsDeleted", "AccountId", "Email"),
    "User": ("Id", "SystemModstamp", "Name", "IsActive"),
}
STAFF: Final = "UserType = 'Standard'"  # customers of a portal are users too, and own nothing
ACCOUNT_PREFIX: Final = "001"


def standing_fields(shape: Shape, sheet: Sheet, key: str) -> list[str]:
    """Of those that tell a standing, the ones the org has."""
    return [name for name in (*_COMMON, key, *_STANDING[shape]) if name in sheet.fields]


def by_ids(shape: Shape, fields: Sequence[str], field: str, values: Sequence[str]) -> Query:
    """Up to 200 records by their id or our key."""
    return f"SELECT {', '.join(fields)} FROM {OBJECTS[shape]} WHERE {field} IN {{}} LIMIT {PAGE}", (list(values),)  # noqa: S608 - names, checked


def directory_fields(name: str, account: Sheet, more: Sequence[str]) -> list[str]:
    """more: fields of Account the admin named; those the org does not have are left out."""
    extra = [one for one in more if one and one in account.fields] if name == "Account" else []
    return list(dict.fromkeys([*_DIRECTORY[name], *extra]))


def page_of(name: str, fields: Sequence[str], only: str, since: str, after: tuple[str, str] | None) -> Query:
    """One page by the time of change, and by id within one moment. since, after: times as `literal` writes them."""
    parts = [only] if only else []
    values: tuple[Any, ...] = ()
    if after is not None:
        at, object_id = after
        parts.append(f"(SystemModstamp > {at} OR (SystemModstamp = {at} AND Id > {{}}))")
        values = (object_id,)
    elif since:
        parts.append(f"SystemModstamp >= {since}")
    where = f" WHERE {' AND '.join(parts)}" if parts else ""
    return f"SELECT {', '.join(fields)} FROM {name}{where} ORDER BY SystemModstamp, Id LIMIT {PAGE}", values  # noqa: S608 - names, checked


def literal(moment: datetime) -> str:
    """A time in a query, to the millisecond."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def changed_at(row: Row) -> datetime:
    """Raises KeyError, ValueError, TypeError."""
    return parse_iso(row["SystemModstamp"])


def standing(shape: Shape, row: Row, key: str, currency: str) -> Standing:
    """A record as it is now. currency: of an org with one. Raises KeyError, ValueError, TypeError."""
    what = _text(row, "WhatId")
    return Standing(
        shape, str(row["Id"]), changed_at(row), key=_text(row, key), status=_text(row, "Status"),
        verdict=_text(row, VERDICT_FIELD), reason=_text(row, REASON_FIELD), converted=row.get("IsConverted") is True,
        account_id=_text(row, "ConvertedAccountId") or _text(row, "AccountId") or what * what.startswith(ACCOUNT_PREFIX),
        contact_id=_text(row, "ConvertedContactId") or _text(row, "WhoId"),
        deal_id=_text(row, "ConvertedOpportunityId"), stage=_text(row, "StageName"), closed=row.get("IsClosed") is True,
        won=row.get("IsWon") is True, amount=money(row.get("Amount"), _text(row, CURRENCY) or currency),
        owner_id=_text(row, "OwnerId"), gone=row.get("IsDeleted") is True, merged_into=_text(row, "MasterRecordId"),
        description=_text(row, DESCRIPTION),
    )  # fmt: skip


def account(row: Row, key_field: str, territory_field: str) -> AccountRecord:
    """Raises KeyError, ValueError, TypeError."""
    domain = host_of(_text(row, "Website"))
    return AccountRecord(
        str(row["Id"]), changed_at(row), name=_text(row, "Name"), owner_id=_text(row, "OwnerId"),
        parent_id=_text(row, "ParentId"), external_id=_text(row, key_field), domains=(domain,) if domain else (),
        territory=_text(row, territory_field), gone=row.get("IsDeleted") is True,
    )  # fmt: skip


def contact(row: Row) -> ContactRecord:
    """Raises KeyError, ValueError, TypeError."""
    domain = fold(_text(row, "Email").rpartition("@")[2])
    return ContactRecord(
        str(row["Id"]), changed_at(row), _text(row, "AccountId"), domain, gone=row.get("IsDeleted") is True
    )


def user(row: Row) -> CrmUser:
    """Raises KeyError."""
    return CrmUser(str(row["Id"]), _text(row, "Name"), row.get("IsActive") is True)


def host_of(website: str) -> str:
    """The folded domain of what somebody typed as a website; "" for none. `www.` is nobody's mail domain."""
    try:
        host = urlsplit(website if "//" in website else f"//{website}").hostname or ""
    except ValueError:
        return ""
    return fold(host.removeprefix("www."))


def fold(domain: str) -> str:
    """A domain in lower-case ASCII, as addresses are compared elsewhere; "" for none."""
    text = domain.strip().rstrip(".").lower()
    if not text.isascii():
        try:
            text = idna.encode(text, uts46=True, transitional=False).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            return ""
    labels = text.split(".")
    fits = len(labels) > 1 and all(one and all(c.isalnum() or c in "-_" for c in one) for one in labels)
    return text if fits and len(text) <= 253 else ""


def _text(row: Row, name: str) -> str:
    value = row.get(name) if name else None
    return "" if value is None else str(value).replace("\x00", "")
