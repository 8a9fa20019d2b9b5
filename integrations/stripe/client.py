"""Stripe by its SDK, on our own session: own time-outs, no retries of its own, no telemetry, raw answers for lists.

Source: stripe-python 16.1.0, read 2026-11. Typed objects cost thirty times what plain JSON costs (bench.md).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import stripe

from integrations.kernel.clock import utc_now
from integrations.kernel.errors import (
    NeedsReauthorisation,
    VendorContractChanged,
    VendorError,
    VendorRejected,
    VendorUnavailable,
)
from integrations.kernel.ports import BillingPage
from integrations.kernel.vendor import Account
from integrations.stripe.objects import record
from integrations.transport.http import Gate, vendor_session

HOST = "api.stripe.com"
PAGE = 100
_PATHS = {
    "payer": ("/v1/customers", {}),
    "product": ("/v1/products", {}),
    "subscription": ("/v1/subscriptions", {"status": "all", "expand[]": "data.discounts.source.coupon"}),
    "invoice": ("/v1/invoices", {}),
    "invoice_payment": ("/v1/invoice_payments", {}),
    "charge": ("/v1/charges", {}),
    "refund": ("/v1/refunds", {}),
    "dispute": ("/v1/disputes", {}),
    "credit_note": ("/v1/credit_notes", {}),
    "payment_method": ("/v1/payment_methods", {}),
}


def connect(account: Account, gate: Gate) -> StripeBilling:
    """A client of one account."""
    if (limit := getattr(gate, "limit", None)) is not None:
        limit("stripe", {"account": (int(account.config.get("calls_per_second", 25)), 1.0)})
    return StripeBilling(account, gate)


def endpoint_of(method: str, path: str) -> str:
    """`GET /v1/customers/cus_1` is `customers_one`, the list is `customers`."""
    parts = [p for p in path.split("/") if p]
    return "_".join(parts[1:2] + (["one"] if len(parts) > 2 else [])) or "other"


class StripeBilling:
    """Implements the Billing port."""

    def __init__(self, account: Account, gate: Gate) -> None:
        stripe.enable_telemetry = False
        self._session = vendor_session(
            account, hosts=(HOST,), authorise=None, endpoint_of=endpoint_of, gate=gate, deadline_s=20.0, wait_s=30.0
        )
        self._client = stripe.StripeClient(
            account.secret("api_key"),
            max_network_retries=0,
            http_client=stripe.RequestsClient(session=self._session, timeout=20),
        )

    def page(self, kind: str, cursor: str = "", limit: int = PAGE) -> BillingPage:
        path, extra = _PATHS[kind]
        query = {"limit": str(limit), **extra, **({"starting_after": cursor} if cursor else {})}
        as_of = utc_now().replace(microsecond=0)
        answer = self._get(path, query)
        data = answer.get("data")
        if not isinstance(data, list):
            raise VendorContractChanged(f"{path} answered without a list")
        after = str(data[-1]["id"]) if data and answer.get("has_more") else ""
        return BillingPage(tuple(r for o in data if (r := record(o)) is not None), after, as_of)

    def fetch(self, kind: str, object_id: str) -> Any:  # noqa: ANN401 - a record of kernel.billing
        path, extra = _PATHS[kind]
        expand = {"expand[]": extra["expand[]"].removeprefix("data.")} if "expand[]" in extra else {}
        try:
            return record(self._get(f"{path}/{object_id}", expand))
        except VendorRejected as error:
            if error.http_status == 404:
                return None
            raise

    def events_since(self, since: datetime, until: datetime) -> Iterator[Mapping[str, Any]]:
        """Newest first at Stripe, so all pages are read before the first is given out; a month at most is kept there."""
        window = {"created[gte]": str(int(since.timestamp())), "created[lte]": str(int(until.timestamp()))}
        found: list[Mapping[str, Any]] = []
        after = ""
        while True:
            query = {"limit": str(PAGE), **window, **({"starting_after": after} if after else {})}
            answer = self._get("/v1/events", query)
            found += answer.get("data") or []
            if not answer.get("has_more") or not answer.get("data"):
                break
            after = str(answer["data"][-1]["id"])
        return iter(sorted(found, key=lambda e: (e.get("created", 0), str(e.get("id")))))

    def check(self) -> list[str]:
        try:
            self._get("/v1/customers", {"limit": "1"})
            self._get("/v1/events", {"limit": "1"})
        except VendorError as error:
            return [f"{error.public} ({error})"]
        return []

    def _get(self, path: str, query: Mapping[str, str]) -> Mapping[str, Any]:
        """One raw GET: bytes to plain JSON. Raises kernel errors only."""
        try:
            response = self._client.raw_request("get", path, **query)
        except stripe.AuthenticationError as error:
            raise NeedsReauthorisation("Stripe does not know this key") from error
        except stripe.PermissionError as error:
            raise NeedsReauthorisation(f"the key lacks a permission: {error.code or 'see Stripe'}") from error
        except stripe.APIConnectionError as error:
            raise _inner(error) from error
        except stripe.StripeError as error:
            status = error.http_status or 0
            raise VendorRejected(
                f"{status} {error.code or ''}", http_status=status, vendor_code=str(error.code)
            ) from error
        value = json.loads(response.body)
        if not isinstance(value, dict):
            raise VendorContractChanged(f"{path} answered no object")
        return value


def _inner(error: BaseException) -> VendorError:
    """The SDK wraps whatever its session raises; the transport's own error is inside."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, VendorError):
            return seen
        seen = seen.__cause__ or seen.__context__
    return VendorUnavailable(type(error).__name__)
