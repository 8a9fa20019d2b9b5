"""The ladder, pure: which payers a requester has, on the strongest rung that has any.

1 stored link, or an id one side keeps of the other. 2 verified e-mail equal. 4 e-mail equal, not verified. 5 company
domain: the company's roll-up only, never money. (3, two facts typed by an agent, is stored as a link of rung 3.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

COMPANY_RUNG = 5


class Strength(StrEnum):
    """How sure a match is, strongest first."""

    LINKED = "linked"
    VERIFIED = "verified"
    TWO_FACTS = "two_facts"
    UNVERIFIED = "unverified"
    COMPANY = "company"


STRENGTHS = {1: Strength.LINKED, 2: Strength.VERIFIED, 3: Strength.TWO_FACTS, 4: Strength.UNVERIFIED}


@dataclass(frozen=True, slots=True)
class IdentitySettings:
    """plus_addresses: `a+b@x` matches `a@x`. link_keys: payer metadata that names the requester's external id."""

    plus_addresses: bool = False
    link_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Requester:
    """A person at a helpdesk."""

    connection_id: str
    person_id: str


PayerKey = tuple[str, str]  # (connection, payer id)


@dataclass(frozen=True, slots=True, order=True)
class PayerMatch:
    """A payer of a requester, with the rung it was found on."""

    connection_id: str
    payer_id: str
    rung: int
    strength: Strength


@dataclass(frozen=True, slots=True)
class Match:
    """payers: all on the best rung, never "the first". company: payers of the same company, roll-up only.

    warnings: domains that look like a payer's and are not.
    """

    payers: tuple[PayerMatch, ...] = ()
    company: tuple[PayerKey, ...] = ()
    warnings: tuple[str, ...] = ()


def best(found: Mapping[int, Sequence[PayerKey]]) -> tuple[PayerMatch, ...]:
    """All payers of the strongest rung that has any."""
    for rung in sorted(STRENGTHS):
        if found.get(rung):
            return tuple(PayerMatch(c, p, rung, STRENGTHS[rung]) for c, p in sorted(set(found[rung])))
    return ()
