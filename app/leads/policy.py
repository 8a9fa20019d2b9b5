"""The admin's policy on leads: weights, thresholds, word lists, windows; a document, its checks, its defaults. Pure.

A signal with the weight 0 is not looked for. The words are the admin's own list and are shown as such: nothing here
understands text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final

from app.tickets import patterns
from integrations.kernel.errors import InputError

# Every signal there is, and the kind of lead it makes.
KIND_OF: Final[Mapping[str, str]] = {
    "renewal": "renewal",
    "seats_full": "expansion",
    "limit_hit": "expansion",
    "seats_growth": "expansion",
    "trial_ending": "trial",
    "cancellation": "risk",
    "downgrade": "risk",
    "failed_payment": "payment",
    "enterprise_words": "request",
    "quote_words": "request",
    "cancellation_words": "risk",
    "rule": "request",  # an admin's rule without a list of words; the rule may name another kind
}
WORDS: Final = ("enterprise", "quote", "cancellation", "complaint")
OF_TICKETS: Final = frozenset({"enterprise_words", "quote_words", "cancellation_words", "rule"})
_LISTS: Final = ("renewal_days", "hold_tags", "task_kinds")
NEVER_WITHHELD: Final = frozenset({"renewal", "risk"})  # no holdout of these, whatever is set
MONTHS_LEAST: Final = 3  # the index of renewals holds no shorter periods: those renew by themselves
USE_LEAST: Final = 70  # per cent; the index of seats in use holds no less


class LeadPolicyError(InputError):
    code, public = "lead.policy", "The policy on leads is not usable as it is written."


def _weights() -> Mapping[str, int]:
    return {
        "renewal": 50, "seats_full": 30, "limit_hit": 40, "seats_growth": 25, "trial_ending": 45, "cancellation": 60,
        "downgrade": 40, "failed_payment": 50, "enterprise_words": 35, "quote_words": 50, "cancellation_words": 40,
        "rule": 35,
    }  # fmt: skip


def _words() -> Mapping[str, tuple[str, ...]]:
    """English; an admin puts their own language and product in."""
    return {
        "enterprise": (r"\b(sso|saml|scim|single sign.?on)\b", r"\b(audit logs?|data residency|dpa|custom contract)\b"),
        "quote": (r"\b(quote|quotation|price list|volume (discount|pricing))\b", r"\bpricing for \d+"),
        "cancellation": (r"\bcancel (our|my|the) (subscription|account|plan)\b", r"\b(switch|move) to a competitor\b"),
        "complaint": (r"\b(unacceptable|complaint|escalate|lawyer|charged twice|outage)\b",),
    }


def _minimum() -> Mapping[str, int]:
    return {"renewal": 15, "expansion": 30, "trial": 30, "risk": 30, "payment": 30, "request": 25}


@dataclass(frozen=True, slots=True)
class LeadPolicy:
    """weights: signal -> points. minimum: kind -> the score below which no lead is made.

    renewal_days: days before a renewal, the most first; the share of the weight grows with each. renewal_months: shorter
    billing periods are no renewal sales cares for. seats_pct: of the seats paid for, in use. growth_*: seats in use rose
    by so many per cent, and by so many seats at least, within 30 days. trial_*: days before the trial's end, with
    so many per cent of the seats in use. downgrade_*: the monthly value fell by so many per cent within so many days.
    payment_days: a failed payment counts so long before the renewal. words: list -> RE2 patterns. decay_days: after so
    many days a ticket's signal has no points left. hold_tags: tickets that carry one and are not solved hold leads back;
    hold_urgent: so do unsolved urgent ones. hold_days: a lead held longer is dropped. cooldown_days: after a verdict.
    gather_s: signals that come together become one push. holdout_pct: share of leads never sent, to measure the lift.
    task_kinds: kinds that become a task for the owner of a known company, and no deal. territories: territory at the CRM
    -> user id there, for companies without an owner. fallback_owner: user id, where the owner is not active any more.
    """

    weights: Mapping[str, int] = field(default_factory=_weights)
    minimum: Mapping[str, int] = field(default_factory=_minimum)
    words: Mapping[str, tuple[str, ...]] = field(default_factory=_words)
    renewal_days: tuple[int, ...] = (90, 60, 30)
    renewal_months: int = 6
    seats_pct: int = 90
    growth_pct: int = 20
    growth_seats: int = 3
    trial_days: int = 7
    trial_pct: int = 60
    downgrade_pct: int = 20
    downgrade_days: int = 30
    payment_days: int = 60
    decay_days: int = 84
    hold_tags: tuple[str, ...] = ()
    hold_urgent: bool = True
    hold_days: int = 30
    cooldown_days: int = 90
    gather_s: int = 20
    holdout_pct: int = 0
    task_kinds: tuple[str, ...] = ("payment", "request", "risk")
    territories: Mapping[str, str] = field(default_factory=dict)
    fallback_owner: str = ""

    def wants(self, *names: str) -> bool:
        """Is one of these signals looked for?"""
        return any(self.weights.get(name, 0) > 0 for name in names)

    def holdout(self, kind: str) -> int:
        """Per cent of leads of this kind that are kept back to measure what pushing is worth."""
        return 0 if kind in NEVER_WITHHELD else self.holdout_pct

    def to_json(self) -> dict[str, Any]:
        """As stored; `from_json` reads it back."""
        plain: dict[str, Any] = {one.name: getattr(self, one.name) for one in fields(self)}
        plain["words"] = {name: list(self.words.get(name, ())) for name in WORDS}
        plain |= {name: list(plain[name]) for name in _LISTS}
        return plain | {name: dict(sorted(plain[name].items())) for name in ("weights", "minimum", "territories")}


def from_json(data: Mapping[str, Any]) -> LeadPolicy:
    """A stored policy; what it does not name yet is as by default."""
    default = LeadPolicy()
    values = {one.name: data[one.name] for one in fields(LeadPolicy) if one.name in data}
    for name in _LISTS:
        values[name] = tuple(values.get(name, getattr(default, name)))
    for name in ("weights", "minimum"):
        values[name] = {**getattr(default, name), **values.get(name, {})}
    values["words"] = {name: tuple(lines) for name, lines in {**default.words, **values.get("words", {})}.items()}
    return LeadPolicy(**values)


def changed(policy: LeadPolicy, wishes: Mapping[str, str]) -> LeadPolicy:
    """The policy with settings of the command line or of a page put in.

    Args:
        wishes: `weight.quote_words=60` (0 switches a signal off), `minimum.request=30`, `renewal_days=90/60/30`,
            `words.quote=...` (one RE2 pattern a line, `none` empties it), `hold_tags=db_outage complaint` (or `none`),
            `hold_urgent=yes`, `task_kinds=risk payment` (or `none`), `territory.West=005...`, `fallback_owner=005...`
            (or `none`), and the other names of `LeadPolicy` with a whole number.

    Raises:
        LeadPolicyError: with every wish that cannot be read, and why.
    """
    problems = []
    for name, value in wishes.items():
        try:
            policy = put(policy, name, value)
        except KeyError:
            problems.append(f"{name} is no setting of it")
        except ValueError as error:
            problems.append(f"{name}={value[:60]}: {error}")
    if problems:
        raise LeadPolicyError(f"Not understood: {'; '.join(problems)}. See `flask leads policy set --help`.")
    return policy


_PER_CENT = ("seats_pct", "growth_pct", "trial_pct", "downgrade_pct", "holdout_pct")
_LEAST = {"renewal_months": MONTHS_LEAST, "seats_pct": USE_LEAST, "gather_s": 0, "holdout_pct": 0, "cooldown_days": 0}
_MOST = {
    **dict.fromkeys(_PER_CENT, 100),
    "growth_pct": 1000,
    "gather_s": 25,
    "renewal_months": 36,
    "growth_seats": 9999,
}


def put(policy: LeadPolicy, name: str, value: str) -> LeadPolicy:
    """One wish of `changed`. Raises KeyError for a name that is none, ValueError with what is wrong with the value."""
    head, _, rest = name.partition(".")
    put = _GROUPS.get(head)
    if rest and put is not None:
        return put(policy, rest, value)
    changes: dict[str, Any] = {name: _plain(name, value)}
    return replace(policy, **changes)


def _plain(name: str, value: str) -> object:
    if name == "renewal_days":
        return _days(value)
    if name == "hold_tags":
        return () if value == "none" else tuple(sorted(set(value.split())))
    if name == "hold_urgent":
        return _yes(value)
    if name == "task_kinds":
        return () if value == "none" else tuple(sorted({_known(one, set(KIND_OF.values())) for one in value.split()}))
    if name == "fallback_owner":
        return _user(value)
    if name in ("weights", "minimum", "words", "territories") or name not in {one.name for one in fields(LeadPolicy)}:
        raise KeyError(name)
    return _whole(value, _LEAST.get(name, 1), _MOST.get(name, 730))


def _weight(policy: LeadPolicy, name: str, value: str) -> LeadPolicy:
    return replace(policy, weights={**policy.weights, _known(name, KIND_OF): _whole(value, 0, 1000)})


def _least(policy: LeadPolicy, kind: str, value: str) -> LeadPolicy:
    return replace(policy, minimum={**policy.minimum, _known(kind, policy.minimum): _whole(value, 0, 10_000)})


def _lines(policy: LeadPolicy, name: str, value: str) -> LeadPolicy:
    lines = () if value == "none" else tuple(line.strip() for line in value.splitlines() if line.strip())
    if len(lines) > 50:
        raise ValueError("at most 50 patterns a list")
    for line in lines:
        if len(line) > patterns.LONGEST:
            raise ValueError(f"a pattern has at most {patterns.LONGEST} characters")
        patterns.compiled(line)
    return replace(policy, words={**policy.words, _known(name, WORDS): lines})


def _territory(policy: LeadPolicy, name: str, value: str) -> LeadPolicy:
    rest = {key: one for key, one in policy.territories.items() if key != name}
    user = _user(value)
    return replace(policy, territories={**rest, name: user} if user else rest)


def _user(value: str) -> str:
    if value == "none":
        return ""
    if not value.isascii() or not value.isalnum() or len(value) > 40:
        raise ValueError("the id of a user at the CRM, or none")
    return value


_GROUPS: Final[Mapping[str, Callable[[LeadPolicy, str, str], LeadPolicy]]] = {
    "weight": _weight,
    "minimum": _least,
    "words": _lines,
    "territory": _territory,
}


def _known(name: str, names: Any) -> str:  # noqa: ANN401 - any collection of names
    if name not in names:
        raise KeyError(name)
    return name


def _days(value: str) -> tuple[int, ...]:
    days = tuple(_whole(part, 1, 365) for part in value.split("/"))
    if not 1 <= len(days) <= 6 or list(days) != sorted(set(days), reverse=True):
        raise ValueError("up to six different numbers of days, the most first, such as 90/60/30")
    return days


def _yes(value: str) -> bool:
    if value not in ("yes", "no"):
        raise ValueError("yes or no")
    return value == "yes"


def _whole(text: str, least: int, most: int) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 6 or not least <= int(text) <= most:
        raise ValueError(f"a whole number from {least} to {most}")
    return int(text)
