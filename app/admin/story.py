"""One lead from its signals to the verdict, as its page shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from app.access import service as access
from app.admin import naming, words
from app.admin.words import Pill, StateWords
from app.holds.models import hold
from app.leads import reading, review
from app.leads.models import OPEN
from app.leads.store import MACHINE
from app.leads.verdict import ALREADY
from app.ui.words import Moment, Reader, dated, plain

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reason:
    """A line of the score card."""

    points: str
    name: str
    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A signal. rule: the admin's rule that told it, or ""."""

    name: str
    at: Moment
    source: str
    rule: str
    ended: Moment | None


@dataclass(frozen=True, slots=True)
class Hold:
    """Something open that keeps sales away."""

    why: str
    until: str
    since: Moment


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened to it."""

    at: Moment
    what: str
    detail: str
    by: str


@dataclass(frozen=True, slots=True)
class Story:
    """Everything the page of a lead shows, in its order."""

    id: str
    name: str
    kind: str
    pill: Pill
    state: StateWords
    why: str
    facts: tuple[tuple[str, str], ...]
    score: int
    reasons: tuple[Reason, ...]
    risk: int
    risks: tuple[Reason, ...]
    next_step: str
    evidence: tuple[tuple[str, str], ...]
    quotes: tuple[tuple[str, str, str], ...]
    match: tuple[tuple[str, str], ...]
    signals: tuple[Seen, ...]
    holds: tuple[Hold, ...]
    crm: tuple[tuple[str, str], ...]
    verdict: Pill | None
    verdict_text: str
    steps: tuple[Step, ...]
    in_review: bool
    link: str
    refs: tuple[tuple[str, str, str], ...]


def said(text: object, told: Reader) -> str:
    """A sentence of the engine, with amounts and days as the reader writes them."""
    return dated(plain(text), told)


def money_of(row: sa.RowMapping, told: Reader) -> str:
    """What is at stake, each currency by itself; empty where it is not known."""
    amounts = {one["currency"]: one["minor"] for one in (row["card"] or {}).get("money", ())}
    if not amounts and row["money"] is not None and row["currency"]:
        amounts = {row["currency"]: row["money"]}
    return told.sums(amounts) if amounts else ""


def story(cx: sa.Connection, row: sa.RowMapping, told: Reader) -> Story:
    """Put it together from the lead's row and what hangs on it."""
    card = row["card"] or {}
    signals = reading.signals_of(cx, row["id"])
    known = naming.names(cx, [row["subject"]])
    reasons = [_reason(one, told) for one in card.get("reasons", ()) if not one.get("risk")]
    risks = [_reason(one, told) for one in card.get("reasons", ()) if one.get("risk")]
    found = words.STATES[row["state"]]
    return Story(
        row["id"], naming.name_of(row, known), words.kind(row["kind"]), words.state(row["state"]), found,
        said(row["why"], told) or _already(row), _facts(row, told), row["score"], tuple(reasons), card.get("risk", 0),
        tuple(risks), said(card.get("next_step", ""), told), _evidence(card, told), _quotes(card, told),
        _match(cx, row, told), tuple(_seen(one, told) for one in signals), holds(cx, signals, told),
        _crm(row, told), words.VERDICTS.get(row["verdict"]), _verdict(row, told), _steps(cx, row["id"], told),
        row["state"] == "review", _link(cx, row["subject"], told), _refs(card),
    )  # fmt: skip


def _already(row: sa.RowMapping) -> str:
    """That nobody at sales will look at it by themselves: the record is an old one they had answered."""
    return ALREADY if "before" in (row["standing"] or {}) and not row["verdict"] else ""


def _facts(row: sa.RowMapping, told: Reader) -> tuple[tuple[str, str], ...]:
    lines = [
        ("Score", str(row["score"])),
        ("Money at stake", money_of(row, told) or "not known"),
        ("Period", said(row["period"], told)),
        ("Found", told.time(row["created_at"]).text),
        ("Sent", told.time(row["pushed_at"]).text if row["pushed_at"] else "not sent"),
    ]
    if row["ticket_id"]:
        lines.append(("Ticket", f"{row['ticket_id']} at {row['connection_id']}"))
    if row["expires_at"] and row["state"] in OPEN:
        lines.append(("Dropped unless sent by", told.time(row["expires_at"]).text))
    return tuple((label, plain(value)) for label, value in lines)


def _reason(one: Json, told: Reader) -> Reason:
    points = one.get("points", 0)
    text = said(one.get("text", ""), told)
    return Reason(f"+{points}" if points else "0", words.signal(one.get("signal", "")), text[:1].upper() + text[1:],
                  source(one.get("source", "")))  # fmt: skip


def source(text: object) -> str:
    """`ticket:desk:35436` is "ticket 35436 at desk"; a subscription stays its id."""
    what, _, rest = plain(text).partition(":")
    connection_id, _, one = rest.partition(":")
    return f"{what} {one} at {connection_id}" if one else plain(text)


def _evidence(card: Json, told: Reader) -> tuple[tuple[str, str], ...]:
    return tuple((plain(one["label"]), said(one["value"], told)) for one in card.get("evidence", ()))


def _quotes(card: Json, told: Reader) -> tuple[tuple[str, str, str], ...]:
    return tuple(
        (plain(one["text"]), said(one["on"], told), f"ticket {plain(one['ticket_id'])}")
        for one in card.get("quotes", ())
    )


def _refs(card: Json) -> tuple[tuple[str, str, str], ...]:
    """(what, connection, id) of tickets, payers and subscriptions it was made of."""
    return tuple((plain(r["what"]), r["connection_id"], plain(r["id"])) for r in card.get("refs", ()))


def _match(cx: sa.Connection, row: sa.RowMapping, told: Reader) -> tuple[tuple[str, str], ...]:
    match = row["match"] or {}
    lines = [
        ("Company at the CRM", plain(row["account_name"]) or plain(row["account_id"]) or "not known"),
        (
            "Match",
            words.STRENGTHS.get(match.get("strength", ""), words.sentence(match.get("strength", ""))) or "none yet",
        ),
        ("Because", said(match.get("reason", ""), told)),
        ("First seen as", source(row["subject"]) if row["subject"] != row["company"] else ""),
    ]
    return tuple((label, value) for label, value in lines if value)


def _link(cx: sa.Connection, subject: str, told: Reader) -> str:
    """What a person said of the subject, and is remembered."""
    found = review.live_link(cx, subject)
    if found is None or found["strength"] != review.STRENGTH:
        return ""
    by = access.names(cx, [found["made_by"]]).get(found["made_by"], found["made_by"])
    return (
        f"{plain(by)} said on {told.time(found['made_at']).text} that it is {found['account_id']} at {found['crm_id']}."
    )


def _seen(one: sa.RowMapping, told: Reader) -> Seen:
    ended = told.time(one["ended_at"]) if one["ended_at"] else None
    return Seen(
        words.signal(one["name"]), told.time(one["happened_at"]), source(one["source"]), plain(one["rule"]), ended
    )


def holds(cx: sa.Connection, signals: Sequence[sa.RowMapping], told: Reader) -> tuple[Hold, ...]:
    """What is open now at the payers and people the signals are about."""
    payers = sorted({(one["payer_connection_id"], one["payer_id"]) for one in signals if one["payer_id"]})
    people = sorted({(one["connection_id"], one["person_id"]) for one in signals if one["person_id"]})
    found: dict[int, Any] = {}
    for columns, keys in (
        ((hold.c.payer_connection_id, hold.c.payer_id), payers), ((hold.c.connection_id, hold.c.person_id), people),
    ):  # fmt: skip
        if keys:
            named = columns[1] != ""
            query = sa.select(hold).where(hold.c.released_at.is_(None), named, sa.tuple_(*columns).in_(keys))
            found |= {row.id: row for row in cx.execute(query.limit(50))}
    return tuple(
        Hold(said(r.why, told), said(r.until_what, told), told.time(r.opened_at)) for _, r in sorted(found.items())
    )


def _crm(row: sa.RowMapping, told: Reader) -> tuple[tuple[str, str], ...]:
    standing = row["standing"] or {}
    lines = [
        ("Record", f"{words.SHAPES.get(row['shape'], words.sentence(row['shape']))} {row['object_id']}".strip()),
        ("Owner", plain(row["owner_name"]) or row["owner_id"]),
        ("Connection", row["crm_id"]),
        ("Status there", standing.get("status") or standing.get("stage") or ""),
        ("Became", " and ".join(
            f"{what} {standing[name]}" for name, what in
            (("account_id", "account"), ("contact_id", "contact"), ("deal_id", "opportunity"))
            if standing.get("converted") and standing.get(name))),
        ("Marked on hold there", "yes" if row["pushed_hold"] else ""),
    ]  # fmt: skip
    return tuple((label, plain(value)) for label, value in lines if value) if row["object_id"] else ()


def _verdict(row: sa.RowMapping, told: Reader) -> str:
    parts = []
    if row["verdict_reason"]:
        parts.append(said(row["verdict_reason"], told))
    if row["won"] is not None and row["won_currency"]:
        parts.append(f"worth {told.money({'minor': row['won'], 'currency': row['won_currency']})}")
    if row["verdict_at"]:
        parts.append(told.time(row["verdict_at"]).text)
    return " · ".join(parts)


def _steps(cx: sa.Connection, lead_id: str, told: Reader) -> tuple[Step, ...]:
    rows = reading.steps_of(cx, lead_id)
    people = access.names(cx, [row["actor"] for row in rows])
    return tuple(
        Step(told.time(row["at"]), words.step(row["what"]), said(_detail(row["what"], row["detail"]), told),
             "" if row["actor"] == MACHINE else plain(people.get(row["actor"], row["actor"])))
        for row in rows
    )  # fmt: skip


def _detail(what: str, detail: str) -> str:
    """Signals are stored by their ids: people read their names."""
    if what == "found":
        return ", ".join(words.signal(name) for name in detail.split(", "))
    name, colon, rest = detail.partition(": ")
    return f"{words.signal(name)}{colon}{rest}" if what == "seen again" else detail
