"""Five answers of Stripe, made before they are asked for: a vendor that takes no time. `GET /calls` counts.

Run as `python -m bench.sidebar_stripe PORT`: a customer, 3 subscriptions, 50 invoices, 50 charges, 20 refunds.
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import requests
import stripe

from bench.synthetic_stripe import _HOLE, _OWNER, T, templates
from sandbox.stripe.objects import money, people

CUSTOMER, SIZES = "cus_1", {"subscriptions": 3, "invoices": 50, "charges": 50}
KEY = "sk_test_bench"


def bodies() -> dict[str, bytes]:
    """Path -> JSON."""
    made = templates()

    def some(name: str, count: int) -> list[Any]:
        text = made[name][0].replace(f"cus_{_OWNER}", CUSTOMER)
        return [json.loads(text.replace(str(_HOLE), str(n)).replace(str(_OWNER), "1")) for n in range(count)]

    lists = {name: some(name, count) for name, count in SIZES.items()}
    card = people.payment_method("pm_1", CUSTOMER, 2031, 4, T)
    lists["charges"] = [money.charge(one["id"], CUSTOMER, one["payment_intent"], "usd", 9995, T, None, card)
                        for one in lists["charges"]]  # fmt: skip
    lists["refunds"] = [money.refund(f"re_{n}", lists["charges"][n], 100, T, None, "succeeded") for n in range(20)]
    customer = made["customers"][0].replace(f"cus_{_HOLE}", CUSTOMER)
    found = {f"/v1/customers/{CUSTOMER}": customer.encode()}
    for name, rows in lists.items():
        whole = {"object": "list", "data": rows, "has_more": False, "url": f"/v1/{name}"}
        found[f"/v1/{name}"] = json.dumps(whole).encode()
    return found


class Five:
    """The five calls a sidebar without a mirror makes, one after the other, by Stripe's own library."""

    def __init__(self, url: str) -> None:
        session = requests.Session()
        session.trust_env = False
        http = stripe.RequestsClient(session=session)
        self._v1 = stripe.StripeClient(KEY, base_addresses={"api": url}, max_network_retries=0, http_client=http).v1

    def __call__(self) -> int:
        """Objects read."""
        mine = {"customer": CUSTOMER, "limit": 50}
        self._v1.customers.retrieve(CUSTOMER)
        lists = (self._v1.subscriptions, self._v1.invoices, self._v1.charges, self._v1.refunds)
        return sum(len(one.list(mine if one is not self._v1.refunds else {"limit": 50}).data) for one in lists)


def serve(port: int) -> None:
    """Until it is killed."""
    made, counted = bodies(), [0]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            body = json.dumps(counted[0]).encode() if path == "/calls" else made.get(path, b"{}")
            counted[0] += path != "/calls"
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
