"""Stripe's lists out of thin air: any number of objects, no memory, cheap, the same ones every time.

`python -m sandbox.stripe.synthetic --port 8500` serves 20,000 customers with 180,000 invoices and charges. Shapes are the
simulator's; each object is told apart by its number, from which owner, time and amount follow.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import waitress

from sandbox.stripe import objects as make
from sandbox.stripe import params
from sandbox.stripe.errors import Denied, Invalid, body_of, missing, new_request_id
from sandbox.stripe.gate import API_KEY, SECRET_KEY, key_of
from sandbox.stripe.objects import Object

CUSTOMERS, INVOICES = 20_000, 90_000
SINCE = 1_700_000_000  # Unix seconds of the first object of each kind
STEP_S = 60  # between one object and the next
# Numbers that stand in a template for the object's own, its owner's, its time and its amount.
_OWN, _OWNER, _TIME, _AMOUNT = 987_654_321, 123_456_789, 1_765_432_198, 76_543_219
_HOLES = re.compile(f"{_OWN}|{_OWNER}|{_TIME}|{_AMOUNT}")
EMPTY = ("refunds", "disputes", "credit_notes", "coupons", "events", "webhook_endpoints")


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many there are: each invoice has its charge, its intent and its invoice payment."""

    customers: int = CUSTOMERS
    invoices: int = INVOICES

    def of(self, kind: str) -> int:
        if kind in ("products", "prices"):
            return 1
        return (
            self.invoices if kind in ("invoices", "charges", "invoice_payments", "payment_intents") else self.customers
        )


def _templates() -> dict[str, tuple[str, Object]]:
    """List -> how its ids begin, an object with the holes in it."""
    cus, sub = f"cus_{_OWNER}", f"sub_{_OWNER}"
    price = make.price("price_1", "prod_1", "Team", 1999, "usd", ("month", 1), SINCE, False)
    item = make.item(f"si_{_OWN}", f"sub_{_OWN}", price, 5, _TIME, _TIME)
    card = make.payment_method(f"pm_{_OWNER}", cus, 2031, 4, SINCE)
    intent = make.payment_intent(f"pi_{_OWN}", cus, "usd", _AMOUNT, _TIME)
    intent |= {"status": "succeeded", "amount_received": _AMOUNT, "latest_charge": f"ch_{_OWN}"}
    line = make.line(f"il_{_OWN}", f"in_{_OWN}", {**item, "id": f"si_{_OWNER}", "subscription": sub}, _AMOUNT, 5, _TIME,
                     _TIME)  # fmt: skip
    return {
        "customers": ("cus_", make.customer(f"cus_{_OWN}", f"Customer {_OWN}", f"billing{_OWN}@acme.example", "usd",
                                            "DE", _TIME, {})),
        "subscriptions": ("sub_", make.subscription(f"sub_{_OWN}", f"cus_{_OWN}", "active", [item], "usd", _TIME,
                                                    {"seats_used": "4"})),
        "payment_methods": ("pm_", make.payment_method(f"pm_{_OWN}", f"cus_{_OWN}", 2031, 4, _TIME)),
        "invoices": ("in_", make.invoice(f"in_{_OWN}", cus, sub, "usd", _AMOUNT, "paid", _TIME, [line])),
        "invoice_payments": ("inpay_", make.invoice_payment(f"inpay_{_OWN}", f"in_{_OWN}", f"pi_{_OWN}", "usd", _AMOUNT,
                                                            _TIME)),
        "charges": ("ch_", make.charge(f"ch_{_OWN}", cus, f"pi_{_OWN}", "usd", _AMOUNT, _TIME, None, card)),
        "payment_intents": ("pi_", intent),
        "products": ("prod_", make.product("prod_1", "Acme Team", SINCE)),
        "prices": ("price_", price),
    }  # fmt: skip


class Synthetic:
    """A WSGI app. calls: lists that were read."""

    def __init__(self, sizes: Sizes | None = None) -> None:
        self.sizes = sizes or Sizes()
        self.calls = 0
        self._prefixes: dict[str, str] = {}
        self._parts: dict[str, list[str]] = {}
        for kind, (prefix, template) in _templates().items():
            text = json.dumps(template)
            self._prefixes[kind] = prefix
            self._parts[kind] = re.split(f"({_HOLES.pattern})", text)

    def row(self, kind: str, number: int) -> str:
        """One object as JSON text."""
        known = {
            str(_OWN): str(number), str(_OWNER): str((number - 1) % self.sizes.customers + 1),
            str(_TIME): str(SINCE + number * STEP_S), str(_AMOUNT): str(500 + number * 7919 % 50_000),
        }  # fmt: skip
        return "".join([known.get(part, part) for part in self._parts[kind]])

    def page(self, kind: str, asked: Mapping[str, Any]) -> str:
        """A page of a list as JSON text, newest first. Raises Invalid, Denied."""
        limit = params.whole(asked, "limit", 1, 100) or 10
        low, high = self._bounds(kind, asked)
        numbers: Iterable[int]
        if before := asked.get("ending_before"):
            last = min(high, self._number(kind, before) + limit)
            numbers, more = range(last, max(low, self._number(kind, before) + 1) - 1, -1), last < high
        else:
            first = min(high, self._number(kind, asked["starting_after"]) - 1) if "starting_after" in asked else high
            numbers, more = range(first, max(low - 1, first - limit), -1), first - limit >= low
        rows = ",".join([self.row(kind, n) for n in numbers]) if kind in self._parts else ""
        return f'{{"object": "list", "data": [{rows}], "has_more": {json.dumps(more)}, "url": "/v1/{kind}"}}'

    def _bounds(self, kind: str, asked: Mapping[str, Any]) -> tuple[int, int]:
        """The lowest and highest number whose time fits `created`."""
        low, high = 1, self.sizes.of(kind) if kind in self._parts else 0
        if kind in ("products", "prices"):
            return low, high
        for bound, moment in params.moments(asked, "created").items():
            steps, rest = divmod(moment - SINCE, STEP_S)
            if bound in ("gt", "gte"):
                low = max(low, steps if bound == "gte" and not rest else steps + 1)
            else:
                high = min(high, steps - 1 if bound == "lt" and not rest else steps)
        return low, high

    def _number(self, kind: str, object_id: str) -> int:
        text = object_id.removeprefix(self._prefixes.get(kind, ""))
        if not text.isdigit() or not 1 <= int(text) <= self.sizes.of(kind):
            raise missing(kind.removesuffix("s"), object_id)
        return int(text)

    def answer(self, method: str, path: str, query: str, key: str) -> str:
        """The JSON text of an answer. Raises Denied."""
        parts = path.strip("/").split("/")
        if path == "/calls":
            return json.dumps(self.calls)
        if key not in (API_KEY, SECRET_KEY):
            raise Denied("api_key_invalid", "Invalid API Key provided", 401)
        kind = parts[1] if len(parts) > 1 else ""
        if method != "GET" or parts[0] != "v1" or kind not in (*self._parts, *EMPTY) or len(parts) > 3:
            raise Denied("", f"Unrecognized request URL ({method}: {path}).", 404)
        self.calls += 1
        if len(parts) == 3:
            return self.row(kind, self._number(kind, parts[2]))
        return self.page(kind, params.tree(parse_qsl(query)))

    def __call__(self, environ: Mapping[str, Any], start_response: Callable[..., object]) -> list[bytes]:
        request_id = new_request_id()
        status, key = "200 OK", key_of(environ.get("HTTP_AUTHORIZATION", ""))
        try:
            body = self.answer(environ["REQUEST_METHOD"], environ["PATH_INFO"], environ.get("QUERY_STRING", ""), key)
        except (Denied, Invalid) as denied:
            status, body = f"{denied.status} Refused", json.dumps(body_of(denied, request_id))
        raw = body.encode()
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(raw))),
                                ("Request-Id", request_id)])  # fmt: skip
        return [raw]


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.stripe.synthetic", description=__doc__)
    parser.add_argument("--port", type=int, default=8500)
    parser.add_argument("--customers", type=int, default=CUSTOMERS)
    parser.add_argument("--invoices", type=int, default=INVOICES)
    told = parser.parse_args()
    app = Synthetic(Sizes(told.customers, told.invoices))
    waitress.serve(app, host="127.0.0.1", port=told.port, threads=8)


if __name__ == "__main__":
    main()
