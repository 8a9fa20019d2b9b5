"""Customers and their cards."""

from __future__ import annotations

from sandbox.stripe.objects.shape import Object, address, billing_details


def customer(
    cid: str, name: str | None, email: str | None, currency: str | None, country: str, created: int,
    metadata: dict[str, str],
) -> Object:  # fmt: skip
    """Who pays. currency: None until the first charge."""
    return {
        "id": cid, "object": "customer", "address": address(country), "balance": 0, "created": created,
        "currency": currency, "default_source": None, "delinquent": False, "description": None, "discount": None,
        "email": email, "invoice_prefix": cid[-8:].upper().replace("_", "0"),
        "invoice_settings": {"custom_fields": None, "default_payment_method": None, "footer": None,
                             "rendering_options": None},
        "livemode": False, "metadata": metadata, "name": name, "next_invoice_sequence": 1, "phone": None,
        "preferred_locales": [], "shipping": None, "tax_exempt": "none", "test_clock": None,
    }  # fmt: skip


def payment_method(
    pid: str, customer_id: str, year: int, month: int, created: int, brand: str = "visa", last4: str = "4242"
) -> Object:
    """A card: brand, last four and expiry, nothing more."""
    card = {
        "brand": brand, "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "US", "display_brand": brand, "exp_month": month, "exp_year": year,
        "fingerprint": f"fp{pid[-8:]}", "funding": "credit", "generated_from": None, "last4": last4,
        "networks": {"available": [brand], "preferred": None}, "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True}, "wallet": None,
    }  # fmt: skip
    return {
        "id": pid, "object": "payment_method", "allow_redisplay": "unspecified", "billing_details": billing_details(),
        "card": card, "created": created, "customer": customer_id, "customer_account": None, "livemode": False,
        "metadata": {}, "type": "card",
    }  # fmt: skip
