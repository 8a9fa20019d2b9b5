"""Kinds, states, verdicts and strengths of leads in words, with the colour of their pill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.ui.words import plain


@dataclass(frozen=True, slots=True)
class Pill:
    """A short word on a colour: good, warn, bad, quiet."""

    text: str
    tone: str = "quiet"


@dataclass(frozen=True, slots=True)
class StateWords:
    """A state of a lead. text: what it means and what ends it."""

    name: str
    tone: str
    text: str


KINDS: Final[Mapping[str, str]] = {
    "renewal": "Renewal", "expansion": "More seats or a larger plan", "trial": "Trial that ends", "risk": "Risk of leaving",
    "payment": "Failed payment", "request": "Asked in a ticket",
}  # fmt: skip
STATES: Final[Mapping[str, StateWords]] = {
    "new": StateWords(
        "New", "quiet",
        "Found, and not judged yet: the next run looks for its company and for reasons to wait.",
    ),
    "review": StateWords(
        "Review", "warn",
        "More than one company at the CRM could be meant, or none for sure. Nothing is sent until a person says which.",
    ),
    "held": StateWords(
        "Held", "warn",
        "It is the wrong moment: something is open at this company. It goes on when that is released; held too long, "
        "it is dropped, never sent.",
    ),
    "due": StateWords("Due", "quiet", "It will be sent to the CRM with the next batch."),
    "sending": StateWords("Sending", "quiet", "It is on its way to the CRM."),
    "unknown": StateWords(
        "No answer", "warn",
        "It was sent and the CRM gave no answer. We look there before it is sent again, so that there is one record.",
    ),
    "pushed": StateWords("With sales", "good", "The CRM has it. Its verdict is read when sales writes one."),
    "closed": StateWords(
        "Answered", "good",
        "Sales has answered, and it counts in the report card. The same kind waits for the cool-down.",
    ),
    "dropped": StateWords("Dropped", "quiet", "It was never sent and will not be, for the reason that is given."),
    "dead": StateWords("Refused", "bad", "The CRM refused it for good. The reason says what an admin can do."),
    "withheld": StateWords(
        "Kept back", "quiet",
        "It is of the share that the policy never sends, so that one sees what sending is worth.",
    ),
}  # fmt: skip
VERDICTS: Final[Mapping[str, Pill]] = {
    "accepted": Pill("Accepted", "good"), "rejected": Pill("Rejected", "bad"), "won": Pill("Won", "good"),
    "lost": Pill("Lost", "bad"),
}  # fmt: skip
SIGNALS: Final[Mapping[str, str]] = {
    "renewal": "Renewal date", "seats_full": "Seats in use", "limit_hit": "Plan limit reached",
    "seats_growth": "Seats growing", "trial_ending": "Trial ends with heavy use", "cancellation": "Cancelled",
    "downgrade": "Downgraded", "failed_payment": "Failed payment before renewal",
    "enterprise_words": "Enterprise words in a ticket", "quote_words": "Quote words in a ticket",
    "cancellation_words": "Leaving words in a ticket", "rule": "A rule of yours",
}  # fmt: skip
STRENGTHS: Final[Mapping[str, str]] = {
    "linked": "A person said so", "external_id": "Our id", "domain": "Verified domain", "ambiguous": "More than one",
    "unverified": "Domain, not verified", "name": "Name only", "none": "Nothing",
}  # fmt: skip
SHAPES: Final[Mapping[str, str]] = {"lead": "Lead", "deal": "Opportunity", "task": "Task"}


def sentence(word: str) -> str:
    """A stored word as text: `external_id` is "External id"."""
    return plain(word).replace("_", " ").strip().capitalize()


def state(name: str) -> Pill:
    """The pill of a state."""
    found = STATES[name]
    return Pill(found.name, found.tone)


def step(what: str) -> str:
    """Something that happened: a state that was reached, or a word of its own."""
    return STATES[what].name if what in STATES else sentence(what)


def kind(name: str) -> str:
    """A kind in words."""
    return KINDS.get(name, sentence(name))


def signal(name: str) -> str:
    """A signal, or an admin's rule by its id, in words."""
    return SIGNALS.get(name, plain(name))
