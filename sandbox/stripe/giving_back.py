"""Refunds, disputes and credit notes."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.stripe import objects as make
from sandbox.stripe.errors import Denied
from sandbox.stripe.objects import Object
from sandbox.stripe.payments import Payments
from sandbox.stripe.periods import DAY
from sandbox.stripe.store import act

CLOSED = ("won", "lost", "warning_closed", "prevented")


class GivingBack(Payments):
    """Acts by which money goes back."""

    def refundable(self, charge: Object) -> int:
        """What is left of a charge. Raises Denied when Stripe would refund nothing of it."""
        for dispute in self.of("disputes", charge=charge["id"]):
            if not dispute["is_charge_refundable"]:
                raise Denied("charge_disputed", f"Charge {charge['id']} has been charged back; cannot issue a refund.")
        if charge["status"] != "succeeded":
            raise Denied("charge_not_refundable", f"Charge {charge['id']} did not succeed and cannot be refunded.")
        left = int(charge["amount_captured"] - charge["amount_refunded"])
        if left <= 0:
            raise Denied("charge_already_refunded", f"Charge {charge['id']} has already been refunded.")
        return left

    @act
    def refund(
        self, charge_id: str, amount: int | None = None, reason: str | None = None,
        metadata: Mapping[str, str] | None = None, status: str = "succeeded",
    ) -> Object:  # fmt: skip
        """Money back; the rest when no amount is given. Raises Denied."""
        charge = self.get("charges", charge_id)
        left = self.refundable(charge)
        amount = left if amount is None else amount
        if amount > left:
            raise Denied(
                "amount_too_large", f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})",
                param="amount",
            )  # fmt: skip
        found = make.refund(self.new_id("re"), charge, amount, self.now(), reason, status)
        found["metadata"] = dict(metadata or {})
        if status == "pending":
            found["pending_reason"] = "processing"
        self.put("refunds", found)
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
        self.emit("refund.created", found)
        self.emit("charge.refunded", charge)
        for dispute in self.of("disputes", charge=charge_id):
            if charge["refunded"] and dispute["status"] not in CLOSED:
                self._close(dispute, "warning_closed")
        return found

    @act
    def settle_refund(self, refund_id: str, status: str = "succeeded", why: str = "expired_or_canceled_card") -> Object:
        """The bank answers, even days later: succeeded, failed or canceled. Failed money is on the charge again."""
        found = self.get("refunds", refund_id)
        if found["status"] in ("failed", "canceled"):
            raise Denied("refund_not_pending", f"This refund is {found['status']}.")
        charge = self.get("charges", found["charge"])
        with self.changing(found, "refund.updated", *(("refund.failed",) if status == "failed" else ())):
            found.pop("pending_reason", None)
            found["status"] = status
            if status == "failed":
                found["failure_reason"] = why
                found["failure_balance_transaction"] = None
        if status in ("failed", "canceled"):
            with self.changing(charge, "charge.updated"):
                charge["amount_refunded"] -= found["amount"]
                charge["refunded"] = False
        return found

    @act
    def open_dispute(self, charge_id: str, inquiry: bool = False, reason: str = "product_not_received") -> Object:
        """The bank asks (an inquiry), or takes the money back. Raises Denied for what cannot be disputed."""
        charge = self.get("charges", charge_id)
        if charge["status"] != "succeeded" or charge["disputed"]:
            raise Denied("charge_not_disputable", f"Charge {charge_id} did not succeed, or is disputed already.")
        status = "warning_needs_response" if inquiry else "needs_response"
        found = make.dispute(self.new_id("dp"), charge, status, self.now(), self.now() + 9 * DAY, reason)
        self.put("disputes", found)
        with self.changing(charge, "charge.updated"):
            charge["disputed"] = True
        self.emit("charge.dispute.created", found)
        if not inquiry:
            self._book(found, -found["amount"])
            self.emit("charge.dispute.funds_withdrawn", found)
        return found

    @act
    def answer_dispute(self, dispute_id: str) -> Object:
        """Evidence was handed in; the bank thinks."""
        found = self.get("disputes", dispute_id)
        with self.changing(found, "charge.dispute.updated"):
            found["status"] = "warning_under_review" if found["status"].startswith("warning_") else "under_review"
            found["evidence_details"] |= {"has_evidence": True, "submission_count": 1}
        return found

    @act
    def close_dispute(self, dispute_id: str, status: str = "won") -> Object:
        """won, lost or warning_closed. Raises Denied when it is closed."""
        found = self.get("disputes", dispute_id)
        if found["status"] in CLOSED or status not in CLOSED:
            raise Denied("dispute_closed", f"This dispute is {found['status']} and cannot become {status}.")
        self._close(found, status)
        return found

    def _close(self, found: Object, status: str) -> None:
        found |= {"status": status, "is_charge_refundable": status in ("won", "warning_closed")}
        if status == "won":
            self._book(found, found["amount"])
            self.emit("charge.dispute.funds_reinstated", found)
        self.emit("charge.dispute.closed", found)

    def _book(self, found: Object, amount: int) -> None:
        made = make.balance_transaction(self.new_id("txn"), found, amount, self.now())
        found["balance_transactions"].append(made)

    @act
    def credit_note(self, invoice_id: str, amount: int, how: str = "refund") -> Object:
        """how: refund (of the charge), balance (credit for later), or off an open invoice by itself. Raises Denied."""
        invoice = self.get("invoices", invoice_id)
        kind = "pre_payment" if invoice["status"] == "open" else "post_payment"
        room = invoice["amount_remaining"] if kind == "pre_payment" else (
            invoice["total"] - invoice["post_payment_credit_notes_amount"])  # fmt: skip
        if not 0 < amount <= room:
            raise Denied("amount_too_large", f"The credit note is larger than what is left ({room}).", param="amount")
        note_id = self.new_id("cn")
        lines = [make.credit_note_line(self.new_id("cnli"), line, amount) for line in invoice["lines"]["data"][:1]]
        found = make.credit_note(note_id, invoice, amount, self.now(), kind, lines)
        with self.changing(invoice, "invoice.updated"):
            invoice[f"{kind}_credit_notes_amount"] += amount
            if kind == "pre_payment":
                self._reduce(invoice, amount)
        if kind == "post_payment" and how == "refund":
            refund = self.refund(self._charge_of(invoice)["id"], amount)
            found["refunds"] = [{"amount_refunded": amount, "refund": refund["id"], "type": "refund"}]
        elif kind == "post_payment":
            customer = self.get("customers", invoice["customer"])
            with self.changing(customer, "customer.updated"):
                customer["balance"] -= amount
        self.put("credit_notes", found)
        self.emit("credit_note.created", found)
        return found

    def _reduce(self, invoice: Object, amount: int) -> None:
        invoice["amount_due"] -= amount
        invoice["amount_remaining"] -= amount
        for pays in self.of("invoice_payments", invoice=invoice["id"], status="open"):
            pays["amount_requested"] -= amount
            self.get("payment_intents", pays["payment"]["payment_intent"])["amount"] -= amount

    def _charge_of(self, invoice: Object) -> Object:
        """The charge that paid an invoice. Raises Denied."""
        for pays in self.of("invoice_payments", invoice=invoice["id"], status="paid"):
            intent = self.get("payment_intents", pays["payment"]["payment_intent"])
            return self.get("charges", intent["latest_charge"])
        raise Denied("invoice_not_paid", f"No payment was made on invoice {invoice['id']}.")
