"""Money in the browser tests: charges that the simulated vendor has too, the worker, the books of both sides."""

from __future__ import annotations

import re

import sqlalchemy as sa

from app.refunds import RefundWorker
from app.refunds.models import refund_intent
from app.refunds.states import COUNTED
from sandbox.stripe import objects as make
from tests import sidebar_world as world


def mirror_at_stripe(stripe, n):
    """The charge of the same id that our mirror shows, at the simulated vendor."""
    state, created = stripe.state, int(world.ago(30 * n + 9).timestamp())
    cid, pid = f"ch_cus_1_{n}", f"pi_cus_1_{n}"
    with stripe.context.lock:
        intent = make.payment_intent(pid, "cus_1", "eur", 124000, created)
        state.put("payment_intents", intent | {"status": "succeeded", "latest_charge": cid, "amount_received": 124000})
        state.put("charges", make.charge(cid, "cus_1", pid, "eur", 124000, created, None))


def work(desk, rounds=4):
    """The worker, without the waits between its tries."""
    own = desk.runtime
    worker = RefundWorker(own.refunds, lambda c: own.clients.refunds(c), own.pool)
    for _ in range(rounds):
        worker.drain(lambda: True)
        with desk.begin() as cx:
            cx.execute(sa.text("UPDATE refund_intent SET due_at = now() WHERE due_at > now()"))


def books(desk, stripe):
    """(made at the vendor, recorded, doubled): minor units, minor units, intents with more than one refund."""
    held = [r for r in stripe.state.of("refunds") if r["metadata"].get("intent_id")]
    ids = [r["metadata"]["intent_id"] for r in held]
    with desk.begin() as cx:
        states = [s.value for s in COUNTED]
        total = sa.select(sa.func.coalesce(sa.func.sum(refund_intent.c.amount), 0))
        recorded = cx.execute(total.where(refund_intent.c.state.in_(states))).scalar_one()
    return sum(r["amount"] for r in held), int(recorded), len(ids) - len(set(ids))


def open_form(agent, charge="ch_cus_1_0"):
    frame = agent.open(state="one")
    frame.locator(f"#refund-{charge}").click()
    agent.wait("refund")
    return frame


def asked(desk, agent, amount="12.00", charge="ch_cus_1_0"):
    """Ask for a refund; the panel with it."""
    frame = open_form(agent, charge)
    type_amount(frame, amount, "Refund €|Send for approval")
    frame.locator("#refund-go").click()
    frame.get_by_role("heading", name="Refunds asked for").wait_for()
    return frame


def type_amount(frame, text, label):
    frame.get_by_label("Amount in EUR").fill(text)
    frame.locator("#refund-go", has_text=re.compile(label)).wait_for()
