"""Ten thousand leads into the simulated Salesforce: every call of the org's day is counted, describes and polls too.

Counted by the simulator, as a real org counts them. Nothing is timed: what a push costs the org is calls.
"""

from __future__ import annotations

import time
from contextlib import closing
from datetime import timedelta
from typing import cast

import sqlalchemy as sa

from app.config import load
from app.crm import store as crm_store
from app.crm.mirror import WHOLE
from app.db import Database, migrations
from app.leads import counting, gather
from app.leads.context import LeadContext
from app.leads.models import lead
from app.leads.push import Pusher
from app.servers import temporary
from bench.report import line
from integrations import registry
from integrations.kernel.clock import utc_now
from integrations.kernel.ports import Crm
from integrations.kernel.vendor import Account
from integrations.transport.http import OpenGate
from sandbox.base import Context
from sandbox.salesforce import oauth
from sandbox.salesforce.local import Local

LEADS, MOST_CALLS, PATIENCE_S = 10_000, 60, 600.0
CRM, KEY = "con_crm", "Deskbridge_Key__c"
OBJECTS = ("Lead", "Opportunity", "Task")
# Of every ten companies two have no account: they become Leads. One lead in ten is a risk, which is a task.
_ACCOUNTS = """
    INSERT INTO crm_account (connection_id, id, as_of, name, external_id, owner_id)
    SELECT 'con_crm', a.id, now(), 'Company ' || n, 'payer' || n, :owner
    FROM unnest(CAST(:ids AS text[])) WITH ORDINALITY AS a (id, n)
"""
_SIGNALS = """
    INSERT INTO lead_signal (subject, kind, name, source, period, payer_connection_id, payer_id, facts, digest,
                             happened_at)
    SELECT 'payer:bank:payer' || n, CASE WHEN n % 10 = 1 THEN 'risk' ELSE 'renewal' END,
           CASE WHEN n % 10 = 1 THEN 'cancellation' ELSE 'renewal' END, 'sub' || n, CAST(CAST(:on AS date) AS text),
           'bank', 'payer' || n, jsonb_build_object('on', :on, 'step', 30, 'plan', 'Team', 'seats', 20, 'used', 19,
           'minor', 480000, 'currency', 'USD', 'months', 12), 'd', now()
    FROM generate_series(1, :leads) n
"""
_PAYERS = """
    INSERT INTO billing_object (connection_id, kind, id, payer_id, as_of, digest, data)
    SELECT 'bank', 'payer', 'payer' || n, 'payer' || n, now(), '',
           jsonb_build_object('name', 'Company ' || n, 'email', 'billing@company' || n || '.example')
    FROM generate_series(1, :leads) n
"""


def org_and_client() -> tuple[Local, Crm]:
    """The org with our key fields, as setup makes them, and the real client to it."""
    org = Local(Context(limits=False))
    for kind in OBJECTS:
        org.state.add_field(kind, KEY, 64, external=True)
    card = registry.by_slug("salesforce")
    assert card is not None
    config = {one.name: one.default for one in card.settings if one.default}
    config |= {"my_domain": "acme", "consumer_key": oauth.CONSUMER_KEY, "currency": "USD"}
    account = Account(CRM, "salesforce", org.url, config, {"consumer_secret": (oauth.CONSUMER_SECRET,)})
    return org, cast(Crm, registry.client(account, OpenGate()))


def fill(database: Database, org: Local, leads: int) -> None:
    """Companies that pay, most of them accounts of the org that the mirror knows, and a signal of each."""
    owner = next(row["Id"] for row in org.state.rows["User"].values() if row["IsActive"])
    accounts = [
        org.state.create("Account", {"Name": f"Company {n}", "OwnerId": owner})["Id"]
        for n in range(1, leads * 4 // 5 + 1)
    ]
    on = (utc_now() + timedelta(days=30)).date().isoformat()
    with database.begin() as cx:
        cx.execute(sa.text(_ACCOUNTS), {"owner": owner, "ids": accounts})
        cx.execute(sa.text(_SIGNALS), {"on": on, "leads": leads})
        cx.execute(sa.text(_PAYERS), {"leads": leads})
        crm_store.save_cursor(cx, CRM, WHOLE, "filled")


def push(database: Database, client: Crm, leads: int) -> float:
    """As the worker does it, until every lead is there; answers the seconds, of which most are the org's."""
    gather.gather(database, CRM)
    with database.begin() as cx:
        cx.execute(sa.update(lead).values(due_at=sa.func.now()))
    pusher = Pusher(LeadContext(database, load({"MODE": "development"}), lambda _: client), CRM)
    began = time.monotonic()
    while time.monotonic() < began + PATIENCE_S:
        pusher.drain()
        with database.begin() as cx:
            states = counting.count(cx)["states"]
        if states == {"pushed": leads}:
            return time.monotonic() - began
        time.sleep(0.5)
    raise AssertionError(f"not all leads are there: {states}")


def run(leads: int = LEADS) -> None:
    """Print how many calls it took; a lead that is missing or there twice is an error."""
    with temporary() as urls:
        migrations.upgrade(urls.migration_url)
        org, client = org_and_client()
        with closing(Database(urls.database_url)) as database:
            fill(database, org, leads)
            seconds = push(database, client, leads)
            keys = [row[KEY] for kind in OBJECTS for row in org.state.rows[kind].values()]
            assert len(keys) == len(set(keys)) == leads, f"{len(keys)} records of {len(set(keys))} keys"
            shapes = {kind: len(org.state.rows[kind]) for kind in OBJECTS}
            load_ = {"leads": leads, "records": shapes, "seconds": round(seconds, 1), "calls": org.calls()}
            line("lead_push: calls of the org's day for a push", "calls", [org.simulator.daily.used], load=load_,
                 goal=("<=", MOST_CALLS))  # fmt: skip
        org.stop()
