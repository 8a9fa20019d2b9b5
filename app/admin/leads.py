"""`/admin/`: the pipeline by state; `/admin/leads/<id>`: one lead from its signals to the verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from flask import request

from app.access import Role
from app.admin import console, filters, naming, story, words
from app.admin.console import blueprint, page, runtime
from app.admin.words import Pill
from app.leads import reading
from app.leads.models import OPEN
from app.leads.reading import Filters
from app.ui import vendor_pages
from app.ui.words import Moment, Reader, plain
from integrations.kernel.errors import AppError, NotFound

SORTS = {"newest": "Changed last", "oldest": "Waiting longest", "score": "Highest score"}


@dataclass(frozen=True, slots=True)
class Row:
    """One lead of a list."""

    id: str
    name: str
    kind: str
    pills: tuple[Pill, ...]
    score: int
    money: str
    owner: str
    why: str
    at: Moment


@dataclass(frozen=True, slots=True)
class Tile:
    """One state with how many are in it. address: the list of them."""

    name: str
    count: str
    address: str
    is_here: bool


@blueprint.get("/")
def pipeline() -> str:
    """Leads by state."""
    actor = console.who(Role.APPROVER)
    wanted, problems = filters.read(request.args)
    order, told = filters.sort(request.args), console.told()
    with runtime().database.begin() as cx:
        found = reading.page(cx, wanted, order, filters.after(request.args, order))
        numbers = reading.counts(cx, wanted)
        rows = _rows(cx, found.rows, told)
    onward = found.after and filters.address("/admin/", wanted, sort=order, after=filters.onward(found.after))
    return page(
        "pipeline", actor=actor, told=told, here="/admin/", rows=rows, tiles=_tiles(wanted, numbers, order),
        asked={name: request.args.get(name, "") for name in ("state", "kind", *filters.TEXTS)}, problems=problems,
        order=order, sorts=SORTS, kinds=words.KINDS, onward=onward, is_first="after" not in request.args,
        state=words.STATES.get(wanted.state), window=None if wanted.is_plain else reading.WINDOW,
        export=filters.address("/admin/leads.csv", wanted) if actor.role.is_at_least(Role.ADMIN) else "",
    )  # fmt: skip


@blueprint.get("/leads/<lead_id>")
def lead(lead_id: str) -> str:
    """One lead's whole story."""
    actor = console.who(Role.APPROVER)
    told = console.told()
    with runtime().database.begin() as cx:
        row = reading.one(cx, lead_id)
        if row is None:
            raise NotFound("There is no lead of this id. It may have been mistyped; leads are never deleted.")
        found = story.story(cx, row, told)
    links = [
        (f"{what.capitalize()} {one}", _address(what, connection_id, one)) for what, connection_id, one in found.refs
    ]
    record = _address("record", row["crm_id"], row["object_id"])
    return page("lead", actor=actor, told=told, inside="/admin/", one=found, links=links, record=record)


def _address(what: str, connection_id: str, one: str) -> str:
    """Where it is at its vendor; "" where nobody knows. Asked for with no transaction open."""
    try:
        account = runtime().connections.account(connection_id)
    except AppError:
        return ""
    pages = {"ticket": vendor_pages.ticket, "record": vendor_pages.record}
    return pages[what](account, one) if what in pages else vendor_pages.address(account, what, one)


def _rows(cx: sa.Connection, found: Sequence[sa.RowMapping], told: Reader) -> list[Row]:
    known = naming.names(cx, [row["subject"] for row in found])
    return [_row(row, known, told) for row in found]


def _row(row: sa.RowMapping, known: Mapping[str, str], told: Reader) -> Row:
    pills = [words.state(row["state"])]
    if row["verdict"] in words.VERDICTS:
        pills.append(words.VERDICTS[row["verdict"]])
    if row["on_hold"] and row["state"] != "held":
        pills.append(Pill("On hold", "warn"))
    return Row(
        row["id"], naming.name_of(row, known), words.kind(row["kind"]), tuple(pills), row["score"],
        story.money_of(row, told), plain(row["owner_name"]), story.said(row["why"], told), told.time(row["state_at"]),
    )  # fmt: skip


def _tiles(wanted: Filters, numbers: Mapping[str, tuple[int, bool]], order: str) -> list[Tile]:
    whole = [numbers[state] for state in OPEN]
    total = (sum(number for number, _ in whole), any(more for _, more in whole))
    first = Tile("All open", _count(total), filters.address("/admin/", wanted, state="", sort=order), not wanted.state)
    return [first] + [
        Tile(found.name, _count(numbers[state]), filters.address("/admin/", wanted, state=state, sort=order),
             wanted.state == state)
        for state, found in words.STATES.items()
    ]  # fmt: skip


def _count(found: tuple[int, bool]) -> str:
    number, more = found
    return f"{number:,}{'+' if more else ''}"
