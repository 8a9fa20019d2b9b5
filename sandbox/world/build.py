"""People, companies, agents and payers of the sandbox. Deterministic: the same seed and moment, the same world."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from random import Random

from integrations.kernel.clock import utc_now
from sandbox.world.model import Group, Organization, Person, World
from sandbox.world.names import COMPANIES, FIRST, FREE_MAIL, GROUPS, LAST, SECOND_DOMAINS
from sandbox.world.payers import payers

PEOPLE = 240
TEXTS = Path(__file__).with_name("texts.txt")
ODD = {  # addresses that a matcher must get right, by the number of the person
    11: ("eve@аcorn.example", True),  # a Cyrillic a: looks like acorn.example and is not
    12: ("jörg@bücher.example", True),
    13: ("jana@xn--mnchen-3ya.example", True),  # münchen, as DNS writes it
    19: ("Ada.MIXED@Birch.Example", True),
    22: ("stranger@cobalt.example", False),
}


def ticket_texts() -> tuple[str, ...]:
    """What tickets say, one a line of the file."""
    return tuple(line for line in TEXTS.read_text(encoding="utf-8").splitlines() if line.strip())


def build_world(seed: int = 1, now: datetime | None = None, scale: int = 1) -> World:
    """At least 200 people and 120 payers, `scale` times as many; several currencies, every state and story.

    Args:
        now: aware UTC; where histories end. The simulators' clock when left out.
    """
    if scale < 1:
        raise ValueError("scale must be 1 or more")
    now = now or utc_now()
    random = Random(f"world-{seed}")
    organizations = _organizations(scale)
    people = tuple(_person(random, n, organizations) for n in range(PEOPLE * scale))
    agents = tuple(
        Person(500 + n, f"Agent {FIRST[n]}", ((f"{FIRST[n].lower()}@acme.example", True),), None, role)
        for n, role in enumerate(("admin", "agent", "agent", "agent"))
    )
    groups = tuple(
        Group(800 + n, name, tuple(a.id for a in agents if (a.id - 500) % len(GROUPS) in (n, 0)))
        for n, name in enumerate(GROUPS)
    )
    return World(people, agents, organizations, payers(random, people, now), ticket_texts(), groups, now)


def _organizations(scale: int) -> tuple[Organization, ...]:
    found = []
    for n in range(len(COMPANIES) * scale):
        word = COMPANIES[n % len(COMPANIES)]
        name = word if n < len(COMPANIES) else f"{word}{n // len(COMPANIES) + 1}"
        more = (SECOND_DOMAINS[name],) if name in SECOND_DOMAINS else ()
        found.append(Organization(7000 + n, name.title(), (f"{name}.example", *more)))
    return tuple(found)


def _person(random: Random, n: int, organizations: tuple[Organization, ...]) -> Person:
    name = f"{FIRST[n % len(FIRST)]} {LAST[(n * 7) % len(LAST)]}"
    local = f"{name.split()[0]}.{name.split()[1]}{n}".lower()
    company = organizations[n % len(organizations)] if n % 4 else None
    domain = company.domains[n // 60 % len(company.domains)] if company else FREE_MAIL[n // 4 % len(FREE_MAIL)]
    emails = [(f"{local}@{domain}", random.random() < 0.8)]
    if n % 10 == 3:
        emails.append((f"{local}@gmail.com", False))
    if n % 30 == 8:
        emails += [(f"{local}@private.example", True), (f"{local}.old@{domain}", False)]
    if n % 25 == 7:
        emails[0] = (f"{local}+support@{domain}", True)
    emails[0] = ODD.get(n, emails[0])
    return Person(10_000 + n, name, tuple(emails), company.id if company else None, external_id=f"u-{n}")
