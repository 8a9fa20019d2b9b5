"""A support day: planned from its seed, done through the simulators, watched while it runs."""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime

import pytest

from sandbox.base import Context
from sandbox.day import Day, burst, run_day
from sandbox.day.plan import DESK, MONEY, plan
from sandbox.stripe import simulator as stripe
from sandbox.world import build_world
from sandbox.zendesk import simulator as zendesk

WORLD = build_world(1, datetime(2026, 11, 24, tzinfo=UTC))


@pytest.fixture
def context():
    made = Context(limits=False)
    zendesk.build(made)
    stripe.build(made)
    return made


def desk(context):
    return context.simulators["zendesk"].state


def account(context):
    return context.simulators["stripe"].state


def test_the_same_seed_plans_the_same_day_and_another_seed_another():
    assert plan(WORLD, 1, 50, 200) == plan(WORLD, 1, 50, 200) != plan(WORLD, 2, 50, 200)


def test_a_day_has_every_kind_of_act_and_nothing_happens_to_a_ticket_before_it_is_there():
    acts = plan(WORLD, 1, 300, 1500)
    assert Counter(a.kind == "ticket" for a in acts) == {True: 300, False: 1500}
    assert {a.kind for a in acts} == {"ticket", *(kind for kind, _ in (*DESK, *MONEY))}
    there = set()
    for act in acts:
        if act.kind == "ticket":
            there.add(act.ticket)
        elif act.ticket >= 0:
            assert act.ticket in there


def test_people_with_and_without_payers_write(context):
    run_day(context, 1, 120, 0, 0)
    emails = {c["email"].lower() for c in account(context).of("customers") if c["email"]}
    users = desk(context).users
    pays = Counter(users[t["requester_id"]]["email"].lower() in emails for t in desk(context).tickets.values())
    assert min(pays[True], pays[False]) > 20


def test_the_same_day_twice_ends_in_the_same_desk_and_the_same_account(context):
    other = Context(limits=False)
    zendesk.build(other)
    stripe.build(other)
    for one in (context, other):
        assert run_day(one, 5, 80, 400, 0).done == 480

    def seen(one):
        tickets = {t["id"]: (t["requester_id"], t["status"], t["priority"], tuple(t["tags"]), t["subject"])
                   for t in desk(one).tickets.values()}  # fmt: skip
        return tickets, [(e["type"], e["data"]["object"]["id"]) for e in account(one).events.values()]

    assert seen(context) == seen(other)


def test_a_full_day_makes_what_the_demo_needs(context):
    told = []
    desk(context).listeners.append(lambda *event: told.append(event[1]))
    progress = run_day(context, 1, seconds=0)
    assert (progress.total, progress.done, progress.running, progress.error) == (1800, 1800, False, "")
    assert progress.skipped < 180
    tickets = desk(context).tickets.values()
    assert len(tickets) == 300
    assert len(told) + len(account(context).events) >= 1500
    assert {t["status"] for t in tickets} >= {"new", "open", "pending", "hold", "solved", "closed"}
    assert any("closed_by_merge" in t["tags"] for t in tickets)
    assert any("vip" in t["tags"] for t in tickets)
    assert {e["type"] for e in account(context).events.values()} >= {
        "invoice.payment_failed", "charge.dispute.created", "payment_method.attached", "refund.created",
        "customer.subscription.updated", "charge.dispute.closed", "invoice.paid"}  # fmt: skip


def test_a_day_is_spread_over_its_seconds_and_can_be_watched(context):
    day = Day(context)
    began = time.monotonic()
    day.start(seed=1, tickets=10, events=40, seconds=1.0)
    with pytest.raises(ValueError, match="running"):
        day.start()
    seen = set()
    while day.progress.running:
        seen.add(day.progress.done)
        assert time.monotonic() - began < 120, "hangs"
        time.sleep(0.01)
    assert len(seen) > 2, "told while it ran"
    assert day.progress.done == day.progress.total == 50
    assert time.monotonic() - began > 0.8


def test_a_day_that_breaks_says_why(context):
    account(context).fail_payment = None
    desk(context).create_ticket = None
    day = Day(context)
    day.start(tickets=1, events=1, seconds=0)
    until = time.monotonic() + 5
    while day.progress.running:
        assert time.monotonic() < until
        time.sleep(0.01)
    assert "TypeError" in day.progress.error


def test_a_burst_makes_its_tickets_with_different_subjects_by_many_people(context):
    assert burst(context, 700).done == 700
    tickets = desk(context).tickets.values()
    assert len({t["subject"] for t in tickets}) == 700
    assert len({t["requester_id"] for t in tickets}) == len(WORLD.people)


def test_the_control_endpoints_start_a_day_and_tell_its_progress(context):
    from sandbox import control

    client = control.build(context).test_client()
    wanted = {"seed": 1, "tickets": 5, "events": 10, "seconds": 0.2}
    assert client.post("/sandbox/control/day", json=wanted).json["total"] == 15
    until = time.monotonic() + 5
    while client.get("/sandbox/control/day").json["running"]:
        assert time.monotonic() < until
        time.sleep(0.02)
    assert client.get("/sandbox/control/day").json["done"] == 15
    customer = account(context).of("subscriptions", status="active")[0]["customer"]
    answer = client.post("/sandbox/control/stripe/act", json={"do": "fail_payment", "args": [customer]}).json
    assert answer["answer"]["status"] == "open"
