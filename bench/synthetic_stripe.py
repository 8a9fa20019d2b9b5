"""Stripe's lists out of thin air, for measuring: any number of objects, no memory, the same ones every time.

Run as `python -m bench.synthetic_stripe PORT CUSTOMERS PER_CUSTOMER`. Objects have the shapes of the simulator's.
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from sandbox.stripe import objects as make

T = 1_795_514_400
_HOLE = 987_654_321  # a number that stands for the object's own in a template
_OWNER = 123_456_789  # and one for its customer's


def templates() -> dict[str, tuple[str, str]]:
    """List -> (object as text with the holes, how its id begins)."""
    cus, iid, cid = f"cus_{_OWNER}", f"in_{_HOLE}", f"ch_{_HOLE}"
    price = make.price("price_1", "prod_1", "Team", 1999, "usd", ("month", 1), T, False)
    item = make.item(f"si_{_HOLE}", f"sub_{_HOLE}", price, 5, T, T + 2_592_000)
    invoice = make.invoice(iid, cus, f"sub_{_OWNER}", "usd", 9995, "paid", T)
    invoice["lines"]["data"] = [{
        "id": f"il_{_HOLE}", "object": "line_item", "amount": 9995, "currency": "usd", "description": "5 x Team",
        "discount_amounts": [], "discountable": True, "discounts": [], "invoice": iid, "livemode": False,
        "metadata": {}, "parent": {"type": "subscription_item_details", "subscription_item_details": {
            "proration": False, "subscription": f"sub_{_OWNER}", "subscription_item": f"si_{_OWNER}"}},
        "period": {"end": T + 2_592_000, "start": T}, "pretax_credit_amounts": [], "pricing": {
            "price_details": {"price": "price_1", "product": "prod_1"}, "type": "price_details",
            "unit_amount_decimal": "1999"}, "quantity": 5, "taxes": [],
    }]  # fmt: skip
    customer = make.customer(f"cus_{_HOLE}", "Acme", f"billing{_HOLE}@acme.example", "usd", "DE", T, {})
    listed = {
        "customers": (customer, "cus_"),
        "subscriptions": (
            make.subscription(f"sub_{_HOLE}", cus, "active", [item], "usd", T, {"seats_used": "4"}),
            "sub_",
        ),
        "invoices": (invoice, "in_"),
        "charges": (make.charge(cid, cus, f"pi_{_HOLE}", "usd", 9995, T, None), "ch_"),
        "payment_methods": (make.payment_method(f"pm_{_HOLE}", cus, 2031, 4, T), "pm_"),
        "products": (make.product("prod_1", "Acme Team", T), "prod_"),
        "prices": (price, "price_"),
    }
    return {name: (json.dumps(o), prefix) for name, (o, prefix) in listed.items()}


class Lists:
    """How many there are of each, and one page of them. Newest first: the numbers fall."""

    def __init__(self, customers: int, each: int) -> None:
        self.templates = templates()
        self.customers = customers
        self.sizes = dict.fromkeys(("customers", "subscriptions", "payment_methods"), customers)
        self.sizes |= {"invoices": customers * each // 2, "charges": customers * each // 2, "products": 1, "prices": 1}
        self.calls = 0

    def page(self, name: str, after: str, limit: int) -> str:
        template, prefix = self.templates.get(name, ("", ""))
        first = int(after.removeprefix(prefix)) - 1 if after else self.sizes.get(name, 0)
        rows = [
            template.replace(str(_HOLE), str(n)).replace(str(_OWNER), str((n - 1) % self.customers + 1))
            for n in range(first, max(0, first - limit), -1)
        ]
        more = str(first > limit).lower()
        return f'{{"object":"list","data":[{",".join(rows)}],"has_more":{more},"url":"/v1/{name}"}}'


def serve(port: int, customers: int, each: int) -> None:
    """Until it is killed. `GET /calls` tells how many lists were read."""
    lists = Lists(customers, each)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = parse_qs(parts.query)
            if parts.path == "/calls":
                text = json.dumps(lists.calls)
            else:
                lists.calls += 1
                after, limit = query.get("starting_after", [""])[0], int(query.get("limit", ["10"])[0])
                text = lists.page(parts.path.removeprefix("/v1/"), after, limit)
            body = text.encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *args: object) -> None:
            """Clients are killed here on purpose."""

    Server(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    serve(*(int(argument) for argument in sys.argv[1:4]))
