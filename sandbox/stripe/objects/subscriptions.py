"""Subscriptions and their items; the period is the item's (vendor sheet 3.4)."""

from __future__ import annotations

from sandbox.stripe.objects.catalogue import plan
from sandbox.stripe.objects.shape import Object, listed


def item(iid: str, subscription_id: str, its_price: Object, quantity: int, start: int, end: int) -> Object:
    """One item. A metered one has no quantity."""
    found: Object = {
        "id": iid, "object": "subscription_item", "billing_thresholds": None, "created": start,
        "current_period_end": end, "current_period_start": start, "discounts": [], "metadata": {},
        "plan": plan(its_price), "price": its_price, "subscription": subscription_id, "tax_rates": [],
    }  # fmt: skip
    if its_price["recurring"]["usage_type"] == "licensed":
        found["quantity"] = quantity
    return found


def subscription(
    sid: str, customer_id: str, status: str, items: list[Object], currency: str, start: int, metadata: dict[str, str]
) -> Object:
    """A subscription that is charged automatically."""
    return {
        "id": sid, "object": "subscription", "application": None, "application_fee_percent": None,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None}, "billing_cycle_anchor": start,
        "billing_cycle_anchor_config": None, "billing_mode": {"flexible": None, "type": "classic", "updated_at": None},
        "billing_schedules": [], "billing_thresholds": None, "cancel_at": None, "cancel_at_period_end": False,
        "canceled_at": None, "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": "charge_automatically", "created": start, "currency": currency, "customer": customer_id,
        "days_until_due": None, "default_payment_method": None, "default_source": None, "default_tax_rates": [],
        "description": None, "discounts": [], "ended_at": None,
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "items": listed(f"/v1/subscription_items?subscription={sid}", items), "latest_invoice": None, "livemode": False,
        "metadata": metadata, "next_pending_invoice_item_invoice": None, "on_behalf_of": None, "pause_collection": None,
        "payment_settings": {"payment_method_options": None, "payment_method_types": None,
                             "save_default_payment_method": "off"},
        "pending_invoice_item_interval": None, "pending_setup_intent": None, "pending_update": None, "schedule": None,
        "start_date": start, "status": status, "test_clock": None, "transfer_data": None, "trial_end": None,
        "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}}, "trial_start": None,
    }  # fmt: skip
