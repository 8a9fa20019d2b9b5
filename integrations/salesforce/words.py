"""Our drafts in the org's fields. Pure tables: one a shape, used without any custom field but the key.

Only what the org has and lets the integration user write is sent; picklists get values the org has; texts are cut at the
org's length. Source: vendor sheet 4.3 and recorded describes, read 2026-11; names of picklist values differ by org, so
each has candidates, and the describe decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from integrations.kernel.crm import Draft, Shape
from integrations.kernel.money import Money, exponent
from integrations.salesforce.org import CURRENCY, Field, Sheet

CUT: Final = "…"
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_WHOLE: Final = frozenset({"email", "reference", "id", "picklist", "multipicklist", "url"})  # of no use when cut
_NUMBERS: Final = frozenset({"int", "double", "currency", "percent"})
_CLOSED: Final = ("closed", "won", "lost")

HOT: Final = {"Lead": ("Rating", ("Hot",), ("Warm",)), "Task": ("Priority", ("High",), ("Normal", "Medium"))}
SOURCES: Final = ("Deskbridge", "Customer Support", "Support", "Existing Customer")
OPEN_TASK: Final = ("Not Started", "Open", "New")
_AGAIN: Final = ("Renewal", "Existing Customer - Renewal", "Existing Business", "Existing Customer")
_MORE: Final = (
    "Upsell", "Expansion", "Add-On Business", "Existing Customer - Upgrade", "Existing Business", "Existing Customer",
)  # fmt: skip
TYPES: Final[Mapping[str, tuple[str, ...]]] = {
    "renewal": _AGAIN, "risk": _AGAIN, "payment": _AGAIN, "expansion": _MORE, "request": _MORE,
    "trial": ("New Business", "New Customer"),
}  # fmt: skip
FIELDS: Final[Mapping[Shape, Mapping[str, str]]] = {
    Shape.LEAD: {
        "company": "Company", "first_name": "FirstName", "last_name": "LastName", "email": "Email",
        "description": "Description", "owner_id": "OwnerId",
    },
    Shape.DEAL: {
        "subject": "Name", "description": "Description", "account_id": "AccountId", "close_on": "CloseDate",
        "owner_id": "OwnerId",
    },
    Shape.TASK: {
        "subject": "Subject", "description": "Description", "account_id": "WhatId", "contact_id": "WhoId",
        "due_on": "ActivityDate", "owner_id": "OwnerId",
    },
}  # fmt: skip
EXTRA: Final[Mapping[str, Mapping[str, str]]] = {"Opportunity": {"next_step": "NextStep"}, "Lead": {}, "Task": {}}

Pair = tuple[str, Any]


@dataclass(frozen=True, slots=True)
class Choices:
    """What the admin chose. extra: names of a draft's values -> fields. currency: of an org with one."""

    extra: Mapping[str, str]
    currency: str = ""
    stage: str = ""


def fields(draft: Draft, sheet: Sheet, choices: Choices) -> dict[str, Any]:
    """The record, without its key: field -> JSON value."""
    new = not draft.object_id
    told: dict[str, Any] = {}
    for part in _PARTS:
        for name, value in part(draft, sheet, choices):
            field = sheet.fields.get(name)
            if field is None or not (field.may_create if new else field.may_update):
                continue
            fitted = fit(field, value)
            if fitted is not None:
                told[name] = fitted
    return told


def fit(field: Field, value: Any) -> Any:  # noqa: ANN401 - a JSON value
    """A value as the field takes it; None for one that it cannot hold."""
    if not isinstance(value, str):
        return value
    if field.type in _NUMBERS:
        return number(Decimal(value)) if re.fullmatch(r"-?\d{1,15}(\.\d{1,9})?", value) else None
    text = clean(value)
    if field.length and len(text) > field.length:
        return None if field.type in _WHOLE else text[: field.length - 1] + CUT
    return text or None


def clean(text: str) -> str:
    """Without control characters, which Salesforce refuses (R); lines and tabs stay."""
    return _CONTROLS.sub("", text)


def number(value: Decimal) -> int | float:
    """As JSON: up to 15 digits a float gives back exactly what went in."""
    return int(value) if value == value.to_integral_value() else float(value)


def units(amount: Money) -> int | float:
    """An amount in whole units of its currency, as Salesforce keeps them."""
    return number(Decimal(amount.minor).scaleb(-exponent(amount.currency)))


def money(told: Any, currency: str) -> Money | None:  # noqa: ANN401 - a JSON value
    """An amount of the org's. None without a currency; rounded to the currency's smallest unit."""
    if told is None or len(currency) != 3 or not currency.isascii() or not currency.isupper():
        return None
    return Money(round(Decimal(str(told)).scaleb(exponent(currency))), currency)


def _wanted(draft: Draft, name: str) -> bool:
    return not draft.only or name in draft.only


def _plain(draft: Draft, sheet: Sheet, choices: Choices) -> Iterator[Pair]:
    """Fields that hold what a name of the draft says."""
    for name, field in FIELDS[draft.shape].items():
        value = getattr(draft, name)
        if not value or not _wanted(draft, name):
            continue
        if name == "description" and draft.shape is Shape.LEAD:
            value = f"{value}\n\n{draft.subject}".strip()  # a Lead has no field for it; "ON HOLD" stays first
        yield field, value if isinstance(value, str) else value.isoformat()


def _hot(draft: Draft, sheet: Sheet, choices: Choices) -> Iterator[Pair]:
    if sheet.object in HOT and _wanted(draft, "hot"):
        name, hot, warm = HOT[sheet.object]
        if name in sheet.fields:
            yield name, sheet.fields[name].first_of(hot if draft.hot else warm)


def _amount(draft: Draft, sheet: Sheet, choices: Choices) -> Iterator[Pair]:
    """In a currency the org keeps; else left to the description, which says it too."""
    if draft.amount is None or draft.shape is not Shape.DEAL or not _wanted(draft, "amount"):
        return
    if draft.amount.currency in sheet.currencies:
        yield CURRENCY, draft.amount.currency
        yield "Amount", units(draft.amount)
    elif not sheet.currencies and draft.amount.currency == choices.currency:
        yield "Amount", units(draft.amount)


def _values(draft: Draft, sheet: Sheet, choices: Choices) -> Iterator[Pair]:
    if _wanted(draft, "values"):
        for name, field in {**EXTRA[sheet.object], **choices.extra}.items():
            if draft.values.get(name):
                yield field, draft.values[name]


def _born(draft: Draft, sheet: Sheet, choices: Choices) -> Iterator[Pair]:
    """What a new record must have or is sorted by; of one that is there it is the rep's."""
    if draft.object_id or draft.only:
        return
    for name, pick in _BORN[draft.shape].items():
        if name in sheet.fields:
            yield name, pick(draft, sheet.fields[name], choices)


def first_open(field: Field, wanted: str = "") -> str:
    """The stage a deal begins with: the admin's, the preset, or the first that does not look closed. Describe does not say
    which stages are closed; they stand last, and are called so, in every org that was not renamed."""
    opens = [one for one in field.values if not one.casefold().startswith(_CLOSED)] or list(field.values)
    return field.first_of((wanted,)) or field.default or (opens[0] if opens else "")


_BORN: Final[Mapping[Shape, Mapping[str, Callable[[Draft, Field, Choices], str]]]] = {
    Shape.LEAD: {"LeadSource": lambda draft, field, choices: field.first_of(SOURCES)},
    Shape.DEAL: {
        "StageName": lambda draft, field, choices: first_open(field, choices.stage),
        "Type": lambda draft, field, choices: field.first_of(TYPES.get(draft.kind, ())),
        "LeadSource": lambda draft, field, choices: field.first_of(SOURCES),
    },
    Shape.TASK: {"Status": lambda draft, field, choices: field.default or field.first_of(OPEN_TASK)},
}
_PARTS: Final = (_plain, _hot, _amount, _values, _born)
