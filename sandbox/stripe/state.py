"""What the simulated Stripe holds, and what can happen to it: each act changes objects together and makes their events."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from sandbox.base import Context
from sandbox.stripe import objects as make
from sandbox.stripe.objects import Object
from sandbox.world import World
from sandbox.world.build import PLANS, Payer

DAY = 86_400
PERIOD = {"month": 30 * DAY, "year": 365 * DAY, "week": 7 * DAY, "day": DAY}
KINDS = (
    "customers products prices subscriptions invoices invoice_payments charges refunds disputes credit_notes "
    "payment_methods coupons"
).split()


class State:
    """All objects by list name and id, newest last, and the log of events."""

    def __init__(self, context: Context, world: World) -> None:
        self.context = context
        self.lists: dict[str, dict[str, Object]] = {kind: {} for kind in KINDS}
        self.events: dict[str, Object] = {}
        self.listeners: list[Callable[[Object], None]] = []
        self._ids = itertools.count(1)
        self._quiet = True
        self._products()
        for payer in world.payers:
            self._move_in(payer)
        self._quiet = False

    def now(self) -> int:
        return int(self.context.now().timestamp())

    def new_id(self, prefix: str) -> str:
        return f"{prefix}_S{next(self._ids):08d}"

    def _put(self, kind: str, o: Object) -> Object:
        self.lists[kind][o["id"]] = o
        return o

    def emit(self, kind: str, o: Object) -> None:
        """Log an event with a copy of the object as it is now, and send it."""
        if self._quiet:
            return
        event = {
            "id": self.new_id("evt"), "object": "event", "api_version": "2026-10-28.endive", "created": self.now(),
            "data": {"object": _flat(o)}, "livemode": False, "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None}, "type": kind,
        }  # fmt: skip
        self.events[event["id"]] = event
        for listener in self.listeners:
            listener(event)

    def _products(self) -> None:
        for n, (name, _) in enumerate(PLANS):
            self._put("products", make.product(f"prod_S{n}", f"Acme {name}", self.now() - 900 * DAY))
        for cid, percent, duration, months in (
            ("ONCE20", 20, "once", None), ("SIX10", 10, "repeating", 6), ("FOREVER25", 25, "forever", None),
        ):  # fmt: skip
            self._put("coupons", make.coupon(cid, percent, duration, months, self.now() - 900 * DAY))

    def _price(self, plan: int, currency: str, interval: tuple[str, int], *, metered: bool = False) -> Object:
        name, cents = PLANS[plan]
        scale = {"jpy": 1, "kwd": 10}.get(currency, 1)
        months = PERIOD[interval[0]] * interval[1] / PERIOD["month"]
        amount = max(1, int(cents * scale * max(1.0, round(months, 2))))
        pid = f"price_S{plan}{currency}{interval[0]}{interval[1]}{'m' if metered else ''}"
        if pid not in self.lists["prices"]:
            created = self.now() - 800 * DAY
            self._put("prices", make.price(pid, f"prod_S{plan}", name, amount, currency, interval, created, metered))
        return self.lists["prices"][pid]

    def _move_in(self, payer: Payer) -> None:
        """A payer with history: subscription, three paid invoices, and its story."""
        now = self.now()
        created = now - 420 * DAY
        customer = make.customer(
            payer.id, payer.name, payer.email, payer.currency, payer.country, created, payer.metadata
        )
        self._put("customers", customer)
        expiring = payer.story == "card_expiring"
        year, month = (self.context.now().year, self.context.now().month) if expiring else (2031, 4)
        self._put("payment_methods", make.payment_method(self.new_id("pm"), payer.id, year, month, created))
        sid = self.new_id("sub")
        span = PERIOD[payer.interval[0]] * payer.interval[1]
        start, end = now - span // 3, now + span - span // 3
        items = [
            make.item(
                self.new_id("si"), sid, self._price(payer.plan, payer.currency, payer.interval), payer.seats, start, end
            )
        ]
        if payer.story == "two_items":
            items.append(
                make.item(self.new_id("si"), sid, self._price(0, payer.currency, payer.interval), 3, start, end)
            )
        if payer.story == "metered":
            metered = self._price(0, payer.currency, payer.interval, metered=True)
            items.append(make.item(self.new_id("si"), sid, metered, 0, start, end))
        used = {"seats_used": str(max(1, payer.seats - 2))}
        subscription = make.subscription(sid, payer.id, payer.status, items, payer.currency, created, used)
        self._put("subscriptions", subscription)
        if payer.status == "trialing":
            subscription["trial_end"] = end
        if payer.status == "canceled":
            subscription["canceled_at"] = subscription["ended_at"] = now - 40 * DAY
        amount = sum(i["price"]["unit_amount"] * i.get("quantity", 0) for i in items)
        if payer.status not in ("trialing", "incomplete", "incomplete_expired"):
            for n in (3, 2, 1):
                self._paid(payer.id, sid, payer.currency, amount, now - n * 30 * DAY)
        self._story(payer, subscription, now)

    def _paid(self, customer_id: str, sid: str, currency: str, amount: int, at: int) -> Object:
        invoice = self._put("invoices", make.invoice(self.new_id("in"), customer_id, sid, currency, amount, "paid", at))
        intent = self.new_id("pi")
        charge = make.charge(self.new_id("ch"), customer_id, intent, currency, amount, at, None)
        paid = make.invoice_payment(self.new_id("inpay"), invoice["id"], intent, currency, amount, at)
        self._put("invoice_payments", paid)
        return self._put("charges", charge)

    def _story(self, payer: Payer, subscription: Object, now: int) -> None:
        charges = [c for c in self.lists["charges"].values() if c["customer"] == payer.id]
        if payer.story.startswith("coupon_"):
            name = {"coupon_once": "ONCE20", "coupon_repeating": "SIX10", "coupon_forever": "FOREVER25"}[payer.story]
            end = now + 60 * DAY if name == "SIX10" else None
            coupon = self.lists["coupons"][name]
            d = make.discount(self.new_id("di"), payer.id, subscription["id"], now - 90 * DAY, end, coupon)
            subscription["discounts"] = [d]
        if payer.story == "cancels":
            subscription["cancel_at_period_end"] = True
            subscription["cancel_at"] = subscription["items"]["data"][0]["current_period_end"]
        if payer.story == "paused_collection":
            subscription["pause_collection"] = {"behavior": "void", "resumes_at": None}
        if payer.story == "failed_payment" or payer.status in ("past_due", "unpaid"):
            self.fail_payment(payer.id, at=now - 3 * DAY)
        if not charges:
            return
        if payer.story in ("dispute", "inquiry", "won_dispute"):
            status = {"dispute": "needs_response", "inquiry": "warning_needs_response", "won_dispute": "won"}[
                payer.story
            ]
            self.open_dispute(charges[-1]["id"], status)
        if payer.story in ("refund", "partial_refund"):
            part = charges[-1]["amount"] if payer.story == "refund" else charges[-1]["amount"] // 3
            self.refund(charges[-1]["id"], part)
        if payer.story == "credit_note":
            its = next(i for i in self.lists["invoices"].values() if i["customer"] == payer.id)
            self._put("credit_notes", make.credit_note(self.new_id("cn"), its, max(1, its["total"] // 10), now - DAY))

    # What can happen. Each answers the main object.

    def _subscription_of(self, customer_id: str) -> Object | None:
        return next((s for s in self.lists["subscriptions"].values() if s["customer"] == customer_id), None)

    def fail_payment(self, customer_id: str, at: int | None = None) -> Object | None:
        """A renewal that the card refuses."""
        with self.context.lock:
            subscription = self._subscription_of(customer_id)
            if subscription is None or subscription["status"] in ("canceled", "incomplete_expired"):
                return None
            at = at or self.now()
            currency = subscription["currency"]
            amount = sum(i["price"]["unit_amount"] * i.get("quantity", 0) for i in subscription["items"]["data"])
            invoice = make.invoice(self.new_id("in"), customer_id, subscription["id"], currency, amount, "open", at)
            self._put("invoices", invoice)
            why = ("card_declined", "Your card was declined.")
            charge = make.charge(self.new_id("ch"), customer_id, self.new_id("pi"), currency, amount, at, why)
            self._put("charges", charge)
            self.emit("charge.failed", charge)
            self.emit("invoice.payment_failed", invoice)
            if subscription["status"] == "active":
                subscription["status"] = "past_due"
                self.emit("customer.subscription.updated", subscription)
            return invoice

    def pay_open_invoices(self, customer_id: str) -> None:
        """The card works again: what is open is paid, the subscription is active."""
        with self.context.lock:
            for invoice in [
                i for i in self.lists["invoices"].values() if i["customer"] == customer_id and i["status"] == "open"
            ]:
                invoice |= {"status": "paid", "amount_paid": invoice["total"], "amount_remaining": 0}
                charge = make.charge(
                    self.new_id("ch"),
                    customer_id,
                    self.new_id("pi"),
                    invoice["currency"],
                    invoice["total"],
                    self.now(),
                    None,
                )
                self._put("charges", charge)
                self.emit("charge.succeeded", charge)
                self.emit("invoice.paid", invoice)
            subscription = self._subscription_of(customer_id)
            if subscription and subscription["status"] in ("past_due", "unpaid"):
                subscription["status"] = "active"
                self.emit("customer.subscription.updated", subscription)

    def open_dispute(self, charge_id: str, status: str = "needs_response") -> Object:
        """The bank asks (warning_...) or takes the money back."""
        with self.context.lock:
            charge = self.lists["charges"][charge_id]
            found = make.dispute(self.new_id("dp"), charge, status, self.now(), self.now() + 9 * DAY)
            charge["disputed"] = True
            self._put("disputes", found)
            self.emit("charge.dispute.created", found)
            self.emit("charge.updated", charge)
            return found

    def close_dispute(self, dispute_id: str, status: str) -> Object:
        """won, lost or warning_closed."""
        with self.context.lock:
            found = self.lists["disputes"][dispute_id]
            found["status"] = status
            self.emit("charge.dispute.closed", found)
            return found

    def refund(self, charge_id: str, amount: int, reason: str | None = "requested_by_customer") -> Object:
        """Money back; never more than is left. Raises ValueError."""
        with self.context.lock:
            charge = self.lists["charges"][charge_id]
            if not 0 < amount <= charge["amount_captured"] - charge["amount_refunded"]:
                raise ValueError("amount_too_large")
            found = self._put("refunds", make.refund(self.new_id("re"), charge, amount, self.now(), reason))
            charge["amount_refunded"] += amount
            charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
            self.emit("refund.created", found)
            self.emit("charge.refunded", charge)
            return found

    def change_seats(self, customer_id: str, quantity: int) -> Object | None:
        """Another number of seats on the first item."""
        with self.context.lock:
            subscription = self._subscription_of(customer_id)
            if subscription is None:
                return None
            subscription["items"]["data"][0]["quantity"] = quantity
            self.emit("customer.subscription.updated", subscription)
            return subscription

    def cancel_at_period_end(self, customer_id: str) -> Object | None:
        """The customer leaves when the paid time is over."""
        with self.context.lock:
            subscription = self._subscription_of(customer_id)
            if subscription is None or subscription["status"] == "canceled":
                return None
            subscription["cancel_at_period_end"] = True
            subscription["cancel_at"] = subscription["items"]["data"][0]["current_period_end"]
            self.emit("customer.subscription.updated", subscription)
            return subscription

    def update_email(self, customer_id: str, email: str) -> Object:
        """The customer has another address."""
        with self.context.lock:
            customer = self.lists["customers"][customer_id]
            customer["email"] = email
            self.emit("customer.updated", customer)
            return customer


def _flat(o: Object) -> Any:  # noqa: ANN401 - JSON
    """A copy as an event carries it: discounts by id only."""
    import copy

    flat = copy.deepcopy(o)
    if "discounts" in flat:
        flat["discounts"] = [d["id"] if isinstance(d, dict) else d for d in flat["discounts"]]
    return flat
