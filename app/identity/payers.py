"""The index of payers: their addresses, domains and the metadata keys the admin names. Follows the billing mirror."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.customers.folding import base_of, domain_of, fold, is_free_mail
from app.customers.look_alike import skeleton
from app.identity.models import payer_domain, payer_key
from app.identity.policy import IdentitySettings
from integrations.kernel.billing import Gone, Payer

Told = tuple[Payer | Gone, datetime | None]
LONGEST_VALUE = 500  # of a metadata value, as Stripe allows


# As one JSON text: a statement with a hundred rows of parameters is too long to be kept prepared.
_PUT = sa.text(
    """
    INSERT INTO payer_address AS a (connection_id, payer_id, as_of, gone, folded, base, domain)
    SELECT :connection, r.* FROM jsonb_to_recordset(CAST(:rows AS jsonb))
        AS r(payer_id text, as_of timestamptz, gone boolean, folded text, base text, domain text)
    ON CONFLICT (connection_id, payer_id) DO UPDATE
    SET as_of = coalesce(excluded.as_of, a.as_of), gone = excluded.gone, folded = excluded.folded, base = excluded.base,
        domain = excluded.domain
    WHERE excluded.as_of IS NULL OR a.as_of IS NULL OR a.as_of <= excluded.as_of
    RETURNING a.payer_id
    """
)


def index_payers(
    cx: sa.Connection, connection_id: str, records: Iterable[object], *, settings: IdentitySettings
) -> None:
    """Keep the index; records that are no payers are passed over.

    Args:
        records: kernel.billing records, or pairs of one and its vendor's time. With a time, older never overwrites;
            without, the record was read just now and wins.
    """
    told = _newest(records)
    if not told:
        return
    rows = [_address(record, as_of) for record, as_of in told]
    written = set(cx.execute(_PUT, {"connection": connection_id, "rows": json.dumps(rows)}).scalars())
    fresh = [record for record, _ in told if record.id in written]
    _put_domains(cx, fresh)
    _put_keys(cx, connection_id, fresh, settings)


def _newest(records: Iterable[object]) -> list[Told]:
    """One telling of each payer, the last of the newest; in id order."""
    newest: dict[str, Told] = {}
    for one in records:
        record, as_of = one if isinstance(one, tuple) else (one, None)
        if not (isinstance(record, Payer) or (isinstance(record, Gone) and record.kind == "payer")):
            continue
        known = newest.get(record.id)
        if known is None or as_of is None or known[1] is None or as_of >= known[1]:
            newest[record.id] = (record, as_of)
    return [newest[key] for key in sorted(newest)]


def _address(record: Payer | Gone, as_of: datetime | None) -> dict[str, Any]:
    folded = fold(record.email or "") if isinstance(record, Payer) else ""
    domain = domain_of(folded)
    return {
        "payer_id": record.id, "as_of": as_of.isoformat() if as_of else None, "gone": isinstance(record, Gone),
        "folded": folded or None, "base": base_of(folded) or None,
        "domain": None if is_free_mail(domain) else domain or None,
    }  # fmt: skip


def _put_domains(cx: sa.Connection, records: Sequence[Payer | Gone]) -> None:
    domains = {domain_of(fold(r.email or "")) for r in records if isinstance(r, Payer)} - {""}
    if domains:
        rows = [{"domain": domain, "skeleton": skeleton(domain)} for domain in sorted(domains)]
        cx.execute(insert(payer_domain).on_conflict_do_nothing(), rows)


def _put_keys(
    cx: sa.Connection, connection_id: str, records: Sequence[Payer | Gone], settings: IdentitySettings
) -> None:
    """Replace what these payers' metadata says of requesters and companies."""
    ids = sa.any_(sa.literal([r.id for r in records], sa.ARRAY(sa.Text)))
    cx.execute(sa.delete(payer_key).where(payer_key.c.connection_id == connection_id, payer_key.c.payer_id == ids))
    rows = [
        {"connection_id": connection_id, "payer_id": record.id, "key": key, "value": value}
        for record in records
        if isinstance(record, Payer)
        for key in sorted({*settings.link_keys, *settings.organization_keys})
        if (value := str(record.metadata.get(key, "")).strip()[:LONGEST_VALUE]) and "\x00" not in value
    ]
    if rows:
        cx.execute(insert(payer_key).on_conflict_do_nothing(), rows)
