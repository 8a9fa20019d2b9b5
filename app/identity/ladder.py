"""From a requester's clues and what was found for them to a match. Pure: one look-up serves many requesters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from app.customers.folding import is_free_mail
from app.customers.look_alike import skeleton
from app.customers.store import Person
from app.identity.policy import BY_PEOPLE, IdentitySettings, Match, PayerKey, PayerMatch, best

_Clue = TypeVar("_Clue")


@dataclass(frozen=True, slots=True)
class Clues:
    """What may tell a requester's payers.

    addresses: comparable address -> verified. keys: (metadata key, value). payer_ids: ids the helpdesk keeps.
    domains: that stand for the company. seen: every domain of the person's own that is not free-mail.
    """

    addresses: Mapping[str, bool] = field(default_factory=dict)
    keys: frozenset[tuple[str, str]] = frozenset()
    payer_ids: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()
    seen: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Found:
    """Payers by clue. alike: skeleton -> known domains; a domain with too many payers has none in `domains`."""

    addresses: Mapping[str, Sequence[PayerKey]] = field(default_factory=dict)
    keys: Mapping[tuple[str, str], Sequence[PayerKey]] = field(default_factory=dict)
    payer_ids: Mapping[str, Sequence[PayerKey]] = field(default_factory=dict)
    domains: Mapping[str, Sequence[PayerKey]] = field(default_factory=dict)
    alike: Mapping[str, Collection[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stored:
    """What is written down of a person: payers by rung as people linked them, and the pairs people refused.

    chosen: payers that a person chose among several, each with the rung they stood on; the last one last.
    """

    linked: Mapping[int, Sequence[PayerKey]] = field(default_factory=dict)
    refused: frozenset[PayerKey] = frozenset()
    chosen: tuple[tuple[PayerKey, int], ...] = ()

    def has(self, payer: PayerKey) -> bool:
        """Did a person link this payer, on whatever rung, or choose it?"""
        return payer in dict(self.chosen) or any(payer in keys for keys in self.linked.values())


def clues(person: Person, settings: IdentitySettings) -> Clues:
    """The clues of one requester; none for somebody who is deleted."""
    if not person.is_there:
        return Clues()
    addresses: dict[str, bool] = {}
    for one in person.addresses:
        comparable = one.base if settings.plus_addresses else one.folded
        addresses[comparable] = addresses.get(comparable, False) or one.verified
    keys = {(key, person.external_id) for key in settings.link_keys if person.external_id}
    ids = {person.external_id} if person.external_id else set()
    domains = {one.domain for one in person.addresses if not is_free_mail(one.domain)}
    seen = frozenset(domains)
    company = person.company
    if company is not None:
        keys |= {(key, company.external_id) for key in settings.organization_keys if company.external_id}
        named = (company.external_id, *(company.fields.get(name) for name in settings.organization_fields))
        ids |= {text for value in named if isinstance(value, str) and (text := value.strip())}
        domains |= {domain for domain in company.domains if not is_free_mail(domain)}
    return Clues(addresses, frozenset(keys), frozenset(ids), frozenset(domains), seen)


def climb(mine: Clues, found: Found, stored: Stored) -> Match:
    """All payers of the strongest rung, the company beside them, and what looks alike."""
    rungs: dict[int, set[PayerKey]] = defaultdict(set)
    rungs[1] |= _all(found.keys, mine.keys) | _all(found.payer_ids, mine.payer_ids)
    for address, verified in mine.addresses.items():
        rungs[2 if verified else 4] |= set(found.addresses.get(address, ()))
    for rung in rungs:
        rungs[rung] -= stored.refused
    for rung in BY_PEOPLE:
        rungs[rung] |= set(stored.linked.get(rung, ()))
    payers = _narrowed(best({rung: sorted(keys) for rung, keys in rungs.items()}), stored.chosen)
    company = _all(found.domains, mine.domains) | {payer.key for payer in payers}
    return Match(payers, tuple(sorted(company)), _warnings(mine, found))


def _narrowed(payers: tuple[PayerMatch, ...], chosen: Sequence[tuple[PayerKey, int]]) -> tuple[PayerMatch, ...]:
    """The one that was chosen last on this rung, as sure as it is without the choice; all where none of them was."""
    mine = {(one.key, one.rung): one for one in payers}
    last = next((mine[key] for key in reversed(chosen) if key in mine), None)
    return (replace(last, chosen=True),) if last else payers


def _all(found: Mapping[_Clue, Sequence[PayerKey]], wanted: Iterable[_Clue]) -> set[PayerKey]:
    return {key for one in wanted for key in found.get(one, ())}


def _warnings(mine: Clues, found: Found) -> tuple[str, ...]:
    """Known domains that look like one of the person's own and are not: shown to people, never matched."""
    pairs = {
        (own, theirs)
        for own in mine.seen
        for theirs in found.alike.get(skeleton(own), ())
        if theirs not in mine.domains
    }
    return tuple(f"{own} looks like {theirs}, which is another domain" for own, theirs in sorted(pairs))
