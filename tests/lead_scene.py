"""A company that pays, a mirror of the CRM, signals written as scans and triggers write them, and an org to push to.

What the mirror is told of, the org has too, where there is one."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app import holds
from app.config import load
from app.crm import store as crm_store
from app.crm.mirror import CHANGED, WHOLE
from app.leads import gather, verdicts
from app.leads.context import LeadContext
from app.leads.models import lead, lead_signal, lead_step
from app.leads.policy import LeadPolicy, changed
from app.leads.push import Pusher
from app.leads.store_policy import put_policy
from integrations.kernel.clock import utc_now
from integrations.kernel.crm import AccountRecord, ContactRecord, CrmUser, DirectoryPage
from tests.crm_world import CRM

BANK, DESK = "bank", "desk"


class Scene:
    """org: a `crm_world.Org`, for those that push. client: another way to it."""

    def __init__(self, database, client=None, bulk_over=2000, org=None):
        self.database, self.now, self.crm = database, utc_now(), org
        client = client or (org.client if org else None)
        self.settings = load({"MODE": "development"})
        self.ctx = LeadContext(database, self.settings, lambda _: client, lambda: self.now, bulk_over)
        self.pusher = Pusher(self.ctx, CRM)
        with database.begin() as cx:
            crm_store.save_cursor(cx, CRM, WHOLE, "x")

    def sql(self, text, **values):
        with self.database.begin() as cx:
            found = cx.execute(sa.text(text), values)
            return found.mappings().all() if found.returns_rows else []

    def policy(self, **wishes):
        with self.database.begin() as cx:
            put_policy(cx, changed(LeadPolicy(), {k.replace("__", "."): v for k, v in wishes.items()}), "per_test")

    def account(self, account_id="001A", name="Northwind Labs", owner="005A", at=None, **more):
        record = AccountRecord(account_id, at or utc_now(), name, owner, **more)
        if self.crm:
            self.crm.has("User", owner, Name=owner) if owner not in ("", *self.crm.state.rows["User"]) else None
            site = {"Website": more["domains"][0]} if more.get("domains") else {}
            self.crm.has("Account", account_id, Name=name, OwnerId=owner or None, **site)
        self.directory(accounts=[record])

    def contact(self, contact_id, account_id, domain):
        self.directory(contacts=[ContactRecord(contact_id, utc_now(), account_id, domain)])

    def user(self, user_id, active=True):
        if self.crm:
            self.crm.has("User", user_id, Name=user_id, IsActive=active)
        self.directory(users=[CrmUser(user_id, user_id, active)])

    def directory(self, accounts=(), contacts=(), users=()):
        with self.database.begin() as cx:
            if crm_store.apply(cx, CRM, DirectoryPage("x", True, tuple(accounts), tuple(contacts), tuple(users))):
                crm_store.save_cursor(cx, CRM, CHANGED, "x")

    def payer(self, payer_id="cus_1", domain=None, name="Northwind Labs", email=""):
        self.sql(
            "INSERT INTO payer_address (connection_id, payer_id, domain) VALUES (:c, :p, :d)",
            c=BANK,
            p=payer_id,
            d=domain,
        )
        data = {"name": name, "email": email or f"billing@{domain or 'nowhere.example'}"}
        self.sql("INSERT INTO billing_object (connection_id, kind, id, payer_id, as_of, digest, data)"
                 " VALUES (:c, 'payer', :p, :p, now(), '', CAST(:d AS jsonb))", c=BANK, p=payer_id, d=json.dumps(data))  # fmt: skip

    def signal(
        self, name="renewal", kind="renewal", payer="cus_1", period="", source="", ended=False, subject="", **facts
    ):
        """Write or change one, as a scan does."""
        on = (self.now + timedelta(days=60)).date().isoformat()
        told = {"plan": "Team", "seats": 50, "used": 46, "minor": 500_000, "currency": "EUR", "months": 12, "on": on}
        told |= {"step": 60} if name == "renewal" else {}
        told |= facts
        values = {
            "subject": subject or f"payer:{BANK}:{payer}", "kind": kind, "name": name, "source": source or f"sub_{payer}",
            "period": period or (told["on"] if name == "renewal" else "2026-Q4"), "payer_connection_id": BANK,
            "payer_id": payer, "facts": told, "happened_at": self.now,
            "digest": "ended" if ended else hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest(),
            "ended_at": self.now if ended else None,
        }  # fmt: skip
        return self._put(values)

    def asked(self, ticket="7", name="quote_words", kind="request", payer="cus_1", rule="", subject="", **facts):
        """A ticket's signal, as a trigger writes it."""
        told = {"quotes": [{"on": self.now.date().isoformat(), "text": "May we have a quote?"}], **facts}
        return self._put({
            "subject": subject or f"payer:{BANK}:{payer}", "kind": kind, "name": name, "source": f"ticket:{DESK}:{ticket}",
            "period": "2026-Q4", "payer_connection_id": BANK if not subject else "", "payer_id": payer if not subject else "",
            "connection_id": DESK, "ticket_id": ticket, "person_id": "ann", "rule": rule, "facts": told,
            "happened_at": self.now, "digest": hashlib.sha256(json.dumps(told).encode()).hexdigest(),
        })  # fmt: skip

    def _put(self, values):
        key = ["subject", "kind", "name", "source", "period"]
        statement = insert(lead_signal).values(**values)
        with self.database.begin() as cx:
            cx.execute(statement.on_conflict_do_update(index_elements=key, set_={
                "facts": values["facts"], "digest": values["digest"], "ended_at": values.get("ended_at"), "seen_at": sa.func.now()}))  # fmt: skip

    def gather(self):
        return gather.gather(self.database, CRM, self.now)

    def push(self):
        """What waits for its time is due now."""
        self.soon()
        return self.pusher.drain()

    def soon(self):
        self.sql("UPDATE lead SET due_at = now() WHERE due_at > now()")

    def lapse(self):
        self.sql("UPDATE lead SET lease_until = now() - interval '1 second' WHERE lease_until IS NOT NULL")

    def run(self):
        self.gather()
        return self.push()

    def poll(self):
        return verdicts.poll(self.ctx, CRM)

    def leads(self, **where):
        query = sa.select(lead).filter_by(**where).order_by(lead.c.id)
        with self.database.begin() as cx:
            return cx.execute(query).all()

    def one(self, **where):
        found = self.leads(**where)
        assert len(found) == 1, [(one.company, one.kind, one.state) for one in found]
        return found[0]

    def steps(self, lead_id):
        query = sa.select(lead_step.c.what, lead_step.c.detail).where(lead_step.c.lead_id == lead_id)
        with self.database.begin() as cx:
            return cx.execute(query.order_by(lead_step.c.id)).all()

    def hold(self, payer="cus_1", source_id="dp_1", why="a dispute is open"):
        with self.database.begin() as cx:
            holds.open(cx, holds.Hold("dispute", source_id, why, "until the dispute is closed", (BANK, payer)))

    def release(self, source_id="dp_1"):
        with self.database.begin() as cx:
            holds.release(cx, "dispute", source_id, "it was closed")
