"""A record sales had answered before a duplicate rule made it stand for a lead: its old answer is none on the lead."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.admin.story import story
from app.leads import reading
from app.leads.report import records
from app.leads.verdict import ALREADY, mark
from app.outbox.models import outbox
from app.telemetry.failpoints import Struck, arm
from app.ui.words import reader
from tests.lead_scene import Scene

CLOSED = "Closed - Not Converted"
THEIRS = {"LastName": "Poe", "Company": "Newcomer", "Email": "ann@new.example", "Description": "Met at the fair."}


@pytest.fixture
def scene(database, org):
    made = Scene(database, org=org)
    made.payer("cus_8", None, name="Newcomer", email="ann@new.example")
    return made


def linked(scene, **values):
    """Theirs, as a rep left it, and a lead it was made to stand for."""
    theirs = scene.crm.state.create("Lead", {**THEIRS, **values})["Id"]
    scene.asked(payer="cus_8")
    scene.run()
    scene.run()
    assert scene.one().object_id == theirs
    return theirs


def no_verdict(scene):
    one = scene.one()
    with scene.database.begin() as cx:
        noted = [note for told in cx.execute(sa.select(outbox.c.change)).scalars() for note in told.get("notes", ())]
    assert (one.state, one.verdict, noted) == ("pushed", "", [])
    return one


def sent_again(scene):
    """As where an admin gave us fields: without one there is nothing to write in a rep's record."""
    scene.sql("UPDATE lead SET due_at = now(), pushed_digest = '', theirs = false")
    scene.push()


def page(scene):
    lead_id = scene.one().id
    with scene.database.begin() as cx:
        row = reading.one(cx, lead_id)
        return story(cx, row, reader("en", "UTC", scene.now)), records(cx, scene.now - timedelta(days=1))


@pytest.mark.parametrize("status", ["Open - Not Contacted", CLOSED])
def test_what_a_record_said_is_read_with_the_call_that_links_it(scene, status):
    linked(scene, Status=status)
    assert (scene.crm.calls("find"), scene.crm.calls("push")) == (1, 2)  # refused, our key


def test_an_old_answer_is_no_verdict_and_is_told(scene):
    linked(scene, Status=CLOSED)
    assert scene.poll() == 0
    no_verdict(scene)
    told, counted = page(scene)
    assert told.why == ALREADY
    assert [step.detail for step in told.steps if ALREADY in step.detail]
    assert counted == []
    assert scene.poll() == 0


def test_what_a_rep_changes_after_it_counts(scene):
    theirs = linked(scene, Status=CLOSED)
    scene.crm.state.reject("Lead", theirs, "No budget")  # before the first poll
    assert scene.poll() == 1
    assert (scene.one().state, scene.one().verdict, scene.one().verdict_reason) == ("closed", "rejected", "No budget")
    told, counted = page(scene)
    assert told.why == ""
    assert {(one.sent, one.rejected) for one in counted} == {(1, 1)}


def test_opened_again_the_same_answer_is_a_new_one(scene):
    theirs = linked(scene, Status=CLOSED)
    scene.poll()
    scene.crm.state.update("Lead", theirs, {"Status": "Working - Contacted"})
    assert scene.poll() == 0
    told, counted = page(scene)
    assert (told.why, {one.sent for one in counted}) == ("", {1})
    scene.crm.state.update("Lead", theirs, {"Status": CLOSED})
    assert scene.poll() == 1
    assert (scene.one().verdict, scene.one().verdict_reason) == ("rejected", CLOSED)


def test_where_it_was_not_seen_when_it_was_linked_the_first_reading_tells(scene):
    theirs = linked(scene, Status=CLOSED)
    assert mark(None) == {"linked": True, "followed": True}
    scene.sql("""UPDATE lead SET standing = '{"linked": true}'""")
    assert scene.poll() == 0
    no_verdict(scene)
    assert [tuple(one) for one in scene.steps(scene.one().id)].count(("answered before", ALREADY)) == 1
    scene.crm.state.reject("Lead", theirs, "No budget")
    assert scene.poll() == 1


@pytest.mark.parametrize("by", ["poll", "push"])
def test_of_one_converted_before_the_deal_is_followed_and_its_old_win_is_no_verdict(scene, by):
    theirs = linked(scene)
    deal = scene.crm.state.convert(theirs)["Opportunity"]
    scene.crm.state.win(deal, 990.0)
    scene.sql("""UPDATE lead SET standing = '{"before": {"verdict": "accepted", "reason": ""}}'""")
    if by == "push":
        sent_again(scene)
        assert scene.one().object_id == deal
    assert scene.poll() == 0
    assert no_verdict(scene).object_id == deal
    assert page(scene)[0].why == ALREADY
    scene.crm.state.lose(deal)
    assert scene.poll() == 1
    assert scene.one().verdict == "lost"


def test_a_task_made_anew_of_a_record_answered_before_is_answered_as_any(scene):
    theirs = linked(scene)
    became = scene.crm.state.convert(theirs)
    del scene.crm.state.rows["Opportunity"][became["Opportunity"]]
    scene.crm.state.rows["Lead"][theirs]["ConvertedOpportunityId"] = None
    scene.sql("""UPDATE lead SET standing = '{"before": {"verdict": "accepted", "reason": ""}}'""")
    sent_again(scene)
    scene.push()
    assert scene.one().shape == "task"
    scene.crm.state.complete(scene.one().object_id)
    assert scene.poll() == 1
    assert scene.one().verdict == "accepted"


def dies_in_between(scene):
    """The CRM has it, and the worker that sent it did not live to write so."""
    scene.asked(payer="cus_8")
    scene.gather()
    arm("lead.send.after_call=raise")
    with pytest.raises(Struck):
        scene.push()
    arm("")
    assert scene.one().object_id == ""


def test_a_worker_that_dies_with_our_key_on_a_record_of_theirs_leaves_no_verdict_and_no_text(scene):
    theirs = scene.crm.state.create("Lead", {**THEIRS, "Status": CLOSED})["Id"]
    dies_in_between(scene)
    assert scene.poll() == 0
    scene.lapse()
    scene.run()
    scene.run()
    assert scene.poll() == 0
    assert no_verdict(scene).object_id == theirs
    assert page(scene)[0].why == ALREADY
    assert scene.crm.state.rows["Lead"][theirs]["Description"] == "Met at the fair."


def test_a_verdict_on_our_record_is_heard_before_the_worker_that_made_it_tells(scene):
    dies_in_between(scene)
    ours = scene.crm.records()[0].object_id
    scene.crm.state.reject("Lead", ours, "No budget")
    assert scene.poll() == 1
    assert (scene.one().object_id, scene.one().verdict, scene.one().theirs) == (ours, "rejected", False)
