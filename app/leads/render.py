"""What a rep reads: subject and description in plain sentences, the same text for the same lead. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final

from app.leads.policy import LeadPolicy
from app.leads.states import State
from app.leads.store import key_of
from app.leads.words import amount
from integrations.kernel.crm import Draft, Shape
from integrations.kernel.money import Money

Row = Mapping[Any, Any]
LONGEST: Final = 30_000  # the CRM takes 32,000
_TITLES: Final = {
    "renewal": "Renewal", "expansion": "More seats", "trial": "Trial to paid", "risk": "Risk of leaving",
    "payment": "Failed payment before renewal", "request": "Asked in a ticket",
}  # fmt: skip
_DAYS: Final = {"risk": 2, "payment": 2, "request": 1}  # until a task is due
HOT: Final = 70
MADE_HERE: Final = "Made by Deskbridge; this text is kept up by it."
# Of a record that is there: what is ours. Its owner, stage, amount and dates are the rep's from the first moment on.
KEPT_UP: Final = ("description", "hot", "values")
# Of one that somebody else made, only the fields an admin gave us: its text and its next step are theirs.
OF_THEIRS: Final = ("values",)


@dataclass(frozen=True, slots=True)
class About:
    """Whom a lead is about. name: of the account, or of the company as far as it is known. block: why it must wait."""

    name: str = ""
    owner_id: str = ""
    email: str = ""
    last_name: str = ""
    block: str = ""


def shape_of(row: Row, policy: LeadPolicy) -> Shape:
    """What it becomes at the CRM; once it is there, or may be, what it was sent as. One that is due was never taken: what
    a try in vain would have made of it says nothing, as its company may be known by now."""
    never_there = row["state"] == State.DUE.value and not row["object_id"] and row["pushed_at"] is None
    if row["shape"] and not never_there:
        return Shape(row["shape"])
    if not row["account_id"]:
        return Shape.LEAD
    return Shape.TASK if row["kind"] in policy.task_kinds else Shape.DEAL


def draft(row: Row, about: About, policy: LeadPolicy, public_url: str, today: date) -> Draft:
    """The record of a lead as it should be at the CRM."""
    shape, card = shape_of(row, policy), row["card"]
    money = Money(row["money"], row["currency"]) if row["money"] is not None and row["currency"] else None
    name = about.name or "Unknown company"
    return Draft(
        key=key_of(row["id"]), shape=shape, kind=row["kind"], subject=subject(row, name),
        description=description(row, about, public_url), object_id=row["object_id"], account_id=row["account_id"],
        owner_id=about.owner_id, company=name if shape is Shape.LEAD else "",
        last_name=(about.last_name or "Not known") if shape is Shape.LEAD else "",
        email=about.email if shape is Shape.LEAD else "", amount=money if shape is Shape.DEAL else None,
        close_on=_close_on(row, card, today) if shape is Shape.DEAL else None,
        due_on=today + timedelta(days=_DAYS.get(row["kind"], 3)) if shape is Shape.TASK else None,
        hot=row["score"] >= HOT, values=_values(row, card, public_url), only=_only(row),
    )  # fmt: skip


def _only(row: Row) -> tuple[str, ...]:
    """What of the record is ours to write; nothing named, all of it."""
    if not row["object_id"]:
        return ()
    return OF_THEIRS if row["theirs"] else KEPT_UP


def together(own: Draft, parts: Sequence[tuple[Row, About]], public_url: str, *, ours: bool) -> Draft:
    """The draft of a record that stands for several leads: the same whichever of them it is made for.

    Args:
        own: of one of them. parts: the leads that speak in it, the oldest first. ours: we made the record.
    """
    if not parts:
        return replace(own, only=KEPT_UP if ours else OF_THEIRS)
    oldest = {**parts[0][0], "theirs": not ours}
    stories = [[subject(row, who.name or "Unknown company"), *_story(row, public_url)] for row, who in parts]
    text = _text((who.block for _, who in parts), stories if len(stories) > 1 else [stories[0][1:]])
    hot = any(row["score"] >= HOT for row, _ in parts)
    values = _values(oldest, oldest["card"], public_url)
    return replace(own, description=text, hot=hot, values=values, only=KEPT_UP if ours else OF_THEIRS)


def digest(one: Draft) -> str:
    """What tells whether the CRM must be told: what a record that is there would get. Of one that is theirs that is not its
    text, so that a hold, which shows in the text only, costs no call."""
    told = {"description": one.description, "hot": one.hot, "values": sorted(one.values.items())}
    kept = [told[name] for name in KEPT_UP if name in (one.only or KEPT_UP)]
    return hashlib.sha256(json.dumps(kept, separators=(",", ":")).encode()).hexdigest()[:32]


def subject(row: Row, name: str) -> str:
    """One line: kind, company, date or amount."""
    on = next((e["value"] for e in row["card"].get("evidence", ()) if e["label"] == "Renewal"), "")
    when = f", {on}" if row["kind"] == "renewal" and on else ""
    worth = f", {amount(row['money'], row['currency'])}" if row["money"] is not None and row["currency"] else ""
    return f"{_TITLES[row['kind']]}: {name}{when}{worth}"[:115]


def description(row: Row, about: About, public_url: str) -> str:
    """Reasons in points, money, evidence, quotes, next step, links."""
    return _text([about.block], [_story(row, public_url)])


def _text(blocks: Iterable[str], stories: Sequence[list[str]]) -> str:
    """Why to wait first, then the stories, each cut so that all of them have their place."""
    held = [f"ON HOLD: {why}" for why in dict.fromkeys(blocks) if why]
    most = (LONGEST - 2_000) // len(stories)
    told = "\n\n".join("\n".join(lines)[:most] for lines in stories)
    lines = [*held, ""] if held else []
    return "\n".join([*lines, told, MADE_HERE])[:LONGEST]


def _story(row: Row, public_url: str) -> list[str]:
    card = row["card"]
    lines = [f"Why now: {row['score']} points"]
    lines += [
        f"- {r['points']} points: {r['text']}" for r in card.get("reasons", ()) if r["risk"] == (row["kind"] == "risk")
    ]
    if card.get("risk") and row["kind"] != "risk":
        lines += ["", f"Beside it, a risk of {card['risk']} points (not taken off)"]
        lines += [f"- {r['points']} points: {r['text']}" for r in card["reasons"] if r["risk"]]
    lines += _section("Money at stake", [amount(m["minor"], m["currency"]) for m in card.get("money", ())])
    lines += _section("Evidence", [f"{e['label']}: {e['value']}" for e in card.get("evidence", ())])
    lines += _section(
        "What they wrote", [f"{q['on']}, ticket {q['ticket_id']}: {q['text']}" for q in card.get("quotes", ())]
    )
    lines += ["", f"Next step: {card.get('next_step', '')}"]
    return [*lines, "", f"The whole story: {link(row, public_url)}"]


def link(row: Row, public_url: str) -> str:
    """Its page here."""
    return f"{public_url}/admin/leads/{row['id']}"


def _section(title: str, lines: list[str]) -> list[str]:
    return ["", title, *(f"- {line}" for line in lines)] if lines else []


def _close_on(row: Row, card: Mapping[str, Any], today: date) -> date:
    """The day the deal is about, if it is to come; else a month from now."""
    labels = ("Renewal", "Trial ends", "Ends")
    days = [date.fromisoformat(e["value"]) for e in card.get("evidence", ()) if e["label"] in labels]
    return min((day for day in days if day >= today), default=today + timedelta(days=30))


def _values(row: Row, card: Mapping[str, Any], public_url: str) -> dict[str, str]:
    payer = next((ref["id"] for ref in card.get("refs", ()) if ref["what"] == "payer"), "")
    next_step = "" if row["theirs"] else card.get("next_step", "")
    told = {
        "score": str(row["score"]), "next_step": next_step, "ticket": row["ticket_id"], "payer": payer,
        "link": link(row, public_url),
    }  # fmt: skip
    return {name: value for name, value in told.items() if value}
