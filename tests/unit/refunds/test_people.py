"""Who is who, by the operator's commands: nobody becomes two people who approve each other."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app import access
from app.access import Login, Role, Staff
from app.config import load
from app.connections import Connections
from app.refunds import State
from integrations import registry
from integrations.kernel.clock import utc_now
from tests.refund_world import DESK


@pytest.fixture
def run(run, world):
    """With the helpdesk and the bank of the world stored."""
    connections = Connections(world.database, load({}).keys)
    desk = {"subdomain": "acme", "client_id": "deskbridge", "limits": "off"}
    connections.add(
        registry.by_slug("zendesk"), "Desk", desk, {"client_secret": ["s"], "webhook_secret": ["w"]}, connection_id=DESK
    )
    connections.add(
        registry.by_slug("stripe"), "Bank", {"limits": "off"}, {"api_key": ["rk_live_x"], "webhook_secret": ["whsec_x"]},
        connection_id="con_bill",
    )  # fmt: skip
    return run


def refused(done, *told):
    assert (done.exit_code, [one for one in told if one not in done.output]) == (1, []), done.output
    assert "Traceback" not in done.output


def actions(world):
    with world.database.begin() as cx:
        found = cx.execute(sa.text("SELECT action FROM audit WHERE action LIKE 'access.%' ORDER BY seq"))
        return [action.removeprefix("access.") for action in found.scalars()]


def test_people_are_named_and_listed(run):
    done = run("people", "add", "Ann", "--role", "approver", "--login", "con_desk:11")
    assert done.exit_code == 0, done.output
    assert run("people", "role", done.output.split()[0], "admin").exit_code == 0
    assert "admin     Ann                      con_desk:11" in run("people", "list").output
    assert run("people", "rule", "con_desk", "group", "5", "refunder").exit_code == 0


def test_who_is_named_a_second_time_is_not_a_second_person(run, world):
    world.policy(limit__refunder__USD="5000/20000", limit__approver__USD="20000/100000")
    first = run("people", "add", "Eve", "--role", "refunder", "--login", f"{DESK}:77").output.split()[0]
    refused(run("people", "add", " eVE ", "--role", "approver", "--login", "console:eve"), first, "flask people login")
    assert run("people", "login", "Eve", "console:eve").exit_code == 0
    assert run("people", "role", "Eve", "approver").exit_code == 0
    with world.database.begin() as cx:
        asking = access.actor(
            cx, Login(DESK, "77"), Staff("agent", None, (), active=True, checked_at=utc_now()), utc_now()
        )
    intent = world.request(world.charge(30_000), 25_000, asking)
    assert intent.state is State.AWAITING_APPROVAL
    refused(run("refunds", "approve", intent.id, "--by", "eve"))
    assert world.state(intent.id) is State.AWAITING_APPROVAL
    assert actions(world) == ["person_added", "login_attached", "login_attached", "role_set"]


def test_a_name_or_an_address_that_is_taken_takes_a_word_more(run):
    assert run("people", "add", "Eve", "--email", "eve@acme.example").exit_code == 0
    refused(run("people", "add", "Eva", "--email", "EVE@acme.example"), "eve@acme.example", "--another")
    refused(run("people", "add", "Eve"), "--another")
    assert run("people", "add", "Eve", "--another").exit_code == 0
    refused(run("people", "login", "Eve", "console:eve"), "2 people are called 'Eve'")


def test_a_login_is_attached_and_taken_away_later(run, world):
    eve = run("people", "add", "Eve", "--email", "eve@acme.example").output.split()[0]
    assert run("people", "add", "Bea", "--login", "console:bea").exit_code == 0
    for person, login in ((eve, f"{DESK}:12"), ("Eve", "console:eve"), ("eve@acme.example", f"{DESK}:13")):
        assert run("people", "login", person, login).exit_code == 0
    listed = run("people", "list").output
    assert all(login in listed for login in (f"{DESK}:12", f"{DESK}:13", "console:eve", "eve@acme.example"))
    refused(run("people", "login", "Bea", f"{DESK}:12"), "Eve", "--remove")
    refused(run("people", "login", "Bea", f"{DESK}:12", "--remove"), "not a login of")
    assert run("people", "login", "Eve", f"{DESK}:12", "--remove").exit_code == 0
    assert f"{DESK}:12" not in run("people", "list").output
    assert run("people", "login", "Bea", f"{DESK}:12", "--by", "per_1").exit_code == 0
    assert actions(world)[-2:] == ["login_removed", "login_attached"]
    assert run("audit", "verify").exit_code == 0


@pytest.mark.parametrize(("login", "told"), [
    ("12", "CONNECTION:ID"), ("con_desk:", "CONNECTION:ID"), (":12", "CONNECTION:ID"), ("console: ", "CONNECTION:ID"),
    ("con_typo:12", "flask connections list"), ("con_bill:12", "no helpdesk"),
])  # fmt: skip
def test_a_login_of_nowhere_is_refused_and_nothing_is_left(run, login, told):
    refused(run("people", "add", "Ann", "--login", "con_desk:11", "--login", login), told)
    assert "Nobody is named yet" in run("people", "list").output
    assert run("people", "add", "Ann").exit_code == 0
    refused(run("people", "login", "Ann", login), told)


def test_a_login_that_is_somebody_elses_is_refused_when_a_person_is_added(run):
    assert run("people", "add", "Eve", "--login", "con_desk:12").exit_code == 0
    refused(run("people", "add", "Ann", "--login", "con_desk:12"), "Eve", "--remove")
    assert "Ann" not in run("people", "list").output


def test_a_rule_is_for_a_helpdesk_that_is_there(run):
    refused(run("people", "rule", "con_typo", "role", "agent", "refunder"), "con_typo", "flask connections list")
    refused(run("people", "rule", "con_bill", "role", "agent", "refunder"), "no helpdesk")
    refused(run("people", "rule", "console", "role", "agent", "refunder"), "console")


def test_an_address_is_given_later_and_is_nobody_elses(run, world):
    assert run("people", "add", "Eve", "--role", "approver").exit_code == 0
    assert run("people", "add", "Bea", "--email", "bea@acme.example").exit_code == 0
    assert run("people", "email", "Eve", "eve@acme.example").exit_code == 0
    with world.database.begin() as cx:
        assert list(access.emails(cx, Role.APPROVER).values()) == ["eve@acme.example"]
    refused(run("people", "email", "Eve", "Bea@acme.example"), "Bea")
    for wrong in (
        "eve",
        "eve@",
        "@acme.example",
        "a b@acme.example",
        "a@b@c",
        "eve@acme.example\nBcc: x@y.example",
        "",
    ):
        refused(run("people", "email", "Eve", wrong), "such as")
        refused(run("people", "add", "Ann", f"--email={wrong}"), "such as")
    assert run("people", "email", "Eve", "EVE@acme.example").exit_code == 0, "it is her own"
    assert run("people", "email", "Eve", "none").exit_code == 0
    with world.database.begin() as cx:
        assert access.emails(cx, Role.APPROVER) == {}
        told = cx.execute(sa.text("SELECT string_agg(data::text, '') FROM audit")).scalar_one()
    assert "acme.example" not in told
    assert actions(world).count("email_set") == 3
    assert run("audit", "verify").exit_code == 0
