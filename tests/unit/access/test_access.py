"""Who is who: unmapped is viewer, approvers are named, and every change is in the record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from app import access, audit, identity
from app.access import CONSOLE, Login, Role, Staff
from app.access.policy import StaleRole
from app.identity import Requester
from integrations.kernel.errors import InputError, NotAllowed, NotFound

NOW = datetime(2026, 11, 24, tzinfo=UTC)
ANN = Login("con_desk", "11")


def staff(role="agent", custom=None, groups=(), *, active=True, checked_at=NOW):
    return Staff(role, custom, tuple(groups), active, checked_at)


@pytest.fixture
def cx(database):
    with database.begin() as connection:
        yield connection


def role(cx, login=ANN, told=None):
    return access.actor(cx, login, told or staff(), NOW).role


def test_nobody_is_more_than_a_viewer_by_themselves(cx):
    assert role(cx) is Role.VIEWER
    assert role(cx, told=staff("admin")) is Role.VIEWER
    assert access.actor(cx, ANN, None, NOW).role is Role.VIEWER
    assert access.actor(cx, Login(CONSOLE, "root"), None, NOW).role is Role.VIEWER


def test_a_named_person_has_their_role_at_every_login(cx):
    person = access.add_person(cx, "per_0", "Ann", Role.APPROVER)
    access.attach(cx, "per_0", person, ANN)
    access.attach(cx, "per_0", person, Login(CONSOLE, "ann"))
    found = [access.actor(cx, ANN, staff(), NOW), access.actor(cx, Login(CONSOLE, "ann"), None, NOW)]
    assert {(a.person_id, a.role) for a in found} == {(person, Role.APPROVER)}


@pytest.mark.parametrize("told", [None, staff(active=False)])
def test_whom_the_helpdesk_does_not_know_any_more_is_a_viewer(cx, told):
    person = access.add_person(cx, "per_0", "Ann", Role.ADMIN)
    access.attach(cx, "per_0", person, ANN)
    assert access.actor(cx, ANN, told, NOW).role is Role.VIEWER


@pytest.mark.parametrize(("kind", "value", "told"), [
    ("role", "agent", staff()), ("custom_role", "77", staff(custom="77")), ("group", "5", staff(groups=("4", "5"))),
])  # fmt: skip
def test_a_rule_makes_refunders_of_one_helpdesk_only(cx, kind, value, told):
    access.set_rule(cx, "per_0", "con_desk", kind, value, Role.REFUNDER)
    assert role(cx, told=told) is Role.REFUNDER
    assert role(cx, Login("con_other", "11"), told) is Role.VIEWER
    assert role(cx, told=staff("light_agent", "78", ("6",))) is Role.VIEWER


def test_approver_and_admin_are_given_by_name(cx):
    for wanted in (Role.APPROVER, Role.ADMIN):
        with pytest.raises(InputError, match="by name"):
            access.set_rule(cx, "per_0", "con_desk", "role", "agent", wanted)
    with pytest.raises(InputError):
        access.set_rule(cx, "per_0", "con_desk", "colour", "red", Role.VIEWER)
    with pytest.raises(NotFound):
        access.attach(cx, "per_0", "per_nobody", ANN)


@pytest.mark.parametrize(("age_s", "error"), [(0, None), (10, None), (11, StaleRole), (-1, StaleRole)])
def test_a_role_is_as_good_as_its_last_look_up(cx, age_s, error):
    person = access.add_person(cx, "per_0", "Ann", Role.REFUNDER)
    access.attach(cx, "per_0", person, ANN)
    actor = access.actor(cx, ANN, staff(checked_at=NOW - timedelta(seconds=age_s)), NOW)
    if error is None:
        actor.must(Role.REFUNDER, NOW)
    else:
        with pytest.raises(error):
            actor.must(Role.REFUNDER, NOW)
    with pytest.raises(NotAllowed, match="takes the role approver"):
        actor.must(Role.APPROVER, NOW)


def test_every_change_of_people_and_links_is_in_the_record(cx):
    person = access.add_person(cx, "per_0", "Ann", Role.REFUNDER, "ann@desk.example")
    access.attach(cx, "per_0", person, ANN)
    access.set_role(cx, "per_0", person, Role.APPROVER)
    link = identity.link(cx, Requester("con_desk", "ann"), ("con_bill", "cus_1"), "per_1", rung=1)
    assert identity.link(cx, Requester("con_desk", "ann"), ("con_bill", "cus_1"), "per_2", rung=1) == link
    identity.unlink(cx, link, "per_1")
    rows = cx.execute(sa.text("SELECT action FROM audit ORDER BY seq")).scalars().all()
    assert rows == [
        "access.person_added", "access.login_attached", "access.role_set", "identity.linked", "identity.unlinked",
    ]  # fmt: skip
    assert audit.verify(cx).broken is None
    told = cx.execute(sa.text("SELECT string_agg(data::text, '') FROM audit")).scalar_one()
    assert "Ann" not in told
    assert "desk.example" not in told
