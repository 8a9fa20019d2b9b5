"""Parts that many of Stripe's objects share: ids that may be expanded, times, amounts, metadata, discounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from integrations.kernel import billing as k
from integrations.kernel.clock import from_unix
from integrations.kernel.money import Money
from integrations.stripe.amounts import money

Object = Mapping[str, Any]


def id_of(value: Any) -> str:  # noqa: ANN401 - an id, an expanded object, or null
    """The id of a reference, expanded or not; empty for null."""
    if isinstance(value, str):
        return value
    return str(value.get("id") or "") if isinstance(value, Mapping) else str(value or "")


def moment(value: Any) -> datetime | None:  # noqa: ANN401 - unix seconds or null
    """A time, or None for null and for 0, which Stripe uses for "never"."""
    return from_unix(int(value)) if value else None


def metadata(o: Object) -> dict[str, str]:
    """Metadata as text."""
    return {str(name): str(value) for name, value in (o.get("metadata") or {}).items()}


def amount(o: Object, name: str) -> Money:
    """One amount of an object, in the object's currency; missing counts as nothing."""
    return money(int(o.get(name) or 0), o["currency"])


def discounts(values: Sequence[Any] | None) -> tuple[k.Discount, ...]:
    """Discounts that came as ids or as objects, with or without their coupon."""
    return tuple(_discount(d) for d in values or ())


def _discount(d: Any) -> k.Discount:  # noqa: ANN401 - an id or an expanded discount
    """Source: vendor sheet 3.4: the coupon moved from `coupon` to `source.coupon` (clover), an id unless expanded."""
    if not isinstance(d, Mapping):
        return k.Discount(str(d), known=False)
    coupon = (d.get("source") or {}).get("coupon") or d.get("coupon")
    if not isinstance(coupon, Mapping):
        return k.Discount(str(d["id"]), known=False)
    off = coupon.get("amount_off")
    return k.Discount(
        str(d["id"]),
        known=True,
        percent=Decimal(str(coupon["percent_off"])) if coupon.get("percent_off") is not None else None,
        amount=money(int(off), coupon["currency"]) if off is not None else None,
        duration=str(coupon.get("duration") or ""),
        end=moment(d.get("end")),
    )
