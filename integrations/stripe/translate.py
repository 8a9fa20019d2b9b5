"""Stripe's event types into ours, as a table: one row a type; what is handled is what is listed.

Source: stripe-python 16.1.0, event types, read 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from integrations.kernel.billing import Gone
from integrations.kernel.clock import from_unix
from integrations.kernel.errors import MalformedPayload
from integrations.kernel.events import Event
from integrations.kernel.ids import VendorRef
from integrations.stripe.objects import record
from integrations.stripe.parts import id_of

TRANSLATE: dict[str, str] = {
    "customer.created": "payer.created",
    "customer.updated": "payer.updated",
    "customer.deleted": "payer.deleted",
    "customer.subscription.created": "subscription.created",
    "customer.subscription.updated": "subscription.updated",
    "customer.subscription.deleted": "subscription.ended",
    "customer.subscription.paused": "subscription.paused",
    "customer.subscription.resumed": "subscription.resumed",
    "customer.subscription.trial_will_end": "subscription.trial_ending",
    "customer.subscription.pending_update_applied": "subscription.updated",
    "customer.subscription.pending_update_expired": "subscription.updated",
    "customer.discount.created": "discount.created",
    "customer.discount.updated": "discount.updated",
    "customer.discount.deleted": "discount.ended",
    "price.created": "price.updated",
    "price.updated": "price.updated",
    "price.deleted": "price.deleted",
    "product.created": "product.updated",
    "product.updated": "product.updated",
    "product.deleted": "product.deleted",
    "invoice.created": "invoice.created",
    "invoice.updated": "invoice.updated",
    "invoice.finalized": "invoice.finalized",
    "invoice.finalization_failed": "invoice.updated",
    "invoice.sent": "invoice.updated",
    "invoice.will_be_due": "invoice.updated",
    "invoice.overdue": "invoice.overdue",
    "invoice.overpaid": "invoice.updated",
    "invoice.paid": "invoice.paid",
    "invoice.payment_succeeded": "invoice.paid",
    "invoice.payment_failed": "invoice.payment_failed",
    "invoice.payment_action_required": "invoice.payment_failed",
    "invoice.voided": "invoice.voided",
    "invoice.marked_uncollectible": "invoice.uncollectible",
    "invoice.deleted": "invoice.deleted",
    "invoice_payment.paid": "invoice_payment.paid",
    "charge.succeeded": "charge.succeeded",
    "charge.failed": "charge.failed",
    "charge.captured": "charge.updated",
    "charge.pending": "charge.updated",
    "charge.expired": "charge.updated",
    "charge.updated": "charge.updated",
    "charge.refunded": "charge.refunded",
    "charge.dispute.created": "dispute.opened",
    "charge.dispute.updated": "dispute.updated",
    "charge.dispute.closed": "dispute.closed",
    "charge.dispute.funds_withdrawn": "dispute.updated",
    "charge.dispute.funds_reinstated": "dispute.updated",
    "charge.refund.updated": "refund.updated",
    "refund.created": "refund.created",
    "refund.updated": "refund.updated",
    "refund.failed": "refund.failed",
    "credit_note.created": "credit_note.created",
    "credit_note.updated": "credit_note.updated",
    "credit_note.voided": "credit_note.voided",
    "payment_method.attached": "payment_method.attached",
    "payment_method.updated": "payment_method.updated",
    "payment_method.automatically_updated": "payment_method.updated",
    "payment_method.detached": "payment_method.detached",
}
KINDS = frozenset(TRANSLATE.values())
# Events carry these without what counts (a price's tiers and other currencies, a discount's coupon): they are read.
_THIN = frozenset({"price", "discount"})
# Deliveries of these move or prove money: their keys are kept for ever.
MONEY = ("charge.", "refund.", "credit_note.", "invoice_payment.", "invoice.paid", "invoice.payment_")


def event(document: Mapping[str, Any], connection_id: str, event_key: str) -> Sequence[Event]:
    """The canonical event of a Stripe event; empty for a type that is not in the table.

    Raises:
        MalformedPayload: a known type without its object or its time.
    """
    kind = TRANSLATE.get(str(document.get("type")))
    if kind is None:
        return ()
    data = document.get("data")
    o = data.get("object") if isinstance(data, Mapping) else None
    created = document.get("created")
    if not isinstance(o, Mapping) or not isinstance(created, int) or not isinstance(o.get("id"), str):
        raise MalformedPayload("an event without its object or its time")
    told = None if o.get("object") in _THIN else record(o)
    if kind.endswith(".deleted") and not isinstance(told, Gone):
        told = Gone(kind.removesuffix(".deleted"), str(o["id"]), getattr(told, "payer_id", ""))
    return (
        Event(
            kind=kind,
            vendor="stripe",
            connection_id=connection_id,
            event_key=event_key,
            subject=VendorRef("stripe", kind.split(".")[0], str(o["id"])),
            occurred_at=from_unix(created),
            record=told,
            note=_read(o) if told is None else {},
        ),
    )


def _read(o: Mapping[str, Any]) -> dict[str, str]:
    """What must be read because the event does not carry it: kind and id."""
    if o.get("object") == "price":
        return {"read_kind": "price", "read_id": str(o["id"])}
    subscription, payer = id_of(o.get("subscription")), id_of(o.get("customer"))
    kind = "subscription" if subscription else "payer"
    return {"read_kind": kind, "read_id": subscription or payer, "payer_id": payer}
