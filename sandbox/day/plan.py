"""What happens on a day, as data: it follows from the seed and the world alone, whatever others do at the same time."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from textwrap import shorten
from typing import Any

from sandbox.world import World

FOREIGN_TAGS = ("vip", "beta", "escalated", "waiting_on_dev", "onboarding", "renewal_2027", "press")
STATUSES = ("open", "pending", "hold", "open", "pending")
# What agents and customers do with a ticket, and what happens to money; (what, how often of 100).
DESK = (
    ("reply", 17), ("agent_reply", 12), ("note", 8), ("status", 15), ("priority", 8), ("tag", 13), ("type", 4),
    ("field", 3), ("subject", 2), ("solve", 7), ("merge", 1),
)  # fmt: skip
MONEY = (
    ("payment_failed", 20), ("paid", 14), ("dispute", 10), ("inquiry", 6), ("dispute_closed", 8), ("card", 12),
    ("seats", 14), ("refund", 10), ("leave", 3), ("renewed", 3),
)  # fmt: skip
MONEY_SHARE = 0.13


@dataclass(frozen=True, slots=True)
class Act:
    """kind: a word of DESK or MONEY, or "ticket". ticket: which of the day's, by number. who: person, agent or payer."""

    kind: str
    who: int | str
    ticket: int = -1
    told: dict[str, Any] = field(default_factory=dict)


def plan(world: World, seed: int, tickets: int, events: int) -> list[Act]:
    """`tickets` new tickets and `events` other acts, mixed; a ticket is new before anything is done with it."""
    maker = _Maker(world, Random(f"day-{seed}"))
    chances = _order(maker.random, tickets, events)
    return [maker.ticket() if new else maker.event() for new in chances]


def _order(random: Random, tickets: int, events: int) -> list[bool]:
    """True for a new ticket. More of them in the morning; the first act is one."""
    if tickets < 1:
        raise ValueError("a day has at least one ticket")
    spots = [(random.random() * 0.85, True) for _ in range(tickets)] + [(random.random(), False) for _ in range(events)]
    spots.sort()
    first = next(n for n, (_, new) in enumerate(spots) if new)
    spots.insert(0, spots.pop(first))
    return [new for _, new in spots]


class _Maker:
    """Draws one act after the other, and remembers which tickets are still open to work."""

    def __init__(self, world: World, random: Random) -> None:
        self.random = random
        self._world = world
        self._requesters: list[int] = []
        self._workable: list[int] = []

    def ticket(self) -> Act:
        number, text = len(self._requesters), self.random.choice(self._world.texts)
        person = self.random.choice(self._world.people).id
        self._requesters.append(person)
        self._workable.append(number)
        return Act("ticket", person, number, {"subject": text.partition(". ")[0][:80], "text": text})

    def event(self) -> Act:
        return self._money() if self.random.random() < MONEY_SHARE or not self._workable else self._desk()

    def _draw(self, table: tuple[tuple[str, int], ...]) -> str:
        return self.random.choices([kind for kind, _ in table], [weight for _, weight in table])[0]

    def _desk(self) -> Act:
        kind, number = self._draw(DESK), self.random.choice(self._workable)
        agent = self.random.choice(self._world.agents).id
        who = self._requesters[number] if kind == "reply" else agent
        if kind == "merge":
            others = [n for n in self._workable if n != number]
            if not others:
                return Act("note", agent, number, {"text": "Nothing to merge it with."})
            self._workable.remove(number)
            return Act(kind, agent, number, {"into": self.random.choice(others)})
        return Act(kind, who, number, self._told(kind))

    def _told(self, kind: str) -> dict[str, Any]:
        choice = self.random.choice
        if kind in ("reply", "agent_reply", "note"):
            return {"text": choice(self._world.texts)}
        if kind == "status":
            return {"status": choice(STATUSES)}
        if kind == "priority":
            return {"priority": choice(("low", "normal", "high", "urgent"))}
        if kind == "tag":
            return {"tags": sorted(self.random.sample(FOREIGN_TAGS, choice((1, 1, 2))))}
        if kind == "type":
            return {"type": choice(("question", "incident", "problem", "task"))}
        if kind == "field":
            return {"value": f"PO-{self.random.randint(1000, 9999)}"}
        return {"subject": shorten(choice(self._world.texts), 60, placeholder="…")} if kind == "subject" else {}

    def _money(self) -> Act:
        kind, payer = self._draw(MONEY), self.random.choice(self._world.payers).id
        told: dict[str, Any] = {}
        if kind == "seats":
            told = {"seats": self.random.randint(1, 90)}
        elif kind == "refund":
            told = {"percent": self.random.choice((10, 25, 50, 100))}
        elif kind == "card":
            told = {"last4": f"{self.random.randint(0, 9999):04d}", "year": self.random.randint(2027, 2034)}
        elif kind == "dispute_closed":
            told = {"status": self.random.choice(("won", "lost"))}
        return Act(kind, payer, told=told)
