"""The way back: what the CRM says became of our records, on the lead and as a note on the ticket that caused it.

Pages are read with an overlap, so the same standing may come twice: a verdict is written when it says more than what is
known, its note under a key of its own. A deal that came of a converted record does not carry our key, nor does a record that
ours was merged into, nor one of theirs that could not be given it when it was linked: they are shown by id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa

from app import outbox
from app.crm import store as crm
from app.leads import store
from app.leads.context import LeadContext
from app.leads.models import lead
from app.leads.render import MADE_HERE
from app.leads.states import State, may
from app.leads.store import MACHINE
from app.leads.verdict import ALREADY, Verdict, answered, later, of
from app.leads.words import amount
from app.outbox.effects import Effect
from app.outbox.wanted import from_effects
from app.telemetry.failpoints import fp
from app.tickets import store as tickets
from integrations.kernel.clock import iso
from integrations.kernel.crm import Shape, Standing
from integrations.kernel.ports import Crm

STANDINGS: Final = "standings"
FIRST_LOOK: Final = timedelta(days=7)
FOLLOWED_DAYS: Final = 365  # a deal that came of a lead is asked for so long
WON_DAYS: Final = 90  # and so long after it was won: reps fill in and correct what it brings
TOGETHER: Final = 200
PAGES: Final = 500
RULE: Final = "leads"
Row = Mapping[Any, Any]
c = lead.c
_FOLLOWED: Final = sa.text("verdict IN ('', 'accepted', 'won') AND standing ? 'followed'")  # in the words of its index


def poll(ctx: LeadContext, crm_id: str) -> int:
    """Read what changed; answers how many leads got a verdict.

    Raises:
        VendorError: a page could not be read; those before it stand, the next run goes on from there.
    """
    client = ctx.client(crm_id)
    with ctx.database.begin() as cx:
        cursor, _ = crm.cursor(cx, crm_id, STANDINGS)
    since, heard = ctx.clock() - FIRST_LOOK, 0
    for _ in range(PAGES):
        page = client.standings(cursor, since)
        told = _with_texts(ctx, crm_id, client, page.standings)
        with ctx.database.begin() as cx:
            heard += hear(cx, ctx, crm_id, told)
            crm.save_cursor(cx, crm_id, STANDINGS, page.cursor)
            fp("lead.verdict.before_commit")
        cursor = page.cursor
        if page.at_end:
            break
    return heard + _followed(ctx, crm_id, client)


def _with_texts(ctx: LeadContext, crm_id: str, client: Crm, told: Sequence[Standing]) -> list[Standing]:
    """Of records that whoever sent them did not write down yet, the texts are asked for: a record may have been there, made
    by somebody else, and only its text tells."""
    keyed = {f"led_{one.key}": one for one in told if one.key and not one.gone}
    with ctx.database.begin() as cx:
        mine = (c.crm_id == crm_id, c.id.in_(sorted(keyed)), c.object_id == "")
        unwritten = [keyed[one] for one in cx.execute(sa.select(c.id).where(*mine).order_by(c.id)).scalars()]
    texts: dict[str, Standing] = {}
    for shape in sorted({one.shape for one in unwritten}):
        keys = [one.key for one in unwritten if one.shape is shape]
        for start in range(0, len(keys), TOGETHER):
            texts |= client.find(shape, keys[start : start + TOGETHER])
    return [texts.get(one.key, one) for one in told]


def _followed(ctx: LeadContext, crm_id: str, client: Crm) -> int:
    """Deals that came of converted records, until they are lost or some time after they are won; records without our key,
    that ours were merged into or that were there before, to a verdict."""
    with ctx.database.begin() as cx:
        ours = (c.crm_id == crm_id, c.object_id != "", _FOLLOWED)
        days = sa.case((c.verdict == "won", WON_DAYS), else_=FOLLOWED_DAYS)
        lately = sa.func.coalesce(c.verdict_at, c.pushed_at) > sa.func.now() - sa.func.make_interval(0, 0, 0, days)
        found = cx.execute(sa.select(c.shape, c.object_id).where(*ours, lately).order_by(c.id)).all()
    heard = 0
    for shape in sorted({row.shape for row in found}):
        ids = list(dict.fromkeys(row.object_id for row in found if row.shape == shape))
        for start in range(0, len(ids), TOGETHER):
            shown = client.show(Shape(shape), ids[start : start + TOGETHER], gone=True)
            with ctx.database.begin() as cx:
                heard += hear(cx, ctx, crm_id, list(shown.values()))
    return heard


def hear(cx: sa.Connection, ctx: LeadContext, crm_id: str, standings: Sequence[Standing]) -> int:
    """Write what standings say on their leads; answers how many verdicts are new."""
    by_key = {f"led_{one.key}": one for one in standings if one.key}
    by_object = {one.object_id: one for one in standings}
    mine = sa.or_(
        c.id.in_(sorted(by_key)), sa.and_(c.crm_id == crm_id, c.object_id.in_(sorted(by_object)), c.object_id != "")
    )
    rows = cx.execute(sa.select(lead).where(mine).order_by(c.id).with_for_update()).mappings().all()
    heard = 0
    for row in rows:
        # The record that is followed now speaks; one that was converted away only says so.
        standing = by_object.get(row["object_id"]) or by_key.get(row["id"])
        if standing is not None:
            heard += _one(cx, ctx, row, standing)
    return heard


def _one(cx: sa.Connection, ctx: LeadContext, row: Row, standing: Standing) -> int:
    if _is_past(row, standing):
        return 0
    if standing.gone and standing.merged_into:
        _merged(cx, row, standing)
        return 0
    said, before = _since_linked(cx, row, standing)
    told = Verdict() if before else said
    values: dict[str, Any] = {"standing": _plain(standing, row) | before}
    if standing.owner_id:
        values["owner_id"] = standing.owner_id
    if _is_new(row, standing):
        values["object_id"] = standing.object_id
    if standing.converted and standing.deal_id:
        values |= {"shape": Shape.DEAL.value, "object_id": standing.deal_id}
        values["standing"] |= {"followed": True}
        if values["standing"].pop(
            "before", None
        ):  # converted before the lead: its deal may have been closed before, too
            values["standing"] |= {"linked": True}
    new = later(row["verdict"], told)
    if new:
        values |= {"verdict": told.verdict, "verdict_reason": told.reason[:500], "verdict_at": sa.func.now()}
        values |= _closed(row, told)
    worth = _worth(row, told, standing)
    store.change(cx, row["id"], **values, **worth)
    if new:
        times = store.times(cx, row["id"], told.verdict)
        store.tell(cx, [(row["id"], told.verdict, _sentence(told, standing))], MACHINE)
        _note(cx, ctx, row, told, standing, times)
    elif worth:
        store.tell(cx, [(row["id"], "worth", amount(worth["won"], worth["won_currency"]))])
    return int(new)


def _worth(row: Row, told: Verdict, standing: Standing) -> dict[str, Any]:
    """What a won deal brings, where that is news: reps correct amounts, or fill them in after the deal is won. An amount
    that is not told is not nothing."""
    if told.verdict != "won" or standing.amount is None:
        return {}
    new = {"won": standing.amount.minor, "won_currency": standing.amount.currency}
    return {} if all(row[name] == value for name, value in new.items()) else new


def _is_past(row: Row, standing: Standing) -> bool:
    """What a record was before it was converted; or what somebody else's said before it got our key: the pusher looks for
    that one, and keeps it."""
    if row["object_id"] and standing.object_id != row["object_id"] and row["standing"].get("followed"):
        return True
    return _is_new(row, standing) and not standing.gone and MADE_HERE not in standing.description


def _is_new(row: Row, standing: Standing) -> bool:
    """Is it the lead's record, and was not written down so?"""
    return not row["object_id"] and standing.shape.value == row["shape"]


def _since_linked(cx: sa.Connection, row: Row, standing: Standing) -> tuple[Verdict, dict[str, Any]]:
    """What the record says, and what is kept of an answer that is older than the lead: while it says the same, it is no
    verdict. A rep who changes it, or opens it again, has looked at the lead."""
    said = of(standing)
    if row["standing"].get("linked") and not standing.gone:
        before = answered(standing)
        if before:
            store.tell(cx, [(row["id"], "answered before", ALREADY)])
        return said, before
    before = row["standing"].get("before")
    return said, {"before": before} if before and before == asdict(said) else {}


def _merged(cx: sa.Connection, row: Row, standing: Standing) -> None:
    """A rep merged our record into another: that one stands for the lead from now on, and what others wrote there stays."""
    values: dict[str, Any] = {"object_id": standing.merged_into, "theirs": True, "pushed_digest": ""}
    if row["state"] == State.PUSHED.value:
        values["due_at"] = sa.func.now()
    followed = {**row["standing"], "followed": True}
    store.change(cx, row["id"], **values, shape=standing.shape.value, standing=followed)
    store.tell(cx, [(row["id"], "merged", f"Into {standing.merged_into}, at the CRM: that record is followed.")])


def _closed(row: Row, told: Verdict) -> dict[str, Any]:
    """Answered is closed; whoever sends it at this moment writes nothing more. A record that sales goes on with and that
    says ON HOLD must be rid of that first: it is closed when that is written."""
    if not may(State(row["state"]), State.CLOSED):
        return {}
    if told.verdict == "accepted" and row["state"] == State.PUSHED.value and row["pushed_hold"]:
        return {}
    return {
        "state": State.CLOSED.value, "state_at": sa.func.now(), "due_at": None, "lease_until": None,
        "token": row["token"] + 1, "why": "",
    }  # fmt: skip


def _plain(standing: Standing, row: Row) -> dict[str, Any]:
    """What the page shows of the record."""
    told = asdict(standing) | {"shape": standing.shape.value, "as_of": iso(standing.as_of)}
    del told["amount"], told["description"]
    if standing.amount is not None:
        told |= {"minor": standing.amount.minor, "currency": standing.amount.currency}
    if row["standing"].get("followed"):
        told["followed"] = True
    return {name: value for name, value in told.items() if value not in ("", False, None)}


def _sentence(told: Verdict, standing: Standing) -> str:
    worth = (
        f" {amount(standing.amount.minor, standing.amount.currency)}"
        if standing.amount and told.verdict == "won"
        else ""
    )
    return f"{worth.strip()} {told.reason}".strip()


_TEXTS: Final = {
    "accepted": "Sales took up the lead this ticket gave",
    "rejected": "Sales turned down the lead this ticket gave",
    "won": "The lead this ticket gave was won",
    "lost": "The lead this ticket gave was lost",
}


def _note(
    cx: sa.Connection, ctx: LeadContext, row: Row, told: Verdict, standing: Standing, times: int
) -> None:  # fmt: skip
    """An internal note on the ticket, once a verdict. times: that it was given before, by a rep who changed their mind."""
    if not row["ticket_id"]:
        return
    said = _sentence(told, standing)
    body = f"{_TEXTS[told.verdict]}{f': {said}' if said else ''}.\n{ctx.settings.public_url}/admin/leads/{row['id']}"
    key = f"{row['id']}-{told.verdict}{f'-{times + 1}' if times else ''}"
    effect = Effect("tickets.note", row["connection_id"], row["ticket_id"], {"key": key, "body": body}, key, RULE)
    held = tickets.read(cx, row["connection_id"], [row["ticket_id"]]).get(row["ticket_id"])
    plan = outbox.Plan(row["ticket_id"], from_effects([effect]), held.values if held else {}, (RULE,))
    outbox.enqueue(cx, row["connection_id"], [plan], gather_s=ctx.settings.outbox_gather_s)
