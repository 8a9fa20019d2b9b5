"""Does what the plan says, through the simulators' own states, as people and banks would."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.base import Context
from sandbox.day.plan import Act

FIELD = 360002  # the text field that agents fill in


class Performer:
    """Keeps which ticket of the plan became which ticket of the desk."""

    def __init__(self, context: Context) -> None:
        self._zendesk: Any = context.simulators["zendesk"].state
        self._stripe: Any = context.simulators["stripe"].state
        self._tickets: list[int] = []

    def perform(self, act: Act) -> bool:
        """Do it; False when there was nothing to do, such as a refund for somebody who never paid."""
        if act.kind == "ticket":
            made = self._zendesk.create_ticket(act.who, act.told["subject"], act.told["text"])
            self._tickets.append(made["id"])
            return True
        if act.ticket >= 0:
            return self._desk(act, self._tickets[act.ticket])
        return MONEY[act.kind](self, str(act.who), act.told)

    def _desk(self, act: Act, ticket: int) -> bool:
        told, who = act.told, act.who
        if self._zendesk.tickets[ticket]["status"] == "closed":
            return False
        if act.kind in ("reply", "agent_reply", "note"):
            self._zendesk.comment(ticket, who, told["text"], public=act.kind != "note")
            return True
        if act.kind == "merge":
            return bool(self._zendesk.merge(ticket, self._tickets[told["into"]], int(who)))
        update: dict[str, Any] = dict(told)
        if act.kind == "tag":
            update = {"additional_tags": told["tags"]}
        elif act.kind == "field":
            update = {"custom_fields": [{"id": FIELD, "value": told["value"]}]}
        elif act.kind in ("status", "solve"):
            update = {"status": told.get("status", "solved"), "assignee_id": who}
        return bool(self._zendesk.change(ticket, who, update))

    def payment_failed(self, payer: str, told: dict[str, Any]) -> bool:
        return self._stripe.fail_payment(payer) is not None

    def paid(self, payer: str, told: dict[str, Any]) -> bool:
        return bool(self._stripe.pay_open_invoices(payer))

    def renewed(self, payer: str, told: dict[str, Any]) -> bool:
        return self._stripe.renew(payer) is not None

    def _charge(self, payer: str) -> dict[str, Any] | None:
        """The newest charge of theirs that can be refunded or disputed."""
        charges = self._stripe.of("charges", customer=payer, status="succeeded", disputed=False, refunded=False)
        return charges[-1] if charges else None

    def dispute(self, payer: str, told: dict[str, Any], *, inquiry: bool = False) -> bool:
        charge = self._charge(payer)
        return charge is not None and self._stripe.open_dispute(charge["id"], inquiry=inquiry) is not None

    def inquiry(self, payer: str, told: dict[str, Any]) -> bool:
        return self.dispute(payer, told, inquiry=True)

    def dispute_closed(self, payer: str, told: dict[str, Any]) -> bool:
        """The oldest open dispute of anybody: few payers have one."""
        waiting = [d for d in self._stripe.lists["disputes"].values() if d["status"].endswith("needs_response")]
        if not waiting:
            return False
        inquiry = waiting[0]["status"].startswith("warning_")
        self._stripe.close_dispute(waiting[0]["id"], "warning_closed" if inquiry else told["status"])
        return True

    def card(self, payer: str, told: dict[str, Any]) -> bool:
        return self._stripe.update_card(payer, last4=told["last4"], year=told["year"]) is not None

    def seats(self, payer: str, told: dict[str, Any]) -> bool:
        return self._stripe.change_quantity(payer, told["seats"]) is not None

    def refund(self, payer: str, told: dict[str, Any]) -> bool:
        """A refund made elsewhere, in Stripe's own dashboard."""
        charge = self._charge(payer)
        if charge is None:
            return False
        left = charge["amount_captured"] - charge["amount_refunded"]
        amount = max(1, left * told["percent"] // 100 // 10 * 10) if left >= 10 else left
        return self._stripe.refund(charge["id"], min(left, amount), "requested_by_customer") is not None

    def leave(self, payer: str, told: dict[str, Any]) -> bool:
        return self._stripe.cancel_at_period_end(payer) is not None


MONEY: dict[str, Callable[[Performer, str, dict[str, Any]], bool]] = {
    "payment_failed": Performer.payment_failed, "paid": Performer.paid, "renewed": Performer.renewed,
    "dispute": Performer.dispute, "inquiry": Performer.inquiry, "dispute_closed": Performer.dispute_closed,
    "card": Performer.card, "seats": Performer.seats, "refund": Performer.refund, "leave": Performer.leave,
}  # fmt: skip
