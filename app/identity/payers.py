"""The index of payers: their addresses, domains and the metadata keys the admin names. Follows the billing mirror."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.customers.folding import base_of, domain_of, fold, is_free_mail
from app.customers.look_alike import skeleton
from app.identity.models import payer_address, payer_domain, payer_key
from app.identity.policy import IdentitySettings
from integrations.kernel.billing import Gone, Payer

Told = tuple[Payer | Gone, datetime | None]
LONGEST_VALUE = 500  # of a metadata value, as Stripe allows


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
    statement = insert(payer_address)
    new, old = statement.excluded, payer_address.c
    statement = statement.on_conflict_do_update(
        index_elements=["connection_id", "payer_id"],
        set_={
            "as_of": sa.func.coalesce(new.as_of, old.as_of), "gone": new.gone, "folded": new.folded,
            "base": new.base, "domain": new.domain,
        },
        where=sa.or_(new.as_of.is_(None), old.as_of.is_(None), old.as_of <= new.as_of),
    )  # fmt: skip
    rows = [_address(connection_id, record, as_of) for record, as_of in told]
    written = set(cx.execute(statement.returning(old.payer_id), rows).scalars())
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


def _address(connection_id: str, record: Payer | Gone, as_of: datetime | None) -> dict[str, Any]:
    folded = fold(record.email or "") if isinstance(record, Payer) else ""
    domain = domain_of(folded)
    return {
        "connection_id": connection_id, "payer_id": record.id, "as_of": as_of, "gone": isinstance(record, Gone),
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
