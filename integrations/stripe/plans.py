"""What is sold for a time: Stripe's prices and subscriptions in our words."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from integrations.kernel import billing as k
from integrations.kernel.clock import from_unix
from integrations.stripe.amounts import unit
from integrations.stripe.parts import Object, discounts, id_of, metadata, moment


def price(o: Object) -> k.Price:
    """Every currency of a price, as far as tiers and `currency_options` were expanded."""
    currency = str(o["currency"])
    others = {c: v for c, v in (o.get("currency_options") or {}).items() if c != currency}
    return k.Price(
        id=o["id"],
        product_id=id_of(o.get("product")),
        name=str(o.get("nickname") or ""),
        amounts=(_amount(o, currency), *(_amount(v, str(c)) for c, v in sorted(others.items()))),
        graduated=o.get("tiers_mode") == "graduated",
    )


def _amount(o: Object, currency: str) -> k.Amount:
    tiers = tuple(
        k.Tier(t.get("up_to"), _exact(t, "unit_amount", currency), _exact(t, "flat_amount", currency))
        for t in o.get("tiers") or ()
    )
    return k.Amount(currency.upper(), _unit(o, currency), tiers)


def _unit(o: Object, currency: str) -> Decimal | None:
    exact = o.get("unit_amount_decimal")
    exact = o.get("unit_amount") if exact is None else exact
    return unit(exact, currency) if exact is not None else None


def _exact(tier: Object, name: str, currency: str) -> Decimal:
    told: Any = tier.get(f"{name}_decimal")
    return unit(told if told is not None else tier.get(name) or 0, currency)


def subscription(o: Object) -> k.Subscription:
    """A subscription; its period ends are on its items (basil), on itself before that."""
    currency = str(o.get("currency") or "")
    return k.Subscription(
        id=o["id"], payer_id=id_of(o["customer"]), status=str(o["status"]), paused=bool(o.get("pause_collection")),
        items=tuple(_item(i, currency, o.get("current_period_end")) for i in o["items"]["data"]),
        discounts=discounts(_discounts(o)), started=from_unix(o.get("start_date") or o["created"]),
        cancel_at=moment(o.get("cancel_at")), cancel_at_period_end=bool(o.get("cancel_at_period_end")),
        trial_end=moment(o.get("trial_end")), metadata=metadata(o), method_id=id_of(o.get("default_payment_method")),
    )  # fmt: skip


def _discounts(o: Object) -> list[Any]:
    """Source: vendor sheet 3.4: `discounts` since basil; one `discount` before."""
    return list(o.get("discounts") or ([o["discount"]] if o.get("discount") else []))


def _item(i: Object, currency: str, period_end: int | None) -> k.Item:
    """A price of several currencies shows its own first one: then the amount is looked up at the price."""
    its = i["price"]
    recurring = its.get("recurring") or {}
    own = not currency or its["currency"] == currency
    packs = its.get("transform_quantity") or {}
    return k.Item(
        id=i["id"], product_id=id_of(its.get("product")), plan=str(its.get("nickname") or ""),
        currency=(currency or its["currency"]).upper(), unit=_unit(its, its["currency"]) if own else None,
        quantity=int(i.get("quantity") or 0), interval=str(recurring.get("interval") or ""),
        interval_count=int(recurring.get("interval_count") or 1), metered=recurring.get("usage_type") == "metered",
        period_end=moment(i.get("current_period_end") or period_end), discounts=discounts(i.get("discounts")),
        price_id=id_of(its), pack=int(packs.get("divide_by") or 1), pack_up=packs.get("round") != "down",
    )  # fmt: skip
