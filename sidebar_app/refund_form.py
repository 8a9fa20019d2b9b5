"""What an agent typed into the refund form, read; and the form's view-model. Pure but for `view`, which asks for names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import sqlalchemy as sa
from babel.numbers import get_decimal_symbol
from werkzeug.datastructures import MultiDict

from app.refunds import Prepared, Wish
from app.refunds.money import BadAmount, parse_entry
from app.refunds.preflight import Decision
from app.refunds.service import REASONS
from app.ui.words import Reader, localised, plain
from integrations.kernel.errors import InputError
from integrations.kernel.money import Money, exponent
from sidebar_app.refund_states import waiting, with_names
from sidebar_app.rows import Row
from sidebar_app.words import Pill

Form = MultiDict[str, str]
COLOURS: Final = {"green": Pill("Fine", "good"), "amber": Pill("Mind", "warn"), "red": Pill("Stop", "bad")}
LIGHTS: Final = {
    "match": "Match", "refundable": "What is left", "dispute": "Dispute", "in_flight": "Other refunds", "window": "Age",
    "earlier": "90 days", "unit": "Currency", "limit": "Your limit",
}  # fmt: skip
REASON_WORDS: Final = {
    "requested_by_customer": "Requested by customer", "duplicate": "Duplicate", "fraudulent": "Fraudulent",
    "": "None given",
}  # fmt: skip


class WrongEntry(InputError):
    """One field cannot be taken as it is. `field`: which."""

    code, status, public = "sidebar.refund_entry", 422, "The amount cannot be taken as it was typed."

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True, slots=True)
class Line:
    """One choice. more: the arithmetic, or why it is not all of a line."""

    value: str
    text: str
    amount: str
    more: str = ""


@dataclass(frozen=True, slots=True)
class Light:
    """One light of the strip with its reason."""

    name: str
    pill: Pill
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the button would do. label: "" when nothing can be asked for; said: the reason for anything but a plain yes."""

    lights: Sequence[Light]
    label: str
    said: str


@dataclass(frozen=True, slots=True)
class View:
    """The form. problem, field: what is wrong, and where; "" for the whole. ask: the second confirmation that is wanted.

    is_blocked: no amount of it can be given back now, so there is nothing to fill in. held: why it is not sent at once,
    "" when it is.
    """

    row: Row
    payer: str
    offer: str
    left: str
    currency: str
    amount: str
    unused: Sequence[Line]
    lines: Sequence[Line]
    reasons: Mapping[str, str]
    verdict: Verdict
    is_blocked: bool
    how: str
    typed: Form
    held: str = ""
    problem: str = ""
    field: str = ""
    ask: str = ""


def wanted(form: Form, most: Money) -> tuple[Money, tuple[tuple[str, int], ...]]:
    """The amount and the invoice lines that were chosen. Raises WrongEntry."""
    how = form.get("how", "full")
    if how == "part":
        try:
            return parse_entry(form.get("amount", ""), most.currency), ()
        except BadAmount as error:
            raise WrongEntry("amount", str(error)) from error
    if how == "lines":
        lines = tuple((line, _whole(minor)) for line, _, minor in (v.rpartition(":") for v in form.getlist("line")))
        if not lines:
            raise WrongEntry("line", "Choose at least one line.")
        return Money(sum(minor for _, minor in lines), most.currency), lines
    if how.startswith("unused:"):
        return Money(_whole(how.removeprefix("unused:")), most.currency), ()
    return most, ()


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise WrongEntry("how", "Choose how much.")
    return int(text)


def wish(form: Form, most: Money) -> Wish:
    """What is asked for. Raises WrongEntry."""
    amount, lines = wanted(form, most)
    return Wish(
        form.get("offer", ""), amount, form.get("reason", ""), form.get("note", "").strip(), lines,
        again=form.get("again") == "1", fraud_confirmed=form.get("fraud_confirmed") == "1",
    )  # fmt: skip


def entry(amount: Money, told: Reader) -> str:
    """An amount as it is typed: the locale's decimal sign, no signs between thousands, all decimals of the currency."""
    digits = exponent(amount.currency)
    sign = get_decimal_symbol(told.locale)
    text = f"{Decimal(amount.minor).scaleb(-digits):f}"
    return text.replace(".", sign if sign in ".," else ".")


def verdict(cx: sa.Connection, prepared: Prepared, amount: Money, told: Reader) -> Verdict:
    """The strip in the reader's words, and what the button says."""
    strip = with_names(cx, prepared).strip
    lights = [
        Light(LIGHTS[light.name], COLOURS[light.colour.value], localised(plain(light.text), told))
        for light in strip.lights
    ]
    label = {Decision.ALLOWED: f"Refund {told.money(amount)}", Decision.NEEDS_APPROVAL: "Send for approval"}
    return Verdict(lights, label.get(strip.verdict, ""), localised(plain(strip.why), told))


def view(cx: sa.Connection, row: Row, payer: str, prepared: Prepared, amount: Money, form: Form, told: Reader) -> View:
    """The form as it stands, with the strip of everything that is left."""
    left = prepared.left
    return View(
        row=row, payer=payer, offer=prepared.offer, left=told.money(left), currency=left.currency,
        amount=form.get("amount") or entry(left, told),
        unused=[
            Line(f"unused:{one.amount.minor}", told.money(one.amount), "", localised(plain(one.arithmetic), told))
            for one in prepared.suggestions
        ],
        lines=[
            Line(f"{i.id}:{i.amount.minor}", plain(i.text) or "Line", told.money(i.amount), localised(i.note, told))
            for i in prepared.lines
        ],
        reasons={one: REASON_WORDS[one] for one in REASONS},
        verdict=verdict(cx, prepared, amount, told), is_blocked=prepared.strip.verdict is Decision.REFUSED,
        how=form.get("how", "full"), typed=form, held=waiting(cx, payer.partition("/")[0], told),
    )  # fmt: skip
