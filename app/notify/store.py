"""All SQL of notices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.notify.models import notice
from integrations.kernel.ids import new_id


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice to send. channels: those that have it already. tries: with this one."""

    id: str
    kind: str
    subject: str
    body: str
    data: Mapping[str, Any]
    recipients: tuple[str, ...]
    channels: tuple[str, ...]
    tries: int


def tell(
    cx: sa.Connection, kind: str, key: str, subject: str, body: str,
    data: Mapping[str, Any] | None = None, recipients: Sequence[str] = (),
) -> bool:  # fmt: skip
    """Write a notice; False when it was told before. `recipients`: addresses, else those of the settings get it."""
    statement = insert(notice).values(
        id=new_id("ntc"), kind=kind, key=key, subject=subject[:200], body=body, data=dict(data or {}),
        recipients=list(recipients),
    )  # fmt: skip
    return cx.execute(statement.on_conflict_do_nothing().returning(notice.c.id)).first() is not None


def claim(cx: sa.Connection, limit: int, lease_s: float) -> list[Notice]:
    """Take due notices; who dies while sending lets them be due again."""
    due = (
        sa.select(notice.c.id)
        .where(notice.c.state == "pending", notice.c.due_at <= sa.func.now())
        .order_by(notice.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    statement = (
        sa.update(notice)
        .where(notice.c.id.in_(due))
        .values(tries=notice.c.tries + 1, due_at=_in(lease_s))
        .returning(notice)
    )
    return [
        Notice(r.id, r.kind, r.subject, r.body, r.data, tuple(r.recipients), tuple(r.channels), r.tries)
        for r in cx.execute(statement)
    ]


def sent_by(cx: sa.Connection, notice_id: str, channel: str) -> None:
    """Remember a channel at once, so that a crash repeats at most one."""
    channels = sa.func.array_append(notice.c.channels, channel)
    cx.execute(sa.update(notice).where(notice.c.id == notice_id).values(channels=channels))


def settle(cx: sa.Connection, notice_id: str, state: str, reason: str = "", due_in_s: float = 0.0) -> None:
    """The end of a try. A link that signs somebody in is taken out of the text when nobody will send it any more."""
    values: dict[str, Any] = {"state": state, "reason": reason[:500] or None, "due_at": _in(due_in_s)}
    if state != "pending":
        values["body"] = sa.func.regexp_replace(notice.c.body, r"\?code=[A-Za-z0-9_-]+", "")
    cx.execute(sa.update(notice).where(notice.c.id == notice_id).values(**values))


def listing(cx: sa.Connection, limit: int = 50) -> Sequence[sa.RowMapping]:
    """Notices, newest first, for a page."""
    return cx.execute(sa.select(notice).order_by(notice.c.id.desc()).limit(limit)).mappings().all()


def _in(seconds: float) -> sa.ColumnElement[Any]:
    return sa.func.now() + sa.func.make_interval(0, 0, 0, 0, 0, 0, seconds)
