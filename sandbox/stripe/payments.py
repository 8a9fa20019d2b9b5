"""Paying: tries that work and tries that fail, and what each does to intent, invoice and subscription."""

from __future__ import annotations

from sandbox.stripe import objects as make
from sandbox.stripe.errors import Denied
from sandbox.stripe.invoicing import Invoicing
from sandbox.stripe.objects import Object
from sandbox.stripe.periods import DAY
from sandbox.stripe.store import act

DECLINED = ("card_declined", "Your card was declined.")
ENDED = ("canceled", "incomplete_expired")
LIFE = ("active", "past_due", "trialing", "unpaid", "incomplete", "paused")  # which of several is meant


class Payments(Invoicing):
    """Acts around one payment."""

    def _subscription(self, of: str) -> Object | None:
        """By its own id, or the liveliest of a customer's. Raises Denied when neither is known."""
        if of in self.lists["subscriptions"]:
            return self.lists["subscriptions"][of]
        its = self.of("subscriptions", customer=self.get("customers", of)["id"])
        return min(its, key=lambda s: LIFE.index(s["status"]) if s["status"] in LIFE else len(LIFE), default=None)

    def _card(self, customer_id: str) -> Object | None:
        """The customer's default card, or their newest."""
        chosen = self.get("customers", customer_id)["invoice_settings"]["default_payment_method"]
        cards = self.of("payment_methods", customer=customer_id)
        return self.lists["payment_methods"].get(chosen) if chosen else cards[-1] if cards else None

    def _try(self, invoice: Object, failure: tuple[str, str] | None) -> Object:
        """One charge for an open invoice; everything that hangs on it follows."""
        pays = self.of("invoice_payments", invoice=invoice["id"])[-1]
        intent = self.get("payment_intents", pays["payment"]["payment_intent"])
        charge = self.put("charges", make.charge(
            self.new_id("ch"), invoice["customer"], intent["id"], invoice["currency"], intent["amount"], self.now(),
            failure, self._card(invoice["customer"]),
        ))  # fmt: skip
        intent |= {"latest_charge": charge["id"], "payment_method": charge["payment_method"]}
        invoice |= {"attempt_count": invoice["attempt_count"] + 1, "attempted": True}
        if failure is None:
            self._paid(invoice, pays, intent, charge)
        else:
            self._failed(invoice, intent, charge, failure)
        return charge

    def _paid(self, invoice: Object, pays: Object, intent: Object, charge: Object) -> None:
        now, amount = self.now(), intent["amount"]
        intent |= {"status": "succeeded", "amount_received": amount, "last_payment_error": None}
        pays |= {"status": "paid", "amount_paid": amount}
        pays["status_transitions"]["paid_at"] = now
        invoice |= {
            "status": "paid", "amount_paid": amount, "amount_remaining": 0, "next_payment_attempt": None,
            "auto_advance": False,
        }  # fmt: skip
        invoice["status_transitions"]["paid_at"] = now
        self.emit("charge.succeeded", charge)
        self.emit("payment_intent.succeeded", intent)
        self.emit("invoice_payment.paid", pays)
        self.emit("invoice.paid", invoice)
        self.emit("invoice.payment_succeeded", invoice)
        subscription = self.get("subscriptions", invoice["parent"]["subscription_details"]["subscription"])
        owed = [i for i in self._invoices(subscription) if i["status"] == "open"]
        if subscription["status"] in ("past_due", "unpaid", "incomplete") and not owed:
            with self.changing(subscription, "customer.subscription.updated"):
                subscription["status"] = "active"

    def _failed(self, invoice: Object, intent: Object, charge: Object, failure: tuple[str, str]) -> None:
        intent["last_payment_error"] = {
            "charge": charge["id"], "code": failure[0], "decline_code": "generic_decline", "message": failure[1],
            "type": "card_error",
        }  # fmt: skip
        intent["status"] = "requires_payment_method"
        invoice["next_payment_attempt"] = self.now() + 3 * DAY if invoice["attempt_count"] < 4 else None
        self.emit("charge.failed", charge)
        self.emit("payment_intent.payment_failed", intent)
        self.emit("invoice.payment_failed", invoice)
        subscription = self.get("subscriptions", invoice["parent"]["subscription_details"]["subscription"])
        with self.changing(subscription, "customer.subscription.updated"):
            if subscription["status"] in ("active", "trialing"):
                subscription["status"] = "past_due"
            elif subscription["status"] == "past_due" and invoice["attempt_count"] >= 4:
                subscription["status"] = "unpaid"

    def _invoices(self, subscription: Object) -> list[Object]:
        own = subscription["id"]
        return [i for i in self.of("invoices", customer=subscription["customer"])
                if i["parent"]["subscription_details"]["subscription"] == own]  # fmt: skip

    def _renew(self, subscription: Object, failure: tuple[str, str] | None = None) -> Object:
        """A new period from now on, its invoice, and a try to be paid."""
        with self.changing(subscription, "customer.subscription.updated"):
            self._move_on(subscription)
            subscription["billing_cycle_anchor"] = self.now()
            if subscription["status"] == "trialing":
                subscription |= {"status": "active", "trial_end": self.now()}
            invoice = self._bill(subscription)
        if invoice["status"] == "open":
            self._try(invoice, failure)
        return invoice

    @act
    def renew(self, of: str) -> Object | None:
        """A renewal that is paid. `of`: a subscription or a customer, here and below."""
        found = self._subscription(of)
        return self._renew(found) if found and found["status"] in ("active", "trialing") else None

    @act
    def fail_payment(self, of: str, code: str = DECLINED[0], message: str = DECLINED[1]) -> Object | None:
        """The card refuses: an open invoice once more, else a renewal. None for those who pay nothing any more."""
        subscription = self._subscription(of)
        if subscription is None or subscription["status"] in (*ENDED, "paused"):
            return None
        owed = [i for i in self._invoices(subscription) if i["status"] == "open"]
        if not owed:
            return self._renew(subscription, (code, message))
        self._try(owed[-1], (code, message))
        return owed[-1]

    @act
    def pay_invoice(self, invoice_id: str) -> Object:
        """The card works. Raises Denied when the invoice is not open."""
        invoice = self.get("invoices", invoice_id)
        if invoice["status"] != "open":
            raise Denied("invoice_not_editable", f"This invoice is {invoice['status']}.")
        self._try(invoice, None)
        return invoice

    @act
    def pay_open_invoices(self, customer_id: str) -> list[str]:
        """All that a customer owes; the ids of the invoices."""
        owed = [i["id"] for i in self.of("invoices", customer=customer_id, status="open")]
        for invoice_id in owed:
            self._try(self.get("invoices", invoice_id), None)
        return owed

    @act
    def void_invoice(self, invoice_id: str) -> Object:
        """An open invoice is given up."""
        invoice = self.get("invoices", invoice_id)
        if invoice["status"] != "open":
            raise Denied("invoice_not_editable", f"This invoice is {invoice['status']}.")
        self._void(invoice)
        return invoice

    def _void(self, invoice: Object) -> None:
        invoice |= {"status": "void", "next_payment_attempt": None, "auto_advance": False}
        invoice["status_transitions"]["voided_at"] = self.now()
        for pays in self.of("invoice_payments", invoice=invoice["id"], status="open"):
            pays["status"] = "canceled"
            pays["status_transitions"]["canceled_at"] = self.now()
            intent = self.get("payment_intents", pays["payment"]["payment_intent"])
            intent |= {"status": "canceled", "canceled_at": self.now(), "cancellation_reason": "void_invoice"}
        self.emit("invoice.voided", invoice)
