"""What a lead becomes by its card, its match and what is open at the company. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from app.leads.card import Card
from app.leads.holding import Blocked
from app.leads.match import Found
from app.leads.policy import LeadPolicy
from app.leads.states import UNSENT, State


@dataclass(frozen=True, slots=True)
class Judged:
    """state: where it goes. why: in words, for its page. waited_too_long: dropped for that, and not to come back."""

    state: State
    why: str = ""
    waited_too_long: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """Of a lead as its row has it. expires_at: when a hold has lasted too long."""

    state: State
    company: str
    kind: str
    period: str
    expires_at: datetime | None = None


def judge(
    lead: Standing, made: Card | None, found: Found, block: Blocked | None, policy: LeadPolicy, now: datetime
) -> Judged:
    """Args: made: the card of the signals that still hold, None where none does. block: why the company is left alone."""
    if lead.state not in UNSENT:
        return Judged(lead.state)
    if made is None:
        return Judged(State.DROPPED, "What was seen holds no longer.")
    if not made.enough(policy):
        least = policy.minimum.get(lead.kind, 0)
        return Judged(State.DROPPED, f"Its score of {made.score} is below {least}, the least for {lead.kind}.")
    if found.needs_person:
        return Judged(State.REVIEW, found.reason)
    if lead.state is State.NEW and withheld(lead, policy):
        return Judged(State.WITHHELD, f"Of the {policy.holdout(lead.kind)} % that are kept back to measure the lift.")
    if block is None:
        return Judged(State.DUE)
    if lead.expires_at is not None and lead.expires_at <= now:
        why = f"Held for {policy.hold_days} days, which is too long: {block.sentence}"
        return Judged(State.DROPPED, why, waited_too_long=True)
    return Judged(State.HELD, block.sentence)


def withheld(lead: Standing, policy: LeadPolicy) -> bool:
    """Is it of the holdout? Drawn from what the lead is, so that it is the same whoever asks and how often."""
    drawn = hashlib.sha256(f"{lead.company}|{lead.kind}|{lead.period}".encode()).digest()
    return int.from_bytes(drawn[:4]) % 100 < policy.holdout(lead.kind)
