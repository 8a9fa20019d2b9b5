"""`/admin/review`: leads that could be about more than one company; a person says which, once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from flask import Response, redirect, request
from werkzeug.wrappers import Response as Answer

from app.access import Actor, Role
from app.admin import console, filters, naming, story, words
from app.admin.console import blueprint, page, runtime
from app.leads import reading, review
from app.leads.reading import Filters
from app.leads.review import Candidate
from app.ui.words import Moment, Reader, plain
from integrations.kernel.errors import AppError, InputError

PATH = "/admin/review"


class NothingChosen(InputError):
    code, status, public = "admin.nothing_chosen", 422, "Choose a company first."


@dataclass(frozen=True, slots=True)
class Choice:
    """A company that may be meant. value: what is sent back."""

    value: str
    name: str
    detail: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """One lead that waits for an answer."""

    id: str
    name: str
    kind: str
    why: str
    money: str
    since: Moment
    choices: tuple[Choice, ...]
    found: tuple[Choice, ...]
    looked_for: str
    problem: str


@blueprint.get("/review")
def queue() -> str:
    """What waits, the longest first."""
    return _page(console.who(Role.APPROVER))


@blueprint.post("/review")
def link() -> Answer:
    """Say which company one of them is about."""
    actor = console.writer(Role.APPROVER)
    lead_id = request.form.get("lead", "").replace("\x00", "")
    crm_id, _, account_id = request.form.get("account", "").replace("\x00", "").partition(" ")
    try:
        if not account_id:
            raise NothingChosen
        with runtime().database.begin() as cx:
            moved = review.link(cx, lead_id, crm_id, account_id, actor.person_id)
    except AppError as error:
        if error.status not in (409, 422):
            raise
        return Response(_page(actor, problem=(lead_id, str(error))), error.status)
    return redirect(f"{PATH}?linked={moved}", 303)


@blueprint.post("/review/forget")
def forget() -> Answer:
    """A link was wrong."""
    actor = console.writer(Role.APPROVER)
    lead_id = request.form.get("lead", "").replace("\x00", "")
    with runtime().database.begin() as cx:
        review.forget(cx, lead_id, actor.person_id)
    return redirect(f"/admin/leads/{lead_id}", 303)


def _page(actor: Actor, problem: tuple[str, str] = ("", "")) -> str:
    told = console.told()
    wanted, looked_for = request.values.get("lead", ""), request.args.get("find", "").strip()[: filters.LONGEST]
    with runtime().database.begin() as cx:
        asked = filters.after(request.args, "oldest")
        found = reading.page(cx, Filters(state="review"), "oldest", asked)
        looked = review.find(cx, looked_for.replace("\x00", "")) if looked_for else []
        rows = _rows(cx, _with(cx, found.rows, wanted), told, {wanted: (looked_for, looked)}, problem)
    moved = request.args.get("linked", "")
    return page(
        "review", actor=actor, told=told, here=PATH, rows=rows, linked=moved if moved.isdigit() else "",
        problem="" if any(row.problem for row in rows) else problem[1],
        onward=filters.address(PATH, Filters(), after=filters.onward(found.after)) if found.after else "",
    )  # fmt: skip


def _with(cx: sa.Connection, rows: Sequence[sa.RowMapping], wanted: str) -> Sequence[sa.RowMapping]:
    """The page's leads, and before them the one that is asked about, where it is of another page."""
    if not wanted or any(row["id"] == wanted for row in rows):
        return rows
    one = reading.one(cx, wanted)
    return [one, *rows] if one is not None and one["state"] == "review" else rows


def _rows(
    cx: sa.Connection, found: Sequence[sa.RowMapping], told: Reader, looked: dict[str, tuple[str, list[Candidate]]],
    problem: tuple[str, str],
) -> list[Waiting]:  # fmt: skip
    known = naming.names(cx, [row["subject"] for row in found])
    may_be = review.candidates(cx, found)
    return [
        Waiting(
            row["id"], naming.name_of(row, known), words.kind(row["kind"]), story.said(row["why"], told),
            story.money_of(row, told), told.time(row["state_at"]), _choices(may_be[row["id"]], told),
            _choices(looked.get(row["id"], ("", []))[1], told), looked.get(row["id"], ("", []))[0],
            problem[1] if problem[0] == row["id"] else "",
        )
        for row in found
    ]  # fmt: skip


def _choices(found: Sequence[Candidate], told: Reader) -> tuple[Choice, ...]:
    return tuple(_choice(one, told) for one in found)


def _choice(one: Candidate, told: Reader) -> Choice:
    reason = story.said(one.reason, told)
    domains = ", ".join(plain(domain) for domain in one.domains if plain(domain) not in reason)
    detail = (reason, domains, one.account_id)
    name = plain(one.name) or one.account_id
    return Choice(f"{one.crm_id} {one.account_id}", name, " · ".join(part for part in detail if part))
