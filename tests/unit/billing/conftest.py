"""Records of a small billing world, made with as few words as a test needs."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest

from app.billing.profile import profile
from app.billing.records import to_json
from integrations.kernel import billing as k
from integrations.kernel.money import Money

NOW = datetime(2026, 11, 24, tzinfo=UTC)
_ids = itertools.count(1)


def _id(prefix):
    return f"{prefix}_{next(_ids)}"


def payer(pid="cus_1", **more):
    told = {
        "email": "ada@acme.example", "name": "Acme", "country": "DE", "currency": "USD", "balance": None,
        "created": NOW - timedelta(days=365),
    } | more  # fmt: skip
    return k.Payer(pid, pid, **told)


def discount(duration="forever", *, percent=None, off=None, end=None, known=True, did="di_1"):
    percent = Decimal(str(percent)) if percent is not None else None
    return k.Discount(did, known=known, percent=percent, amount=off, duration=duration, end=end)


def item(unit, quantity=1, interval="month", every=1, currency="USD", **more):
    told = {"product_id": "prod_1", "plan": "", "period_end": NOW + timedelta(days=10), "metered": False} | more
    unit = Decimal(str(unit)) if unit is not None else None
    return k.Item(
        _id("si"), currency=currency, unit=unit, quantity=quantity, interval=interval, interval_count=every, **told
    )


def subscription(*items, sid="sub_1", pid="cus_1", status="active", discounts=(), **more):
    told = {
        "paused": False, "started": NOW - timedelta(days=200), "cancel_at": None, "cancel_at_period_end": False,
        "trial_end": None,
    } | more  # fmt: skip
    return k.Subscription(sid, pid, status, items=tuple(items), discounts=tuple(discounts), **told)


def charge(minor=1000, *, cid=None, pid="cus_1", currency="USD", refunded=0, status="succeeded", days=5, **more):
    captured = minor if status == "succeeded" else 0
    return k.Charge(
        cid or _id("ch"), pid, status, Money(minor, currency), Money(captured, currency), Money(refunded, currency),
        NOW - timedelta(days=days), **more,
    )  # fmt: skip


def refund(minor=500, *, charge_id="ch_1", days=3, status="succeeded", currency="USD", pid="cus_1"):
    created = NOW - timedelta(days=days)
    return k.Refund(_id("re"), charge_id, status, Money(minor, currency), created, payer_id=pid)


def dispute(status="needs_response", *, did="dp_1", charge_id="ch_1", minor=1000, due=9, pid=""):
    due_by = NOW + timedelta(days=due) if due is not None else None
    return k.Dispute(did, charge_id, status, Money(minor, "USD"), "fraudulent", NOW, due_by, payer_id=pid)


def invoice(status="open", *, minor=1000, attempts=1, pid="cus_1", due=None, iid=None):
    left = minor if status == "open" else 0
    return k.Invoice(
        iid or _id("in"), pid, status, "A-1", Money(minor, "USD"), Money(minor - left, "USD"), Money(left, "USD"),
        attempts, NOW, due=due,
    )  # fmt: skip


def card(year=2027, month=3, mid=None, pid="cus_1"):
    return k.PaymentMethod(mid or _id("pm"), pid, "card", "visa", "4242", month, year)


def profile_of(*records, sold=(), at=NOW, seats_used_key="seats_used"):
    """The profile of one payer who has these records; `sold` are products and prices."""
    objects = {}
    for record in records:
        objects.setdefault(k.KIND_OF[type(record)], []).append(to_json(record))
    known = {(k.KIND_OF[type(s)], s.id): to_json(s) for s in sold}
    return profile(objects, known, at, seats_used_key)


@pytest.fixture
def make():
    """The makers, and NOW."""
    return SimpleNamespace(
        NOW=NOW, payer=payer, discount=discount, item=item, subscription=subscription, charge=charge, refund=refund,
        dispute=dispute, invoice=invoice, card=card, profile=profile_of,
    )  # fmt: skip
