"""Taking leads to send them: what they should look like at the CRM, decided and committed before anything is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any

import sqlalchemy as sa

from app.leads import about, holding, sharing, store_policy, store_push
from app.leads.context import LeadContext
from app.leads.holding import Blocked
from app.leads.policy import LeadPolicy
from app.leads.render import digest, draft, together
from app.leads.states import State
from app.leads.store import move
from app.telemetry.failpoints import fp
from integrations.kernel.crm import Draft

CLAIM = 10_000
Row = Mapping[Any, Any]


@dataclass(frozen=True, slots=True)
class Sent:
    """One claimed lead with the record it should become. unknown: it was asked for before, and nobody knows its end.

    card: the card's digest the draft was made of. digest: the draft's, as it was sent. hold: it says ON HOLD.
    shared: the record stands for other leads too, and says what they say. waits: its company must be left alone now.
    """

    id: str
    token: int
    tries: int
    draft: Draft
    digest: str
    card: str
    hold: bool
    unknown: bool = False
    shared: bool = False
    waits: bool = False


def claim(ctx: LeadContext, crm_id: str) -> tuple[list[Sent], int]:
    """Take what is due: it is `sending` from here on, or still `unknown`. Answers also how many were looked at."""
    with ctx.database.begin() as cx:
        policy = store_policy.active_policy(cx)
        rows = store_push.due(cx, crm_id, CLAIM, float(policy.gather_s))
        if not rows:
            return [], 0
        blocked = holding.blocked(cx, crm_id)
        free = [row for row in rows if not _held(cx, row, blocked, policy.hold_days)]
        told = {row["id"]: row for row in free}
        mine = _drafts(cx, ctx, crm_id, free, policy, blocked)
        same = {s.id for s in mine if s.draft.object_id and not s.unknown and told[s.id]["pushed_digest"] == s.digest}
        store_push.as_told(cx, sorted(same))
        same |= _told_by_another([s for s in mine if s.shared and not s.unknown and s.id not in same])
        store_push.put_back(cx, sorted(same))
        sent = [replace(s, token=s.token + 1, tries=s.tries + 1) for s in mine if s.id not in same]
        store_push.begin(cx, [_begun(one) for one in sent], ctx.settings.lead_lease_s)
        fp("lead.claim.before_commit")
    fp("lead.claim.after_commit")
    return sent, len(rows)


def _told_by_another(mine: Sequence[Sent]) -> set[str]:
    """Of several leads of one record, all but the first: they would write the same, and are told with it."""
    first: dict[str, str] = {}
    for one in mine:
        first.setdefault(one.draft.object_id, one.id)
    return {one.id for one in mine} - set(first.values())


def _begun(one: Sent) -> dict[str, str]:
    state = State.UNKNOWN if one.unknown else State.SENDING
    return {"id": one.id, "state": state.value, "shape": one.draft.shape.value, "owner_id": one.draft.owner_id}


def of_job(ctx: LeadContext, crm_id: str) -> tuple[str, int, list[Sent]]:
    """The leads of one job whose time to be asked for has come, as the job was given them; and how often it was asked."""
    with ctx.database.begin() as cx:
        rows = store_push.jobs(cx, crm_id, ctx.settings.lead_lease_s)
        if not rows:
            return "", 0, []
        policy = store_policy.active_policy(cx)
        mine = _drafts(cx, ctx, crm_id, rows, policy, holding.blocked(cx, crm_id))
    given = {row["id"]: row for row in rows}
    # The card may have changed since: as the job's card is not known, the lead is compared once more when it ended.
    mine = [replace(s, digest=given[s.id]["pushed_digest"], hold=given[s.id]["pushed_hold"], card="") for s in mine]
    return rows[0]["job_id"], min(row["tries"] for row in rows), mine


def _drafts(
    cx: sa.Connection, ctx: LeadContext, crm_id: str, rows: Sequence[Row], policy: LeadPolicy,
    blocked: Mapping[str, Blocked],
) -> list[Sent]:  # fmt: skip
    several = sharing.shared(cx, crm_id, rows)
    every = {row["id"]: row for row in (*(row for one in several.values() for row in one.told), *rows)}
    known = about.about(cx, crm_id, list(every.values()), policy, blocked)
    today, url = ctx.clock().astimezone(UTC).date(), ctx.settings.public_url
    found = []
    for row in rows:
        made = draft(row, known[row["id"]], policy, url, today)
        one = several.get(row["object_id"])
        if one is not None:
            made = together(made, [(each, known[each["id"]]) for each in one.told], url, ours=one.ours)
        unknown = row["state"] == State.UNKNOWN.value
        told = (row["id"], row["token"], row["tries"], made, digest(made), row["digest"], row["on_hold"], unknown)
        found.append(Sent(*told, shared=one is not None, waits=_block(row, blocked) is not None))
    return found


def _held(cx: sa.Connection, row: Row, blocked: Mapping[str, Blocked], days: int) -> bool:
    """A hold that opened since it became due keeps it back; what may be there already goes on, to be looked for."""
    block = _block(row, blocked)
    if block is None or row["state"] != State.DUE.value:
        return False
    expires = sa.func.now() + sa.func.make_interval(0, 0, 0, days)
    move(cx, row["id"], row["state"], State.HELD, block.sentence, due_at=None, expires_at=expires)
    return True


def _block(row: Row, blocked: Mapping[str, Blocked]) -> Blocked | None:
    return blocked.get(row["company"]) or blocked.get(row["subject"])
