"""The ladder, pure: which payers a requester has, on the strongest rung that has any.

1 stored link, or an id one side keeps of the other. 2 verified e-mail equal. 3 two facts an agent typed, stored as a
link. 4 e-mail equal, not verified. 5 company domain: the company's roll-up only, never money.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Strength(StrEnum):
    """How sure a match is, strongest first."""

    LINKED = "linked"
    VERIFIED = "verified"
    TWO_FACTS = "two_facts"
    UNVERIFIED = "unverified"
    COMPANY = "company"

    def is_at_least(self, least: Strength) -> bool:
        """Is this as sure as `least`, or surer?"""
        order = list(Strength)
        return order.index(self) <= order.index(least)


STRENGTHS: Final = {1: Strength.LINKED, 2: Strength.VERIFIED, 3: Strength.TWO_FACTS, 4: Strength.UNVERIFIED}
BY_PEOPLE: Final = (1, 3)  # rungs of links that people make
CHOSEN: Final = "chosen among several"  # the note of a choice; also the end of the note of a link that was chosen


@dataclass(frozen=True, slots=True)
class IdentitySettings:
    """What the admin set.

    plus_addresses: `a+b@x` matches `a@x`. link_keys: payer metadata that holds the requester's external id.
    organization_keys: payer metadata that holds the company's external id. organization_fields: fields of a company at
    the helpdesk that hold a payer's id. company_most: with more payers at one domain it is no company.
    """

    plus_addresses: bool = False
    link_keys: tuple[str, ...] = ()
    organization_keys: tuple[str, ...] = ()
    organization_fields: tuple[str, ...] = ()
    company_most: int = 200


@dataclass(frozen=True, slots=True, order=True)
class Requester:
    """A person at a helpdesk."""

    connection_id: str
    person_id: str


PayerKey = tuple[str, str]  # (connection, payer id)


@dataclass(frozen=True, slots=True, order=True)
class PayerMatch:
    """A payer of a requester, with the rung it was found on. chosen: by a person, among several on that rung."""

    connection_id: str
    payer_id: str
    rung: int
    strength: Strength
    chosen: bool = False

    @property
    def key(self) -> PayerKey:
        return self.connection_id, self.payer_id


@dataclass(frozen=True, slots=True)
class Match:
    """payers: all on the best rung, never "the first", or the one of them that a person chose.

    company: payers of the same company, roll-up only. warnings: sentences about domains that look like a payer's or a
    company's and are not.
    """

    payers: tuple[PayerMatch, ...] = ()
    company: tuple[PayerKey, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def strength(self) -> Strength | None:
        """How sure; COMPANY where only the company is known, None where nothing is."""
        if self.payers:
            return self.payers[0].strength
        return Strength.COMPANY if self.company else None


def best(found: Mapping[int, Sequence[PayerKey]]) -> tuple[PayerMatch, ...]:
    """All payers of the strongest rung that has any."""
    for rung in sorted(STRENGTHS):
        if found.get(rung):
            return tuple(PayerMatch(c, p, rung, STRENGTHS[rung]) for c, p in sorted(set(found[rung])))
    return ()
