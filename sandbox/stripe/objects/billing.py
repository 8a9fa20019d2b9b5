"""Invoices, what pays them, and the notes that correct them."""

from __future__ import annotations

from sandbox.stripe.objects.shape import Object, listed


def line(
    lid: str, invoice_id: str, its_item: Object, amount: int, quantity: int | None, start: int, end: int,
    *, proration: bool = False, text: str = "",
) -> Object:  # fmt: skip
    """A line of an invoice, for one item of a subscription. amount: before discounts."""
    its_price = its_item["price"]
    details = {
        "invoice_item": None, "proration": proration, "proration_details": {"credited_items": None},
        "subscription": its_item["subscription"], "subscription_item": its_item["id"],
    }  # fmt: skip
    return {
        "id": lid, "object": "line_item", "amount": amount, "currency": its_price["currency"],
        "description": text or f"{quantity or 0} × {its_price['nickname']}", "discount_amounts": [],
        "discountable": not proration, "discounts": [], "invoice": invoice_id, "livemode": False, "metadata": {},
        "parent": {"invoice_item_details": None, "subscription_item_details": details,
                   "type": "subscription_item_details"},
        "period": {"end": end, "start": start}, "pretax_credit_amounts": [],
        "pricing": {"price_details": {"price": its_price["id"], "product": its_price["product"]},
                    "type": "price_details", "unit_amount_decimal": its_price["unit_amount_decimal"]},
        "quantity": quantity, "subtotal": amount, "taxes": [],
    }  # fmt: skip


def invoice(
    iid: str, customer_id: str, subscription_id: str, currency: str, total: int, status: str, created: int,
    lines: list[Object] | None = None,
) -> Object:  # fmt: skip
    """An invoice of a subscription. status: draft, open, paid, uncollectible or void."""
    paid = total if status == "paid" else 0
    parent = {"quote_details": None, "subscription_details": {"metadata": {}, "subscription": subscription_id},
              "type": "subscription_details"}  # fmt: skip
    hosted = f"https://invoice.stripe.com/i/acct_S1/test_{iid}"
    return {
        "id": iid, "object": "invoice", "account_country": "US", "account_name": "Acme", "account_tax_ids": None,
        "amount_due": total, "amount_overpaid": 0, "amount_paid": paid, "amount_remaining": total - paid,
        "amount_shipping": 0, "application": None, "attempt_count": 1, "attempted": True, "auto_advance": False,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None, "provider": None, "status": None},
        "automatically_finalizes_at": None, "billing_reason": "subscription_cycle",
        "collection_method": "charge_automatically", "created": created, "currency": currency, "custom_fields": None,
        "customer": customer_id, "customer_address": None, "customer_email": None, "customer_name": None,
        "customer_phone": None, "customer_shipping": None, "customer_tax_exempt": "none", "customer_tax_ids": [],
        "default_payment_method": None, "default_source": None, "default_tax_rates": [], "description": None,
        "discounts": [], "due_date": None, "effective_at": created, "ending_balance": 0, "footer": None,
        "from_invoice": None, "hosted_invoice_url": hosted, "invoice_pdf": f"{hosted}/pdf", "issuer": {"type": "self"},
        "last_finalization_error": None, "latest_revision": None, "lines": listed(f"/v1/invoices/{iid}/lines",
        lines or []), "livemode": False, "metadata": {}, "next_payment_attempt": None, "number": f"ACME-{iid[-6:]}",
        "on_behalf_of": None, "parent": parent, "payment_settings": {"default_mandate": None,
        "payment_method_options": None, "payment_method_types": None}, "period_end": created, "period_start": created,
        "post_payment_credit_notes_amount": 0, "pre_payment_credit_notes_amount": 0, "receipt_number": None,
        "rendering": None, "shipping_cost": None, "shipping_details": None, "starting_balance": 0,
        "statement_descriptor": None, "status": status, "status_transitions": {"finalized_at": created,
        "marked_uncollectible_at": None, "paid_at": created if status == "paid" else None, "voided_at": None},
        "subtotal": total, "subtotal_excluding_tax": total, "test_clock": None, "total": total,
        "total_discount_amounts": [], "total_excluding_tax": total, "total_pretax_credit_amounts": [],
        "total_taxes": [], "webhooks_delivered_at": created,
    }  # fmt: skip


def invoice_payment(
    pid: str, invoice_id: str, intent: str, currency: str, amount: int, created: int, status: str = "paid"
) -> Object:
    """What pays an invoice: open until its payment intent succeeds."""
    paid = status == "paid"
    return {
        "id": pid, "object": "invoice_payment", "amount_paid": amount if paid else None, "amount_requested": amount,
        "created": created, "currency": currency, "invoice": invoice_id, "is_default": True, "livemode": False,
        "payment": {"payment_intent": intent, "type": "payment_intent"}, "status": status,
        "status_transitions": {"canceled_at": None, "paid_at": created if paid else None},
    }  # fmt: skip


def credit_note_line(lid: str, its_line: Object, amount: int) -> Object:
    """The part of an invoice line that is taken back."""
    return {
        "id": lid, "object": "credit_note_line_item", "amount": amount, "description": its_line["description"],
        "discount_amount": 0, "discount_amounts": [], "invoice_line_item": its_line["id"], "livemode": False,
        "metadata": {}, "pretax_credit_amounts": [], "quantity": None, "tax_rates": [], "taxes": [],
        "type": "invoice_line_item", "unit_amount": None, "unit_amount_decimal": None,
    }  # fmt: skip


def credit_note(
    cid: str, its_invoice: Object, amount: int, created: int, kind: str = "post_payment",
    lines: list[Object] | None = None,
) -> Object:  # fmt: skip
    """kind: pre_payment takes from an open invoice, post_payment gives back on a paid one."""
    after = amount if kind == "post_payment" else 0
    return {
        "id": cid, "object": "credit_note", "amount": amount, "amount_shipping": 0, "created": created,
        "currency": its_invoice["currency"], "customer": its_invoice["customer"], "customer_balance_transaction": None,
        "discount_amount": 0, "discount_amounts": [], "effective_at": created, "invoice": its_invoice["id"],
        "lines": listed(f"/v1/credit_notes/{cid}/lines", lines or []), "livemode": False, "memo": None, "metadata": {},
        "number": f"{its_invoice['number']}-CN-{cid[-2:]}", "out_of_band_amount": None,
        "pdf": f"https://pay.stripe.com/credit_notes/acct_S1/test_{cid}/pdf", "post_payment_amount": after,
        "pre_payment_amount": amount - after, "pretax_credit_amounts": [], "reason": "product_unsatisfactory",
        "refunds": [], "shipping_cost": None, "status": "issued", "subtotal": amount, "subtotal_excluding_tax": amount,
        "total": amount, "total_excluding_tax": amount, "total_taxes": [], "type": kind, "voided_at": None,
    }  # fmt: skip
