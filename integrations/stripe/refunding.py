"""The Refunds port at Stripe. Knows no SDK: it is given a wire that posts and gets.

Source: vendor sheet 3.2, 3.3 and 3.5 (stripe-python 16.1.0 and the error pages), read 2026-11.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from integrations.kernel.billing import Charge, Dispute, Refund
from integrations.kernel.errors import (
    MalformedPayload,
    NeedsReauthorisation,
    OutcomeUnknown,
    RateLimited,
    VendorContractChanged,
    VendorError,
    VendorRejected,
)
from integrations.kernel.money import Money
from integrations.kernel.ports import ChargeNow, CreditOrder, RefundOrder
from integrations.stripe.amounts import wire
from integrations.stripe.objects import record
from integrations.transport.retry_after import retry_after_s

Form = list[tuple[str, str]]
PAGE = "100"
# 4xx that say nothing about what happened: the request timed out at their end, or something behind them did not answer.
_NO_VERDICT = frozenset({408, 424, 425})


class Wire(Protocol):
    """One account's calls; errors are the kernel's."""

    def get(self, path: str, query: Sequence[tuple[str, str]]) -> tuple[Mapping[str, Any], datetime]: ...

    def post(self, path: str, form: Sequence[tuple[str, str]], key: str) -> Mapping[str, Any]: ...


class StripeRefunds:
    """May be used by several threads at once."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def look(self, charge_id: str) -> ChargeNow:
        """Three reads; the charge last, so that its `amount_refunded` is at least as new as the list of refunds."""
        disputes = list(self._every("/v1/disputes", [("charge", charge_id)]))
        refunds = self.refunds_of(charge_id)
        found, _ = self._wire.get(f"/v1/charges/{charge_id}", [])
        charge = record(found)
        if not isinstance(charge, Charge):
            raise VendorContractChanged(f"{charge_id} is no charge")
        return ChargeNow(
            charge, tuple(r for d in disputes if isinstance(r := record(d), Dispute)), tuple(refunds),
            blocked=any(d.get("is_charge_refundable") is False for d in disputes),
        )  # fmt: skip

    def refunds_of(self, charge_id: str) -> list[Refund]:
        return [_refund(o) for o in self._every("/v1/refunds", [("charge", charge_id)])]

    def refund(self, order: RefundOrder) -> Refund:
        """The amount is always sent: "the rest" would mean something else on the second try."""
        number, _ = wire(order.amount)
        form = [("charge", order.charge_id), ("amount", str(number)), *_metadata(order.metadata)]
        if order.reason:
            form.append(("reason", order.reason))
        return _refund(self._wire.post("/v1/refunds", form, order.key), OutcomeUnknown)

    def refunds_since(self, since: datetime) -> Iterator[Refund]:
        for o in self._every("/v1/refunds", [("created[gte]", str(int(since.timestamp())))]):
            if o.get("charge"):
                yield _refund(o)

    def credit_note_of(self, invoice_id: str, intent_id: str) -> str:
        for o in self._every("/v1/credit_notes", [("invoice", invoice_id)]):
            if (o.get("metadata") or {}).get("intent_id") == intent_id and o.get("status") != "void":
                return str(o["id"])
        return ""

    def credit(self, order: CreditOrder) -> str:
        """`refunds[]` links the refund that was made; `refund_amount` would make a second one without our metadata."""
        form: Form = [("invoice", order.invoice_id), ("email_type", "none"), *_metadata(order.metadata)]
        for n, (line_id, amount) in enumerate(order.lines):
            form += [
                (f"lines[{n}][type]", "invoice_line_item"), (f"lines[{n}][invoice_line_item]", line_id),
                (f"lines[{n}][amount]", _number(amount)),
            ]  # fmt: skip
        form += [("refunds[0][refund]", order.refund_id), ("refunds[0][amount_refunded]", _number(order.amount))]
        return str(self._wire.post("/v1/credit_notes", form, order.key)["id"])

    def _every(self, path: str, query: Form) -> Iterator[Mapping[str, Any]]:
        after: Form = []
        while True:
            answer, _ = self._wire.get(path, [("limit", PAGE), *query, *after])
            data = answer.get("data")
            if not isinstance(data, list):
                raise VendorContractChanged(f"{path} answered without a list")
            yield from data
            if not answer.get("has_more") or not data:
                return
            after = [("starting_after", str(data[-1]["id"]))]


def _number(amount: Money) -> str:
    return str(wire(amount)[0])


def _metadata(values: Mapping[str, str]) -> Form:
    return [(f"metadata[{name}]", value) for name, value in sorted(values.items())]


def _refund(o: Mapping[str, Any], error: type[VendorError] = VendorContractChanged) -> Refund:
    """error: what an unknown shape means; after a write it is that nobody knows what happened."""
    try:
        made = record(o)
    except MalformedPayload as problem:
        raise error("a refund in an unknown shape") from problem
    if not isinstance(made, Refund):
        raise error("an answer that is no refund")
    return made


def unreadable_write(path: str, status: int) -> VendorError:
    """A page of somebody in between, or half an answer. Only 401 and 403 are surely before anything happened."""
    if status in (401, 403):
        return NeedsReauthorisation(f"{path} answered {status} without JSON", status=status)
    return OutcomeUnknown(f"{path} answered {status} without a JSON object")


def refused_write(path: str, status: int, value: Mapping[str, Any], headers: Mapping[str, str]) -> VendorError:
    """What a 4xx to a write means; the transport has dealt with 429 and 5xx."""
    told = value.get("error")
    if status in (401, 403):
        return NeedsReauthorisation(f"the key may not write {path}", status=status)
    if not isinstance(told, Mapping) or status in _NO_VERDICT or not 400 <= status < 500:
        return OutcomeUnknown(f"{path} answered {status}")
    code = str(told.get("code") or told.get("type") or "")
    if status == 409:
        return RateLimited(f"{path} answered 409 {code}", retry_after_s=retry_after_s(headers), status=409)
    if told.get("type") == "idempotency_error":
        code = "idempotency_error"
    return VendorRejected(f"{status} {code}", http_status=status, vendor_code=code)
