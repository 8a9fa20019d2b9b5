"""The panel's view-model as canvases: what is shown of a payer, in the order of the sidebar. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from app.refunds import Intent
from app.ui.words import Reader
from sidebar_app.billed import Payer
from sidebar_app.canvas_kit import MOST_OPTIONS, Component, button, divider, dropdown, entry, item, rows, table, text
from sidebar_app.panel import Panel
from sidebar_app.payers import Choice
from sidebar_app.refund_states import in_words

PAGE: Final = 10  # rows of the list of payments
REFUNDS: Final = 5
CHARGE: Final = "charge"  # what the id of a payment's row begins with


@dataclass(frozen=True, slots=True)
class Asking:
    """A refund that was asked for in a conversation. may_void: this admin is offered to take it back.

    held: why nothing is sent to its billing vendor now, "" while it is.
    """

    intent: Intent
    may_void: bool
    held: str


def home(panel: Panel, refunds: Sequence[Asking], told: Reader, page: int, *, chosen: bool = False) -> list[Component]:
    """The first canvas; a state of the panel without a payer says so.

    Args:
        page: the first payment, or payer, that is listed.
        chosen: the payer is one of several, so there are others.
    """
    found = [*_who(panel)]
    if panel.payer is not None:
        found += _payer(panel, panel.payer, page)
    elif panel.state == "several":
        found += _several(panel.choices, page, panel.prove_card)
    else:
        found += _nobody(panel)
    if chosen:
        found.append(button("others", "Other payers", "link"))
    found += asked_for(refunds, told)
    if panel.prove:
        found += _prove(panel)
    return [*found, button("refresh", "Refresh", "link")]


def _who(panel: Panel) -> Iterator[Component]:
    if panel.who is not None:
        company = f" · {panel.who.company}" if panel.who.company else ""
        yield text(f"{panel.who.name}{company}", "muted")
    for warning in panel.warnings:
        yield text(warning, "error")
    if panel.problem:
        yield text(panel.problem, "error")


def _payer(panel: Panel, payer: Payer, page: int) -> Iterator[Component]:
    yield text(payer.name, "header")
    since = [f"customer since {payer.since.text}"] if payer.since else []
    test = ["test mode"] if payer.is_test else []
    yield text(" · ".join(part for part in (payer.strength.text, payer.email, *since, *test) if part), "muted")
    if payer.linked:
        yield text(f"Linked {payer.linked}", "muted")
    if payer.dispute:
        one = payer.dispute
        yield text(f"⚠ {one.title}: {one.amount}. {one.reason} · {one.state}. {one.due}", "error")
    if payer.is_stale:
        known = f"This is what was known {payer.until.text}." if payer.until else "This may be old."
        yield text(f"Stripe is slow or away. {known}", "error")
    figures = (
        ("MRR", payer.mrr or "None"),
        ("LTV", payer.ltv or "None"),
        ("Seats", payer.seats),
        ("Balance", payer.balance),
    )
    yield table([(name, value) for name, value in figures if value])
    yield from _plans(payer)
    yield from _payments(payer, page)


def _plans(payer: Payer) -> Iterator[Component]:
    yield text("Subscription", "header")
    for plan in payer.plans:
        dates = [f"{what} {day}" for what, day in plan.dates]
        yield text(" · ".join([f"{plan.name}: {plan.pill.text}", *plan.prices, *dates]))
    if not payer.plans:
        yield text("None", "muted")


def _payments(payer: Payer, page: int) -> Iterator[Component]:
    every = payer.lists.charges
    page = page if page < len(every) else 0
    shown = every[page : page + PAGE]
    yield text(f"Payments ({payer.lists.totals.get('charge', 0)})", "header")
    if not shown:
        yield text("None", "muted")
        return
    yield rows([
        item(f"{CHARGE}/{one.key}", f"{one.amount} · {one.pill.text}", f"{one.title} · {one.at.text}", one.more)
        for one in shown
    ])  # fmt: skip
    if len(every) > page + PAGE:
        yield button(f"page/{page + PAGE}", "Older payments")
    if page:
        yield button("page/0", "Newest payments", "link")


def _several(choices: Sequence[Choice], page: int, unverified: bool) -> Iterator[Component]:
    """A dropdown takes two to ten; of more, the next ones are behind a button, and a last lonely one gets company."""
    first = min(page, max(0, len(choices) - 2))
    shown = choices[first : first + MOST_OPTIONS]
    yield text(f"{len(choices)} payers fit this requester", "header")
    remembered = (
        "It is shown and not remembered: none is verified." if unverified else "It is remembered with your name."
    )
    yield text(f"Choose whose payments this is about. {remembered}", "muted")
    options = [(one.key, " · ".join(p for p in (one.name, one.email, one.plan, one.mrr) if p)) for one in shown]
    yield dropdown("payer", "Payer", options, options[0][0])
    yield button("choose", "Show", "primary")
    if len(choices) > first + MOST_OPTIONS:
        yield button(f"page/{first + MOST_OPTIONS}", "More payers")
    if first:
        yield button("page/0", "First payers", "link")


def _nobody(panel: Panel) -> Iterator[Component]:
    if panel.state == "unknown":
        yield text("This conversation has not reached us yet. It is being read: press Refresh in a moment.", "muted")
    elif panel.company:
        yield text("Only the company is known", "header")
        yield text(f"{panel.company}. Who of them pays for this requester is not known.")
    else:
        yield text("No payer found", "header")
        yield text("No customer at the billing system has this requester's address or id.")


def _prove(panel: Panel) -> Iterator[Component]:
    yield divider()
    yield text("Prove who pays", "header")
    yield text("Only an unverified address says so, or none. Ask the customer for the number of an invoice.", "muted")
    yield entry("invoice", "Invoice number", panel.typed.get("invoice", ""), failed=bool(panel.problem))
    if panel.prove_card:
        yield text("Or the card's last four digits with the amount and the date (2026-11-30) of a payment.", "muted")
        for name, label in (("last4", "Last four digits"), ("amount", "Amount"), ("day", "Date")):
            yield entry(name, label, panel.typed.get(name, ""))
    yield button("prove", "Check")


def asked_for(refunds: Sequence[Asking], told: Reader) -> Iterator[Component]:
    """Refunds asked for in this conversation, newest first, with where each is now; buttons take back what still waits."""
    if not refunds:
        return
    shown = refunds[:REFUNDS]
    yield text("Refunds of this conversation", "header")
    yield rows([_asking(one.intent, told, one.held) for one in shown])
    for one in shown:
        if one.may_void:
            yield button(f"void/{one.intent.id}", f"Take back {told.money(one.intent.amount)}")


def _asking(one: Intent, told: Reader, held: str) -> Component:
    pill, said = in_words(one, told, held)
    title = f"{told.money(one.amount)} · {pill.text}"
    return item(f"intent/{one.id}", title, f"{one.id} · {told.time(one.created_at).text}", said, opens=False)
