"""Makes leads of signals: one open lead a company and kind, one record a company, kind and period, always.

Each batch is one transaction that holds its companies' locks; unique indexes stand behind them. What is judged: what is
new in lead_signal, what was not sent when the policy is another one, leads a person answered for, leads whose company the
mirror learned of, and whom a hold opened or released.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from app.crm import store as crm
from app.crm.mirror import CHANGED, WHOLE
from app.crm.models import crm_account
from app.db import Database
from app.leads import accounts, holding, lift, refreshing, store, store_policy
from app.leads.companies import adopt
from app.leads.match import Found, company_of
from app.leads.models import lead, lead_signal
from app.leads.policy import LeadPolicy
from app.leads.states import AT_CRM, OPEN, UNSENT, State
from app.telemetry.failpoints import fp
from integrations.kernel.clock import utc_now

BATCH = 500
REMATCHED, AWAKE, POLICY = "rematched", "awake", "lead_policy"
SLACK, EVER = timedelta(hours=1), datetime(2000, 1, 1, tzinfo=UTC)
c, s = lead.c, lead_signal.c
_OPEN = [one.value for one in OPEN]
_UNSENT = [one.value for one in UNSENT]
_AT_CRM = [one.value for one in AT_CRM]
_ENDED = (State.CLOSED.value, State.DEAD.value, State.WITHHELD.value)


@dataclass(frozen=True, slots=True)
class Scene:
    """What a run judges by. crm_id: the CRM's connection."""

    crm_id: str
    policy: LeadPolicy
    blocked: Mapping[str, holding.Blocked]
    now: datetime


def gather(database: Database, crm_id: str, now: datetime | None = None) -> int:
    """Work off what is new; answers how many signals that was. None before the CRM's companies are all known: each of its
    customers would become a stranger there."""
    now = now or utc_now()
    with database.begin() as cx:
        if crm.cursor(cx, crm_id, WHOLE)[1] is None:
            return 0
        version, policy = store_policy.newest(cx)
        scene = Scene(crm_id, policy, holding.blocked(cx, crm_id), now)
        _awake(cx, scene)
        _by_another_policy(cx, crm_id, version)
        mirror_news = _mirror_news(cx, crm_id)
    judged = 0
    while batch := _step(database, scene):
        judged += batch
    if mirror_news:
        _walk(database, scene, _unmatched)
        with database.begin() as cx:
            crm.save_cursor(cx, crm_id, REMATCHED, mirror_news)
    _walk(database, scene, _answered)
    _walk(database, scene, _touched_by_holds)
    with database.begin() as cx:
        lift.draw(cx, scene.policy)
    return judged


def _step(database: Database, scene: Scene) -> int:
    with database.begin() as cx:
        store.begin_to_gather(cx)
        done = _news(cx, scene)
        fp("lead.gather.before_commit")
    return done


def _walk(database: Database, scene: Scene, work: Any) -> None:  # noqa: ANN401 - one of the batches below
    """Batch behind batch, by the id of the last lead."""
    last: str | None = ""
    while last is not None:
        with database.begin() as cx:
            store.begin_to_gather(cx)
            last = work(cx, scene, last)


def _news(cx: sa.Connection, scene: Scene) -> int:
    """Signals that are new or changed, and those that ended: into leads, judged."""
    query = sa.select(lead_signal).where(s.judged_digest != s.digest).order_by(s.id).limit(BATCH)
    rows = cx.execute(query.with_for_update(skip_locked=True)).all()
    if not rows:
        return 0
    found = accounts.match(cx, scene.crm_id, {row.subject for row in rows})
    companies = _adopted(cx, scene, found)
    mine = [row for row in rows if row.ended_at is None]
    leads = {row.lead_id for row in rows if row.lead_id} | _attach(cx, scene, mine, found)
    refreshing.refresh(cx, scene, companies | {one["company"] for one in store.by_ids(cx, leads).values()})
    update = sa.update(lead_signal).where(s.id == sa.bindparam("row")).values(judged_digest=sa.bindparam("told"))
    cx.execute(update, [{"row": row.id, "told": row.digest} for row in rows])
    return len(rows)


def _adopted(cx: sa.Connection, scene: Scene, found: Mapping[str, Found], more: Collection[str] = ()) -> set[str]:
    """Lock the companies of these subjects, and more; leads made before the company was known become the company's."""
    companies = {subject: company_of(subject, scene.crm_id, one) for subject, one in found.items()}
    store.lock_companies(cx, {*companies, *companies.values(), *more})
    known = {subject: (company, found[subject]) for subject, company in companies.items()}
    adopt(cx, known, lambda one: _rests(one, scene))
    return {*companies, *companies.values(), *more}


def _attach(cx: sa.Connection, scene: Scene, rows: Sequence[Any], found: Mapping[str, Found]) -> set[str]:
    """Give each signal its lead: that which was sent of it, the open one, that of its period, or a new one. Answers them."""
    groups: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for row in rows:
        groups[company_of(row.subject, scene.crm_id, found[row.subject]), row.kind].append(row)
    known: dict[tuple[str, str], list[Mapping[Any, Any]]] = defaultdict(list)
    for one in store.of_companies(cx, {company for company, _ in groups}, lock=True):
        known[one["company"], one["kind"]].append(one)
    kept = _kept(cx, scene, groups, known)
    fresh: list[dict[str, Any]] = []
    links: list[dict[str, Any]] = [{"row": row_id, "lead": lead_id} for row_id, lead_id in sorted(kept.items())]
    for key, every in sorted(groups.items()):
        mine = [row for row in every if row.id not in kept]
        if not mine:
            continue
        lead_id = _lead_for(cx, scene, key, mine, known[key])
        if lead_id is None:
            fresh.append(_fresh(scene, key, mine, found[mine[0].subject]))
            lead_id = fresh[-1]["id"]
        links += [{"row": row.id, "lead": lead_id} for row in mine]
    store.put(cx, fresh)
    if links:
        update = sa.update(lead_signal).where(s.id == sa.bindparam("row")).values(lead_id=sa.bindparam("lead"))
        cx.execute(update, links)
    return {str(one["lead"]) for one in links}


def _kept(
    cx: sa.Connection, scene: Scene, groups: Mapping[tuple[str, str], Sequence[Any]],
    known: Mapping[tuple[str, str], Sequence[Mapping[Any, Any]]],
) -> dict[int, str]:  # fmt: skip
    """Signals that stay with a lead that was decided on, whatever the mirror says of their company since: a company that was
    merged, or shares its domain with another now, must not be told the same on a second record."""
    every = [row for rows in groups.values() for row in rows]
    own = store.by_ids(cx, {row.lead_id for row in every if row.lead_id})
    of_subject: dict[tuple[str, str], list[Mapping[Any, Any]]] = defaultdict(list)
    for one in store.of_subjects(cx, {row.subject for row in every}):
        of_subject[one["subject"], one["kind"]].append(one)
    kept = {}
    for key, rows in groups.items():
        has_open = any(one["state"] in _OPEN for one in known.get(key, ()))
        for row in rows:
            was = [own[row.lead_id]] if row.lead_id in own else []
            others = [] if has_open else of_subject[row.subject, row.kind]
            stay = [one for one in was if _stays(one, row)] + [
                one for one in others if one["company"] != key[0] and (_stays(one, row) or _rests(one, scene))
            ]
            if stay:
                kept[row.id] = str(stay[0]["id"])
    return kept


def _stays(one: Mapping[Any, Any], row: Any) -> bool:  # noqa: ANN401 - a row
    """Is this lead at the CRM, or was it ended for good for the signal's period?"""
    if one["state"] in _AT_CRM:
        return True
    expired = one["state"] == State.DROPPED.value and one["expires_at"] is not None
    return bool(one["period"] == row.period and (expired or one["state"] in _ENDED))


def _lead_for(
    cx: sa.Connection, scene: Scene, key: tuple[str, str], mine: Sequence[Any], known: Sequence[Mapping[Any, Any]]
) -> str | None:
    """The lead there is for these signals; None when they make a new one."""
    open_one = next((one for one in known if one["state"] in _OPEN), None)
    if open_one is not None:
        return str(open_one["id"])
    first = _first(mine)
    same = next((one for one in known if one["period"] == first.period), None)
    again = (
        same is not None and same["state"] == State.DROPPED.value and not same["expires_at"] and not same["object_id"]
    )
    resting = [one for one in known if _rests(one, scene)]
    if same is not None and not (again and resting):
        if again:
            store.move(
                cx, same["id"], same["state"], State.NEW, "It was dropped, and is judged once more.", expires_at=None
            )
        return str(same["id"])
    if not resting:
        return None
    lead_id = str(max(resting, key=lambda one: one["verdict_at"])["id"])
    days = scene.policy.cooldown_days
    store.tell(cx, [(lead_id, "seen again", f"{first.name}: within {days} days after the verdict, no new lead.")])
    return lead_id


def _first(mine: Sequence[Any]) -> Any:  # noqa: ANN401 - a row
    return min(mine, key=lambda row: (row.period, row.id))


def _fresh(scene: Scene, key: tuple[str, str], mine: Sequence[Any], found: Found) -> dict[str, Any]:
    (company, kind), first = key, _first(mine)
    return {
        "id": store.fresh_id(), "company": company, "subject": first.subject, "kind": kind, "period": first.period,
        "crm_id": scene.crm_id, "account_id": found.account_id, "match": found.to_json(), "state": State.NEW.value,
        "made_of": ", ".join(sorted({row.rule or row.name for row in mine})),
    }  # fmt: skip


def _rests(one: Mapping[Any, Any], scene: Scene) -> bool:
    """Has sales answered lately? Then the same is not said again so soon."""
    if one["state"] != State.CLOSED.value or one["verdict_at"] is None:
        return False
    return bool((scene.now - one["verdict_at"]).days < scene.policy.cooldown_days)


# What was seen while a lead of another period rested is news again once the rest is over. since: of rests that ended before
# that, everything was told; by an index over the verdicts, so that a run does not read all leads that ever were answered.
_AWAKE = sa.text(
    """
    UPDATE lead_signal s SET judged_digest = '' FROM lead l
    WHERE l.state = 'closed' AND s.lead_id = l.id AND s.ended_at IS NULL AND s.period <> l.period
      AND s.seen_at > l.verdict_at AND s.judged_digest = s.digest
      AND l.verdict_at <= CAST(:now AS timestamptz) - make_interval(days => :days)
      AND l.verdict_at > CAST(:since AS timestamptz) - make_interval(days => :days)
    """
)


def _awake(cx: sa.Connection, scene: Scene) -> None:
    """Since the last run, and an hour more; all of them where the cool-down is another one now."""
    days = scene.policy.cooldown_days
    told, ran_at = crm.cursor(cx, scene.crm_id, AWAKE)
    since = ran_at - SLACK if ran_at is not None and told == str(days) else EVER
    cx.execute(_AWAKE, {"now": scene.now, "since": since, "days": days})
    crm.save_cursor(cx, scene.crm_id, AWAKE, str(days))


# What the policy says of a lead is asked until it is sent: also of one that was dropped for its score. An end of its hold
# says of a dropped one that it was held too long: no policy brings that back. seen_at: where the company rests after a
# verdict, it is news once that is over.
_UNDECIDED = sa.text(
    """
    UPDATE lead_signal s SET judged_digest = '', seen_at = now() FROM lead l
    WHERE s.lead_id = l.id AND s.ended_at IS NULL AND s.judged_digest = s.digest
      AND (l.state = ANY(:unsent) OR l.state = 'dropped' AND l.expires_at IS NULL AND l.object_id = '')
    """
).bindparams(sa.bindparam("unsent", _UNSENT, type_=sa.ARRAY(sa.Text)))


def _by_another_policy(cx: sa.Connection, crm_id: str, version: int) -> None:
    """Once a version: a run by the same one touches no row."""
    told, _ = crm.cursor(cx, crm_id, POLICY)
    if told != str(version):
        cx.execute(_UNDECIDED)
        crm.save_cursor(cx, crm_id, POLICY, str(version))


def _mirror_news(cx: sa.Connection, crm_id: str) -> str:
    """When the mirror learned of companies last, where leads were not matched with that yet. Compared for being the same,
    not for being later: a page that is committed while leads are matched may have begun before."""
    _, changed = crm.cursor(cx, crm_id, CHANGED)
    seen, _ = crm.cursor(cx, crm_id, REMATCHED)
    return changed.isoformat() if changed is not None and changed.isoformat() != seen else ""


def _unmatched(cx: sa.Connection, scene: Scene, last: str) -> str | None:
    """Open leads without a company, and those that were not sent whose company is gone, matched again."""
    there = (crm_account.c.connection_id == c.crm_id, crm_account.c.id == c.account_id)
    gone = sa.and_(c.state.in_(_UNSENT), sa.exists().where(*there, crm_account.c.gone))
    where = (sa.or_(c.account_id == "", gone), c.state.in_(_OPEN), c.id > last)
    rows = cx.execute(sa.select(c.id, c.subject, c.company).where(*where).order_by(c.id).limit(BATCH)).all()
    _rematch(cx, scene, {row.subject for row in rows}, {row.company for row in rows})
    return rows[-1].id if rows else None


def _answered(cx: sa.Connection, scene: Scene, last: str) -> str | None:
    """Leads a person said the company of, and those that are new again."""
    query = sa.select(c.id, c.subject, c.company).where(c.state == State.NEW.value, c.id > last)
    rows = cx.execute(query.order_by(c.id).limit(BATCH)).all()
    _rematch(cx, scene, {row.subject for row in rows}, {row.company for row in rows})
    return rows[-1].id if rows else None


def _rematch(cx: sa.Connection, scene: Scene, subjects: Collection[str], companies: Collection[str] = ()) -> None:
    if subjects:
        found = accounts.match(cx, scene.crm_id, subjects)
        refreshing.refresh(cx, scene, _adopted(cx, scene, found, companies), found)


def _touched_by_holds(cx: sa.Connection, scene: Scene, last: str) -> str | None:
    """Leads that are held, and those that are not though their company is blocked."""
    held = sa.or_(c.state == State.HELD.value, sa.and_(c.on_hold, c.state.in_(_OPEN)))
    names = sa.cast(sorted(scene.blocked), pg.ARRAY(sa.Text))
    of_them = sa.or_(c.company == sa.any_(names), c.subject == sa.any_(names))
    blocked = sa.and_(of_them, c.state.in_(_OPEN), ~c.on_hold)
    query = sa.select(c.id, c.company).where(sa.or_(held, blocked), c.id > last).order_by(c.id).limit(BATCH)
    rows = cx.execute(query).all()
    if rows:
        companies = {row.company for row in rows}
        store.lock_companies(cx, companies)
        refreshing.refresh(cx, scene, companies)
    return rows[-1].id if rows else None
