"""`/admin/policy`: weights, thresholds, words and windows of leads. Approvers read them, admins change them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from flask import Response, redirect, request
from werkzeug.wrappers import Response as Answer

from app.access import Actor, Role
from app.access import service as access
from app.admin import console, policy_form
from app.admin.console import blueprint, page, runtime
from app.leads import store_policy
from app.leads.policy import LeadPolicy
from app.ui.words import Moment, Reader, plain

SHOWN = 20


@dataclass(frozen=True, slots=True)
class Version:
    """One version and what it changed."""

    number: int
    by: str
    at: Moment
    changes: tuple[str, ...]


@blueprint.get("/policy")
def policy() -> str:
    """What is in force, and who changed what."""
    actor = console.who(Role.APPROVER)
    with runtime().database.begin() as cx:
        version, now = store_policy.newest(cx)
        return _page(cx, actor, version, policy_form.values(now), saved=request.args.get("saved") == str(version))


@blueprint.post("/policy")
def change() -> Answer:
    """A new version, or the same form with messages beside its fields."""
    actor = console.writer(Role.ADMIN)
    with runtime().database.begin() as cx:
        version, before = store_policy.newest(cx, lock=True)
        after, problems = policy_form.typed(before, request.form)
        if request.form.get("version") != str(version):
            problems = problems or {
                "": "Somebody changed the policy meanwhile. This is what you typed; look at what is in force below."
            }
        if problems:
            shown = policy_form.values(before) | {k: v for k, v in request.form.items() if k not in ("csrf", "version")}
            return Response(_page(cx, actor, version, shown, problems), 422)
        if after != before:
            version = store_policy.put_policy(cx, after, actor.person_id)
    return redirect(f"/admin/policy?saved={version}", 303)


def _page(
    cx: sa.Connection, actor: Actor, version: int, values: Mapping[str, str], problems: Mapping[str, str] | None = None,
    *, saved: bool = False,
) -> str:  # fmt: skip
    told = console.told()
    return page(
        "policy", actor=actor, told=told, here="/admin/policy", groups=policy_form.GROUPS, values=values,
        problems=problems or {}, labels={f.name: f.label for f in policy_form.FIELDS}, number=version, saved=saved,
        may_change=actor.role.is_at_least(Role.ADMIN), versions=_versions(cx, told),
    )  # fmt: skip


def _versions(cx: sa.Connection, told: Reader) -> list[Version]:
    rows = store_policy.versions(cx, SHOWN + 1)
    people = access.names(cx, [row["made_by"] for row in rows])
    documents = [row["document"] for row in rows[1:]] + ([LeadPolicy().to_json()] if len(rows) <= SHOWN else [])
    return [_version(row, older, people, told) for row, older in zip(rows, documents, strict=False)]


def _version(row: sa.RowMapping, older: Mapping[str, object], people: Mapping[str, str], told: Reader) -> Version:
    changed: Sequence[str] = tuple(policy_form.changes(older, row["document"]))
    by = plain(people.get(row["made_by"], row["made_by"]))
    return Version(row["version"], by, told.time(row["made_at"]), tuple(map(plain, changed)))
