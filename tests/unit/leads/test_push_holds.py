"""The wrong moment: held with its reason, released, dropped when it took too long; and ON HOLD after it was sent."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta

import pytest

from app.leads.push import LOOKS, Pusher
from tests.crm_world import CRM
from tests.lead_scene import Scene


@pytest.fixture
def scene(database, org):
    made = Scene(database, org=org)
    made.account(domains=("northwind.example",))
    made.payer("cus_1", "northwind.example")
    return made


def test_a_lead_is_held_while_a_dispute_of_its_payer_is_open_and_goes_out_after_it(scene):
    scene.hold()
    scene.signal()
    scene.run()
    one = scene.one()
    assert (one.state, one.why) == ("held", "A dispute is open. Sales waits until the dispute is closed.")
    scene.release()
    scene.run()
    assert scene.one().state == "pushed"


def test_another_payer_of_the_same_account_holds_it_too(scene):
    scene.payer("cus_2", "northwind.example")
    scene.hold("cus_2")
    scene.signal()
    scene.run()
    assert (scene.one().state, scene.crm.calls()) == ("held", 0)


def test_a_stranger_holds_nobody(scene):
    scene.payer("cus_9", "stranger.example", name="Stranger")
    scene.hold("cus_9")
    scene.signal()
    scene.run()
    assert scene.one().state == "pushed"


def test_held_too_long_is_dropped_and_never_sent_by_it(scene):
    on = (scene.now + timedelta(days=60)).date().isoformat()
    scene.hold()
    scene.signal(on=on)
    scene.run()
    scene.now += timedelta(days=31)
    scene.run()
    assert (scene.one().state, scene.crm.calls()) == ("dropped", 0)
    assert scene.one().why.startswith("Held for 30 days")
    scene.signal(step=30, on=on)
    scene.release()
    scene.run()
    assert (scene.one().state, scene.crm.calls()) == ("dropped", 0)


def test_a_hold_that_opens_between_due_and_sending_is_seen(scene):
    scene.signal()
    scene.gather()
    assert scene.one().state == "due"
    scene.hold()
    scene.push()
    assert (scene.one().state, scene.crm.calls()) == ("held", 0)


def test_after_it_was_sent_on_hold_stands_first_and_is_removed(scene):
    scene.signal()
    scene.run()
    scene.hold()
    scene.run()
    (record,) = scene.crm.records()
    assert record.row["Description"].startswith("ON HOLD: A dispute is open. Sales waits until")
    assert scene.one().pushed_hold
    scene.release()
    scene.run()
    (record,) = scene.crm.records()
    assert record.row["Description"].startswith("Why now")
    assert not scene.one().pushed_hold
    assert [what for what, _ in scene.steps(scene.one().id)] == [
        "found", "due", "pushed", "on hold", "pushed", "hold released", "pushed",
    ]  # fmt: skip


def test_what_sales_accepts_on_hold_is_closed_once_the_record_is_rid_of_it(scene):
    scene.asked("7")
    scene.run()
    scene.hold()
    scene.run()
    scene.crm.state.accept("Task", scene.one().object_id)
    assert scene.poll() == 1
    assert (scene.one().verdict, scene.one().state) == ("accepted", "pushed")
    scene.release()
    scene.run()
    (record,) = scene.crm.records()
    assert record.row["Description"].startswith("Why now")
    assert (scene.one().state, scene.one().pushed_hold) == ("closed", False)
    assert scene.poll() == 0


@pytest.mark.parametrize("gathered", [True, False])
def test_what_never_arrived_is_not_made_while_a_hold_stands_and_once_after_it(scene, gathered):
    scene.signal()
    scene.gather()
    scene.crm.fail("push", "lost")
    scene.push()
    assert (scene.one().state, scene.crm.records()) == ("unknown", [])
    scene.hold()
    if gathered:
        scene.gather()
    looks, pushes = scene.crm.calls("find"), scene.crm.calls("push")
    scene.push()
    one = scene.one()
    assert (one.state, one.due_at, scene.crm.records()) == ("held", None, [])
    assert one.why == "A dispute is open. Sales waits until the dispute is closed."
    assert (scene.crm.calls("find"), scene.crm.calls("push")) == (looks + 1, pushes)
    scene.release()
    scene.run()
    (record,) = scene.crm.records()
    assert (scene.one().state, record.key) == ("pushed", one.id.removeprefix("led_"))
    assert record.row["Description"].startswith("Why now")


def test_what_did_arrive_is_found_while_a_hold_stands_and_says_so(scene):
    scene.signal()
    scene.gather()
    scene.crm.fail("push", "after")
    scene.push()
    scene.hold()
    scene.run()
    (record,) = scene.crm.records()
    assert (scene.one().state, scene.one().object_id) == ("pushed", record.object_id)
    assert record.row["Description"].startswith("ON HOLD: A dispute is open.")


@pytest.fixture
def given_up(database, org):
    """given_up() -> a scene whose one lead was in a job that the CRM did not finish in time, and still has."""

    def make():
        scene = Scene(database, org=org, bulk_over=0)
        scene.account(domains=("northwind.example",))
        scene.payer("cus_1", "northwind.example")
        org.state.pause_jobs()
        scene.signal()
        scene.run()
        scene.sql("UPDATE lead SET tries = :n, due_at = now()", n=LOOKS)
        scene.ctx = replace(scene.ctx, bulk_over=2000)
        scene.pusher = Pusher(scene.ctx, CRM)
        return scene

    yield make
    org.state.pause_jobs(False)


def test_a_job_that_is_given_up_never_takes_on_hold_off_later(given_up):
    scene = given_up()
    for _ in range(3):  # given up, looked for, made
        scene.push()
    assert (scene.one().state, len(scene.crm.records())) == ("pushed", 1)
    scene.hold()
    scene.run()
    scene.crm.state.pause_jobs(False)
    time.sleep(0.5)
    (record,) = scene.crm.records()
    assert record.row["Description"].startswith("ON HOLD")


def test_a_job_that_is_given_up_and_cannot_be_aborted_is_given_up_all_the_same(given_up):
    scene = given_up()
    deed = {"kind": "status", "status": 503, "method": "PATCH", "path": "jobs/ingest"}
    scene.crm.local.simulator.faults.set([deed])
    scene.push()
    assert scene.one().job_id == ""
    for _ in range(3):
        scene.push()
    assert (scene.one().state, len(scene.crm.records())) == ("pushed", 1)
