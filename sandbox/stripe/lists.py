"""Lists and single objects: paging newest first, filters, expansion.

Source: the document derived from stripe-python 16.1.0 for the filters of each list; vendor sheet 3.3 for paging.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sandbox.stripe import params
from sandbox.stripe.errors import Denied, Invalid, missing
from sandbox.stripe.expand import expanded
from sandbox.stripe.objects import Object
from sandbox.stripe.store import Store

PAGING = ("limit", "starting_after", "ending_before", "expand")
FILTERS: dict[str, tuple[str, ...]] = {  # list -> names it takes besides paging
    "customers": ("created", "email"),
    "products": ("created", "active", "ids"),
    "prices": ("created", "active", "currency", "product", "type"),
    "coupons": ("created",),
    "subscriptions": ("created", "customer", "status", "price", "collection_method"),
    "invoices": ("created", "customer", "status", "subscription", "collection_method"),
    "invoice_payments": ("created", "invoice", "payment", "status"),
    "charges": ("created", "customer", "payment_intent"),
    "refunds": ("created", "charge", "payment_intent"),
    "disputes": ("created", "charge", "payment_intent"),
    "credit_notes": ("created", "customer", "invoice"),
    "payment_methods": ("customer", "type"),
    "payment_intents": ("created", "customer"),
}
COMPARE = {"gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le}
NAMES = {"payment_methods": "PaymentMethod", "invoices": "invoice"}


def page(store: Store, kind: str, rows: Sequence[Object], asked: Mapping[str, Any], url: str) -> Object:
    """One page of rows (oldest first). Raises Invalid, or Denied for a cursor that is unknown."""
    limit = params.whole(asked, "limit", 1, 100) or 10
    after, before = params.text(asked, "starting_after"), params.text(asked, "ending_before")
    if after and before:
        raise Invalid("parameters_exclusive", "Only one of starting_after and ending_before may be given")
    newest = list(rows)[::-1]
    if after or before:
        place = next((n for n, row in enumerate(newest) if row["id"] == (after or before)), None)
        if place is None:
            raise Denied("resource_missing", f"No such {_singular(kind)}: '{after or before}'", 400,
                         "starting_after" if after else "ending_before")  # fmt: skip
        newest = newest[place + 1 :] if after else newest[:place]
    shown = newest[-limit:] if before else newest[:limit]
    found = {"object": "list", "data": shown, "has_more": len(newest) > len(shown), "url": url}
    return expanded(store, found, params.texts(asked, "expand"))


def _singular(kind: str) -> str:
    return NAMES.get(kind, kind.removesuffix("s"))


def listing(store: Store, kind: str, asked: Mapping[str, Any]) -> Object:
    """A page of one of the lists. Raises Invalid."""
    params.known(asked, (*PAGING, *FILTERS[kind]))
    rows = [o for o in store.lists[kind].values() if not o.get("deleted")]
    for bound, moment in params.moments(asked, "created").items():
        rows = [o for o in rows if COMPARE[bound](o["created"], moment)]
    for name in FILTERS[kind]:
        if name in asked and name != "created":
            value = asked[name]
            keep = SPECIAL.get((kind, name)) or _equal(name)
            rows = [o for o in rows if keep(o, value)]
    if kind == "subscriptions" and "status" not in asked:
        rows = [o for o in rows if o["status"] != "canceled"]
    if kind == "payment_methods":
        rows = [o for o in rows if o["customer"]]
    return page(store, kind, rows, asked, f"/v1/{kind}")


def one(store: Store, kind: str, object_id: str, asked: Mapping[str, Any]) -> Object:
    """A single object; a deleted one says so. Raises Denied resource_missing."""
    params.known(asked, ("expand",))
    if object_id not in store.lists[kind]:
        raise missing(_singular(kind), object_id)
    return expanded(store, store.lists[kind][object_id], params.texts(asked, "expand"))


def _equal(name: str) -> Callable[[Object, Any], bool]:
    return lambda o, value: str(o.get(name)) == value


def _status(o: Object, value: Any) -> bool:  # noqa: ANN401 - as asked
    if value == "ended":
        return o["status"] in ("canceled", "incomplete_expired")
    return bool(value == "all" or o["status"] == value)


def _payment(o: Object, value: Any) -> bool:  # noqa: ANN401 - as asked
    if not isinstance(value, dict):
        raise Invalid("parameter_invalid_hash", "Invalid hash: payment", 400, "payment")
    return all(str(o["payment"].get(name)) == wanted for name, wanted in value.items())


SPECIAL: dict[tuple[str, str], Callable[[Object, Any], bool]] = {
    ("subscriptions", "status"): _status,
    ("subscriptions", "price"): lambda o, v: any(i["price"]["id"] == v for i in o["items"]["data"]),
    ("invoices", "subscription"): lambda o, v: o["parent"]["subscription_details"]["subscription"] == v,
    ("invoice_payments", "payment"): _payment,
    ("products", "active"): lambda o, v: o["active"] == (v == "true"),
    ("prices", "active"): lambda o, v: o["active"] == (v == "true"),
    ("products", "ids"): lambda o, v: o["id"] in v,
}
