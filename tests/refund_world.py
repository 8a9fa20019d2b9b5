"""A small world for refunds: a real PostgreSQL, the simulated Stripe over real HTTP, one ticket whose requester pays.

Time is not waited for: `tick` makes what is due later due now, `lapse` lets leases run out. After each case `check` holds
the invariants I1 to I6 of trust.md 3.2 against both sides.
"""

from __future__ import annotations

import itertools
import os
import uuid
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from app import access, audit, identity, refunds
from app.access import Login, Role, Staff
from app.audit import store as audit_store
from app.billing import service as billing
from app.config import load
from app.customers import store as customers
from app.identity import IdentitySettings, Requester
from app.notify.models import notice
from app.refunds import Context, RefundWorker, State, Where, Wish, follow, store
from app.refunds.models import refund_charge, refund_intent
from app.refunds.policy import Policy, changed
from app.refunds.states import COUNTED, MOVES, RESERVING
from app.tickets import store as tickets
from integrations import registry
from integrations.kernel.clock import utc_now
from integrations.kernel.money import Money
from integrations.kernel.records import PersonRecord, TicketRecord
from integrations.kernel.vendor import Account
from integrations.stripe import client as stripe_client
from integrations.transport.http import OpenGate
from sandbox.stripe import objects as make
from sandbox.stripe.simulator import API_KEY

BILLING, DESK, TICKET, REQUESTER, PAYER = "con_bill", "con_desk", "7", "ann", "cus_refunds"
LIVE = ("failed", "canceled")
ENDS = {s for s, moves in MOVES.items() if not moves} | {State.SUCCEEDED, State.NEEDS_HUMAN}
_ids = itertools.count(1)

# I4: at every commit the charge's sums are those of its intents, and never above what was captured.
I4 = """
CREATE FUNCTION i4() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE c refund_charge%ROWTYPE; held bigint; given bigint;
BEGIN
    SELECT * INTO c FROM refund_charge WHERE connection_id = NEW.connection_id AND charge_id = NEW.charge_id;
    SELECT coalesce(sum(amount) FILTER (WHERE state IN ('reserved', 'sending', 'unknown', 'needs_human')), 0),
           coalesce(sum(amount) FILTER (WHERE state IN ('pending_vendor', 'requires_action', 'succeeded')), 0)
    INTO held, given FROM refund_intent WHERE connection_id = NEW.connection_id AND charge_id = NEW.charge_id;
    IF held <> c.reserved OR given <> c.refunded OR held + given > c.captured THEN
        RAISE EXCEPTION 'I4: charge % holds %/% of %, its intents %/%', NEW.charge_id, c.reserved, c.refunded, c.captured,
            held, given;
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER i4 AFTER INSERT OR UPDATE ON refund_intent DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION i4();
CREATE CONSTRAINT TRIGGER i4 AFTER INSERT OR UPDATE ON refund_charge DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION i4();
"""
POLICY = {
    "enabled": "yes", "limit.refunder.USD": "100000/100000000", "limit.approver.USD": "500000/100000000",
    "payer_count": "1000000", "charge_days": "3650",
}  # fmt: skip


class World:
    """stripe: a sandbox.stripe.local.Local. url: where the product calls, a proxy in front of it perhaps."""

    def __init__(self, database, stripe, url="", deadline_s=10.0, **settings):
        self.database, self.stripe = database, stripe
        self.account = Account(BILLING, "stripe", url or stripe.url, {"limits": "off"}, {"api_key": (API_KEY,)})
        self.deadline_s = deadline_s
        self.settings = load({"MODE": "development", **{k.upper(): str(v) for k, v in settings.items()}})
        self.wakes = 0
        self.ctx = Context(database, self.settings, IdentitySettings(), lambda _: "stripe", self._wake)
        self.pool = ThreadPoolExecutor(4)
        self._clients = {}
        self.worker = RefundWorker(self.ctx, self.client, self.pool)
        self.people, self.charges = {}, set()

    def _wake(self):
        self.wakes += 1

    def client(self, connection_id):
        """As the runtime makes it, one a process (the harness forks)."""
        key = (os.getpid(), connection_id)
        if key not in self._clients:
            self._clients[key] = stripe_client.connect_refunds(self.account, OpenGate(), self.deadline_s)
        return self._clients[key]

    def set_up(self, **policy):
        """The triggers, a ticket, its requester linked to the payer, a policy. Once a database."""
        with self.database.begin() as cx:
            cx.execute(sa.text(I4))
            now = datetime(2026, 11, 1, tzinfo=UTC)
            customers.apply_people(cx, DESK, [PersonRecord(REQUESTER, now, name="Ann")])
            values = {"requester_id": REQUESTER, "status": "solved", "tags": []}
            tickets.apply(cx, DESK, [TicketRecord(TICKET, now, values, complete=True)])
            identity.link(cx, Requester(DESK, REQUESTER), (BILLING, PAYER), "per_setup", rung=1)
        self.policy(**policy)

    def take_down(self):
        """The triggers go, so that the database is as others need it."""
        with self.database.begin() as cx:
            cx.execute(sa.text("DROP FUNCTION i4 CASCADE"))

    def policy(self, **wishes):
        told = {**POLICY, **{k.replace("__", "."): v for k, v in wishes.items()}}
        with self.database.begin() as cx:
            store.put_policy(cx, changed(Policy(), told), "per_setup")

    def actor(self, name="Bea", role=Role.REFUNDER, checked_at=None):
        """A person of ours with a login at the helpdesk, looked up just now."""
        with self.database.begin() as cx:
            if name not in self.people:
                self.people[name] = access.add_person(cx, "per_setup", name, role)
                access.attach(cx, "per_setup", self.people[name], Login(DESK, name.lower()))
            now = utc_now()
            staff = Staff("agent", None, (), active=True, checked_at=checked_at or now)
            return access.actor(cx, Login(DESK, name.lower()), staff, now)

    def charge(self, minor=10_000, currency="usd", days=3, mirror=True):
        """A new charge of our payer at Stripe, known to the mirror; answers its id."""
        state = self.stripe.state
        with self.stripe.context.lock:
            number = next(_ids)
            created = int((utc_now() - timedelta(days=days)).timestamp())
            cid, pid = f"ch_r{number}x{uuid.uuid4().hex[:6]}", f"pi_r{number}x{uuid.uuid4().hex[:6]}"
            intent = make.payment_intent(pid, PAYER, currency, minor, created)
            intent |= {"status": "succeeded", "latest_charge": cid, "amount_received": minor}
            state.put("payment_intents", intent)
            state.put("charges", make.charge(cid, PAYER, pid, currency, minor, created, None))
        self.charges.add(cid)
        if mirror:
            self.mirror(cid)
        return cid

    def invoiced(self, minor=3000, days=3, period=30):
        """A charge that paid an invoice of one line for a period around now; answers charge, invoice and line."""
        charge, state = self.charge(minor, days=days, mirror=False), self.stripe.state
        begin = utc_now() - timedelta(days=days)
        start, end = int(begin.timestamp()), int((begin + timedelta(days=period)).timestamp())
        with self.stripe.context.lock:
            items = (s["items"]["data"][0] for s in state.of("subscriptions"))
            item = next(one for one in items if one["price"]["currency"] == "usd")
            suffix = charge.removeprefix("ch_")
            line = make.line(f"il_{suffix}", f"in_{suffix}", item, minor, 1, start, end, text="Pro, monthly")
            state.put("invoices", make.invoice(f"in_{suffix}", PAYER, "sub_x", "usd", minor, "paid", start, [line]))
            intent = state.get("charges", charge)["payment_intent"]
            pays = make.invoice_payment(f"inpay_{suffix}", f"in_{suffix}", intent, "usd", minor, start)
            state.put("invoice_payments", pays)
        self.mirror(charge, ("invoice", f"in_{suffix}"), ("invoice_payment", f"inpay_{suffix}"))
        return charge, f"in_{suffix}", line["id"]

    def mirror(self, charge_id, *more):
        """Bring our mirror to what Stripe holds of a charge, and of other objects (kind, id)."""
        client = stripe_client.connect(replace(self.account, base_url=self.stripe.url), OpenGate())
        now, records = utc_now(), [client.fetch(kind, one) for kind, one in [("charge", charge_id), *more]]
        for kind, rows in (("refund", "refunds"), ("dispute", "disputes")):
            records += [client.fetch(kind, o["id"]) for o in self.stripe.state.of(rows, charge=charge_id)]
        with self.database.begin() as cx:
            told = [(record, now + timedelta(minutes=5)) for record in records]
            touched = billing.apply(cx, BILLING, told, "seats_used", read=True)
            billing.refresh(cx, BILLING, touched, "seats_used")

    @staticmethod
    def where(charge_id):
        return Where(BILLING, charge_id, DESK, TICKET)

    def prepare(self, charge_id, actor=None, amount=None):
        return refunds.prepare(self.ctx, actor or self.actor(), self.where(charge_id), amount)

    def wish(self, charge_id, minor=1000, actor=None, currency="USD", **more):
        offer = self.prepare(charge_id, actor).offer
        return Wish(offer, Money(minor, currency), **more)

    def request(self, charge_id, minor=1000, actor=None, **more):
        actor = actor or self.actor()
        return refunds.request(self.ctx, actor, self.wish(charge_id, minor, actor, **more))

    def drain(self, seconds=30.0):
        until = utc_now() + timedelta(seconds=seconds)
        return self.worker.drain(lambda: utc_now() < until)

    def tick(self):
        """Whatever waits for its next try is due now."""
        with self.database.begin() as cx:
            for table in ("refund_intent", "refund_look", "refund_credit"):
                cx.execute(sa.text(f"UPDATE {table} SET due_at = now() WHERE due_at > now()"))
            cx.execute(sa.text("DELETE FROM refund_hold"))

    def lapse(self):
        """Every lease has run out, as if its worker had been gone for a minute."""
        with self.database.begin() as cx:
            cx.execute(sa.text("UPDATE refund_intent SET lease_until = now() WHERE lease_until > now()"))

    def older(self, intent_id, hours):
        """Its first try was so long ago."""
        with self.database.begin() as cx:
            cx.execute(
                sa.text(
                    "UPDATE refund_intent SET first_sent_at = first_sent_at - make_interval(hours => :h) WHERE id = :i"
                ),
                {"h": hours, "i": intent_id},
            )

    def settle_all(self, rounds=8, sweep=True):
        """What the product does by itself after a fault, without the waiting."""
        for _ in range(rounds):
            self.tick()
            if sweep:
                self.lapse()
                follow.sweep(self.ctx)
            self.drain()
            if not self.open_intents():
                return

    def intent(self, intent_id):
        with self.database.begin() as cx:
            return store.get(cx, intent_id)

    def state(self, intent_id):
        return self.intent(intent_id).state

    def open_intents(self):
        with self.database.begin() as cx:
            return store.listing(cx, [State.RESERVED, State.SENDING, State.UNKNOWN], 1000)

    def row(self, charge_id):
        with self.database.begin() as cx:
            return cx.execute(sa.select(refund_charge).where(refund_charge.c.charge_id == charge_id)).one()

    def notices(self, kind=""):
        with self.database.begin() as cx:
            rows = cx.execute(sa.select(notice).order_by(notice.c.id)).all()
        return [row for row in rows if row.kind.startswith(kind)]

    def at_vendor(self, intent_id):
        """Refunds the vendor holds of an intent."""
        return [r for r in self.stripe.state.of("refunds") if r["metadata"].get("intent_id") == intent_id]

    def check(self, *, ends=True):
        """I1 to I6 over everything in this database; answers the figures of the crash table."""
        with self.database.begin() as cx:
            intents = [store.get(cx, one) for one in cx.execute(sa.select(refund_intent.c.id)).scalars()]
            charges = cx.execute(sa.select(refund_charge)).all()
            told = {row.data["refund_id"] for row in cx.execute(sa.select(notice.c.data)) if "refund_id" in row.data}
            verdict = audit.verify(cx)
            steps = defaultdict(list)
            for entry, _, _ in audit_store.rows(cx):
                if entry.action.startswith("refund."):
                    steps[entry.subject].append((entry.data["from"], entry.data["to"]))
        held = defaultdict(list)
        for refund in self.stripe.state.of("refunds"):
            if refund["metadata"].get("intent_id") and refund["charge"] in self.charges:
                held[refund["metadata"]["intent_id"]].append(refund)
        wrong = {
            "double": [i for i, rows in held.items() if len(rows) > 1],
            "lost": [
                *set(held) - {one.id for one in intents},
                *(one.id for one in intents if self._differs(one, held)),
            ],
            "over_captured": [c.charge_id for c in charges if c.refunded + c.reserved > c.captured],
            "stuck": [one.id for one in intents if ends and not self._is_over(one, told)],
            "audit_rows_missing": [one.id for one in intents if not self._recorded(one, steps[one.id])],
        }
        assert not any(wrong.values()), wrong
        assert verdict.broken is None, f"I6: {verdict.why}"
        return {"intents": len(intents), **{name: len(found) for name, found in wrong.items()}}

    @staticmethod
    def _differs(intent, held):
        """I2: what the vendor holds of an intent is what is recorded; in doubt either may be."""
        counted = sum(r["amount"] for r in held[intent.id] if r["status"] not in LIVE)
        recorded = intent.amount.minor if intent.state in COUNTED else 0
        return intent.state not in RESERVING and intent.state.value not in LIVE and counted != recorded

    @staticmethod
    def _is_over(intent, told):
        """I3: at an end, at the bank, waiting for an approval, or before a person who was told."""
        waits = intent.state in COUNTED or intent.state is State.AWAITING_APPROVAL
        return intent.state in ENDS and (intent.state is not State.NEEDS_HUMAN or intent.id in told) or waits

    @staticmethod
    def _recorded(intent, path):
        """I6: one row a move, each going on from the one before."""
        goes_on = [step[0] for step in path] == ["", *(step[1] for step in path[:-1])]
        return len(path) == intent.moves and goes_on and path[-1][1] == intent.state.value

    def close(self):
        self.pool.shutdown()


def amounts(slug="stripe"):
    return registry.amounts_module(slug)
