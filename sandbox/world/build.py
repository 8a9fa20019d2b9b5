"""People, companies, agents and payers of the sandbox. Deterministic: the same seed, the same world."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from random import Random

FIRST = (
    "Ada Ben Cleo Dov Ema Finn Gia Hugo Ida Jon Kaja Leo Mia Nils Oda Per Quin Rosa Sven Tova Uma Vito Wren Xenia "
    "Yara Zoe Anouk Bruno Carla Dmitri"
).split()
LAST = (
    "Abel Brandt Costa Dahl Eriksen Fabre Gomez Hahn Ito Jansen Kaya Lund Moreau Novak Okafor Petit Quist Rossi "
    "Sato Toth Ueda Varga Weiss Yilmaz Zeller"
).split()
COMPANIES = (
    "acorn birch cobalt delta ember fjord grove harbor indigo juniper kestrel lumen maple nimbus orchid pebble quartz "
    "ridge spruce tundra umber violet willow xenon yarrow zephyr alpine beacon cedar drift"
).split()
FREE_MAIL = ("gmail.com", "outlook.com", "gmx.de")
STATUSES = (
    "active active active active active active past_due trialing unpaid paused canceled incomplete incomplete_expired"
).split()
INTERVALS = (("month", 1), ("month", 1), ("month", 1), ("year", 1), ("month", 3), ("week", 1), ("day", 30))
CURRENCIES = ("usd", "usd", "usd", "eur", "eur", "gbp", "jpy", "kwd")
PLANS = (("Starter", 900), ("Team", 2900), ("Business", 5900), ("Enterprise", 14900))
TEXTS = Path(__file__).with_name("texts.txt")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who writes tickets, or an agent. emails: (address, verified), primary first."""

    id: int
    name: str
    emails: tuple[tuple[str, bool], ...]
    organization_id: int | None
    role: str = "end-user"
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class Organization:
    """A company at the helpdesk."""

    id: int
    name: str
    domains: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Payer:
    """A Stripe customer and what it bought. story: what happened to it, acted out by the simulator."""

    id: str
    name: str
    email: str | None
    currency: str
    country: str
    plan: int
    seats: int
    interval: tuple[str, int]
    status: str
    story: str
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class World:
    """Everybody. texts: what tickets say, one a line."""

    people: tuple[Person, ...]
    agents: tuple[Person, ...]
    organizations: tuple[Organization, ...]
    payers: tuple[Payer, ...]
    texts: tuple[str, ...]


STORIES = (
    "plain plain plain plain plain failed_payment dispute inquiry refund partial_refund credit_note coupon_once "
    "coupon_repeating coupon_forever metered cancels paused_collection two_items won_dispute card_expiring"
).split()


def build_world(seed: int = 1, people: int = 240) -> World:
    """At least 200 people, 120 payers, several currencies, every subscription state and story."""
    random = Random(f"world-{seed}")
    organizations = tuple(
        Organization(7000 + n, name.title(), (f"{name}.example",)) for n, name in enumerate(COMPANIES)
    )
    everybody = tuple(_person(random, n, organizations) for n in range(people))
    agents = tuple(
        Person(500 + n, f"Agent {FIRST[n]}", ((f"{FIRST[n].lower()}@acme.example", True),), None, role)
        for n, role in enumerate(("admin", "agent", "agent", "agent"))
    )
    texts = tuple(line for line in TEXTS.read_text(encoding="utf-8").splitlines() if line.strip())
    return World(everybody, agents, organizations, tuple(_payers(random, everybody)), texts)


def _person(random: Random, n: int, organizations: tuple[Organization, ...]) -> Person:
    name = f"{FIRST[n % len(FIRST)]} {LAST[(n * 7) % len(LAST)]}"
    local = f"{name.split()[0]}.{name.split()[1]}{n}".lower()
    company = organizations[n % len(organizations)] if n % 4 else None
    domain = company.domains[0] if company else FREE_MAIL[n % len(FREE_MAIL)]
    emails = [(f"{local}@{domain}", random.random() < 0.8)]
    if n % 10 == 3:
        emails.append((f"{local}@gmail.com", False))
    if n % 25 == 7:
        emails[0] = (f"{local}+support@{domain}", True)
    if n == 11:
        emails[0] = ("eve@аcorn.example", True)  # a Cyrillic a: looks like acorn.example and is not
    if n == 12:
        emails[0] = ("jörg@bücher.example", True)
    return Person(10_000 + n, name, tuple(emails), company.id if company else None, external_id=f"u-{n}")


def _payers(random: Random, people: tuple[Person, ...]) -> list[Payer]:
    """Two of three people pay: most by the address they write from, some by another one, some twice."""
    found: list[Payer] = []
    for n, person in enumerate(people):
        if n % 3 == 2:
            continue
        email: str | None = person.emails[0][0].replace("+support", "")
        metadata = {}
        if n % 9 == 1:
            email, metadata = f"billing{n}@elsewhere.example", {"helpdesk_id": str(person.external_id)}
        if n % 11 == 4 and email:
            email = email.upper()
        found.append(_payer(random, len(found), person.name, email, metadata))
        if n % 20 == 6:
            found.append(_payer(random, len(found), f"{person.name} (second)", email, {}))
    return found


def _payer(random: Random, n: int, name: str, email: str | None, metadata: dict[str, str]) -> Payer:
    return Payer(
        id=f"cus_S{n:06d}", name=name, email=email, currency=CURRENCIES[n % len(CURRENCIES)],
        country=("US", "DE", "GB", "JP", "KW")[n % 5], plan=n % len(PLANS), seats=random.randint(1, 60),
        interval=INTERVALS[n % len(INTERVALS)], status=STATUSES[n % len(STATUSES)], story=STORIES[n % len(STORIES)],
        metadata=metadata,
    )  # fmt: skip
