"""What an answer of the vendor means for an intent: pure tables. Source: trust.md 2.4 steps 4 and 5."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.refunds.intent import Intent
from app.refunds.money import plain
from app.refunds.preflight import Colour, dispute_light, refundable_light
from app.refunds.states import OF_STATUS, State
from integrations.kernel.billing import Refund
from integrations.kernel.errors import (
    AppError,
    ConfigError,
    NeedsReauthorisation,
    OutcomeUnknown,
    RateLimited,
    Retry,
    VendorRejected,
)
from integrations.kernel.ports import ChargeNow

KEY_LIFE_S = 23 * 3600.0  # the vendor keeps an idempotency key for 24 hours at least (vendor sheet 3.3)
LIST_LAG_S = 10.0  # how late a refund may show in the vendor's list; twice what is planned for
HOLD_S = 300.0
KEY_REFUSED = "The vendor refuses our key."
LONGEST_WAIT_S = 60.0  # between two tries of a refund: it must be settled soon after a fault ends


@dataclass(frozen=True, slots=True)
class End:
    """Where an intent goes. state None: it stays where it is. due_in_s: when to try again, None: nothing more to do.

    hold: the vendor refuses our key, send nothing. refused: a no that must be checked against the list once more.
    """

    state: State | None
    why: str = ""
    refund: Refund | None = None
    due_in_s: float | None = None
    hold: bool = False
    refused: str = ""


def found(intent: Intent, refunds: Sequence[Refund]) -> End | None:
    """What the vendor's list says; None when our refund is not in it."""
    mine = [one for one in refunds if one.intent_id == intent.id]
    if not mine:
        return None
    if len(mine) > 1:
        ids = ", ".join(one.id for one in mine)
        return End(State.NEEDS_HUMAN, f"The vendor holds {len(mine)} refunds of this intent: {ids}.", mine[0])
    return made(intent, mine[0]) or End(
        State.NEEDS_HUMAN,
        f"{mine[0].id} at the vendor is {plain(mine[0].amount)}, not {plain(intent.amount)}.",
        mine[0],
    )


def made(intent: Intent, refund: Refund) -> End | None:
    """The end a refund stands for; None when it is not the one that was asked for, or has a status we do not know."""
    state = OF_STATUS.get(refund.status)
    if state is None or refund.amount != intent.amount or refund.charge_id != intent.charge_id:
        return None
    return End(state, refund.failure or "", refund)


def fresh_refusal(intent: Intent, now: ChargeNow) -> str:
    """Why it must not be sent, by what the vendor says at this moment; empty when it may. First call only."""
    charge = now.charge
    if charge.payer_id != intent.payer_id:
        return "The charge belongs to another payer than when this was asked for."
    lights = (
        refundable_light(charge.status, charge.captured - charge.refunded, intent.amount),
        dispute_light([d.status for d in now.disputes], now.blocked),
    )
    return next((light.text for light in lights if light.colour is Colour.RED), "")


def after_call(intent: Intent, error: AppError, wait_s: float) -> End:
    """What a failed call means. `intent.attempts` counts it. wait_s: our own back-off."""
    wait_s = min(wait_s, LONGEST_WAIT_S)
    if isinstance(error, VendorRejected):
        return _rejected(intent, error)
    if isinstance(error, OutcomeUnknown):
        return End(State.UNKNOWN, "The vendor was asked and gave no answer.", due_in_s=wait_s)
    if (waiting := not_sent(error, wait_s)) is not None:
        return waiting
    return End(State.UNKNOWN, f"The vendor's answer could not be read ({error.code}).", due_in_s=wait_s)


def not_sent(error: AppError, wait_s: float) -> End | None:
    """Errors after which nothing can have happened: the intent stays where it is and is tried again."""
    wait_s = min(wait_s, LONGEST_WAIT_S)
    if isinstance(error, RateLimited):
        return End(None, "The vendor asks to wait.", due_in_s=max(error.retry_after_s, 0.1))
    if isinstance(error, NeedsReauthorisation):
        return End(None, KEY_REFUSED, due_in_s=wait_s, hold=True)
    if isinstance(error, ConfigError):
        return End(None, str(error), due_in_s=wait_s, hold=True)
    if error.retry is Retry.LATER:
        return End(None, "The vendor is not reachable.", due_in_s=wait_s)
    return None


def _rejected(intent: Intent, error: VendorRejected) -> End:
    """A clear no is an end on the first call only; later ones are checked once more, as the list may lag."""
    if error.vendor_code == "idempotency_error":
        return End(State.NEEDS_HUMAN, "The vendor knows this key with other parameters.")
    said = error.vendor_code or str(error.http_status)
    if intent.attempts <= 1:
        return End(State.REJECTED, f"The vendor refused it: {said}.")
    return End(State.UNKNOWN, f"The vendor refused a repeat: {said}.", due_in_s=LIST_LAG_S, refused=said)
