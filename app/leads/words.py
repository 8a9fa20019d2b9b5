"""What a card says in words: reasons, evidence, next step. No "in N days": such a text would change every day."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from app.leads.signal import Signal
from integrations.kernel.money import exponent

Facts = Mapping[str, Any]

_LISTS: Final = {
    "enterprise_words": "asked for what the admin's list calls enterprise",
    "quote_words": "asked about prices, by the admin's list of words",
    "cancellation_words": "wrote about leaving, by the admin's list of words",
}


def amount(minor: int, currency: str) -> str:
    """`12.00 USD`, `1500 JPY`, `1.250 KWD`."""
    digits = exponent(currency)
    whole, rest = divmod(abs(minor), 10**digits)
    return f"{'-' if minor < 0 else ''}{whole}{f'.{rest:0{digits}d}' if digits else ''} {currency}"


def _seats(f: Facts) -> str:
    return f"{f.get('used', '?')} of {f.get('seats', '?')} seats"


def _downgrade(f: Facts) -> str:
    was, now = (amount(f[name], f["currency"]) for name in ("was", "minor"))
    return f"went from {was} to {now} a period on {f['on']}"


def _rule(f: Facts) -> str:
    return str(f.get("note") or "a rule of the admin fired on their ticket")


_REASONS: Final[Mapping[str, Callable[[Facts], str]]] = {
    "renewal": lambda f: f"renews on {f['on']}, not more than {f['step']} days from now",
    "seats_full": lambda f: f"uses {_seats(f)}",
    "limit_hit": lambda f: f"has reached the limit of the plan: {_seats(f)}",
    "seats_growth": lambda f: f"grew from {f['was']} seats in use to {f['used']} within {f['days']} days",
    "trial_ending": lambda f: f"the trial ends on {f['on']} and they use {_seats(f)}",
    "cancellation": lambda f: f"cancelled: the subscription ends on {f['on']}",
    "downgrade": _downgrade,
    "failed_payment": lambda f: f"a payment failed on {f['on']}, before the renewal on {f['renews_on']}",
    "rule": _rule,
}


def reason(signal: Signal) -> str:
    """Why a signal counts, in a sentence without a subject."""
    if signal.name in _LISTS:
        return _LISTS[signal.name]
    return _REASONS[signal.name](signal.facts)


def evidence(signals: Sequence[Signal]) -> tuple[tuple[str, str], ...]:
    """Plan, seats, value and dates, one line a subscription and label, in a fixed order."""
    found: set[tuple[str, str]] = set()
    for s in signals:
        f = s.facts
        if f.get("plan"):
            found.add(("Plan", str(f["plan"])))
        if f.get("seats") is not None and f.get("used") is not None:
            found.add(("Seats", f"{f['used']} in use of {f['seats']}"))
        elif f.get("seats") is not None:
            found.add(("Seats", f"{f['seats']} paid for"))
        if f.get("minor") is not None and f.get("months"):
            found.add(
                (
                    "Value",
                    f"{amount(f['minor'], f['currency'])} for {f['months']} month{'' if f['months'] == 1 else 's'}",
                )
            )
        found |= _days(s)
    order = ("Plan", "Seats", "Value", "Renewal", "Trial ends", "Ends", "Payment failed")
    return tuple(sorted(found, key=lambda line: (order.index(line[0]), line[1])))


def _days(signal: Signal) -> set[tuple[str, str]]:
    labels = {
        "renewal": "Renewal", "trial_ending": "Trial ends", "cancellation": "Ends", "failed_payment": "Payment failed",
    }  # fmt: skip
    label, on = labels.get(signal.name), signal.facts.get("on")
    found = {(label, str(on))} if label and on else set()
    if signal.facts.get("renews_on"):
        found.add(("Renewal", str(signal.facts["renews_on"])))
    return found


def next_step(kind: str, signals: Sequence[Signal]) -> str:
    """What the rep should do, in one sentence; by the lead's kind and its earliest date."""
    on = min((str(s.facts["on"]) for s in signals if s.facts.get("on")), default="")
    by = f" before {on}" if on else ""
    ends = any(s.name == "cancellation" for s in signals)
    steps = {
        "renewal": f"Agree on the renewal{by}.",
        "expansion": "Offer more seats or the next plan.",
        "trial": f"Ask what they still need to decide, and make an offer{by}.",
        "risk": f"Find out why they leave, and what would keep them{by if ends else ''}.",
        "payment": "Ask for another way to pay, so that the renewal does not fail.",
        "request": "Answer what they asked for in the ticket, with an offer.",
    }
    return steps[kind]
