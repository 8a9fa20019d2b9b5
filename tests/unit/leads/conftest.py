"""Terms, seat counts and signals of a small world, in a few words."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.billing.models import billing_term
from app.leads.models import lead_signal
from app.leads.policy import LeadPolicy
from app.leads.signals import QUERIES, scan_payers, scan_signal
from integrations.kernel.clock import utc_now
from tests.lead_scene import Scene


class World:
    """now: of every scan; a test moves it."""

    def __init__(self, database):
        self.database, self.now, self.policy = database, utc_now(), LeadPolicy()

    @property
    def today(self):
        return self.now.date()

    def day(self, days):
        return self.today + timedelta(days=days)

    def term(self, sid="sub_1", pid="cus_1", con="bank", **more):
        """A yearly subscription that gives no signal, changed in what is named."""
        row = {
            "status": "active", "plan": "Team", "currency": "EUR", "minor": 500_000, "seats": 50, "seats_used": 10,
            "use_pct": 20, "months": 12, "started_on": self.day(-165), "renews_on": self.day(200),
        } | more  # fmt: skip
        if "seats_used" in more and "use_pct" not in more:
            row["use_pct"] = row["seats_used"] * 100 // row["seats"]
        with self.database.begin() as cx:
            cx.execute(sa.delete(billing_term).where(billing_term.c.subscription_id == sid))
            cx.execute(sa.insert(billing_term).values(connection_id=con, subscription_id=sid, payer_id=pid, **row))

    def change(self, sid="sub_1", **values):
        with self.database.begin() as cx:
            cx.execute(sa.update(billing_term).where(billing_term.c.subscription_id == sid).values(**values))

    def scan(self):
        """All of it; counts by signal."""
        found = {}
        for name in QUERIES:
            with self.database.begin() as cx:
                found[name] = scan_signal(cx, name, self.policy, self.now)
        return found

    def scan_payers(self, *payers):
        with self.database.begin() as cx:
            return scan_payers(cx, set(payers or [("bank", "cus_1")]), self.policy, self.now)

    def rows(self, *columns):
        names = columns or ("name", "source", "period")
        with self.database.begin() as cx:
            query = sa.select(*(lead_signal.c[n] for n in names)).order_by(lead_signal.c.id)
            return [tuple(row) for row in cx.execute(query)]

    def open(self):
        with self.database.begin() as cx:
            query = sa.select(lead_signal.c.name).where(lead_signal.c.ended_at.is_(None)).order_by("name")
            return list(cx.execute(query).scalars())


@pytest.fixture
def world(database):
    return World(database)


@pytest.fixture
def scene(database, org):
    """A payer whose company is an account of one owner."""
    made = Scene(database, org=org)
    made.user("005A")
    made.account(domains=("northwind.example",))
    made.payer("cus_1", "northwind.example")
    return made
