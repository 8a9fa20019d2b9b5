"""Which payer of the requester is shown: the one, the one asked for among several, or none, with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from app import billing, identity
from app.billing import store as mirror
from app.identity import Match, PayerMatch, Requester, Strength
from app.ui.words import Reader, plain
from integrations.kernel.errors import NotAllowed
from sidebar_app import words
from sidebar_app.words import Pill

SHOWN = 20  # payers in the chooser; a requester with more than this has another trouble


class NotTheirs(NotAllowed):
    code, public = "sidebar.not_theirs", "This payer does not belong to the requester of this ticket. Reload the app."


@dataclass(frozen=True, slots=True)
class Choice:
    """One payer in the chooser. key: what the page sends back."""

    key: str
    name: str
    email: str
    plan: str
    mrr: str
    status: Pill
    since: str


def key_of(payer: PayerMatch) -> str:
    """A payer as the page names it."""
    return f"{payer.connection_id}/{payer.payer_id}"


def pick(found: Match, asked: str) -> PayerMatch | None:
    """The payer to show: the only one, or the one asked for. Raises NotTheirs for any other."""
    if asked:
        chosen = [one for one in found.payers if key_of(one) == asked]
        if not chosen:
            raise NotTheirs
        return chosen[0]
    return found.payers[0] if len(found.payers) == 1 else None


def choices(cx: sa.Connection, payers: Sequence[PayerMatch], told: Reader) -> list[Choice]:
    """What tells several payers apart."""
    some = payers[:SHOWN]
    profiles = billing.profiles(cx, [one.key for one in some])
    found = []
    for one in some:
        record = mirror.by_id(cx, one.connection_id, [("payer", one.payer_id)]).get(("payer", one.payer_id), {})
        profile: dict[str, Any] = profiles.get(one.key, {})
        found.append(Choice(
            key_of(one), plain(record.get("name")) or "No name", plain(record.get("email")),
            plain(", ".join(profile.get("plans", ()))) or "No plan", told.sums(profile.get("mrr", {})),
            words.pill(str(profile.get("status", "none"))), told.day(record["created"]).text if record else "",
        ))  # fmt: skip
    return found


def choose(cx: sa.Connection, requester: Requester, found: Match, payer: PayerMatch, by: str) -> bool:
    """Remember an agent's choice among several; answers whether it was.

    A click proves nothing: the match stays as sure as it was, and where only an unverified address speaks for these payers
    the choice is shown and not stored.
    """
    if len(found.payers) < 2 or not payer.strength.is_at_least(Strength.TWO_FACTS):
        return False
    identity.choose(cx, requester, payer, by)
    return True
