"""Vendors' states in words, with the colour of their pill. A word that is not here is shown as it came, in grey."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from markupsafe import Markup

from app.identity import Strength


@dataclass(frozen=True, slots=True)
class Pill:
    """A short word on a colour: good, warn, bad, quiet."""

    text: str
    tone: str

    def __html__(self) -> str:
        return _span(self)


@lru_cache(1024)
def _span(one: Pill) -> Markup:
    return Markup('<span class="pill {}">{}</span>').format(one.tone, one.text)


_TONES: Final = {
    "active": "good", "trialing": "good", "paid": "good", "succeeded": "good", "past due": "warn", "pending": "warn",
    "paused": "warn", "open": "warn", "requires action": "warn", "unpaid": "bad", "failed": "bad",
    "uncollectible": "bad", "incomplete": "warn",
}  # fmt: skip
_WORDS: Final = {
    "past_due": "Past due", "trialing": "Trial", "requires_action": "Waits for the customer", "void": "Void",
    "incomplete_expired": "Never started", "succeeded": "Paid", "canceled": "Canceled",
}  # fmt: skip
REFUND: Final = {
    "succeeded": Pill("Sent to the bank", "good"), "pending": Pill("Pending", "warn"),
    "requires_action": Pill("Waits for the customer", "warn"), "failed": Pill("Failed", "bad"),
    "canceled": Pill("Canceled", "quiet"),
}  # fmt: skip
DISPUTE: Final = {
    "needs_response": "Answer needed", "under_review": "Under review by the bank", "warning_needs_response": "Answer needed",
    "warning_under_review": "Under review by the bank", "appeal_needs_response": "Answer to the appeal needed",
    "appeal_under_review": "Appeal under review",
}  # fmt: skip
ENDED_DISPUTE: Final = {
    "won": Pill("Dispute won", "good"), "lost": Pill("Dispute lost", "bad"),
    "warning_closed": Pill("Inquiry closed", "quiet"), "prevented": Pill("Dispute prevented", "quiet"),
}  # fmt: skip
STRENGTH: Final = {
    Strength.LINKED: Pill("Linked", "good"), Strength.VERIFIED: Pill("Verified e-mail", "good"),
    Strength.TWO_FACTS: Pill("Two facts given", "good"), Strength.UNVERIFIED: Pill("Not verified", "warn"),
    Strength.COMPANY: Pill("Company only", "quiet"),
}  # fmt: skip

_STANDS: Final = {
    Strength.VERIFIED: "This payer was found by a verified address",
    Strength.TWO_FACTS: "This payer was proved by two facts",
}  # fmt: skip
_LESS: Final = "or ask an admin to let the policy take less."
_TAKES: Final = {
    Strength.LINKED: f"a refund takes an id that links the two. Ask an admin to set it, {_LESS}",
    Strength.VERIFIED: f"a refund takes a verified address. Let the customer verify theirs, {_LESS}",
}


def too_weak(strength: Strength, least: Strength) -> str:
    """Why a match moves no money by the policy, and what helps."""
    stands = _STANDS.get(strength, "This payer was found by an address that is not verified")
    if least not in _TAKES:
        return f"{stands}. Prove who pays first."
    return f"{stands}; {_TAKES[least]}"


def sentence(word: str) -> str:
    """A vendor's word as text: `past_due` is "Past due"."""
    return word.replace("_", " ").strip().capitalize()


def pill(status: str) -> Pill:
    """The pill of a subscription's, an invoice's or a charge's state."""
    return Pill(_WORDS.get(status, sentence(status)), _TONES.get(status.replace("_", " "), "quiet"))
