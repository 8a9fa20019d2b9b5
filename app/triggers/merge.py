"""Effects of many rules, merged to one wanted change a ticket; and which rule each part of it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.outbox.effects import Effect
from app.outbox.wanted import Wanted, from_effects


@dataclass(frozen=True, slots=True)
class Desired:
    """wanted: a later rule wins a field, and a tag ends as the last one wanted it. because: part -> winning rule.

    Parts are `tag:db_x`, `field:priority`, `note:<key>`.
    """

    wanted: Wanted
    because: Mapping[str, str]


def merge(effects: Iterable[Effect]) -> dict[tuple[str, str], Desired]:
    """By (connection, ticket), from effects in the order of their rules."""
    tickets: dict[tuple[str, str], list[Effect]] = {}
    for effect in effects:
        tickets.setdefault((effect.connection_id, effect.ticket_id), []).append(effect)
    return {key: Desired(from_effects(mine), _because(mine)) for key, mine in tickets.items()}


def _because(effects: Iterable[Effect]) -> dict[str, str]:
    winners: dict[str, str] = {}
    for effect in effects:
        if effect.kind == "tickets.note":
            winners.setdefault(f"note:{effect.payload['key']}", effect.rule)  # a note stands once: the first
        elif effect.kind == "tickets.set":
            winners[f"field:{effect.payload['field']}"] = effect.rule
        elif effect.is_of_ticket:
            winners.update((f"tag:{tag}", effect.rule) for tag in effect.payload["tags"])
    return winners
