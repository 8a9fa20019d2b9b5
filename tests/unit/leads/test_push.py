"""To the CRM: once, in few calls, whatever it answers."""

from __future__ import annotations

import time

import pytest

from app.leads import store_push
from app.leads.answers import End
from app.leads.claiming import claim
from app.leads.states import State
from app.notify.models import notice
from tests.crm_world import CRM
from tests.lead_scene import Scene


@pytest.fixture
def scene(scene):
    scene.user("005T")
    scene.user("005F")
    return scene


def test_a_customers_renewal_is_a_deal_of_the_accounts_owner_and_risk_a_task(scene):
    scene.signal()
    scene.signal("cancellation", "risk")
    scene.run()
    told = {one.shape: one.row for one in scene.crm.records()}
    assert told["deal"]["OwnerId"] == told["task"]["OwnerId"] == "005A"
    assert (told["deal"]["AccountId"], told["task"]["WhatId"]) == ("001A", "001A")
    assert told["deal"]["Amount"] == 5_000
    assert told["deal"]["Name"].startswith("Renewal: Northwind Labs, ")


@pytest.mark.parametrize(
    ("owner", "active", "expected"), [("005A", True, "005A"), ("005A", False, "005F"), ("", True, "005T")]
)
def test_who_owns_it(scene, owner, active, expected):
    scene.policy(territory__West="005T", fallback_owner="005F")
    scene.user("005A", active)
    scene.account(owner=owner, territory="West", domains=("northwind.example",))
    scene.signal()
    scene.run()
    assert scene.crm.records()[0].row["OwnerId"] == expected


def test_nothing_new_is_no_call(scene):
    scene.signal()
    scene.run()
    calls = scene.crm.calls()
    scene.sql("UPDATE lead SET due_at = now()")
    scene.run()
    assert (scene.crm.calls(), scene.one().due_at) == (calls, None)


def test_no_answer_is_looked_for_before_it_is_sent_again(scene):
    scene.crm.fail("push", "after")
    scene.signal()
    scene.run()
    assert (scene.one().state, scene.one().object_id) == ("unknown", "")
    scene.push()
    assert scene.one().state == "pushed"
    assert (scene.crm.calls("find"), len(scene.crm.records())) == (1, 1)


def test_lost_on_the_way_is_sent_again_with_the_same_key(scene):
    scene.crm.fail("push", "lost", "lost")
    scene.signal()
    scene.run()
    for _ in range(3):
        scene.push()
    assert (scene.one().state, scene.crm.calls("find"), len(scene.crm.records())) == ("pushed", 2, 1)


@pytest.mark.parametrize("deed", ["before", "limit"])
def test_not_reachable_waits_and_nothing_is_looked_for(scene, deed):
    scene.crm.fail("push", deed)
    scene.signal()
    scene.run()
    scene.push()
    assert (scene.one().state, scene.crm.calls("find"), len(scene.crm.records())) == ("pushed", 0, 1)


def test_a_duplicate_there_is_linked_followed_and_answered_for(scene):
    written = {"LastName": "Poe", "Company": "Newcomer", "Email": "ann@new.example", "Description": "Met at the fair."}
    theirs = scene.crm.state.create("Lead", written)
    scene.payer("cus_8", None, name="Newcomer", email="ann@new.example")
    scene.asked(payer="cus_8")
    scene.run()
    one = scene.one()
    assert (one.state, one.object_id, len(scene.crm.state.rows["Lead"])) == ("pushed", theirs["Id"], 1)
    scene.asked("9", payer="cus_8")
    scene.run()
    (record,) = scene.crm.records()
    assert (record.object_id, record.key) == (theirs["Id"], one.id.removeprefix("led_"))
    assert record.row["Description"] == "Met at the fair.", "what a rep wrote is the rep's"
    scene.crm.state.reject("Lead", theirs["Id"], "No budget")
    assert scene.poll() == 1
    assert scene.one().verdict == "rejected"


@pytest.mark.parametrize("has_deal", [True, False])
def test_a_converted_record_is_followed_to_its_deal_or_a_task_of_its_account(scene, has_deal):
    scene.payer("cus_8", None, name="Newcomer")
    scene.asked(payer="cus_8")
    scene.run()
    first = scene.one().object_id
    became = scene.crm.state.convert(first)
    if not has_deal:  # the rep ticked that none is wanted
        del scene.crm.state.rows["Opportunity"][became["Opportunity"]]
        scene.crm.state.rows["Lead"][first]["ConvertedOpportunityId"] = None
    scene.asked("9", payer="cus_8")
    scene.run()
    scene.push()
    one = scene.one()
    assert (one.state, one.shape, one.account_id) == ("pushed", "deal" if has_deal else "task", became["Account"])
    assert one.object_id == (became["Opportunity"] if has_deal else scene.crm.records("task")[0].object_id)


def test_refused_is_dead_with_its_sentence_and_an_alert_and_does_not_stop_others(scene):
    scene.signal()
    scene.gather()
    scene.crm.state.delete("Account", "001A")
    scene.account("001N", "Other", external_id="cus_9")
    scene.payer("cus_9", None, name="Other")
    scene.signal(payer="cus_9")
    scene.run()
    told = {one.account_id: (one.state, one.why) for one in scene.leads()}
    assert told["001N"] == ("pushed", "")
    assert told["001A"][0] == "dead"
    assert told["001A"][1].startswith("The record, or the account it belongs to, was deleted in Salesforce.")
    assert told["001A"][1].endswith("(ENTITY_IS_DELETED)")
    with scene.database.begin() as cx:
        assert [row.kind for row in cx.execute(notice.select())] == ["lead.dead"]


def test_again_backs_off_and_gives_up_in_the_end(scene):
    scene.signal()
    scene.gather()
    scene.crm.state.locked.add("001A")
    for _ in range(11):
        scene.push()
    assert (scene.one().state, scene.one().tries) == ("due", 11)
    scene.push()
    assert scene.one().state == "dead"


def test_tickets_that_come_within_half_a_minute_share_a_call(scene):
    for n in range(5):
        scene.payer(f"cus_t{n}", None, name=f"Company {n}", email=f"ann@company{n}.example")
        scene.asked(str(n), payer=f"cus_t{n}")
        scene.gather()
    assert scene.pusher.drain() == 0  # none is due yet
    scene.sql("UPDATE lead SET due_at = now() WHERE ticket_id = '0'")
    assert scene.pusher.drain() == 5
    assert scene.crm.calls("push") == 1


def many(scene, number):
    scene.user("005A")
    for n in range(1, number + 1):
        scene.crm.has("Account", f"001x{n}", Name=f"Company {n}", OwnerId="005A")
    scene.sql(
        "INSERT INTO crm_account (connection_id, id, as_of, name, external_id, owner_id)"
        " SELECT 'con_crm', '001x' || n, now(), 'Company ' || n, 'many' || n, '005A' FROM generate_series(1, :n) n", n=number)  # fmt: skip
    scene.sql(
        "INSERT INTO lead_signal (subject, kind, name, source, period, payer_connection_id, payer_id, facts, digest, happened_at)"
        " SELECT 'payer:bank:many' || n, 'renewal', 'renewal', 'sub' || n, '2027-01-15', 'bank', 'many' || n,"
        " CAST('{\"on\": \"2027-01-15\", \"step\": 30}' AS jsonb), 'd', now() FROM generate_series(1, :n) n", n=number)  # fmt: skip


def pushed(scene):
    """Push until everything is there: a job takes its time."""
    for _ in range(200):
        scene.push()
        if {one.state for one in scene.leads()} == {"pushed"}:
            return
        time.sleep(0.05)
    raise AssertionError({one.state for one in scene.leads()})


def test_many_of_one_shape_go_as_one_job(database, org):
    scene = Scene(database, org=org, bulk_over=20)
    many(scene, 50)
    scene.gather()
    scene.crm.state.pause_jobs()
    scene.push()
    assert {one.state for one in scene.leads()} == {"sending"}
    scene.crm.state.pause_jobs(False)
    pushed(scene)
    assert (scene.crm.calls("bulk"), scene.crm.calls("push"), len(scene.crm.records())) == (1, 0, 50)


def test_a_job_nobody_answered_for_is_looked_for(database, org):
    scene = Scene(database, org=org, bulk_over=20)
    many(scene, 30)
    scene.gather()
    scene.crm.fail("bulk", "after")
    pushed(scene)
    assert len(scene.crm.records()) == 30


def test_just_under_the_bulk_limit_in_calls_of_two_hundred(database, org):
    scene = Scene(database, org=org)
    many(scene, 1000)
    scene.gather()
    scene.push()
    assert (scene.crm.calls("push"), scene.crm.calls()) == (5, 5)
    assert {one.state for one in scene.leads()} == {"pushed"}


def test_more_than_two_thousand_go_as_a_job_and_cost_a_dozen_calls(database, org):
    """Job, its polls and the calls that look included; bench/lead_push counts those of ten thousand."""
    scene = Scene(database, org=org)
    many(scene, 2_600)
    scene.sql("UPDATE lead_signal SET name = 'limit_hit', kind = 'expansion' WHERE id % 10 = 0")
    scene.sql("UPDATE lead_signal SET name = 'cancellation', kind = 'risk' WHERE id % 100 = 1")
    scene.gather()
    pushed(scene)
    assert len(scene.crm.records()) == 2_600
    assert (scene.crm.calls("bulk"), scene.crm.calls("push")) == (1, 1)
    assert scene.crm.calls() - scene.crm.calls("bulk_state") <= 12, org.local.calls()


def test_who_was_away_too_long_writes_nothing_over_who_took_it_over(scene):
    scene.signal()
    scene.gather()
    scene.soon()
    (slow,), _ = claim(scene.ctx, CRM)
    scene.lapse()
    with scene.database.begin() as cx:
        store_push.lapsed(cx, 10)
    (quick,), _ = claim(scene.ctx, CRM)
    scene.pusher._end([(slow, End(State.DEAD, "Too late."))])
    assert (scene.one().state, scene.one().token) == ("unknown", quick.token)
    scene.pusher._shape([quick])
    assert (scene.one().state, len(scene.crm.records())) == ("pushed", 1)
