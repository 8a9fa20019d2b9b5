"""Who pays: every subscription state and every story, in every currency, by every way a payer can be linked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random

from sandbox.world.model import Payer, Person
from sandbox.world.names import INTERVALS, PLACES, PLANS, STATES, STORIES

# email, metadata, whether the name says that it is a second payer
Way = tuple[str | None, dict[str, str], bool]


def payers(random: Random, people: Sequence[Person], now: datetime) -> tuple[Payer, ...]:
    """Two of three people pay; each third of them in a way of its own."""
    made = _Maker(random, now)
    for n, person in enumerate(people):
        if n % 3 != 2:
            for email, metadata, second in _ways(n, person):
                made.add(f"{person.name} (second)" if second else person.name, email, metadata)
    made.companies(people)
    return tuple(made.found)


def _ways(n: int, person: Person) -> Iterator[Way]:
    """How this person's payments can be found: by address, by a link in the metadata, by both of two payers."""
    address = person.emails[0][0].replace("+support", "")
    if n % 9 == 1:
        yield f"billing{n}@elsewhere.example", {"helpdesk_id": str(person.external_id)}, False
    elif n % 11 == 4:
        yield address.upper(), {}, False
    elif n % 27 == 15:
        yield None, {"helpdesk_id": str(person.external_id)}, False
    else:
        yield address, {}, False
    if n % 20 == 6:
        yield address, {}, True


class _Maker:
    """Hands out states, stories, currencies and plans in turn, so that every mixture occurs."""

    def __init__(self, random: Random, now: datetime) -> None:
        self._random = random
        self._now = now
        self._active = 0
        self.found: list[Payer] = []

    def add(self, name: str, email: str | None, metadata: dict[str, str]) -> None:
        """One more payer. Every second one is active with the next story; the others go round all states."""
        n = len(self.found)
        currency, country = PLACES[(n + n // len(PLACES)) % len(PLACES)]
        status, story = STATES[(n // 2) % len(STATES)] if n % 2 else "active", "plain"
        if status == "active":
            story = STORIES[self._active % len(STORIES)]
            self._active += 1
        self.found.append(Payer(
            id=f"cus_S{n:06d}", name=name, email=email, currency=currency, country=country,
            plan=self._random.randrange(len(PLANS)), seats=self._random.randint(1, 60),
            interval=INTERVALS[(n // 3 + n // 20) % len(INTERVALS)], status=status, story=story,
            since=self._now - timedelta(days=500 + 900 - min(n, 890)), metadata=metadata,
        ))  # fmt: skip

    def companies(self, people: Sequence[Person]) -> None:
        """Accounts payable of companies that pay more than once, a look-alike, an address twice, and one who left."""
        local = {p.emails[0][0].partition("@")[2] for p in people if p.organization_id is not None}
        for domain in sorted(d for d in local if d.isascii())[:3]:
            self.add(f"Accounts payable {domain}", f"ap@{domain}", {"account": domain})
            self.add(f"Second office {domain}", f"office@{domain}", {"account": domain})
        self.add("Acom Ltd", "billing@аcorn.example", {})  # Cyrillic a: no payer of acorn.example
        self.add("Twin one", "twin@cobalt.example", {})
        self.add("Twin two", "Twin@Cobalt.example", {})
        last = self.found[-1]
        self.found.append(Payer(
            f"cus_S{len(self.found):06d}", "Guest Nobody", "guest@elsewhere.example", "usd", "US", 0, 1, ("month", 1),
            "", "guest", last.since + timedelta(days=1), {},
        ))  # fmt: skip
