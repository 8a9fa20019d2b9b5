"""Money at stake: what a signal is about, in the account's own currency. Whole minor units; nothing is converted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction

from app.leads.policy import LeadPolicy
from app.leads.signal import Signal
from integrations.kernel.money import Money, half_even

_SEATS = frozenset({"seats_full", "limit_hit", "seats_growth"})


def stakes(signals: Sequence[Signal], policy: LeadPolicy) -> tuple[Money, ...]:
    """One amount a currency, the largest first. Of one source, the signal with the most at stake counts, once; what a payer
    owes stands on each of their subscriptions, and counts once too."""
    largest: dict[tuple[object, str], int] = {}
    for signal in signals:
        amount = stake(signal, policy)
        if amount is not None and amount.minor > 0:
            key = (_owing(signal) or signal.source, amount.currency)
            largest[key] = max(largest.get(key, 0), amount.minor)
    total: dict[str, int] = defaultdict(int)
    for (_, currency), minor in largest.items():
        total[currency] += minor
    return tuple(Money(minor, currency) for currency, minor in sorted(total.items(), key=lambda kv: (-kv[1], kv[0])))


def _owing(signal: Signal) -> tuple[str, str] | None:
    """The payer whose debt is at stake, as opposed to a subscription."""
    return signal.payer if signal.name == "failed_payment" and "owed" in signal.facts and signal.payer[1] else None


def stake(signal: Signal, policy: LeadPolicy) -> Money | None:
    """Of one signal: the value of the next period; of seats, the seats they need times the price of one for a period;
    of a downgrade, what was lost a period; of a failed payment, what is owed. None where it is not known."""
    facts = signal.facts
    currency, minor = facts.get("currency"), facts.get("minor")
    if currency is None or minor is None:
        return None
    if signal.name in _SEATS:
        seats = facts.get("seats") or 0
        return Money(half_even(Fraction(minor * headroom(signal, policy), seats)), currency) if seats else None
    if signal.name == "downgrade":
        return Money(max(0, facts.get("was", minor) - minor), currency)
    if signal.name == "failed_payment":
        return Money(facts.get("owed", minor), currency)
    return Money(minor, currency)


def headroom(signal: Signal, policy: LeadPolicy) -> int:
    """Seats to add, so that those in use are below the threshold again; at least one."""
    used, seats = signal.facts.get("used") or 0, signal.facts.get("seats") or 0
    wanted = -(-used * 100 // policy.seats_pct)
    return max(1, wanted - seats)
