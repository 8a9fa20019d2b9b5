"""Which company at the CRM a subject is: the ladder, strongest first. Pure.

A link a person made, our key on the account, a verified domain; a domain nobody verified, or a name alone, is a suggestion
to a person. Where a rung leaves more than one account nobody guesses and no weaker rung is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

SHOWN = 10  # candidates a person is shown


class Strength(StrEnum):
    LINKED = "linked"
    EXTERNAL_ID = "external_id"
    DOMAIN = "domain"
    AMBIGUOUS = "ambiguous"
    UNVERIFIED = "unverified"  # a suggestion, no match, as a name
    NAME = "name"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An account a rung found. by: the id, domain or name it was found by; as_contact: by people there, not its own."""

    account_id: str
    name: str = ""
    parent_id: str = ""
    by: str = ""
    as_contact: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """account_id: "" where it is not known. candidates: (account id, name, why it may be it) for a person."""

    strength: Strength
    reason: str
    account_id: str = ""
    candidates: tuple[tuple[str, str, str], ...] = ()

    @property
    def needs_person(self) -> bool:
        return self.strength in (Strength.AMBIGUOUS, Strength.UNVERIFIED, Strength.NAME)

    def to_json(self) -> dict[str, Any]:
        """As kept on the lead."""
        told: dict[str, Any] = {"strength": self.strength.value, "reason": self.reason}
        if self.candidates:
            told["candidates"] = [{"account_id": a, "name": n, "reason": why} for a, n, why in self.candidates]
        return told


@dataclass(frozen=True, slots=True)
class Rungs:
    """What each rung found. linked: (account id, why) a person said. unverified: by a domain nobody verified."""

    linked: tuple[str, str] | None = None
    external: Sequence[Candidate] = ()
    domain: Sequence[Candidate] = ()
    name: Sequence[Candidate] = ()
    unverified: Sequence[Candidate] = ()


UNKNOWN = Found(Strength.NONE, "The CRM knows no company by id, domain or name.")


def climb(rungs: Rungs) -> Found:
    """The strongest rung that found anything."""
    if rungs.linked is not None:
        account_id, why = rungs.linked
        return Found(Strength.LINKED, why, account_id)
    if rungs.external:
        return _one_of(Strength.EXTERNAL_ID, rungs.external, "holds our id {by}")
    if rungs.domain:
        return _one_of(Strength.DOMAIN, rungs.domain, "has the domain {by}")
    if rungs.unverified:
        told = _told(rungs.unverified, "has the domain {by}")[:SHOWN]
        why = "Nobody has verified the sender's address at this domain: a person must say whether it is this company."
        return Found(Strength.UNVERIFIED, why, "", told)
    if rungs.name:
        told = _told(rungs.name, "has a name like {by}")
        return Found(Strength.NAME, "Only the name is alike: a person must say whether it is this company.", "", told)
    return UNKNOWN


def _one_of(strength: Strength, found: Sequence[Candidate], text: str) -> Found:
    told = _told(found, text)
    if len(told) == 1:
        account_id, name, why = told[0]
        return Found(strength, f"{name or account_id} {why}.", account_id)
    what = "one id" if strength is Strength.EXTERNAL_ID else "one domain"
    family = " Some of them are parent and child." if _related(found) else ""
    return Found(Strength.AMBIGUOUS, f"{len(told)} companies share {what}: a person must say which.{family}", "",
                 told[:SHOWN])  # fmt: skip


def _told(found: Iterable[Candidate], text: str) -> tuple[tuple[str, str, str], ...]:
    """One line an account; the company's own domain is told before that of people there."""
    best: dict[str, tuple[str, str, str]] = {}
    for one in sorted(found, key=lambda c: (c.as_contact, c.account_id, c.by)):
        why = f"people there have the domain {one.by}" if one.as_contact else text.format(by=one.by)
        best.setdefault(one.account_id, (one.account_id, one.name, why))
    return tuple(best.values())


def _related(found: Sequence[Candidate]) -> bool:
    ids = {one.account_id for one in found}
    return any(one.parent_id in ids for one in found)


def company_of(subject: str, crm_id: str, found: Found) -> str:
    """What is unique for a lead: the account where it is known, else the subject."""
    return f"account:{crm_id}:{found.account_id}" if found.account_id else subject
