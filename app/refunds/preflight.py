"""The pre-flight strip: facts to lights with reasons, and the verdict. The same function decides on the server. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from app.access import Role
from app.identity import Strength
from app.refunds.money import plain
from app.refunds.policy import Policy
from app.refunds.states import IN_DOUBT, State
from integrations.kernel.money import Money

LATELY = timedelta(minutes=10)  # another refund of the same charge within this asks "again?"
INQUIRY = "warning_"
ENDED_WELL = frozenset({"won", "warning_closed"})


class Colour(StrEnum):
    GREEN = "green"
    AMBER = "amber"
    RED = "red"


class Decision(StrEnum):
    ALLOWED = "allowed"
    NEEDS_APPROVAL = "needs_approval"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Light:
    """name: constant, for the page. text: the reason, a sentence."""

    name: str
    colour: Colour
    text: str


@dataclass(frozen=True, slots=True)
class Other:
    """Another refund of this charge that we know of. by: the person's id; the page shows a name."""

    intent_id: str
    by: str
    amount: Money
    state: State
    at: datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """What is decided on. refunded: what has gone back, ours and others'. reserved: what of ours is on its way.

    strength: None when the charge's payer is not linked to the requester. disputes: their statuses. others: on the same
    charge, newest first. earlier: refunds of this company in 90 days, by currency (count, minor units). today: what this
    person asked for in 24 hours, in this currency. returned: of refunded, what the bank sent back and nobody has read yet.
    """

    strength: Strength | None
    status: str
    captured: Money
    refunded: Money
    reserved: Money
    charged_at: datetime
    disputes: tuple[str, ...]
    blocked: bool
    others: tuple[Other, ...]
    earlier: Mapping[str, tuple[int, int]]
    today: int
    role: Role
    policy: Policy
    returned: Money | None = None

    @property
    def left(self) -> Money:
        return self.captured - self.refunded - self.reserved


@dataclass(frozen=True, slots=True)
class Preflight:
    """lights: every one, in order. verdict: what the server will do. why: the first reason for it."""

    lights: tuple[Light, ...]
    verdict: Decision
    why: str


def preflight(facts: Facts, amount: Money, now: datetime, unit: str) -> Preflight:
    """All lights, and what they add up to.

    Args:
        amount: what is asked for; before anybody typed, what is left.
        unit: why this amount cannot be given back exactly (the vendor's amounts.refusal), or "".
    """
    lights = (
        match_light(facts), _left_light(facts, amount),
        dispute_light(facts.disputes, facts.blocked), in_flight_light(facts.others), _window_light(facts, now),
        _earlier_light(facts, amount), _unit_light(unit, amount), _limit_light(facts, amount),
    )  # fmt: skip
    for light in lights:
        if light.colour is Colour.RED:
            return Preflight(lights, Decision.REFUSED, light.text)
    over = [light for light in lights if light.name in ("limit", "earlier") and light.colour is Colour.AMBER]
    if over:
        return Preflight(lights, Decision.NEEDS_APPROVAL, over[0].text)
    return Preflight(lights, Decision.ALLOWED, "")


def match_light(facts: Facts) -> Light:
    least = facts.policy.strength
    if facts.strength is None or facts.strength is Strength.COMPANY:
        return Light("match", Colour.RED, "The person who wrote is not linked to who paid. Link them first.")
    if not facts.strength.is_at_least(least):
        said = f"The match is {_word(facts.strength)}; the policy asks for {_word(least)}."
        return Light("match", Colour.RED, said)
    colour = Colour.GREEN if facts.strength in (Strength.LINKED, Strength.VERIFIED) else Colour.AMBER
    return Light("match", colour, f"The match is {_word(facts.strength)}.")


def _word(strength: Strength) -> str:
    return "by two facts" if strength is Strength.TWO_FACTS else strength.value


def refundable_light(status: str, left: Money, amount: Money) -> Light:
    """Also asked with what the vendor says a moment before the money moves."""
    if status != "succeeded":
        return Light("refundable", Colour.RED, f"The charge is {status}: there is nothing to give back.")
    if amount.currency != left.currency:
        return Light("refundable", Colour.RED, f"The charge is in {left.currency}, not in {amount.currency}.")
    if left.minor <= 0:
        return Light("refundable", Colour.RED, "All of it has been given back, or is on its way.")
    if amount.minor <= 0 or left < amount:
        return Light("refundable", Colour.RED, f"Only {plain(left)} can still be given back.")
    return Light("refundable", Colour.GREEN, f"{plain(left)} can still be given back.")


def _left_light(facts: Facts, amount: Money) -> Light:
    light, back = refundable_light(facts.status, facts.left, amount), facts.returned
    is_short = facts.status == "succeeded" and amount.currency == facts.left.currency and light.colour is Colour.RED
    if is_short and back is not None and back.minor > 0:
        text = f"{plain(back)} of it came back, and the charge is being read again. Look once more in a moment."
        return Light("refundable", Colour.RED, text)
    return light


def dispute_light(disputes: Sequence[str], blocked: bool) -> Light:
    """blocked: the vendor says that a dispute forbids it. Source: vendor sheet 3.5 and 3.6."""
    real = [one for one in disputes if not one.startswith(INQUIRY) and one not in ENDED_WELL]
    if real or blocked:
        told = ", ".join(real).replace("_", " ")
        return Light(
            "dispute", Colour.RED,
            f"The charge is disputed ({told or 'at the bank'}): a refund now would be paid twice. Answer the "
            "dispute instead.",
        )  # fmt: skip
    if any(one.startswith(INQUIRY) and one not in ENDED_WELL for one in disputes):
        return Light("dispute", Colour.AMBER, "The bank is asking about it: a full refund now ends that. Recommended.")
    return Light("dispute", Colour.GREEN, "Not disputed.")


def in_flight_light(others: Iterable[Other]) -> Light:
    others = tuple(others)
    for one in others:
        if one.state in IN_DOUBT:
            return Light(
                "in_flight", Colour.RED,
                f"Whether {plain(one.amount)} of it went back is not known yet ({one.intent_id}). Wait until it is.",
            )  # fmt: skip
    for one in others:
        if one.state in (State.AWAITING_APPROVAL, State.RESERVED, State.SENDING):
            word = "waits for approval" if one.state is State.AWAITING_APPROVAL else "is in progress"
            return Light("in_flight", Colour.AMBER, f"A refund of {plain(one.amount)} by {one.by} {word}.")
    return Light("in_flight", Colour.GREEN, "No other refund of it is on its way.")


def _window_light(facts: Facts, now: datetime) -> Light:
    days, most = (now - facts.charged_at).days, facts.policy.charge_days
    if days > most:
        return Light("window", Colour.RED, f"The charge is {_many(days, 'day')} old; the policy allows {most}.")
    return Light("window", Colour.GREEN, f"The charge is {_many(days, 'day')} old.")


def _earlier_light(facts: Facts, amount: Money) -> Light:
    count = sum(n for n, _ in facts.earlier.values())
    total = facts.earlier.get(amount.currency, (0, 0))[1]
    most = facts.policy.payer_total.get(amount.currency)
    if count + 1 > facts.policy.payer_count:
        return Light(
            "earlier",
            Colour.AMBER,
            f"This company had {_many(count, 'refund')} in 90 days; one more takes an approval.",
        )
    if most is not None and total + amount.minor > most:
        return Light(
            "earlier", Colour.AMBER,
            f"This company had {plain(Money(total, amount.currency))} back in 90 days; above "
            f"{plain(Money(most, amount.currency))} it takes an approval.",
        )  # fmt: skip
    return Light("earlier", Colour.GREEN, f"{_many(count, 'refund')} of this company in 90 days.")


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _unit_light(unit: str, amount: Money) -> Light:
    return Light("unit", Colour.RED if unit else Colour.GREEN, unit or f"Amounts in {amount.currency} are exact.")


def _limit_light(facts: Facts, amount: Money) -> Light:
    if not facts.policy.enabled:
        return Light("limit", Colour.RED, "Nobody may refund until an admin says so (`flask policy set enabled=yes`).")
    limit = facts.policy.limit(facts.role, amount.currency)
    if limit is None or not facts.role.is_at_least(Role.REFUNDER):
        return Light("limit", Colour.RED, f"The policy allows a {facts.role.value} no refund in {amount.currency}.")
    if amount.minor > limit.per_refund:
        most = plain(Money(limit.per_refund, amount.currency))
        return Light("limit", Colour.AMBER, f"Above your {most} a refund: it is sent for approval.")
    if facts.today + amount.minor > limit.per_day:
        most = plain(Money(limit.per_day, amount.currency))
        return Light("limit", Colour.AMBER, f"Above your {most} a day: it is sent for approval.")
    return Light("limit", Colour.GREEN, "Within your limits.")
