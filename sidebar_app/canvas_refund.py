"""Canvases of one refund: the form with its lights, the confirmation, what became of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.refunds import Intent, Prepared
from app.refunds.preflight import Decision
from app.ui.words import Reader, localised
from integrations.kernel.money import Money, exponent
from sidebar_app.canvas_kit import Component, area, button, divider, dropdown, entry, text
from sidebar_app.canvas_views import Asking, asked_for
from sidebar_app.rows import Row

REASONS: Final = (
    ("requested_by_customer", "Requested by the customer"), ("duplicate", "Duplicate"),
    ("fraudulent", "Fraudulent: blocks the card and the address"),
)  # fmt: skip
_SIGNS: Final = {"green": "✓", "amber": "!", "red": "✗"}
BACK: Final = button("home", "Back", "link")


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What the confirm canvas says. waits: why it is sent for approval, or "". question: what is asked once more, or ""."""

    amount: Money
    title: str
    reason: str
    note: str
    waits: str
    question: str = ""


def form(
    charge: Row, prepared: Prepared, told: Reader, typed: Mapping[str, str], problem: str = "", held: str = ""
) -> list[Component]:  # fmt: skip
    """One payment with the pre-flight lights, and the form where anything of it can be given back.

    held: why it would not be sent at once, "" when it would.
    """
    found = [
        text(f"{charge.amount} · {charge.pill.text}", "header"),
        text(f"{charge.title} · {charge.at.text}", "muted"),
    ]
    found += [text(localised(f"{_SIGNS[light.colour]} {light.text}", told)) for light in prepared.strip.lights]
    if problem:
        found.append(text(localised(problem, told), "error"))
    if prepared.strip.verdict is Decision.REFUSED and not problem:
        return [*found, BACK]
    if held:
        found.append(text(held, "error"))
    found.append(divider())
    for one in prepared.suggestions[:2]:
        found.append(text(f"Unused time: {told.money(one.amount)} ({localised(one.arithmetic, told)})", "muted"))
    currency = prepared.left.currency
    found.append(
        entry("amount", f"Amount in {currency}", typed.get("amount") or bare(prepared.left), failed=bool(problem))
    )
    reason = typed.get("reason", "")
    known = [key for key, _ in REASONS]
    found.append(dropdown("reason", "Reason", REASONS, reason if reason in known else known[0]))
    found.append(area("note", "Note for colleagues", typed.get("note", "")))
    return [*found, button("review", "Continue", "primary"), BACK]


def confirm(shown: Confirmation, told: Reader) -> list[Component]:
    """The question before the money: how much, of what, why. Only its button asks for the refund."""
    amount = told.money(shown.amount)
    found = [
        text(f"Refund {amount}?", "header"),
        text(f"Of: {shown.title}"),
        text(f"Reason: {dict(REASONS)[shown.reason]}"),
    ]
    if shown.note:
        found.append(text(f"Note: {shown.note}", "muted"))
    if shown.waits:
        found.append(text(f"{localised(shown.waits, told)} Somebody else must approve it.", "muted"))
    if shown.question:
        found.append(text(localised(shown.question, told), "error"))
    label = f"Send {amount} for approval" if shown.waits else f"Refund {amount}"
    return [*found, button("confirm", f"Yes: {label}" if shown.question else label, "primary"), BACK]


def take_back(one: Intent, told: Reader) -> list[Component]:
    """The question before a refund that waits for an approval is taken back."""
    return [
        text(f"Take back {told.money(one.amount)}?", "header"),
        text("Nobody can approve it then, and no money moves. It can be asked for again."),
        button(f"voided/{one.id}", "Take it back", "primary"),
        BACK,
    ]


def result(refunds: Sequence[Asking], told: Reader, problem: str = "") -> list[Component]:
    """What was asked for and where it is now; Refresh reads it again."""
    found = [text(problem, "error")] if problem else []
    return [*found, *asked_for(refunds, told), button("state", "Refresh"), BACK]


def refusal(sentence: str) -> list[Component]:
    """Why nothing, or nothing more, is shown."""
    return [text(sentence, "error"), button("home", "Try again", "link")]


def bare(amount: Money) -> str:
    """An amount as it is typed: 12.00, 1500, 1.250."""
    digits = exponent(amount.currency)
    whole, rest = divmod(max(0, amount.minor), 10**digits)
    return f"{whole}.{rest:0{digits}d}" if digits else str(whole)
