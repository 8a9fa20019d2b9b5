"""What is sold, and for how much less."""

from __future__ import annotations

from sandbox.stripe.objects.shape import Object


def product(pid: str, name: str, created: int) -> Object:
    """A product, sold by the seat."""
    return {
        "id": pid, "object": "product", "active": True, "created": created, "default_price": None, "description": None,
        "images": [], "livemode": False, "marketing_features": [], "metadata": {}, "name": name,
        "package_dimensions": None, "shippable": None, "statement_descriptor": None, "tax_code": None, "type": "service",
        "unit_label": "seat", "updated": created, "url": None,
    }  # fmt: skip


def price(
    pid: str, product_id: str, nickname: str | None, amount: int, currency: str, interval: tuple[str, int],
    created: int, metered: bool,
) -> Object:  # fmt: skip
    """A recurring price. amount: Stripe's integer for one unit and one interval."""
    recurring = {
        "interval": interval[0], "interval_count": interval[1], "meter": "mtr_S1" if metered else None,
        "trial_period_days": None, "usage_type": "metered" if metered else "licensed",
    }  # fmt: skip
    return {
        "id": pid, "object": "price", "active": True, "billing_scheme": "per_unit", "created": created,
        "currency": currency, "custom_unit_amount": None, "livemode": False, "lookup_key": None, "metadata": {},
        "nickname": nickname, "product": product_id, "recurring": recurring, "tax_behavior": "unspecified",
        "tiers_mode": None, "transform_quantity": None, "type": "recurring", "unit_amount": amount,
        "unit_amount_decimal": str(amount),
    }  # fmt: skip


def plan(its_price: Object) -> Object:
    """The older twin of a price, which subscription items still carry."""
    recurring = its_price["recurring"]
    return {
        "id": its_price["id"], "object": "plan", "active": True, "amount": its_price["unit_amount"],
        "amount_decimal": its_price["unit_amount_decimal"], "billing_scheme": "per_unit",
        "created": its_price["created"], "currency": its_price["currency"], "interval": recurring["interval"],
        "interval_count": recurring["interval_count"], "livemode": False, "metadata": {}, "meter": recurring["meter"],
        "nickname": its_price["nickname"], "product": its_price["product"], "tiers_mode": None, "transform_usage": None,
        "trial_period_days": None, "usage_type": recurring["usage_type"],
    }  # fmt: skip


def coupon(
    cid: str, percent: float | None, duration: str, months: int | None, created: int,
    off: tuple[int, str] | None = None,
) -> Object:  # fmt: skip
    """Percent or amount (with its currency) off: once, repeating for some months, or forever."""
    return {
        "id": cid, "object": "coupon", "amount_off": off[0] if off else None, "created": created,
        "currency": off[1] if off else None, "duration": duration, "duration_in_months": months, "livemode": False,
        "max_redemptions": None, "metadata": {}, "name": cid, "percent_off": percent, "redeem_by": None,
        "times_redeemed": 0, "valid": True,
    }  # fmt: skip


def discount(did: str, customer_id: str, subscription_id: str, start: int, end: int | None, coupon_id: str) -> Object:
    """A coupon in use."""
    return {
        "id": did, "object": "discount", "checkout_session": None, "customer": customer_id, "end": end, "invoice": None,
        "invoice_item": None, "promotion_code": None, "source": {"coupon": coupon_id, "type": "coupon"}, "start": start,
        "subscription": subscription_id, "subscription_item": None,
    }  # fmt: skip
