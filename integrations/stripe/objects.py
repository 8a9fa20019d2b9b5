"""Stripe's objects in our words, in today's shapes (2026-10-28); older ones are read where they only moved a name.

Source: vendor sheet 3.4 (stripe-python 16.1.0 and its changelog), read 2026-11.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from integrations.kernel import billing as k
from integrations.kernel.clock import from_unix
from integrations.kernel.errors import MalformedPayload
from integrations.kernel.money import Money
from integrations.stripe.amounts import money, unit

Object = Mapping[str, Any]


def _id(value: Any) -> str:  # noqa: ANN401 - an id, an expanded object, or null
    return str(value.get("id") or "") if isinstance(value, Mapping) else str(value or "")


def _time(value: Any) -> datetime | None:  # noqa: ANN401 - unix seconds or null
    return from_unix(int(value)) if value else None


def _metadata(o: Object) -> dict[str, str]:
    return {str(name): str(value) for name, value in (o.get("metadata") or {}).items()}


def _money(o: Object, name: str) -> Money:
    return money(int(o.get(name) or 0), o["currency"])


def _payer(o: Object) -> k.Payer:
    currency = o.get("currency")
    balance = money(int(o["balance"]), currency) if currency and o.get("balance") is not None else None
    return k.Payer(
        id=o["id"], payer_id=o["id"], email=o.get("email"), name=o.get("name"),
        country=(o.get("address") or {}).get("country"), currency=currency.upper() if currency else None,
        balance=balance, created=from_unix(o["created"]), metadata=_metadata(o),
    )  # fmt: skip


def _discounts(values: Sequence[Any] | None) -> tuple[k.Discount, ...]:
    return tuple(_discount(d) for d in values or ())


def _discount(d: Any) -> k.Discount:  # noqa: ANN401 - an id or an expanded discount
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
        end=_time(d.get("end")),
    )


def _item(i: Object) -> k.Item:
    price = i["price"]
    recurring = price.get("recurring") or {}
    exact = price.get("unit_amount_decimal")
    exact = price.get("unit_amount") if exact is None else exact
    return k.Item(
        id=i["id"], product_id=_id(price.get("product")), plan=str(price.get("nickname") or ""),
        currency=price["currency"].upper(), unit=unit(exact, price["currency"]) if exact is not None else None,
        quantity=int(i.get("quantity") or 0), interval=str(recurring.get("interval") or ""),
        interval_count=int(recurring.get("interval_count") or 1), metered=recurring.get("usage_type") == "metered",
        period_end=_time(i.get("current_period_end")), discounts=_discounts(i.get("discounts")),
    )  # fmt: skip


def _subscription(o: Object) -> k.Subscription:
    return k.Subscription(
        id=o["id"], payer_id=_id(o["customer"]), status=str(o["status"]), paused=bool(o.get("pause_collection")),
        items=tuple(_item(i) for i in o["items"]["data"]), discounts=_discounts(o.get("discounts")),
        started=from_unix(o.get("start_date") or o["created"]), cancel_at=_time(o.get("cancel_at")),
        cancel_at_period_end=bool(o.get("cancel_at_period_end")), trial_end=_time(o.get("trial_end")),
        metadata=_metadata(o),
    )  # fmt: skip


def _invoice(o: Object) -> k.Invoice:
    parent = (o.get("parent") or {}).get("subscription_details") or {}
    return k.Invoice(
        id=o["id"], payer_id=_id(o.get("customer")), status=str(o.get("status") or "draft"), number=o.get("number"),
        total=_money(o, "total"), paid=_money(o, "amount_paid"), remaining=_money(o, "amount_remaining"),
        attempts=int(o.get("attempt_count") or 0), created=from_unix(o["created"]),
        subscription_id=_id(parent.get("subscription") or o.get("subscription")), url=o.get("hosted_invoice_url"),
    )  # fmt: skip


def _invoice_payment(o: Object) -> k.InvoicePayment:
    payment = o.get("payment") or {}
    paid = o.get("amount_paid")
    return k.InvoicePayment(
        id=o["id"], invoice_id=_id(o["invoice"]), source=_id(payment.get("payment_intent") or payment.get("charge")),
        status=str(o["status"]), amount=money(int(paid), o["currency"]) if paid is not None else None,
    )  # fmt: skip


def _charge(o: Object) -> k.Charge:
    return k.Charge(
        id=o["id"], payer_id=_id(o.get("customer")), status=str(o["status"]), amount=_money(o, "amount"),
        captured=_money(o, "amount_captured"), refunded=_money(o, "amount_refunded"), created=from_unix(o["created"]),
        disputed=bool(o.get("disputed")), intent=_id(o.get("payment_intent")), failure_code=o.get("failure_code"),
        failure_text=o.get("failure_message"),
    )  # fmt: skip


def _refund(o: Object) -> k.Refund:
    return k.Refund(
        id=o["id"], charge_id=_id(o.get("charge")), status=str(o.get("status") or ""), amount=_money(o, "amount"),
        created=from_unix(o["created"]), reason=o.get("reason"), payer_id=_id(o.get("customer")),
    )  # fmt: skip


def _dispute(o: Object) -> k.Dispute:
    return k.Dispute(
        id=o["id"], charge_id=_id(o["charge"]), status=str(o["status"]), amount=_money(o, "amount"),
        reason=str(o["reason"]), created=from_unix(o["created"]),
        due_by=_time((o.get("evidence_details") or {}).get("due_by")),
    )  # fmt: skip


def _credit_note(o: Object) -> k.CreditNote:
    return k.CreditNote(
        id=o["id"], payer_id=_id(o["customer"]), invoice_id=_id(o["invoice"]), status=str(o["status"]),
        amount=_money(o, "total"), created=from_unix(o["created"]),
    )  # fmt: skip


def _payment_method(o: Object) -> k.PaymentMethod:
    card = o.get("card") or {}
    return k.PaymentMethod(
        id=o["id"], payer_id=_id(o.get("customer")), type=str(o["type"]), brand=card.get("brand"),
        last4=card.get("last4"), exp_month=card.get("exp_month"), exp_year=card.get("exp_year"),
    )  # fmt: skip


OBJECTS: dict[str, Callable[[Object], Any]] = {
    "customer": _payer,
    "product": lambda o: k.Product(o["id"], str(o.get("name") or "")),
    "subscription": _subscription,
    "invoice": _invoice,
    "invoice_payment": _invoice_payment,
    "charge": _charge,
    "refund": _refund,
    "dispute": _dispute,
    "credit_note": _credit_note,
    "payment_method": _payment_method,
}
_KINDS = {"customer": "payer"}


def record(o: Object) -> Any:  # noqa: ANN401 - a record of kernel.billing
    """The record of one object, or None for a kind that is not mirrored. Raises MalformedPayload."""
    name = o.get("object")
    try:
        if o.get("deleted") is True and name in OBJECTS:
            kind = _KINDS.get(str(name), str(name))
            return k.Gone(kind, o["id"], o["id"] if kind == "payer" else "")
        return OBJECTS[name](o) if name in OBJECTS else None
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise MalformedPayload(f"a {name} in an unknown shape: {type(error).__name__} {error}") from error
