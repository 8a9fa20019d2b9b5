"""After what went wrong: a person repairs it, a hold changes, an owner leaves, a rep changes their mind."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.leads import retrying
from app.leads.retrying import NotSendable
from app.leads.store import key_of
from app.notify.models import notice
from app.outbox.models import outbox
from tests.crm_world import SPENT
from tests.lead_scene import DESK


@pytest.fixture
def scene(scene):
    scene.user("005T")
    scene.user("005F")
    return scene


def refused(scene, times=1):
    scene.crm.state.object_to("Opportunity", "FIELD_CUSTOM_VALIDATION_EXCEPTION", "Not in this month.", times)


def again(scene, lead_id):
    with scene.database.begin() as cx:
        retrying.again(cx, lead_id, "per_1")


def notices(scene):
    with scene.database.begin() as cx:
        return [row.kind for row in cx.execute(notice.select())]


def test_what_was_repaired_is_sent_as_it_is_by_now(scene):
    refused(scene)
    scene.signal()
    scene.run()
    assert scene.one().state == "dead"
    scene.signal(step=30)
    scene.run()
    again(scene, scene.one().id)
    scene.run()
    (record,) = scene.crm.records()
    assert (scene.one().state, scene.one().score) == ("pushed", 50)
    assert record.row["Description"].startswith("Why now: 50 points")


def test_what_is_refused_once_more_is_told_once_more(scene):
    refused(scene, 2)
    scene.signal()
    scene.run()
    again(scene, scene.one().id)
    scene.run()
    assert (scene.one().state, notices(scene)) == ("dead", ["lead.dead", "lead.dead"])


def test_a_refused_lead_whose_company_has_another_by_now_says_which(scene):
    refused(scene)
    scene.signal()
    scene.run()
    scene.signal(on="2028-01-15")
    scene.run()
    dead, other = scene.leads()
    assert (dead.state, other.state) == ("dead", "pushed")
    with pytest.raises(NotSendable, match=other.id):
        again(scene, dead.id)


def test_a_hold_that_goes_while_another_stays_changes_what_the_rep_reads(scene):
    scene.signal()
    scene.run()
    scene.hold()
    scene.hold(source_id="dp_2", why="a complaint is open")
    scene.run()
    assert scene.one().why.startswith("A dispute is open.")
    scene.release()
    scene.run()
    (record,) = scene.crm.records()
    assert record.row["Description"].startswith("ON HOLD: A complaint is open. Sales waits")
    assert scene.one().why.startswith("A complaint is open.")
    scene.release("dp_2")
    scene.run()
    assert scene.one().why == ""
    calls = scene.crm.calls("push")
    scene.run()
    assert (scene.crm.calls("push"), scene.one().due_at) == (calls, None)


def test_the_owner_of_a_territory_who_left_is_replaced_too(scene):
    scene.policy(territory__West="005T", fallback_owner="005F")
    scene.user("005T", active=False)
    scene.account(owner="", territory="West", domains=("northwind.example",))
    scene.signal()
    scene.run()
    assert scene.crm.records()[0].row["OwnerId"] == "005F"


def test_a_rep_who_changes_their_mind_and_back_is_noted_each_time(scene):
    scene.asked("7")
    scene.run()
    record = scene.one().object_id
    for verdict in ("Accepted", "Rejected", "Accepted"):
        scene.crm.state.update("Task", record, {"Deskbridge_Verdict__c": verdict})
        assert scene.poll() == 1
    with scene.database.begin() as cx:
        rows = cx.execute(
            sa.select(outbox.c.change).where(outbox.c.connection_id == DESK).order_by(outbox.c.id)
        ).scalars()
        bodies = [note["body"] for change in rows for note in change["notes"]]
    assert [body.split(" the lead")[0] for body in bodies] == ["Sales took up", "Sales turned down", "Sales took up"]


@pytest.mark.parametrize("why", ["before", "limit"])
def test_a_company_that_becomes_known_between_two_tries_gets_what_a_customer_gets(scene, why):
    scene.payer("cus_5", "later.example", name="Later")
    scene.signal(payer="cus_5")
    scene.crm.fail("push", why)
    scene.run()
    assert (scene.one().state, scene.one().account_id, scene.crm.records()) == ("due", "", [])
    scene.crm.heal()
    scene.account("001L", "Later", domains=("later.example",))
    scene.run()
    (record,) = scene.crm.records()
    assert (scene.one().state, scene.one().shape) == ("pushed", "deal")
    assert (record.shape, record.row["AccountId"]) == ("deal", "001L")


def test_a_company_that_is_gone_between_two_tries_is_a_stranger(scene):
    scene.signal()
    scene.crm.fail("push", "before")
    scene.run()
    scene.crm.heal()
    scene.account(at=scene.now + timedelta(hours=1), gone=True)
    scene.run()
    assert [(record.shape, record.key) for record in scene.crm.records()] == [("lead", key_of(scene.one().id))]


def test_what_was_asked_without_an_answer_is_looked_for_as_what_it_was_sent(scene):
    scene.payer("cus_5", "later.example", name="Later")
    scene.signal(payer="cus_5")
    scene.crm.fail("push", "after")
    scene.run()
    assert scene.one().state == "unknown"
    scene.crm.heal()
    scene.account("001L", "Later", domains=("later.example",))
    scene.run()
    (record,) = scene.crm.records()
    assert (record.shape, scene.one().state, scene.one().object_id) == ("lead", "pushed", record.object_id)


@pytest.mark.parametrize("how", ["not reached", "refused"])
def test_what_a_kind_becomes_is_the_policy_of_the_try_that_makes_it(scene, how):
    scene.policy(task_kinds="renewal")
    if how == "refused":
        scene.crm.state.object_to("Task", "FIELD_CUSTOM_VALIDATION_EXCEPTION", "No tasks here.")
    else:
        scene.crm.fail("push", "before")
    scene.signal()
    scene.run()
    lead_id = scene.one().id
    scene.crm.heal()
    scene.policy(task_kinds="risk")
    if how == "refused":
        again(scene, lead_id)
    scene.run()
    assert [record.shape for record in scene.crm.records()] == ["deal"]


def test_a_stranger_who_was_refused_and_is_a_customer_by_now_is_sent_as_one_once_it_is_repaired(scene):
    scene.payer("cus_5", "later.example", name="Later")
    scene.crm.state.object_to("Lead", "FIELD_CUSTOM_VALIDATION_EXCEPTION", "A Contact is there.")
    scene.asked(payer="cus_5")
    scene.run()
    dead = scene.one(state="dead")
    scene.account("001L", "Later", domains=("later.example",))
    scene.gather()
    again(scene, dead.id)
    scene.run()
    (record,) = scene.crm.records()
    assert (record.shape, record.row["WhatId"], scene.one().state) == ("task", "001L", "pushed")


def test_the_task_a_converted_record_became_stays_one(scene):
    scene.payer("cus_n", None, name="Newcomer")
    scene.signal(payer="cus_n")
    scene.run()
    one = scene.one()
    became = scene.crm.state.convert(one.object_id)
    del scene.crm.state.rows["Opportunity"][became["Opportunity"]]
    scene.crm.state.rows["Lead"][one.object_id]["ConvertedOpportunityId"] = None
    scene.signal(payer="cus_n", step=30)
    scene.run()
    scene.run()
    (task,) = scene.crm.records("task")
    assert (scene.one().shape, scene.one().object_id) == ("task", task.object_id)


def test_once_the_crm_takes_no_more_calls_it_is_not_asked_for_the_rest_of_the_run(scene):
    """Also where nothing keeps count of calls: what is left waits, what may be there stays to be looked for."""
    lost = 201
    for number in range(lost + 450):
        scene.payer(f"cus_{number}x", None, name=f"Company {number}", email=f"pay@company{number}.example")
    for number in range(lost):
        scene.signal(payer=f"cus_{number}x")
    scene.gather()
    scene.sql("UPDATE lead SET state = 'unknown', tries = 1, shape = 'lead'")
    for number in range(lost, lost + 450):
        scene.signal(payer=f"cus_{number}x")
    scene.signal("cancellation", "risk")  # of a known company: another shape
    scene.gather()
    scene.crm.fail("push", *["limit"] * 9)
    scene.sql("UPDATE lead SET due_at = NULL WHERE state = 'unknown'")
    scene.push()
    assert scene.crm.calls("push") == 1
    assert {(one.state, one.tries) for one in scene.leads() if one.due_at} == {("due", 0)}
    scene.sql("UPDATE lead SET due_at = now() WHERE state = 'unknown'")
    spent = {"kind": "status", "status": 403, "body": SPENT, "method": "GET", "path": "query"}
    scene.crm.local.simulator.faults.set([spent] * 9)
    scene.push()
    assert (scene.crm.calls("find"), scene.crm.calls("push")) == (1, 1)
    assert Counter(one.state for one in scene.leads()) == {"unknown": lost, "due": 451}
    scene.crm.heal()
    scene.push()
    assert {one.state for one in scene.leads()} == {"pushed"}
    assert len(scene.crm.records()) == lost + 451
