"""What happened to this payer lately, newest first, from the same records the lists show. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.ui.words import Moment, Reader
from integrations.kernel.clock import iso, parse_iso
from sidebar_app import words

SHOWN = 6
_CHARGE = {"succeeded": "Paid", "failed": "Payment failed", "pending": "Payment on its way"}


@dataclass(frozen=True, slots=True)
class Happened:
    """One thing that happened."""

    at: Moment
    text: str


def lately(records: Mapping[str, Sequence[Mapping[str, Any]]], told: Reader) -> list[Happened]:
    """The newest of all kinds; nothing that lies ahead."""
    until = iso(told.now)
    found = sorted((one for one in _all(records, told) if one[0] <= until), key=lambda one: one[0], reverse=True)
    return [Happened(told.day(parse_iso(at)), text) for at, text in found[:SHOWN]]


def _all(records: Mapping[str, Sequence[Mapping[str, Any]]], told: Reader) -> Iterator[tuple[str, str]]:
    for one in records.get("charge", ()):
        yield one["created"], f"{_CHARGE.get(one['status'], 'Payment')} {told.money(one['amount'])}"
    for one in records.get("refund", ()):
        yield one["created"], f"Refund of {told.money(one['amount'])}"
    for one in records.get("dispute", ()):
        kind = "Inquiry" if one["status"].startswith("warning_") else "Dispute"
        yield one["created"], f"{kind} over {told.money(one['amount'])} opened"
    for one in records.get("credit_note", ()):
        yield one["created"], f"Credit note of {told.money(one['amount'])}"
    for one in records.get("subscription", ()):
        yield one["started"], "Subscription began"
        if one["cancel_at"]:
            yield one["cancel_at"], f"Subscription ended: {words.sentence(one['status']).lower()}"
