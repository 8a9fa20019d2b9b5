"""Stripe's objects in today's shapes. Each maker gives a whole object; ids follow from a counter, so runs repeat."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]
BILLING = {"address": None, "email": None, "name": None, "phone": None, "tax_id": None}


def customer(
    cid: str, name: str, email: str | None, currency: str, country: str, created: int, metadata: dict[str, str]
) -> Object:
    address = {"city": None, "country": country, "line1": None, "line2": None, "postal_code": None, "state": None}
    return {
        "id": cid, "object": "customer", "address": address, "balance": 0, "created": created, "currency": currency,
        "default_source": None, "delinquent": False, "description": None, "email": email, "invoice_prefix": cid[-6:],
        "invoice_settings": {"custom_fields": None, "default_payment_method": None, "footer": None,
                             "rendering_options": None},
        "livemode": False, "metadata": metadata, "name": name, "next_invoice_sequence": 1, "phone": None,
        "preferred_locales": [], "shipping": None, "tax_exempt": "none", "test_clock": None,
    }  # fmt: skip


def product(pid: str, name: str, created: int) -> Object:
    return {
        "id": pid, "object": "product", "active": True, "created": created, "default_price": None, "description": None,
        "images": [], "livemode": False, "marketing_features": [], "metadata": {}, "name": name,
        "package_dimensions": None, "shippable": None, "statement_descriptor": None, "tax_code": None, "type": "service",
        "unit_label": "seat", "updated": created, "url": None,
    }  # fmt: skip


def price(
    pid: str,
    product_id: str,
    nickname: str | None,
    amount: int,
    currency: str,
    interval: tuple[str, int],
    created: int,
    metered: bool,
) -> Object:
    recurring = {"interval": interval[0], "interval_count": interval[1], "meter": None, "trial_period_days": None,
                 "usage_type": "metered" if metered else "licensed"}  # fmt: skip
    return {
        "id": pid, "object": "price", "active": True, "billing_scheme": "per_unit", "created": created,
        "currency": currency, "custom_unit_amount": None, "livemode": False, "lookup_key": None, "metadata": {},
        "nickname": nickname, "product": product_id, "recurring": recurring, "tax_behavior": "unspecified",
        "tiers_mode": None, "transform_quantity": None, "type": "recurring", "unit_amount": amount,
        "unit_amount_decimal": str(amount),
    }  # fmt: skip


def _plan(its_price: Object) -> Object:
    """The older twin of a price, which items still carry."""
    recurring = its_price["recurring"]
    return {
        "id": its_price["id"], "object": "plan", "active": True, "amount": its_price["unit_amount"],
        "amount_decimal": its_price["unit_amount_decimal"], "billing_scheme": "per_unit", "created": its_price["created"],
        "currency": its_price["currency"], "interval": recurring["interval"],
        "interval_count": recurring["interval_count"], "livemode": False, "metadata": {}, "meter": None,
        "nickname": its_price["nickname"], "product": its_price["product"], "tiers_mode": None, "transform_usage": None,
        "trial_period_days": None, "usage_type": recurring["usage_type"],
    }  # fmt: skip


def item(iid: str, subscription: str, its_price: Object, quantity: int, start: int, end: int) -> Object:
    found = {
        "id": iid, "object": "subscription_item", "billing_thresholds": None, "plan": _plan(its_price), "created": start,
        "current_period_end": end, "current_period_start": start, "discounts": [], "metadata": {}, "price": its_price,
        "quantity": quantity, "subscription": subscription, "tax_rates": [],
    }  # fmt: skip
    if its_price["recurring"]["usage_type"] == "metered":
        del found["quantity"]
    return found


def subscription(
    sid: str, customer_id: str, status: str, items: list[Object], currency: str, start: int, metadata: dict[str, str]
) -> Object:
    listed = {"object": "list", "data": items, "has_more": False, "url": f"/v1/subscription_items?subscription={sid}"}
    return {
        "id": sid, "object": "subscription", "application": None, "application_fee_percent": None,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None}, "billing_cycle_anchor": start,
        "billing_mode": {"flexible": None, "type": "classic", "updated_at": None}, "billing_schedules": [],
        "billing_cycle_anchor_config": None, "billing_thresholds": None, "cancel_at": None,
        "cancel_at_period_end": False, "canceled_at": None,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": "charge_automatically", "created": start, "currency": currency, "customer": customer_id,
        "days_until_due": None, "default_payment_method": None, "default_source": None, "default_tax_rates": [],
        "description": None, "discounts": [], "ended_at": None,
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}}, "items": listed,
        "latest_invoice": None, "livemode": False, "metadata": metadata, "next_pending_invoice_item_invoice": None,
        "on_behalf_of": None, "pause_collection": None, "payment_settings": None,
        "pending_invoice_item_interval": None, "pending_setup_intent": None, "pending_update": None, "schedule": None,
        "start_date": start, "status": status, "test_clock": None, "transfer_data": None, "trial_end": None,
        "trial_settings": None, "trial_start": None,
    }  # fmt: skip


def discount(did: str, customer_id: str, subscription_id: str, start: int, end: int | None, coupon: Object) -> Object:
    return {
        "id": did, "object": "discount", "checkout_session": None, "customer": customer_id, "end": end, "invoice": None,
        "invoice_item": None, "promotion_code": None, "source": {"coupon": coupon, "type": "coupon"}, "start": start,
        "subscription": subscription_id, "subscription_item": None,
    }  # fmt: skip


def coupon(cid: str, percent: float, duration: str, months: int | None, created: int) -> Object:
    return {
        "id": cid, "object": "coupon", "amount_off": None, "created": created, "currency": None, "duration": duration,
        "duration_in_months": months, "livemode": False, "max_redemptions": None, "metadata": {}, "name": cid,
        "percent_off": percent, "redeem_by": None, "times_redeemed": 1, "valid": True,
    }  # fmt: skip


def invoice(
    iid: str, customer_id: str, subscription_id: str, currency: str, total: int, status: str, created: int
) -> Object:
    paid = total if status == "paid" else 0
    parent = {"type": "subscription_details", "quote_details": None,
              "subscription_details": {"metadata": {}, "subscription": subscription_id}}  # fmt: skip
    return {
        "id": iid, "object": "invoice", "account_country": "US", "account_name": "Acme", "account_tax_ids": None,
        "amount_due": total, "amount_overpaid": 0, "amount_paid": paid, "amount_remaining": total - paid,
        "amount_shipping": 0, "application": None, "attempt_count": 1, "attempted": True, "auto_advance": False,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None, "provider": None, "status": None},
        "billing_reason": "subscription_cycle", "collection_method": "charge_automatically", "created": created,
        "currency": currency, "custom_fields": None, "customer": customer_id, "customer_address": None,
        "customer_email": None, "customer_name": None, "customer_phone": None, "customer_shipping": None,
        "customer_tax_exempt": "none", "customer_tax_ids": [], "default_payment_method": None, "default_source": None,
        "default_tax_rates": [], "description": None, "discounts": [], "due_date": None, "effective_at": created,
        "ending_balance": 0, "footer": None, "from_invoice": None, "hosted_invoice_url":
        f"https://invoice.stripe.com/i/{iid}", "invoice_pdf": None, "issuer": {"type": "self"},
        "last_finalization_error": None, "latest_revision": None,
        "lines": {"object": "list", "data": [], "has_more": False, "url": f"/v1/invoices/{iid}/lines"},
        "livemode": False, "metadata": {}, "next_payment_attempt": None, "number": f"ACME-{iid[-6:]}",
        "on_behalf_of": None, "parent": parent, "payment_settings": {"default_mandate": None,
        "payment_method_options": None, "payment_method_types": None}, "period_end": created, "period_start": created,
        "post_payment_credit_notes_amount": 0, "pre_payment_credit_notes_amount": 0, "receipt_number": None,
        "rendering": None, "shipping_cost": None, "shipping_details": None, "starting_balance": 0,
        "statement_descriptor": None, "status": status, "status_transitions": {"finalized_at": created,
        "marked_uncollectible_at": None, "paid_at": created if paid else None, "voided_at": None}, "subtotal": total,
        "subtotal_excluding_tax": total, "test_clock": None, "total": total, "total_discount_amounts": [],
        "total_excluding_tax": total, "total_pretax_credit_amounts": [], "total_taxes": [], "webhooks_delivered_at": None,
    }  # fmt: skip


def invoice_payment(pid: str, invoice_id: str, intent: str, currency: str, amount: int, created: int) -> Object:
    return {
        "id": pid, "object": "invoice_payment", "amount_paid": amount, "amount_requested": amount, "created": created,
        "currency": currency, "invoice": invoice_id, "is_default": True, "livemode": False,
        "payment": {"payment_intent": intent, "type": "payment_intent"}, "status": "paid",
        "status_transitions": {"canceled_at": None, "paid_at": created},
    }  # fmt: skip


def charge(
    cid: str, customer_id: str, intent: str, currency: str, amount: int, created: int, failure: tuple[str, str] | None
) -> Object:
    ok = failure is None
    return {
        "id": cid, "object": "charge", "amount": amount, "amount_captured": amount if ok else 0, "amount_refunded": 0,
        "application": None, "application_fee": None, "application_fee_amount": None, "balance_transaction": None,
        "billing_details": {**BILLING, "address": {"city": None, "country": None, "line1": None, "line2": None,
        "postal_code": None, "state": None}}, "calculated_statement_descriptor": "ACME", "captured": ok,
        "created": created, "currency": currency, "customer": customer_id, "description": "Subscription update",
        "disputed": False, "failure_balance_transaction": None, "failure_code": failure[0] if failure else None,
        "failure_message": failure[1] if failure else None, "fraud_details": {}, "livemode": False, "metadata": {},
        "on_behalf_of": None, "outcome": None, "paid": ok, "payment_intent": intent, "payment_method": None,
        "payment_method_details": None, "receipt_email": None, "receipt_number": None, "receipt_url": None,
        "refunded": False, "review": None, "shipping": None, "source": None, "source_transfer": None,
        "statement_descriptor": None, "statement_descriptor_suffix": None, "status": "succeeded" if ok else "failed",
        "transfer_data": None, "transfer_group": None,
    }  # fmt: skip


def refund(rid: str, its_charge: Object, amount: int, created: int, reason: str | None) -> Object:
    return {
        "id": rid, "object": "refund", "amount": amount, "balance_transaction": None, "charge": its_charge["id"],
        "created": created, "currency": its_charge["currency"], "customer": its_charge["customer"],
        "customer_account": None, "destination_details": {"card": {"type": "refund"}, "type": "card"}, "metadata": {},
        "payment_intent": its_charge["payment_intent"], "payment_method": None, "reason": reason, "receipt_number": None,
        "source_transfer_reversal": None, "status": "succeeded", "transfer_reversal": None,
    }  # fmt: skip


def dispute(did: str, its_charge: Object, status: str, created: int, due: int) -> Object:
    return {
        "id": did, "object": "dispute", "amount": its_charge["amount"], "balance_transactions": [],
        "charge": its_charge["id"], "created": created, "currency": its_charge["currency"], "enhanced_eligibility_types":
        [], "evidence": {"access_activity_log": None, "enhanced_evidence": {}},
        "evidence_details": {"due_by": due, "enhanced_eligibility": {},
        "has_evidence": False, "past_due": False, "submission_count": 0, "submission_method": "manual"},
        "is_charge_refundable": status.startswith("warning_"), "livemode": False, "metadata": {},
        "payment_intent": its_charge["payment_intent"], "payment_method_details": None, "reason": "product_not_received",
        "status": status,
    }  # fmt: skip


def payment_method(pid: str, customer_id: str, year: int, month: int, created: int) -> Object:
    card = {
        "brand": "visa", "checks": None, "country": "US", "display_brand": "visa", "exp_month": month, "exp_year": year,
        "fingerprint": None, "funding": "credit", "generated_from": None, "last4": "4242", "networks": None,
        "regulated_status": None, "three_d_secure_usage": None, "wallet": None,
    }  # fmt: skip
    return {
        "id": pid, "object": "payment_method", "allow_redisplay": "unspecified", "billing_details": {**BILLING}, "card":
        card, "created": created, "customer": customer_id, "customer_account": None, "livemode": False, "metadata": {},
        "type": "card",
    }  # fmt: skip


def credit_note(cid: str, its_invoice: Object, amount: int, created: int) -> Object:
    return {
        "id": cid, "object": "credit_note", "amount": amount, "amount_shipping": 0, "created": created,
        "currency": its_invoice["currency"], "customer": its_invoice["customer"], "customer_balance_transaction": None,
        "discount_amount": 0, "discount_amounts": [], "effective_at": created, "invoice": its_invoice["id"],
        "lines": {"object": "list", "data": [], "has_more": False, "url": f"/v1/credit_notes/{cid}/lines"},
        "livemode": False, "memo": None, "metadata": {}, "number": f"CN-{cid[-6:]}", "out_of_band_amount": None,
        "pdf": f"https://pay.stripe.com/credit_notes/{cid}/pdf", "post_payment_amount": amount, "pre_payment_amount": 0,
        "pretax_credit_amounts": [], "reason": "product_unsatisfactory", "refunds": [], "shipping_cost": None, "status":
        "issued", "subtotal": amount, "subtotal_excluding_tax": amount, "total": amount, "total_excluding_tax": amount,
        "total_taxes": [], "type": "post_payment", "voided_at": None,
    }  # fmt: skip
