"""The fields of the policy on leads: what each is called, what stands in it, and what is wrong with what was typed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from app.admin import words
from app.leads.policy import KIND_OF, WORDS, LeadPolicy, put


@dataclass(frozen=True, slots=True)
class Field:
    """One setting. name: as `put` takes it. kind: number, text, lines or yes."""

    name: str
    label: str
    hint: str = ""
    kind: str = "number"


@dataclass(frozen=True, slots=True)
class Group:
    """Settings that belong together."""

    title: str
    text: str
    fields: tuple[Field, ...]


_WORDS: Final = {
    "enterprise": "Enterprise features", "quote": "Prices and quotes", "cancellation": "Leaving", "complaint": "Complaints",
}  # fmt: skip

GROUPS: Final = (
    Group(
        "Points of each signal", "0 switches a signal off: it is not looked for any more.",
        tuple(Field(f"weight.{name}", words.signal(name), f"Makes: {words.kind(kind).lower()}")
              for name, kind in KIND_OF.items()),
    ),
    Group(
        "Least score of a lead", "Below it no lead is made. Risk has a score of its own.",
        tuple(Field(f"minimum.{name}", words.kind(name)) for name in words.KINDS),
    ),
    Group(
        "When a signal is seen", "",
        (
            Field("renewal_days", "Days before a renewal", "The most first, such as 90/60/30; each is worth more.", "text"),
            Field("renewal_months", "Shortest billing period, in months", "Shorter ones renew by themselves."),
            Field("seats_pct", "Seats in use, per cent"),
            Field("growth_pct", "Growth of seats in use in 30 days, per cent"),
            Field("growth_seats", "Growth of seats in use, at least this many"),
            Field("trial_days", "Days before a trial ends"),
            Field("trial_pct", "Heavy use of a trial, per cent of seats"),
            Field("downgrade_pct", "Downgrade, per cent of the value"),
            Field("downgrade_days", "Downgrade within days"),
            Field("payment_days", "Failed payment, days before a renewal"),
            Field("decay_days", "Days until a ticket's points are gone"),
        ),
    ),
    Group(
        "Words in tickets", "Your own lists: one RE2 pattern a line, capitals make no difference. Nothing else reads text.",
        tuple(Field(f"words.{name}", _WORDS[name], kind="lines") for name in WORDS),
    ),
    Group(
        "Reasons to wait", "",
        (
            Field("hold_tags", "Tags that hold leads back", "Of tickets that are not solved; between spaces.", "text"),
            Field("hold_urgent", "Urgent tickets hold leads back", kind="yes"),
            Field("hold_days", "Days held before it is dropped"),
            Field("cooldown_days", "Days of quiet after a verdict"),
        ),
    ),
    Group(
        "Sending", "",
        (
            Field("gather_s", "Seconds signals are gathered"),
            Field("holdout_pct", "Share never sent, per cent", "To measure what sending is worth; never renewals or risk."),
            Field("task_kinds", "Kinds that become a task",
                  f"For the owner of a known company; the others become a deal. Of: {' '.join(words.KINDS)}.", "text"),
            Field("fallback_owner", "Owner where there is none any more", "A user's id at the CRM; or nothing.", "text"),
            Field("territories", "Owner by territory", "One a line: territory = user's id at the CRM.", "lines"),
        ),
    ),
)  # fmt: skip
FIELDS: Final = tuple(field for group in GROUPS for field in group.fields)


def values(policy: LeadPolicy) -> dict[str, str]:
    """What stands in each field."""
    return {field.name: _shown(policy, field.name) for field in FIELDS}


def typed(policy: LeadPolicy, form: Mapping[str, str]) -> tuple[LeadPolicy, dict[str, str]]:
    """The policy with what was typed, and a message by field for what cannot be taken."""
    problems = {}
    for field in FIELDS:
        if field.name not in form:
            continue
        try:
            for name, wish in _wishes(policy, field, form[field.name].strip()):
                policy = put(policy, name, wish)
        except ValueError as error:
            problems[field.name] = f"{str(error)[:1].upper()}{str(error)[1:]}."
        except KeyError as error:
            problems[field.name] = f"There is no {error.args[0]!r} to name here."
    return policy, problems


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """What a version changed, in words: both are stored documents."""
    labels = {field.name: field.label for field in FIELDS}
    old, new = _flat(before), _flat(after)
    for name in [*labels, *sorted(set(new) - set(labels))]:
        if old.get(name) != new.get(name):
            yield f"{labels.get(name, name)}: {old.get(name) or 'nothing'} → {new.get(name) or 'nothing'}"


def _wishes(policy: LeadPolicy, field: Field, text: str) -> Iterator[tuple[str, str]]:
    """What was typed into a field, as `put` takes it; an emptied list or name is `none`."""
    if field.name != "territories":
        yield field.name, text or ("none" if field.kind in ("lines", "text") and field.name != "renewal_days" else "")
        return
    wanted = dict(_territories(text))
    for name in policy.territories.keys() - wanted.keys():
        yield f"territory.{name}", "none"
    for name, user in wanted.items():
        yield f"territory.{name}", user


def _territories(text: str) -> Iterator[tuple[str, str]]:
    for line in filter(None, map(str.strip, text.splitlines())):
        name, equals, user = map(str.strip, line.rpartition("="))
        if not (name and equals):
            raise ValueError("one a line, such as West = 005000000000001")
        yield name, user


def _shown(policy: LeadPolicy, name: str) -> str:
    return _flat(policy.to_json()).get(name, "")


def _flat(document: Mapping[str, Any]) -> dict[str, str]:
    """Settings by their names here, as texts."""
    found: dict[str, str] = {}
    for name, value in document.items():
        if name == "territories":
            found[name] = "\n".join(f"{territory} = {user}" for territory, user in sorted(value.items()))
        elif isinstance(value, Mapping):
            head = "weight" if name == "weights" else name
            found |= {f"{head}.{inner}": _text(one, "\n") for inner, one in value.items()}
        else:
            found[name] = _text(value, "/" if name == "renewal_days" else " ")
    return found


def _text(value: object, between: str) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return between.join(map(str, value)) if isinstance(value, list | tuple) else str(value)
