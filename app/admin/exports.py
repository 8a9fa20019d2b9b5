"""The same as the pages, as CSV: whole, in canonical words (ids, ISO times, minor units beside their currency)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

import sqlalchemy as sa
from flask import Response, request

from app import audit
from app.access import Role
from app.admin import console, filters, naming
from app.admin.console import blueprint, runtime
from app.admin.renewals import months
from app.admin.report import days
from app.db import Database
from app.leads import reading
from app.leads.reading import Filters
from app.leads.renewals import by_month
from app.leads.report import Record, records
from app.ui import sheets
from integrations.kernel.clock import iso

LEADS = (
    "lead", "company", "subject", "kind", "period", "state", "since", "why", "score", "money_minor", "currency", "rules",
    "owner", "crm", "account", "shape", "record", "ticket", "verdict", "verdict_reason", "verdict_at", "won_minor",
    "won_currency", "created_at", "pushed_at",
)  # fmt: skip
RENEWALS = (
    "month", "currency", "renewals", "money_minor", "at_risk", "at_risk_minor", "cancelled", "payment_failed",
    "open_risk_lead", "not_priced",
)  # fmt: skip
REPORT = (
    "rule", "sent", "accepted", "rejected", "won", "lost", "rate_low", "rate_high", "poor", "reasons", "won_minor",
)  # fmt: skip


@blueprint.get("/leads.csv")
def leads_csv() -> Response:
    """The leads the page would show, all of them."""
    _admin("leads")
    wanted, problems = filters.read(request.args)
    if problems:
        raise filters.BadAddress
    return _sheet("leads", LEADS, _leads(runtime().database, wanted))


@blueprint.get("/renewals.csv")
def renewals_csv() -> Response:
    """The months the page shows."""
    _admin("renewals")
    first = console.told().now.astimezone(console.told().zone).date().replace(day=1)
    with runtime().database.begin() as cx:
        found = by_month(cx, first, months(request.args.get("months", "")))
    rows = (
        (
            f"{m.month:%Y-%m}", m.currency, m.number, m.money, m.at_risk, m.risk_money, m.ending, m.failed, m.warned,
            m.unpriced,
        )
        for m in found
    )  # fmt: skip
    return _sheet("renewals", RENEWALS, rows)


@blueprint.get("/report.csv")
def report_csv() -> Response:
    """Each rule and signal; reasons and sums as `text: number`, between semicolons."""
    _admin("report card")
    since = console.told().now - timedelta(days=days(request.args.get("days", "")))
    with runtime().database.begin() as cx:
        found = records(cx, since)
    return _sheet("report-card", REPORT, (_record(one) for one in found))


def _record(one: Record) -> tuple[object, ...]:
    low, high = (f"{end:.4f}" for end in one.interval) if one.interval else ("", "")
    reasons, money = ("; ".join(f"{name}: {n}" for name, n in m.items()) for m in (one.reasons, one.won_money))
    poor = "yes" if one.is_poor else "no"
    return (one.name, one.sent, one.accepted, one.rejected, one.won, one.lost, low, high, poor, reasons, money)


def _admin(name: str) -> None:
    """Only admins take data along, and the record says who did. Raises NotAllowed."""
    actor = console.who(Role.ADMIN)
    with runtime().database.begin() as cx:
        audit.record(cx, actor.person_id, "leads.exported", name)


def _sheet(name: str, header: Iterable[str], rows: Iterable[Iterable[object]]) -> Response:
    """Written while it is read, so that size is no matter."""
    return Response(
        _lines(header, rows), mimetype="text/csv", direct_passthrough=True,
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )  # fmt: skip


def _lines(header: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[bytes]:
    yield sheets.line(header).encode()
    for row in rows:
        yield sheets.line("" if value is None else str(value) for value in row).encode("utf-8", "replace")


def _leads(database: Database, wanted: Filters) -> Iterator[tuple[object, ...]]:
    """Page after page, each in a transaction of its own. Oldest change first: what changes meanwhile comes once more."""
    after = None
    while True:
        with database.begin() as cx:
            found = reading.page(cx, wanted, "oldest", after)
            known = naming.names(cx, [row["subject"] for row in found.rows])
        yield from (_lead(row, naming.name_of(row, known)) for row in found.rows)
        after = found.after
        if after is None:
            return


def _lead(row: sa.RowMapping, name: str) -> tuple[object, ...]:
    def at(column: str) -> str:
        return iso(row[column]) if row[column] else ""

    return (
        row["id"], name, row["subject"], row["kind"], row["period"], row["state"], at("state_at"), row["why"], row["score"],
        row["money"], row["currency"], " ".join(row["rules"]), row["owner_name"] or row["owner_id"], row["crm_id"],
        row["account_name"] or row["account_id"], row["shape"], row["object_id"], row["ticket_id"], row["verdict"],
        row["verdict_reason"], at("verdict_at"), row["won"], row["won_currency"], at("created_at"), at("pushed_at"),
    )  # fmt: skip
