"""How an invoice comes about: lines of the items, prorations that waited, discounts, the customer's balance."""

from __future__ import annotations

from sandbox.stripe import objects as make
from sandbox.stripe.objects import Object
from sandbox.stripe.periods import interval_of, shift
from sandbox.stripe.store import Store

USAGE = 120  # units of a metered item in each period


def step(currency: str) -> int:
    """The smallest amount Stripe takes: the last digit of a three-decimal currency is 0 (vendor sheet 3.8)."""
    return 10 if currency in ("kwd", "bhd", "jod", "omr", "tnd") else 1


def part(amount: int, numerator: int, denominator: int, currency: str) -> int:
    """A share of an amount, in whole steps of its currency."""
    unit = step(currency)
    return round(amount * numerator / denominator / unit) * unit


class Invoicing(Store):
    """Makes invoices; paying them is another matter."""

    prorations: dict[str, list[Object]]

    def _move_on(self, subscription: Object) -> None:
        """Begin a new period now."""
        start = self.now()
        for its in subscription["items"]["data"]:
            its |= {"current_period_start": start, "current_period_end": shift(start, interval_of(its["price"]))}

    def _lines(self, subscription: Object, invoice_id: str) -> list[Object]:
        """One line an item, then the prorations that waited for this invoice."""
        found = []
        for its in subscription["items"]["data"]:
            start, end = its["current_period_start"], its["current_period_end"]
            metered = "quantity" not in its
            if metered:  # billed afterwards
                start, end = shift(start, interval_of(its["price"]), -1), start
            quantity = USAGE if metered else its["quantity"]
            amount = its["price"]["unit_amount"] * quantity
            found.append(make.line(self.new_id("il"), invoice_id, its, amount, quantity, start, end))
        found += [{**waiting, "invoice": invoice_id} for waiting in self.prorations.pop(subscription["id"], [])]
        return found

    def _discount(self, subscription: Object, lines: list[Object]) -> list[Object]:
        """Take the subscription's discounts off the lines; what was taken, by discount. Once-only ones are used up."""
        taken = []
        for discount_id in list(subscription["discounts"]):
            d = self.get("discounts", discount_id)
            coupon = self.get("coupons", d["source"]["coupon"])
            if d["end"] is not None and d["end"] <= self.now():
                continue
            amount = self._take(discount_id, coupon, [line for line in lines if line["amount"] > 0])
            taken.append({"amount": amount, "discount": discount_id})
            coupon["times_redeemed"] += 1
            if coupon["duration"] == "once":
                subscription["discounts"].remove(discount_id)
        return taken

    @staticmethod
    def _take(discount_id: str, coupon: Object, lines: list[Object]) -> int:
        left, total = coupon["amount_off"] or 0, 0
        for line in lines:
            room = line["amount"] - sum(d["amount"] for d in line["discount_amounts"])
            if coupon["percent_off"] is not None:
                off = part(room, round(coupon["percent_off"] * 100), 10_000, line["currency"])
            else:
                off = min(room, left)
                left -= off
            line["discount_amounts"].append({"amount": off, "discount": discount_id})
            total += off
        return total

    def _bill(self, subscription: Object, reason: str = "subscription_cycle", *, free: bool = False) -> Object:
        """A finalised invoice for the period that begins, open unless nothing is due. free: a trial's first invoice."""
        invoice_id, now = self.new_id("in"), self.now()
        lines = [] if free else self._lines(subscription, invoice_id)
        taken = self._discount(subscription, lines)
        subtotal = sum(line["amount"] for line in lines)
        total = subtotal - sum(d["amount"] for d in taken)
        found = make.invoice(
            invoice_id, subscription["customer"], subscription["id"], subscription["currency"], total, "draft", now,
            lines,
        )  # fmt: skip
        found |= {
            "billing_reason": reason, "subtotal": subtotal, "subtotal_excluding_tax": subtotal, "attempt_count": 0,
            "attempted": False, "total_discount_amounts": taken, "discounts": [d["discount"] for d in taken],
            "auto_advance": True,
        }  # fmt: skip
        self.put("invoices", found)
        self.emit("invoice.created", found)
        subscription["latest_invoice"] = invoice_id
        self._finalise(found)
        return found

    def _finalise(self, invoice: Object) -> None:
        """The customer's credit is used first; an intent waits for the rest."""
        customer = self.get("customers", invoice["customer"])
        invoice["starting_balance"] = customer["balance"]
        with self.changing(customer, "customer.updated"):
            due = max(0, invoice["total"] + customer["balance"])
            customer["balance"] += invoice["total"] - due
            customer["next_invoice_sequence"] += 1
        invoice |= {
            "status": "open", "amount_due": due, "amount_remaining": due, "ending_balance": customer["balance"],
            "customer_email": customer["email"], "customer_name": customer["name"],
        }  # fmt: skip
        self.emit("invoice.finalized", invoice)
        if due > 0:
            intent = make.payment_intent(self.new_id("pi"), customer["id"], invoice["currency"], due, self.now())
            self.put("payment_intents", intent)
            pays = make.invoice_payment(
                self.new_id("inpay"), invoice["id"], intent["id"], invoice["currency"], due, self.now(), "open"
            )
            self.put("invoice_payments", pays)
            self.emit("payment_intent.created", intent)
        else:
            invoice["status"] = "paid"
            invoice["status_transitions"]["paid_at"] = self.now()
            self.emit("invoice.paid", invoice)
