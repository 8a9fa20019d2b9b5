"""Billing as vendors tell it, in our words. Amounts are Money; times are aware UTC; `payer_id` "" is not told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from integrations.kernel.money import Money


@dataclass(frozen=True, slots=True)
class Payer:
    """Who pays: a customer at the billing vendor. balance: below zero is credit of theirs. method_id: pays by default."""

    id: str
    payer_id: str
    email: str | None
    name: str | None
    country: str | None
    currency: str | None
    balance: Money | None
    created: datetime
    metadata: Mapping[str, str] = field(default_factory=dict)
    discounts: tuple[Discount, ...] = ()
    method_id: str = ""


@dataclass(frozen=True, slots=True)
class Product:
    """What is sold."""

    id: str
    name: str
    payer_id: str = ""


@dataclass(frozen=True, slots=True)
class Tier:
    """up_to: last unit of the tier, None without end. unit, flat: minor units, exact."""

    up_to: int | None
    unit: Decimal
    flat: Decimal


@dataclass(frozen=True, slots=True)
class Amount:
    """What a price is in one currency: minor units for one, exact, or tiers."""

    currency: str
    unit: Decimal | None
    tiers: tuple[Tier, ...] = ()


@dataclass(frozen=True, slots=True)
class Price:
    """One price of a product, in every currency it has. graduated: each tier prices its own units, else all of them."""

    id: str
    product_id: str
    name: str
    amounts: tuple[Amount, ...]
    graduated: bool = False
    payer_id: str = ""


@dataclass(frozen=True, slots=True)
class Discount:
    """percent or amount off; duration once, repeating (until `end`) or forever. known: its coupon was told with it."""

    id: str
    known: bool
    percent: Decimal | None = None
    amount: Money | None = None
    duration: str = ""
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a subscription. unit: minor units of `currency` for one, exact; None: look at the price (tiers).

    interval: day, week, month or year; every `interval_count` of them. metered: billed by use, not by quantity.
    pack: units are sold in packs of so many, rounded up or down.
    """

    id: str
    product_id: str
    plan: str
    currency: str
    unit: Decimal | None
    quantity: int
    interval: str
    interval_count: int
    metered: bool
    period_end: datetime | None
    discounts: tuple[Discount, ...] = ()
    price_id: str = ""
    pack: int = 1
    pack_up: bool = True


@dataclass(frozen=True, slots=True)
class Subscription:
    """status: the vendor's (active, past_due, trialing, unpaid, paused, canceled, incomplete, incomplete_expired)."""

    id: str
    payer_id: str
    status: str
    paused: bool
    items: tuple[Item, ...]
    discounts: tuple[Discount, ...]
    started: datetime
    cancel_at: datetime | None
    cancel_at_period_end: bool
    trial_end: datetime | None
    metadata: Mapping[str, str] = field(default_factory=dict)
    method_id: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an invoice, as it is shown to the customer. proration: for a part of a period."""

    id: str
    text: str
    amount: Money
    quantity: int | None
    start: datetime | None
    end: datetime | None
    proration: bool = False


@dataclass(frozen=True, slots=True)
class Invoice:
    """status: draft, open, paid, void, uncollectible. due: only where the customer pays by themselves.

    lines: those that came with it, the first ten; `more_lines` says that there are others.
    """

    id: str
    payer_id: str
    status: str
    number: str | None
    total: Money
    paid: Money
    remaining: Money
    attempts: int
    created: datetime
    subscription_id: str = ""
    url: str | None = None
    pdf: str | None = None
    due: datetime | None = None
    lines: tuple[Line, ...] = ()
    more_lines: bool = False


@dataclass(frozen=True, slots=True)
class InvoicePayment:
    """Which payment paid which invoice. source: the payment intent or charge."""

    id: str
    invoice_id: str
    source: str
    status: str
    amount: Money | None
    payer_id: str = ""


@dataclass(frozen=True, slots=True)
class Charge:
    """One try to take money. status: succeeded, pending, failed."""

    id: str
    payer_id: str
    status: str
    amount: Money
    captured: Money
    refunded: Money
    created: datetime
    disputed: bool = False
    intent: str = ""
    failure_code: str | None = None
    failure_text: str | None = None
    brand: str | None = None
    last4: str | None = None


@dataclass(frozen=True, slots=True)
class Refund:
    """status: pending, requires_action, succeeded, failed, canceled. intent_id: of ours, where we asked for it."""

    id: str
    charge_id: str
    status: str
    amount: Money
    created: datetime
    reason: str | None = None
    payer_id: str = ""
    failure: str | None = None
    intent_id: str = ""


@dataclass(frozen=True, slots=True)
class Dispute:
    """status: the vendor's; one that begins with `warning_` is an inquiry. due_by None: no answer is possible."""

    id: str
    charge_id: str
    status: str
    amount: Money
    reason: str
    created: datetime
    due_by: datetime | None
    payer_id: str = ""


@dataclass(frozen=True, slots=True)
class CreditNote:
    """Money or credit given back on an invoice."""

    id: str
    payer_id: str
    invoice_id: str
    status: str
    amount: Money
    created: datetime


@dataclass(frozen=True, slots=True)
class PaymentMethod:
    """A way to pay; of a card its brand, last four digits and month of expiry, nothing more."""

    id: str
    payer_id: str
    type: str
    brand: str | None = None
    last4: str | None = None
    exp_month: int | None = None
    exp_year: int | None = None


@dataclass(frozen=True, slots=True)
class Gone:
    """An object the vendor says is deleted."""

    kind: str
    id: str
    payer_id: str = ""


KINDS = {
    "payer": Payer, "product": Product, "price": Price, "subscription": Subscription, "invoice": Invoice,
    "invoice_payment": InvoicePayment, "charge": Charge, "refund": Refund, "dispute": Dispute,
    "credit_note": CreditNote, "payment_method": PaymentMethod,
}  # fmt: skip
KIND_OF = {record: kind for kind, record in KINDS.items()}
