"""Who lives in the sandbox, as plain facts. The simulators turn them into their vendors' shapes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


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
class Group:
    """Agents who share a queue. agents: their ids."""

    id: int
    name: str
    agents: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Payer:
    """A Stripe customer and what it bought. story: what happened to it, acted out by the simulator.

    plan: index in PLANS. interval: Stripe's word and count, ("month", 3) is a quarter. status "" bought nothing.
    """

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
    since: datetime
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class World:
    """Everybody. texts: what tickets say. now: the moment histories end at."""

    people: tuple[Person, ...]
    agents: tuple[Person, ...]
    organizations: tuple[Organization, ...]
    payers: tuple[Payer, ...]
    texts: tuple[str, ...]
    groups: tuple[Group, ...]
    now: datetime
