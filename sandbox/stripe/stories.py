"""How payers came to be as they are: their history is made by the same acts as everything later, in the past."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.stripe import objects as make
from sandbox.stripe.customers import Customers
from sandbox.stripe.objects import Object
from sandbox.stripe.payments import DECLINED
from sandbox.stripe.periods import DAY, shift
from sandbox.world import PLANS, Payer

PERIODS = {"month": 4, "year": 2, "week": 5, "day": 6}  # how many were lived through, the present one too
TRIES = {"past_due": 2, "unpaid": 4}  # of the last invoice, all in vain
UNTOUCHED = ("trialing", "paused", "incomplete", "incomplete_expired")  # nobody ever paid


def shelves(state: Customers) -> None:
    """Products and coupons."""
    long_ago = state.now() - 900 * DAY
    for n, (name, _) in enumerate(PLANS):
        state.put("products", make.product(f"prod_S{n}", f"Acme {name}", long_ago))
    for cid, percent, duration, months, off in (
        ("ONCE20", 20, "once", None, None), ("SIX10", 10, "repeating", 6, None),
        ("FOREVER25", 25, "forever", None, None), ("TENOFF_usd", None, "forever", None, (1000, "usd")),
        ("TENOFF_eur", None, "forever", None, (1000, "eur")), ("TENOFF_gbp", None, "forever", None, (800, "gbp")),
        ("TENOFF_jpy", None, "repeating", 3, (1200, "jpy")), ("TENOFF_kwd", None, "forever", None, (3000, "kwd")),
    ):  # fmt: skip
        state.put("coupons", make.coupon(cid, percent, duration, months, long_ago, off))


def move_in(state: Customers, payer: Payer) -> None:
    """A customer, their card, what they bought, and what happened then."""
    since = int(payer.since.timestamp())
    state.put("customers", make.customer(
        payer.id, payer.name, payer.email, payer.currency, payer.country, since, dict(payer.metadata)
    ))  # fmt: skip
    if payer.status == "":
        return
    if payer.status != "paused":
        _card(state, payer, since)
    subscription = (_young if payer.status in UNTOUCHED else _lived)(state, payer)
    if payer.story in STORIES:
        with state.at(state.now() - 2 * DAY):
            STORIES[payer.story](state, payer, subscription)


def _card(state: Customers, payer: Payer, since: int) -> None:
    now = state.context.now()
    year, month = (now.year, now.month) if payer.story == "card_expiring" else (2031, 4)
    brand, last4 = ("visa", "4242") if int(payer.id[-1]) % 2 else ("mastercard", "4444")
    method = make.payment_method(state.new_id("pm"), payer.id, year, month, since, brand, last4)
    state.put("payment_methods", method)
    state.lists["customers"][payer.id]["invoice_settings"]["default_payment_method"] = method["id"]


def _prices(state: Customers, payer: Payer) -> list[tuple[Object, int]]:
    found = [(state.price(payer.plan, payer.currency, payer.interval), payer.seats)]
    if payer.story == "two_items":
        found.append((state.price((payer.plan + 1) % len(PLANS), payer.currency, payer.interval), 3))
    if payer.story == "metered":
        found.append((state.price(0, payer.currency, payer.interval, metered=True), 0))
    return found


def _metadata(payer: Payer) -> dict[str, str]:
    if payer.story == "no_seats_metadata":
        return {}
    return {"seats_used": str(payer.seats if payer.story == "seats_full" else max(1, payer.seats - 2))}


def _young(state: Customers, payer: Payer) -> Object:
    """Subscribed lately, and never paid: in trial, paused after it, or the first payment failed."""
    ago = {"trialing": 5 * DAY, "paused": 20 * DAY, "incomplete": 3600, "incomplete_expired": 2 * DAY}[payer.status]
    trial = 14 if payer.status in ("trialing", "paused") else 0
    with state.at(state.now() - ago):
        found = state._subscribe(payer.id, _prices(state, payer), payer.status, _metadata(payer), trial)
        invoice = state._bill(found, "subscription_create", free=bool(trial))
        if not trial:
            state._try(invoice, DECLINED)
            if payer.status == "incomplete_expired":
                state._void(invoice)
                found["ended_at"] = state.now() + DAY - 3600
    return found


def _lived(state: Customers, payer: Payer) -> Object:
    """Some paid periods, the last of which is a third over; those who owe failed at its start."""
    span = shift(0, payer.interval)
    periods = max(2, PERIODS[payer.interval[0]] // payer.interval[1])
    began = state.now() - span // 3
    with state.at(shift(began, payer.interval, 1 - periods)):
        found = state._subscribe(payer.id, _prices(state, payer), "active", _metadata(payer))
        state._try(state._bill(found, "subscription_create"), None)
    for n in range(2 - periods, 0):
        with state.at(shift(began, payer.interval, n)):
            state._renew(found)
    tries = TRIES.get(payer.status, 0)
    with state.at(began):
        invoice = state._renew(found, DECLINED if tries else None)
    for n in range(1, tries):
        with state.at(began + n * max(60, span // 20)):
            state._try(invoice, DECLINED)
    if payer.status == "canceled":
        with state.at(began + span // 6):
            state._cancel(found)
    return found


def _last_charge(state: Customers, payer: Payer) -> str:
    return str(state.of("charges", customer=payer.id, status="succeeded")[-1]["id"])


def _last_invoice(state: Customers, payer: Payer) -> Object:
    return state.of("invoices", customer=payer.id, status="paid")[-1]


def _dispute(state: Customers, payer: Payer, end: str, *, inquiry: bool = False) -> None:
    made = state.open_dispute(_last_charge(state, payer), inquiry=inquiry)
    if end:
        state.answer_dispute(made["id"])
    if end not in ("", "answered"):
        state.close_dispute(made["id"], end)


def _part_back(state: Customers, payer: Payer, _: Object) -> None:
    charge = state.get("charges", _last_charge(state, payer))
    state.refund(charge["id"], max(10, charge["amount"] // 3 // 10 * 10), "requested_by_customer")


def _bank_refuses(state: Customers, payer: Payer, _: Object) -> None:
    made = state.refund(_last_charge(state, payer), None, "requested_by_customer")
    state.settle_refund(made["id"], "failed")


def _note(state: Customers, payer: Payer, how: str) -> None:
    invoice = _last_invoice(state, payer)
    state.credit_note(invoice["id"], max(10, invoice["total"] // 10 // 10 * 10), how)


def _late(state: Customers, payer: Payer, subscription: Object) -> None:
    state.fail_payment(subscription["id"])
    with state.at(state.now() + DAY):
        state.pay_open_invoices(payer.id)


def _seats_and_bill(state: Customers, payer: Payer, subscription: Object) -> None:
    state.change_quantity(subscription["id"], payer.seats + 4)
    with state.at(state.now() + DAY):
        state.renew(subscription["id"])


def _another(state: Customers, payer: Payer, _: Object) -> None:
    price = state.price((payer.plan + 1) % len(PLANS), payer.currency, ("year", 1))
    more = state._subscribe(payer.id, [(price, 2)], "active", {"seats_used": "1"})
    state._try(state._bill(more, "subscription_create"), None)


STORIES: dict[str, Callable[[Customers, Payer, Object], object]] = {
    "failed_payment": lambda state, payer, its: state.fail_payment(its["id"]),
    "paid_after_failure": _late,
    "dispute": lambda state, payer, _: _dispute(state, payer, ""),
    "inquiry": lambda state, payer, _: _dispute(state, payer, "", inquiry=True),
    "answered_dispute": lambda state, payer, _: _dispute(state, payer, "answered"),
    "won_dispute": lambda state, payer, _: _dispute(state, payer, "won"),
    "lost_dispute": lambda state, payer, _: _dispute(state, payer, "lost"),
    "refund": lambda state, payer, _: state.refund(_last_charge(state, payer), None, "requested_by_customer"),
    "partial_refund": _part_back,
    "pending_refund": lambda state, payer, _: state.refund(_last_charge(state, payer), None, None, None, "pending"),
    "failed_refund": _bank_refuses,
    "credit_note": lambda state, payer, _: _note(state, payer, "refund"),
    "credit_to_balance": lambda state, payer, _: _note(state, payer, "balance"),
    "coupon_once": lambda state, _, its: state.apply_coupon(its["id"], "ONCE20"),
    "coupon_repeating": lambda state, _, its: state.apply_coupon(its["id"], "SIX10"),
    "coupon_forever": lambda state, _, its: state.apply_coupon(its["id"], "FOREVER25"),
    "coupon_amount": lambda state, payer, its: state.apply_coupon(its["id"], f"TENOFF_{payer.currency}"),
    "cancels": lambda state, _, its: state.cancel_at_period_end(its["id"]),
    "paused_collection": lambda state, _, its: state.pause(its["id"]),
    "card_replaced": lambda state, payer, _: state.update_card(payer.id),
    "proration": _seats_and_bill,
    "second_subscription": _another,
}
