"""Records to JSON rows: money as {"minor", "currency"}, times as ISO text, decimals as text."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson

from integrations.kernel.billing import KIND_OF, Discount, Gone, Payer, Subscription
from integrations.kernel.clock import iso, parse_iso
from integrations.kernel.money import Money

Row = dict[str, Any]


def _money(value: Money) -> dict[str, Any]:
    return {"minor": value.minor, "currency": value.currency}


_NAMES: dict[type, tuple[str, ...]] = {}


def _fields(value: Any) -> dict[str, Any]:  # noqa: ANN401 - a record
    names = _NAMES.get(type(value))
    if names is None:
        names = _NAMES[type(value)] = tuple(f.name for f in dataclasses.fields(value))
    return {name: getattr(value, name) for name in names}


_SPECIAL: Mapping[type, Callable[[Any], Any]] = {
    Money: _money,
    Decimal: lambda value: format(value, "f"),
}


def _default(value: Any) -> Any:  # noqa: ANN401 - any part of a record
    convert: Callable[[Any], Any] = _SPECIAL.get(type(value)) or _fields
    return convert(value)


def _with_times(value: Any) -> Any:  # noqa: ANN401 - any part of a record
    return iso(value) if isinstance(value, datetime) else _default(value)


_slowly: Callable[[Any], str] = json.JSONEncoder(default=_with_times, sort_keys=True, separators=(",", ":")).encode
_AS_IS = orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z  # a record's times are UTC, and so are written as clock.iso does


def _encode(record: Any) -> str:  # noqa: ANN401 - a record
    """Fields in the order of their class. What orjson refuses (halves of characters, giant numbers) goes the long way."""
    try:
        return orjson.dumps(record, default=_default, option=_AS_IS).decode()
    except orjson.JSONEncodeError:
        return _slowly(record)


def to_json(record: Any) -> Any:  # noqa: ANN401 - a record
    """A record, or any part of one, as JSON."""
    return json.loads(_encode(record))


def _storable(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """The same without what PostgreSQL holds in no text: zero characters and halves of characters."""
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_storable(name): _storable(item) for name, item in value.items()}
    return [_storable(item) for item in value] if isinstance(value, list) else value


def row(connection_id: str, record: Any, as_of: datetime) -> Row:  # noqa: ANN401 - a kernel.billing record
    """The row of a record, `data` as JSON text, `digest` in hex; a `Gone` has none and keeps what was known."""
    gone = isinstance(record, Gone)
    text = "{}" if gone else _encode(record)
    if "\\u0000" in text or "\\ud" in text:
        text = json.dumps(_storable(json.loads(text)), sort_keys=True, separators=(",", ":"))
    return {
        "connection_id": connection_id,
        "kind": record.kind if gone else KIND_OF[type(record)],
        "id": record.id,
        "payer_id": record.payer_id or "",
        "charge_id": getattr(record, "charge_id", "") or getattr(record, "source", ""),
        "as_of": as_of,
        "digest": hashlib.sha256(f"{gone}{text}".encode()).hexdigest()[:32],
        "gone": gone,
        "data": text,
    }


def unknown_discounts(record: object) -> list[str]:
    """Discounts of a record whose coupon was not told with it: webhooks name them by id only."""
    if isinstance(record, Payer):
        found: Sequence[Discount] = record.discounts
    elif isinstance(record, Subscription):
        found = [*record.discounts, *(d for i in record.items for d in i.discounts)]
    else:
        return []
    return [d.id for d in found if not d.known]


def known_discounts(data: Mapping[str, Any]) -> dict[str, Discount]:
    """The discounts a stored payer or subscription has with their coupons, by id."""
    told = [*data.get("discounts", ()), *(d for i in data.get("items", ()) for d in i["discounts"])]
    return {d["id"]: _discount(d) for d in told if d["known"]}


def _discount(d: Mapping[str, Any]) -> Discount:
    return Discount(
        d["id"],
        known=True,
        percent=Decimal(d["percent"]) if d["percent"] is not None else None,
        amount=Money(d["amount"]["minor"], d["amount"]["currency"]) if d["amount"] else None,
        duration=d["duration"],
        end=parse_iso(d["end"]) if d["end"] else None,
    )


def with_discounts(record: Payer | Subscription, known: Mapping[str, Discount]) -> Payer | Subscription:
    """The record with what is known of its discounts; a discount keeps its coupon for life."""

    def filled(found: Sequence[Discount]) -> tuple[Discount, ...]:
        return tuple(d if d.known else known.get(d.id, d) for d in found)

    if isinstance(record, Payer):
        return dataclasses.replace(record, discounts=filled(record.discounts))
    items = tuple(dataclasses.replace(i, discounts=filled(i.discounts)) for i in record.items)
    return dataclasses.replace(record, discounts=filled(record.discounts), items=items)
