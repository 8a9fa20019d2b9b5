"""POST /v1/refunds, and the amounts that make it go wrong on purpose (practice mode).

Source: vendor sheet 3.5 for parameters; trust.md 2.10 for the amounts, as minor units of a two-decimal currency; they are
ten times that where there are three decimals, and whole units where there are none.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from sandbox.stripe import params
from sandbox.stripe.errors import API, CARD, RATE, Denied, Invalid
from sandbox.stripe.idempotency import in_use
from sandbox.stripe.objects import Object
from sandbox.stripe.state import State

TAKES = (
    "amount", "charge", "payment_intent", "reason", "metadata", "expand", "instructions_email",
    "refund_application_fee", "reverse_transfer",
)  # fmt: skip
REASONS = ("duplicate", "fraudulent", "requested_by_customer")
DECLINED, CONFLICT, LIMITED, BROKEN, SILENT, FAILS_LATER = 401, 409, 429, 500, 504, 999
FAILS_AFTER_S = 5.0


class Silence(Exception):
    """The refund was made, and nobody is told: no answer comes in time."""

    def __init__(self, made: Object) -> None:
        super().__init__(made["id"])
        self.made = made


def parse(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a refund. Raises Invalid."""
    params.known(asked, TAKES)
    charge, intent = params.text(asked, "charge"), params.text(asked, "payment_intent")
    if charge and intent:
        raise Invalid("parameters_exclusive", "Only one of charge and payment_intent may be given", 400, "charge")
    if not (charge or intent):
        raise Invalid("parameter_missing", "One of the following params should be provided for this request: "
                      "payment_intent or charge.", 400, "charge")  # fmt: skip
    params.texts(asked, "expand")
    return {
        "charge": charge, "payment_intent": intent, "amount": params.whole(asked, "amount", 1),
        "reason": params.choice(asked, "reason", REASONS), "metadata": params.table(asked, "metadata"),
    }  # fmt: skip


def charge_of(state: State, wanted: Mapping[str, Any]) -> Object:
    """The charge that is meant. Raises Denied."""
    if wanted["charge"]:
        return state.get("charges", wanted["charge"])
    intent = state.get("payment_intents", wanted["payment_intent"])
    if intent["status"] != "succeeded":
        raise Denied(
            "payment_intent_unexpected_state", "This PaymentIntent does not have a successful charge to refund."
        )
    return state.get("charges", intent["latest_charge"])


def magic(state: State, asked: Mapping[str, Any]) -> int:
    """The amount as a two-decimal one, 0 when none is given or the charge is unknown."""
    text = asked.get("amount", "")
    charge = state.lists["charges"].get(asked.get("charge") or "") or {}
    if not charge:
        intent = state.lists["payment_intents"].get(asked.get("payment_intent") or "") or {}
        charge = state.lists["charges"].get(intent.get("latest_charge") or "") or {}
    if not isinstance(text, str) or not text.isdigit():
        return 0
    amount, factor = int(text), 10 if charge.get("currency") == "kwd" else 1
    return amount // factor if amount % factor == 0 else 0


class Practice:
    """Remembers who was refused once, so that the same call passes the next time."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._refused: set[str] = set()

    def at_the_gate(self, asked: Mapping[str, Any], key: str, parameters: str) -> None:
        """Before the idempotency layer, the first time only: 4.29 is 429, 4.09 is 409. Raises Invalid."""
        amount, who = magic(self._state, asked), key or parameters
        if amount not in (LIMITED, CONFLICT) or who in self._refused:
            return
        self._refused.add(who)
        if amount == LIMITED:
            raise Invalid("rate_limit", "Too many requests, on purpose.", 429, kind=RATE)
        raise in_use(key)

    def create(self, asked: Mapping[str, Any]) -> Object:
        """One refund. Raises Denied, Invalid, or Silence when it was made and no answer comes."""
        wanted = parse(asked)
        amount = magic(self._state, asked)
        charge = charge_of(self._state, wanted)
        if amount == DECLINED:
            self._state.refundable(charge)
            raise Denied("card_declined", "The bank declined this refund, on purpose.", 402, kind=CARD)
        status = "pending" if amount == FAILS_LATER else "succeeded"
        made = self._state.refund(charge["id"], wanted["amount"], wanted["reason"], wanted["metadata"], status)
        if amount == FAILS_LATER:
            after = FAILS_AFTER_S / self._state.context.time_factor
            timer = threading.Timer(after, self._state.settle_refund, (made["id"], "failed"))
            timer.daemon = True
            timer.start()
        if amount == BROKEN:
            raise Denied("", "An error occurred, on purpose, after the refund was made.", 500, kind=API)
        if amount == SILENT:
            raise Silence(made)
        return made
