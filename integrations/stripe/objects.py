"""Stripe's objects in our words, in today's shapes (2026-10-28); older ones are read where they only moved a name.

Source: vendor sheet 3.4 (stripe-python 16.1.0 and its changelog), read 2026-11.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from integrations.kernel import billing as k
from integrations.kernel.clock import from_unix
from integrations.kernel.errors import MalformedPayload
from integrations.stripe.amounts import money
from integrations.stripe.parts import Object, amount, discounts, id_of, metadata, moment
from integrations.stripe.plans import price, subscription


def _payer(o: Object) -> k.Payer:
    currency = o.get("currency")
    balance = money(int(o["balance"]), currency) if currency and o.get("balance") is not None else None
    preferred = (o.get("invoice_settings") or {}).get("default_payment_method")
    return k.Payer(
        id=o["id"], payer_id=o["id"], email=o.get("email"), name=o.get("name"),
        country=(o.get("address") or {}).get("country"), currency=currency.upper() if currency else None,
        balance=balance, created=from_unix(o["created"]), metadata=metadata(o),
        discounts=discounts([o["discount"]] if o.get("discount") else None), method_id=id_of(preferred),
    )  # fmt: skip


def _invoice(o: Object) -> k.Invoice:
    parent = (o.get("parent") or {}).get("subscription_details") or {}
    lines = o.get("lines") or {}
    return k.Invoice(
        id=o["id"], payer_id=id_of(o.get("customer")), status=str(o.get("status") or "draft"), number=o.get("number"),
        total=amount(o, "total"), paid=amount(o, "amount_paid"), remaining=amount(o, "amount_remaining"),
        attempts=int(o.get("attempt_count") or 0), created=from_unix(o["created"]),
        subscription_id=id_of(parent.get("subscription") or o.get("subscription")), url=o.get("hosted_invoice_url"),
        pdf=o.get("invoice_pdf"), due=moment(o.get("due_date")), lines=tuple(_line(n) for n in lines.get("data") or ()),
        more_lines=bool(lines.get("has_more")),
    )  # fmt: skip


def _line(o: Object) -> k.Line:
    """Proration moved from the line to its parent's details (basil)."""
    parent = o.get("parent") or {}
    details = parent.get("subscription_item_details") or parent.get("invoice_item_details") or o
    period = o.get("period") or {}
    return k.Line(
        id=o["id"], text=str(o.get("description") or ""), amount=amount(o, "amount"), quantity=o.get("quantity"),
        start=moment(period.get("start")), end=moment(period.get("end")), proration=bool(details.get("proration")),
    )  # fmt: skip


def _invoice_payment(o: Object) -> k.InvoicePayment:
    payment = o.get("payment") or {}
    paid = o.get("amount_paid")
    return k.InvoicePayment(
        id=o["id"], invoice_id=id_of(o["invoice"]), source=id_of(payment.get("payment_intent") or payment.get("charge")),
        status=str(o["status"]), amount=money(int(paid), o["currency"]) if paid is not None else None,
    )  # fmt: skip


def _charge(o: Object) -> k.Charge:
    card = (o.get("payment_method_details") or {}).get("card") or {}
    return k.Charge(
        id=o["id"], payer_id=id_of(o.get("customer")), status=str(o["status"]), amount=amount(o, "amount"),
        captured=amount(o, "amount_captured"), refunded=amount(o, "amount_refunded"), created=from_unix(o["created"]),
        disputed=bool(o.get("disputed")), intent=id_of(o.get("payment_intent")), failure_code=o.get("failure_code"),
        failure_text=o.get("failure_message"), brand=card.get("brand"), last4=card.get("last4"),
    )  # fmt: skip


def _refund(o: Object) -> k.Refund:
    return k.Refund(
        id=o["id"], charge_id=id_of(o.get("charge")), status=str(o.get("status") or ""), amount=amount(o, "amount"),
        created=from_unix(o["created"]), reason=o.get("reason"), payer_id=id_of(o.get("customer")),
        failure=o.get("failure_reason"), intent_id=metadata(o).get("intent_id", ""),
    )  # fmt: skip


def _dispute(o: Object) -> k.Dispute:
    return k.Dispute(
        id=o["id"], charge_id=id_of(o["charge"]), status=str(o["status"]), amount=amount(o, "amount"),
        reason=str(o["reason"]), created=from_unix(o["created"]),
        due_by=moment((o.get("evidence_details") or {}).get("due_by")),
    )  # fmt: skip


def _credit_note(o: Object) -> k.CreditNote:
    return k.CreditNote(
        id=o["id"], payer_id=id_of(o["customer"]), invoice_id=id_of(o["invoice"]), status=str(o["status"]),
        amount=amount(o, "total"), created=from_unix(o["created"]),
    )  # fmt: skip


def _payment_method(o: Object) -> k.PaymentMethod | k.Gone:
    """One that is detached belongs to nobody any more, and cannot be attached again: it is gone."""
    payer_id = id_of(o.get("customer"))
    if not payer_id:
        return k.Gone("payment_method", o["id"])
    card = o.get("card") or {}
    return k.PaymentMethod(
        id=o["id"], payer_id=payer_id, type=str(o["type"]), brand=card.get("brand"),
        last4=card.get("last4"), exp_month=card.get("exp_month"), exp_year=card.get("exp_year"),
    )  # fmt: skip


OBJECTS: dict[str, Callable[[Object], Any]] = {
    "customer": _payer,
    "product": lambda o: k.Product(o["id"], str(o.get("name") or "")),
    "price": price,
    "subscription": subscription,
    "invoice": _invoice,
    "invoice_payment": _invoice_payment,
    "charge": _charge,
    "refund": _refund,
    "dispute": _dispute,
    "credit_note": _credit_note,
    "payment_method": _payment_method,
}
_KINDS = {"customer": "payer"}


def record(o: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a record of kernel.billing
    """The record of one object, or None for a kind that is not mirrored. Raises MalformedPayload."""
    name = o.get("object")
    try:
        if o.get("deleted") is True and name in OBJECTS:
            kind = _KINDS.get(str(name), str(name))
            return k.Gone(kind, o["id"], o["id"] if kind == "payer" else "")
        return OBJECTS[name](o) if name in OBJECTS else None
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise MalformedPayload(f"a {name} in an unknown shape: {type(error).__name__} {error}") from error
