"""kill -9 at every boundary of a refund, with every answer of the vendor: never twice, never lost, never stuck.

In the gate each boundary meets a few answers and each answer a few boundaries; `-m slow` runs all pairs.
"""

from __future__ import annotations

import itertools
import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from app.refunds import State
from app.refunds.models import refund_credit
from integrations.kernel.clock import iso, utc_now
from tests.faults.refund_proxy import ANSWERS, WIRE_KILLS

APP = Path(__file__).resolve().parents[2] / "app"
REQUEST = (
    "refund.request.begin", "refund.request.before_insert", "refund.request.before_commit",
    "refund.request.after_commit", "refund.request.after_wake",
)  # fmt: skip
WORK = (
    "refund.claim.before_commit", "refund.claim.after_commit", "refund.read.before_verdict",
    "refund.send.before_call", "refund.reply.read", "refund.settle.after_audit", "refund.settle.before_commit",
    "refund.settle.after_commit",
)  # fmt: skip
HEARD = ("refund.hint.before_commit", "refund.look.before_settle", "refund.look.before_commit")
SWEEP = ("refund.sweep.before_commit",)
BOOKS = ("refund.books.before_commit",)
APPROVE = ("refund.approve.before_commit", "refund.approve.after_commit")
CREDIT = ("refund.credit.before_call", "refund.credit.after_call", "refund.credit.before_commit")
SLOW_ANSWERS = ("silent_before", "silent_after", "late", "drip", "half_closed", "key_forgotten")
QUICK = tuple(a for a in ANSWERS if a not in SLOW_ANSWERS)
BOUNDARIES = (*REQUEST, *WORK, *WIRE_KILLS, *HEARD, *SWEEP, *BOOKS)


def gate_pairs():
    """Each boundary with three quick answers in turn, each slow answer once."""
    turns = itertools.cycle(QUICK)
    pairs = [(boundary, next(turns)) for boundary in BOUNDARIES for _ in range(3)]
    return [*pairs, *zip(itertools.cycle(WORK), SLOW_ANSWERS, strict=False)]


GATE = gate_pairs()
REST = [pair for pair in itertools.product(BOUNDARIES, ANSWERS) if pair not in set(GATE)]


def test_every_fail_point_of_the_code_is_struck_here():
    found = set()
    for path in APP.rglob("*.py"):
        found |= set(re.findall(r'\bfp\("(refund[^"]+)"\)', path.read_text(encoding="utf-8")))
    assert found == {*REQUEST, *WORK, *HEARD, *SWEEP, *BOOKS, *APPROVE, *CREDIT}
    assert {a for _, a in GATE} == set(ANSWERS)


@pytest.mark.parametrize(("boundary", "answer"), GATE)
def test_a_kill_at(harness, boundary, answer):
    strike(harness, boundary, answer)


@pytest.mark.slow
@pytest.mark.parametrize(("boundary", "answer"), REST)
def test_a_kill_at_any(harness, boundary, answer):
    strike(harness, boundary, answer)


def strike(harness, boundary, answer):
    """One point: everything as usual but for one process that dies at the boundary; then the product by itself."""
    charge, offer, minor = harness.wanted(answer)
    intent_id = harness.click(offer, minor, boundary if boundary in REQUEST else "")
    if boundary in WIRE_KILLS:
        harness.proxy.kills[charge] = boundary
    harness.die("worker", failpoints=f"{boundary}=kill" if boundary in WORK else "")
    harness.proxy.kills.pop(charge, None)
    if boundary in SWEEP:
        harness.die("sweeper", failpoints=f"{boundary}=kill")
    if boundary in HEARD:
        hear(harness, boundary, intent_id)
    if boundary in BOOKS:
        harness.die("reconcile", iso(utc_now() - timedelta(hours=1)), failpoints=f"{boundary}=kill")
    harness.recover(answer, intent_id)
    harness.end(intent_id, answer)


def hear(harness, boundary, intent_id):
    """The vendor's webhook comes, and who works it off dies; the vendor sends it again."""
    for refund in harness.world.at_vendor(intent_id):
        harness.die("webhook", refund, failpoints=f"{boundary}=kill" if "hint" in boundary else "")
        harness.die("webhook", refund)
        harness.die("worker", failpoints=f"{boundary}=kill" if "look" in boundary else "")


@pytest.mark.parametrize("boundary", HEARD)
def test_a_kill_while_a_webhook_settles_what_the_worker_does_not_know(harness, boundary):
    """The worker is away, the vendor's own word settles: also when its first bearer dies."""
    charge, offer, minor = harness.wanted("silent_after")
    intent_id = harness.click(offer, minor)
    harness.proxy.kills[charge] = "accepted_no_reply"
    harness.die("worker")
    assert harness.world.state(intent_id) is State.SENDING
    hear(harness, boundary, intent_id)
    harness.world.tick()
    harness.die("worker")
    harness.end(intent_id, "ok")


@pytest.mark.parametrize("boundary", BOOKS)
def test_a_kill_while_the_books_settle_what_nobody_told(harness, boundary):
    charge, offer, minor = harness.wanted("ok")
    intent_id = harness.click(offer, minor)
    harness.proxy.kills[charge] = "accepted_no_reply"
    harness.die("worker")
    since = iso(utc_now() - timedelta(hours=1))
    assert harness.die("reconcile", since, failpoints=f"{boundary}=kill") is None
    assert harness.world.state(intent_id) is State.SENDING
    harness.die("reconcile", since)
    harness.end(intent_id, "ok")


@pytest.mark.parametrize("boundary", APPROVE)
@pytest.mark.parametrize("answer", ["ok", "reset_after", "declined"])
def test_a_kill_while_it_is_approved(harness, boundary, answer):
    charge = harness.world.charge(300_000)
    harness.proxy.scripts[charge] = [answer]
    intent_id = harness.click(harness.world.prepare(charge).offer, 150_000)
    intent = harness.world.intent(intent_id)
    assert intent.state is State.AWAITING_APPROVAL
    eve = harness.world.people["Eve"]
    assert harness.die("approve", intent_id, intent.bound, eve, failpoints=f"{boundary}=kill") is None
    harness.die("approve", intent_id, intent.bound, eve)
    harness.die("worker")
    harness.recover(answer, intent_id)
    harness.end(intent_id, answer, 150_000)


@pytest.mark.parametrize("boundary", CREDIT)
def test_a_kill_while_the_credit_note_is_written(harness, boundary):
    charge, invoice, line = harness.world.invoiced()
    intent_id = harness.click(harness.world.prepare(charge).offer, 1000, lines=[[line, 1000]])
    harness.die("worker", failpoints=f"{boundary}=kill")
    harness.recover("ok", intent_id)
    harness.world.tick()
    harness.world.drain()
    harness.end(intent_id, "ok")
    notes = [n for n in harness.proxy.stripe.state.of("credit_notes", invoice=invoice)]
    assert [(n["total"], n["metadata"]["intent_id"]) for n in notes] == [(1000, intent_id)]
    with harness.world.database.begin() as cx:
        states = dict(
            cx.execute(refund_credit.select().with_only_columns(refund_credit.c.intent_id, refund_credit.c.state)).all()
        )
    assert states[intent_id] == "done"


def test_all_invariants_hold_at_the_end_of_it_all(harness, record_property):
    """Last in the file: the crash table of everything above."""
    figures = harness.figures()
    record_property("crash_table", json.dumps(figures))
    assert figures["kills"] >= 60 or figures["points"] < 60  # a part of the file was run
