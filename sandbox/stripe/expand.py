"""`expand[]`: ids become objects, and lists that are left out by default are put in.

Source: vendor sheet 3.4; at most four levels (R).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sandbox.stripe.errors import Invalid
from sandbox.stripe.objects import Object
from sandbox.stripe.objects.shape import listed
from sandbox.stripe.store import Store

LEVELS = 4
PREFIXES = {
    "cus": "customers", "sub": "subscriptions", "in": "invoices", "pi": "payment_intents", "ch": "charges",
    "re": "refunds", "dp": "disputes", "cn": "credit_notes", "pm": "payment_methods", "price": "prices",
    "prod": "products", "di": "discounts", "inpay": "invoice_payments",
}  # fmt: skip


def _options(price: Object) -> Object:
    one = {"custom_unit_amount": None, "tax_behavior": price["tax_behavior"], "unit_amount": price["unit_amount"],
           "unit_amount_decimal": price["unit_amount_decimal"]}  # fmt: skip
    return {price["currency"]: one}


# (object, name) -> what it is; None leaves the name out, as Stripe does where it does not apply
INCLUDED: dict[tuple[str, str], Callable[[Store, Object], Any]] = {
    ("invoice", "payments"): lambda store, o: listed("/v1/invoice_payments", store.of("invoice_payments", invoice=o["id"])),
    ("charge", "refunds"): lambda store, o: listed(f"/v1/charges/{o['id']}/refunds", store.of("refunds", charge=o["id"])),
    ("customer", "subscriptions"): lambda store, o: listed(
        f"/v1/customers/{o['id']}/subscriptions",
        [s for s in store.of("subscriptions", customer=o["id"]) if s["status"] != "canceled"],
    ),
    ("customer", "sources"): lambda store, o: listed(f"/v1/customers/{o['id']}/sources", []),
    ("price", "currency_options"): lambda store, o: _options(o),
    ("price", "tiers"): lambda store, o: None,
    ("coupon", "applies_to"): lambda store, o: None,
}  # fmt: skip


def expanded(store: Store, o: Object, paths: Sequence[str]) -> Object:
    """The object with these paths expanded; the state's own is left alone. Raises Invalid for what cannot be."""
    for path in paths:
        names = path.split(".")
        if len(names) > LEVELS:
            raise Invalid(
                "", f"You cannot expand more than {LEVELS} levels of a property. Property: {path}", 400, "expand"
            )
        o = _grow(store, o, names, path)
    return o


def _grow(store: Store, value: Any, names: Sequence[str], path: str) -> Any:  # noqa: ANN401 - JSON
    if value is None:
        return None
    if isinstance(value, list):
        return [_grow(store, each, names, path) for each in value]
    if isinstance(value, str):
        value = _look_up(store, value, path)
    elif not isinstance(value, dict) or (not names and value.get("object") != "list"):
        raise _cannot(path)
    if not names:
        return value
    name, rest = names[0], names[1:]
    if name in value:
        return {**value, name: _grow(store, value[name], rest, path)}
    include = INCLUDED.get((value.get("object", ""), name))
    if include is None:
        if value.get("deleted"):
            return value
        raise _cannot(path)
    added = include(store, value)
    if added is None:
        return value
    return {**value, name: _grow(store, added, rest, path) if rest else added}


def _look_up(store: Store, object_id: str, path: str) -> Object:
    kind = PREFIXES.get(object_id.partition("_")[0], "")
    found = store.lists[kind].get(object_id) if kind else None
    found = found or store.lists["coupons"].get(object_id)
    if found is None:
        raise _cannot(path)
    return found


def _cannot(path: str) -> Invalid:
    return Invalid("", f"This property cannot be expanded ({path}).", 400, "expand")
