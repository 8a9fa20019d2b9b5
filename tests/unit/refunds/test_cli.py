"""The operator's commands, run as they are run."""

from __future__ import annotations

import json

import pytest

from app.config import load
from app.connections import Connections
from app.refunds import State
from integrations import registry
from sandbox.stripe.simulator import API_KEY


def test_a_policy_is_set_and_shown_and_recorded(run):
    done = run("policy", "set", "enabled=yes", "limit.refunder.EUR=5000/20000")
    assert done.exit_code == 0, done.output
    shown = json.loads(run("policy", "show").output)
    assert shown["limits"]["refunder"]["EUR"] == {"per_refund": 5000, "per_day": 20000}
    assert "policy.set" in run("audit", "export").output
    assert "Not understood: limit.x=1" in run("policy", "set", "limit.x=1").output


def test_refunds_are_listed_and_shown_step_by_step(run, world):
    intent = world.request(world.charge(), 1000)
    assert f"{intent.id}  reserved" in run("refunds", "list").output
    world.drain()
    shown = run("refunds", "show", intent.id).output
    assert [line.split()[3] for line in shown.splitlines()[2:]] == [
        "refund.proposed", "refund.reserved", "refund.sending", "refund.succeeded",
    ]  # fmt: skip
    assert intent.id in run("refunds", "list", "--state", State.SUCCEEDED.value).output
    assert run("refunds", "show", "rfd_x").exit_code == 1
    assert "was not held" in run("refunds", "release", "con_bill").output


def test_verify_says_how_many_rows_fit_and_exits_with_1_when_one_does_not(run, world):
    head = run("audit", "verify").output.split()[-1]
    assert run("audit", "verify", "--head", head).exit_code == 0
    broken = run("audit", "verify", "--head", head.split(":")[0] + ":" + "0" * 64)
    assert broken.exit_code == 1
    assert "copied outside" in broken.output
    assert all(json.loads(line) for line in run("audit", "export", "--json").output.splitlines())


@pytest.fixture
def connected(world, run):
    """The connection itself, so that commands may ask the vendor."""
    connections = Connections(world.database, load({}).keys)
    connections.add(
        registry.by_slug("stripe"), "Bank", {"limits": "off"}, {"api_key": [API_KEY], "webhook_secret": ["whsec_x"]},
        connection_id="con_bill", base_url=world.stripe.url,
    )  # fmt: skip
    return run


def test_one_refund_is_looked_for_and_what_is_there_is_not_called_unsent(connected, world):
    intent = world.request(world.charge(), 500)  # made, and answered with 500
    world.drain()
    assert world.state(intent.id) is State.UNKNOWN
    assert f"{intent.id} is succeeded." in connected("refunds", "look", intent.id).output
    refused = connected("refunds", "resolve", intent.id, "--not-sent", "--by", "ops", "--why", "gone")
    assert (refused.exit_code, f"{intent.id} is succeeded" in refused.output) == (1, True)


def test_the_books_say_what_differs_and_exit_with_1(connected, world):
    charge = world.charge()
    world.request(charge, 1000)
    world.drain()
    world.stripe.state.refund(charge, 100, metadata={"intent_id": "rfd_of_a_lost_database"})
    done = connected("refunds", "reconcile", "--connection", "con_bill", "--days", "1", "--json")
    assert done.exit_code == 1, done.output
    told = json.loads(done.output.splitlines()[0])
    assert (told["agree"], told["recorded"]) == (False, {"USD": 1000})
    assert len(told["strangers"]) >= 1
    assert "THE BOOKS DIFFER" in connected("refunds", "reconcile", "--days", "1").output


def request(run, charge, amount, by, *more):
    where = ("--connection", "con_bill", "--helpdesk", "con_desk", "--ticket", "7", "--amount", amount, "--by", by)
    return run("refunds", "request", charge, *where, *more)


def test_a_named_person_asks_and_another_one_approves(connected, world):
    world.policy(limit__refunder__USD="1000/9000")
    for name, role in (("bea", "refunder"), ("eve", "approver")):
        assert connected("people", "add", name, "--role", role, "--login", f"console:{name}").exit_code == 0
    plain = json.loads(request(connected, world.charge(), "5.01", "bea", "--json").output)
    assert (plain["state"], plain["amount"]) == ("reserved", 501)
    over = json.loads(request(connected, world.charge(), "10.01", "bea", "--json").output)
    assert over["state"] == "awaiting_approval"
    assert "takes the role approver" in connected("refunds", "approve", over["id"], "--by", "bea").output
    assert "Only who asked for it" in connected("refunds", "void", over["id"], "--by", "eve").output
    done = connected("refunds", "approve", over["id"], "--by", "eve")
    assert (done.exit_code, f"{over['id']} is reserved." in done.output) == (0, True), done.output
    assert "approved meanwhile" in connected("refunds", "void", over["id"], "--by", "bea").output
    third = json.loads(request(connected, world.charge(), "10.02", "bea", "--json").output)
    done = connected("refunds", "void", third["id"], "--by", "bea")
    assert (done.exit_code, done.output) == (0, f"{third['id']} is voided. Taken back.\n")
    world.drain()
    assert {world.state(plain["id"]), world.state(over["id"])} == {State.SUCCEEDED}
    listed = connected("refunds", "list", "--state", "succeeded", "--json").output.splitlines()
    assert {json.loads(line)["id"] for line in listed} == {plain["id"], over["id"]}
    shown = connected("refunds", "show", over["id"]).output
    assert "refund.awaiting_approval" in shown


def test_nobody_and_who_may_not_ask_for_nothing(connected, world):
    charge = world.charge()
    for by in ("", "nobody", "admin"):
        done = request(connected, charge, "5.01", by)
        assert (done.exit_code, "takes the role refunder" in done.output) == (1, True)
    assert connected("refunds", "list").output == "No refund is on its way.\n"
    assert connected("refunds", "approve", "rfd_x", "--by", "nobody").exit_code == 1
