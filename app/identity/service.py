"""Use cases of identity. The caller owns the transaction; `match` takes a whole batch in a fixed number of statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from app import audit
from app.customers import store as customers
from app.customers.store import Person
from app.identity import store
from app.identity.ladder import Stored, climb, clues
from app.identity.models import LADDER
from app.identity.policy import BY_PEOPLE, CHOSEN, STRENGTHS, IdentitySettings, Match, PayerKey, PayerMatch, Requester
from integrations.kernel.errors import NotFound
from integrations.kernel.ids import new_id


def match(
    cx: sa.Connection, requesters: Sequence[Requester], settings: IdentitySettings, *, remember: bool = True
) -> dict[Requester, Match]:
    """The payers of many requesters, the strongest rung of each.

    Args:
        remember: write down what the ladder found by itself the first time it is used, and end what it no longer finds.

    Returns:
        every requester asked for; an empty match for somebody unknown or deleted. Who was merged into another person
        has that person's payers.
    """
    result: dict[Requester, Match] = {}
    by_connection: dict[str, list[str]] = defaultdict(list)
    for requester in requesters:
        by_connection[requester.connection_id].append(requester.person_id)
    for connection_id, ids in sorted(by_connection.items()):
        _, found = _match_people(cx, connection_id, sorted(set(ids)), settings, remember)
        result |= {Requester(connection_id, one): found.get(one, Match()) for one in ids}
    return result


def look(cx: sa.Connection, requester: Requester, settings: IdentitySettings) -> tuple[Person | None, Match]:
    """One requester, None where the mirror does not know them, and their payers; nothing is written down for it."""
    person_id = requester.person_id
    people, found = _match_people(cx, requester.connection_id, [person_id], settings, remember=False)
    return people.get(person_id), found.get(person_id, Match())


def _match_people(
    cx: sa.Connection, connection_id: str, ids: Sequence[str], settings: IdentitySettings, remember: bool
) -> tuple[Mapping[str, Person], dict[str, Match]]:
    """The people themselves, and their matches."""
    asked, people, stands_for = _survivors(cx, connection_id, ids)
    mine = {i: clues(p, settings) for i, p in people.items()}
    found = store.look_up(cx, connection_id, mine.values(), settings)
    links = store.links(cx, connection_id, sorted(people))
    there = {i: climb(mine[i], found, links.stored.get(i, Stored())) for i, p in people.items() if p.is_there}
    if remember:
        _remember(cx, connection_id, there, links)
    return asked, {one: there[kept] for one, kept in stands_for.items() if kept in there}


def _survivors(
    cx: sa.Connection, connection_id: str, ids: Sequence[str]
) -> tuple[Mapping[str, Person], Mapping[str, Person], Mapping[str, str]]:
    """The people asked for, those who stand for them, and which of these stands for each id asked for."""
    people = customers.people(cx, connection_id, ids)
    stands_for = {one: person.merged_into or one for one, person in people.items()}
    others = sorted(set(stands_for.values()) - people.keys())
    everybody = people | customers.people(cx, connection_id, others)
    return people, {i: everybody[i] for i in set(stands_for.values()) if i in everybody}, stands_for


def _remember(cx: sa.Connection, connection_id: str, found: Mapping[str, Match], links: store.Links) -> None:
    """Write down what the ladder found and had not written down; end what it had and finds no more."""
    now = {
        (person_id, payer.key): payer
        for person_id, one in found.items()
        for payer in one.payers
        if not links.stored[person_id].has(payer.key)
    }
    known = {pair: rung for pair, (rung, _) in links.ladder.items()}
    lapsed = [link_id for pair, (rung, link_id) in links.ladder.items() if pair not in now or now[pair].rung != rung]
    stands = {(person_id, payer.key): payer.rung for person_id, one in found.items() for payer in one.payers}
    lapsed += [link_id for pair, (rung, link_id) in links.choices.items() if stands.get(pair) != rung]
    store.end(cx, lapsed, LADDER)
    fresh = [
        (person_id, payer)
        for (person_id, key), payer in sorted(now.items())
        if known.get((person_id, key)) != payer.rung
    ]
    store.put(cx, [_row(Requester(connection_id, person_id), payer, LADDER) for person_id, payer in fresh])


def _row(requester: Requester, payer: PayerMatch, by: str, note: str = "") -> dict[str, object]:
    return {
        "id": new_id("lnk"), **_pair(requester, payer.key), "rung": payer.rung, "strength": payer.strength.value,
        "made_by": by, "note": note,
    }  # fmt: skip


def _pair(requester: Requester, payer: PayerKey) -> dict[str, str]:
    return {
        "connection_id": requester.connection_id, "person_id": requester.person_id,
        "payer_connection_id": payer[0], "payer_id": payer[1],
    }  # fmt: skip


def link(cx: sa.Connection, requester: Requester, payer: PayerKey, by: str, *, rung: int, note: str = "") -> str:
    """A person says who pays for whom (rung 1), or two typed facts do (rung 3); answers the link's id.

    A link as strong that a person made before stands, with its first maker; a weaker one and the ladder's are ended, and
    a choice, which proves nothing, goes on as part of the link.
    """
    if rung not in BY_PEOPLE or by == LADDER:
        raise ValueError(f"rung {rung} by {by} is not a person's link")
    known = store.live(cx, _pair(requester, payer))
    chosen = known is not None and store.is_choice(known)
    if known is not None and known.made_by != LADDER and known.rung <= rung and not chosen:
        return str(known.id)
    if chosen:
        note = f"{note or 'linked'}, {CHOSEN}"
    return _instead(cx, requester, known, PayerMatch(*payer, rung, STRENGTHS[rung]), by, note, "identity.linked")


def choose(cx: sa.Connection, requester: Requester, payer: PayerMatch, by: str) -> str:
    """A person says which of several payers on one rung is meant; answers the id of what is written down.

    It proves nothing: the match stays as sure as it was, and the choice lasts as long as the ladder finds this payer on
    this rung. A link that a person made of the two stays what it is.
    """
    known = store.live(cx, _pair(requester, payer.key))
    is_link = known is not None and known.made_by != LADDER and not store.is_choice(known)
    if known is not None and known.note.endswith(CHOSEN) and (is_link or known.rung == payer.rung):
        return str(known.id)
    note = CHOSEN
    if known is not None and is_link:
        note = f"{known.note or 'linked'}, {CHOSEN}"
        payer = PayerMatch(*payer.key, known.rung, STRENGTHS[known.rung])
    return _instead(cx, requester, known, payer, by, note, "identity.chosen")


def _instead(
    cx: sa.Connection,
    requester: Requester,
    known: sa.Row[Any] | None,
    payer: PayerMatch,
    by: str,
    note: str,
    action: str,
) -> str:
    """A person's row in the place of the live one; answers the id of what lives after it."""
    pair = _pair(requester, payer.key)
    if known is not None:
        store.end(cx, [known.id], LADDER if known.made_by == LADDER else by)
    row = _row(requester, payer, by, note)
    store.put(cx, [row])
    made = store.live(cx, pair)  # another agent may have been faster: then theirs stands
    link_id = str(made.id if made is not None else row["id"])
    if link_id == row["id"]:
        audit.record(cx, by, action, link_id, {**pair, "rung": payer.rung})
    return link_id


def link_of(cx: sa.Connection, requester: Requester, payer: PayerKey) -> sa.Row[Any] | None:
    """The live link between the two (made_by, made_at, note), the ladder's too; None when there is none."""
    return store.made(cx, _pair(requester, payer))


def unlink(cx: sa.Connection, link_id: str, by: str) -> None:
    """End a link; it stays in the record. Of the ladder's own, the pair is not found again until a person links it.

    Raises:
        NotFound: no such link, or it had ended already.
    """
    if by == LADDER:
        raise ValueError("the ladder does not unlink: it ends what it no longer finds")
    if not store.end(cx, [link_id], by):
        raise NotFound(link_id=link_id)
    audit.record(cx, by, "identity.unlinked", link_id)
