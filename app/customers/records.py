"""People and companies as rows. Texts come from strangers: what a database refuses is replaced first."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from app.customers.folding import base_of, domain_of, fold, fold_domain
from app.customers.look_alike import skeleton
from integrations.kernel.records import OrganizationRecord, PersonRecord

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
Row = dict[str, Any]


def person_row(connection_id: str, record: PersonRecord) -> Row:
    """The row of a person."""
    return {
        "connection_id": connection_id, "id": record.id, "as_of": record.as_of, "digest": digest(record),
        "name": storable(record.name), "role": record.role, "external_id": storable(_told(record.external_id)),
        "organization_id": record.organization_id, "locale": storable(record.locale),
        "time_zone": storable(record.time_zone), "active": record.active, "fields": storable(record.fields),
    }  # fmt: skip


def email_rows(connection_id: str, record: PersonRecord) -> list[Row]:
    """The rows of a person's addresses; what is no address has none, two that fold alike are one."""
    rows: dict[str, Row] = {}
    for email in record.emails:
        folded = fold(email.address)
        if not folded:
            continue
        known = rows.get(folded, {"verified": False, "is_primary": False})
        rows[folded] = {
            "connection_id": connection_id, "person_id": record.id, "address": email.address, "folded": folded,
            "base": base_of(folded), "domain": domain_of(folded), "verified": known["verified"] or email.verified,
            "is_primary": known["is_primary"] or email.primary, "exact": record.all_emails,
        }  # fmt: skip
    return list(rows.values())


def organization_row(connection_id: str, record: OrganizationRecord) -> Row:
    """The row of a company."""
    return {
        "connection_id": connection_id, "id": record.id, "as_of": record.as_of, "digest": digest(record),
        "name": storable(record.name), "external_id": storable(_told(record.external_id)),
        "fields": storable(record.fields),
    }  # fmt: skip


def domain_rows(connection_id: str, record: OrganizationRecord) -> list[Row]:
    """The rows of a company's domains."""
    folded = sorted({fold_domain(domain) for domain in record.domains} - {""})
    return [
        {"connection_id": connection_id, "organization_id": record.id, "domain": one, "skeleton": skeleton(one)}
        for one in folded
    ]


def digest(record: PersonRecord | OrganizationRecord) -> str:
    """The same for records that say the same, whenever they said it."""
    content = dataclasses.asdict(record)
    del content["as_of"]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def storable(value: Any) -> Any:  # noqa: ANN401 - any part of a record
    """NUL and lone surrogates become the replacement character, at any depth."""
    if isinstance(value, str):
        return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, Mapping):
        return {storable(str(name)): storable(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [storable(item) for item in value]
    return value


def _told(external_id: str | None) -> str | None:
    return (external_id or "").strip() or None
