"""The score card of a lead: points with their reasons, money at stake, next step, evidence. Pure and byte-stable.

Every sum is of whole numbers, everything is sorted, and age counts in whole weeks from the event's day: the same signals
and policy make the same bytes on the same day, whatever order they come in, and a card does not change every day.
Risk is a score of its own and is never taken off the other.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date
from typing import Any

from app.leads import words
from app.leads.policy import OF_TICKETS, LeadPolicy
from app.leads.signal import Signal
from app.leads.stake import stakes
from integrations.kernel.money import Money

WEEK = 7
QUOTES = 5


@dataclass(frozen=True, slots=True)
class Reason:
    """One line of the card. points: after decay. risk: it counts for the risk score only."""

    points: int
    signal: str
    source: str
    text: str
    risk: bool = False


@dataclass(frozen=True, slots=True)
class Quote:
    """A line of a ticket, redacted. ticket: (connection, id)."""

    on: str
    text: str
    ticket: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Card:
    """score: of the lead's own kind. risk: beside it, never netted. money: at stake, one amount a currency, the largest
    signal of a source once. evidence: (label, value). quotes: newest first. refs: (what, connection, id) to link to."""

    kind: str
    score: int
    risk: int
    reasons: tuple[Reason, ...]
    money: tuple[Money, ...]
    next_step: str
    evidence: tuple[tuple[str, str], ...]
    quotes: tuple[Quote, ...]
    refs: tuple[tuple[str, str, str], ...]

    def enough(self, policy: LeadPolicy) -> bool:
        """Is it worth a lead, by the least score of its kind?"""
        return self.score > 0 and self.score >= policy.minimum.get(self.kind, 0)

    def to_json(self) -> dict[str, Any]:
        """As it is stored and shown."""
        return {
            "kind": self.kind, "score": self.score, "risk": self.risk,
            "reasons": [
                {"points": r.points, "signal": r.signal, "source": r.source, "text": r.text, "risk": r.risk}
                for r in self.reasons
            ],
            "money": [{"minor": one.minor, "currency": one.currency} for one in self.money],
            "next_step": self.next_step,
            "evidence": [{"label": label, "value": value} for label, value in self.evidence],
            "quotes": [{"on": q.on, "text": q.text, "connection_id": q.ticket[0], "ticket_id": q.ticket[1]}
                       for q in self.quotes],
            "refs": [{"what": what, "connection_id": where, "id": one} for what, where, one in self.refs],
        }  # fmt: skip

    def text(self) -> str:
        """JSON, the same bytes for the same card."""
        return json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"))

    def digest(self) -> str:
        """What tells one card from another."""
        return hashlib.sha256(self.text().encode()).hexdigest()[:32]


def card(kind: str, signals: Iterable[Signal], policy: LeadPolicy, today: date) -> Card:
    """The card of a lead.

    Args:
        kind: the lead's. Signals of kind `risk` given with another kind show as risk and add nothing to the score.
        signals: those that still hold, in any order; one that is there twice counts once.
        today: the day decay is counted to.
    """
    ordered = _distinct(signals)
    reasons = _reasons(kind, ordered, policy, today)
    own = [s for s in ordered if s.kind == kind] or ordered
    return Card(
        kind=kind,
        score=sum(r.points for r in reasons if r.risk == (kind == "risk")),
        risk=sum(r.points for r in reasons if r.risk),
        reasons=reasons,
        money=stakes(own, policy),
        next_step=words.next_step(kind, own),
        evidence=words.evidence(ordered),
        quotes=_quotes(ordered),
        refs=_refs(ordered),
    )


def _distinct(signals: Iterable[Signal]) -> list[Signal]:
    """In an order of their own, one row once."""
    keyed = {(s.name, s.subject, s.source, s.period, s.kind): s for s in signals}
    return [keyed[key] for key in sorted(keyed)]


def _reasons(kind: str, signals: Sequence[Signal], policy: LeadPolicy, today: date) -> tuple[Reason, ...]:
    """The strongest signal of each name counts; the others of that name are told without points."""
    told = [
        Reason(points(s, policy, today), s.name, s.source, words.reason(s), risk=s.kind == "risk")
        for s in signals
        if s.kind in (kind, "risk")
    ]
    told.sort(key=lambda r: (-r.points, r.signal, r.source, r.text))
    seen: set[tuple[str, bool]] = set()
    found = []
    for one in told:
        first = (one.signal, one.risk) not in seen
        seen.add((one.signal, one.risk))
        found.append(one if first else Reason(0, one.signal, one.source, one.text, one.risk))
    return tuple(sorted(found, key=lambda r: (-r.points, r.signal, r.source, r.text)))


def points(signal: Signal, policy: LeadPolicy, today: date) -> int:
    """What a signal is worth today: its weight, less by its step or its age."""
    weight = policy.weights.get(signal.name, 0)
    if signal.name == "renewal":
        return weight * _place(signal.facts, policy) // len(policy.renewal_days)
    if signal.name not in OF_TICKETS:
        return weight
    age = max(0, (today - signal.happened_at.astimezone(UTC).date()).days) // WEEK * WEEK
    return weight * max(0, policy.decay_days - age) // policy.decay_days


def _place(facts: Mapping[str, Any], policy: LeadPolicy) -> int:
    """Which of the steps a renewal has reached, from 1; 90, 60, 30 days before it are one, two and three thirds."""
    step = facts.get("step", policy.renewal_days[0])
    return max(1, sum(1 for days in policy.renewal_days if days >= step))


def _quotes(signals: Sequence[Signal]) -> tuple[Quote, ...]:
    found = {Quote(q["on"], q["text"], s.ticket) for s in signals for q in s.facts.get("quotes", ())}
    ordered = sorted(found, key=lambda q: (q.ticket, q.text))
    return tuple(sorted(ordered, key=lambda q: q.on, reverse=True)[:QUOTES])


def _refs(signals: Sequence[Signal]) -> tuple[tuple[str, str, str], ...]:
    found = set()
    for s in signals:
        if s.ticket[1]:
            found.add(("ticket", *s.ticket))
        if s.payer[1]:
            found.add(("payer", *s.payer))
        if s.name not in OF_TICKETS and s.source:
            found.add(("subscription", s.payer[0], s.source))
    return tuple(sorted(found))
