"""A person said the wrong company and takes it back: what was not sent leaves it, with what was seen, and nothing else does."""

from __future__ import annotations

import pytest

from app.leads import review
from tests.crm_world import CRM

CUS_4 = "payer:bank:cus_4"


@pytest.fixture
def scene(scene):
    """One more payer, known to the CRM by its name only."""
    scene.account("001R", "Reseller", owner="005R")
    scene.payer("cus_4", None, name="Reseller")
    return scene


def link(scene, lead, account_id):
    with scene.database.begin() as cx:
        review.link(cx, lead.id, CRM, account_id, "per_1")


def forget(scene, lead):
    with scene.database.begin() as cx:
        review.forget(cx, lead.id, "per_1")


def linked(scene, account_id="001R", **facts):
    """A lead of cus_4 that a person said the company of."""
    scene.signal(payer="cus_4", **facts)
    scene.gather()
    waits = scene.one(subject=CUS_4)
    assert waits.state == "review"
    link(scene, waits, account_id)
    scene.gather()
    return waits


def test_a_held_lead_waits_for_an_answer_again_and_is_not_sent_when_the_hold_is_released(scene):
    scene.hold("cus_4")
    one = linked(scene)
    assert (scene.one().state, scene.one().account_id) == ("held", "001R")
    forget(scene, one)
    scene.release()
    scene.run()
    assert [(lead.id, lead.state, lead.account_id) for lead in scene.leads()] == [(one.id, "review", "")]
    assert scene.crm.records() == []
    link(scene, one, "001A")
    scene.run()
    assert [record.row["AccountId"] for record in scene.crm.records()] == ["001A"]


def test_a_lead_that_is_due_is_not_sent_before_the_next_run_either(scene):
    one = linked(scene)
    scene.crm.fail("push", "before")
    scene.push()
    scene.crm.heal()
    assert scene.one().state == "due"
    forget(scene, one)
    scene.push()
    assert scene.crm.records() == []
    scene.run()
    assert (scene.one().state, scene.one().account_id) == ("review", "")


def test_what_was_sent_stays_where_it_is_with_what_is_seen_later(scene):
    one = linked(scene)
    scene.push()
    forget(scene, one)
    scene.run()
    scene.signal(payer="cus_4", step=30)
    scene.run()
    assert (scene.one().state, scene.one().account_id, scene.one().score) == ("pushed", "001R", 50)
    assert len(scene.crm.records()) == 1


def test_what_went_over_to_another_lead_of_the_company_leaves_it(scene):
    scene.hold()
    scene.signal()
    scene.gather()
    theirs = scene.one()
    one = linked(scene, "001A", step=30)
    assert {lead.id: lead.state for lead in scene.leads()} == {theirs.id: "held", one.id: "dropped"}
    assert scene.one(id=theirs.id).score == 50
    forget(scene, one)
    scene.run()
    assert {lead.id: lead.state for lead in scene.leads()} == {theirs.id: "held", one.id: "review"}
    assert scene.one(id=theirs.id).score == 33


def test_what_is_due_with_what_went_over_to_it_is_judged_before_it_is_sent(scene):
    scene.crm.fail("push", "before")
    scene.signal()
    scene.run()
    scene.crm.heal()
    theirs = scene.one()
    one = linked(scene, "001A", step=30)
    forget(scene, one)
    scene.push()
    assert scene.crm.records() == []
    scene.run()
    (record,) = scene.crm.records()
    assert record.row["Description"].startswith("Why now: 33 points")
    assert {lead.id: lead.state for lead in scene.leads()} == {theirs.id: "pushed", one.id: "review"}


def test_what_others_of_the_company_had_seen_stays_with_the_company(scene):
    scene.hold("cus_4")
    one = linked(scene, "001A", step=30)
    scene.signal()
    scene.gather()
    assert (scene.one().id, scene.one().company) == (one.id, f"account:{CRM}:001A")
    forget(scene, one)
    scene.release()
    scene.run()
    assert {(lead.subject, lead.account_id, lead.state, lead.score) for lead in scene.leads()} == {
        (CUS_4, "", "review", 50), ("payer:bank:cus_1", "001A", "pushed", 33),
    }  # fmt: skip


def test_a_lead_that_has_no_place_to_go_back_to_gives_what_was_seen_to_the_one_that_has_it(scene):
    scene.hold("cus_4")
    one = linked(scene)
    scene.sql("""INSERT INTO lead (id, company, subject, kind, period, state, crm_id, shape, object_id, pushed_at)
        SELECT 'led_0', subject, subject, kind, 'before', 'pushed', crm_id, 'lead', '00Q', now() FROM lead""")
    forget(scene, one)
    scene.gather()
    assert {lead.id: (lead.state, lead.company) for lead in scene.leads()} == {
        "led_0": ("pushed", CUS_4), one.id: ("dropped", f"account:{CRM}:001R"),
    }  # fmt: skip


def test_its_story_tells_what_became_of_it(scene):
    scene.hold("cus_4")
    one = linked(scene)
    forget(scene, one)
    assert tuple(scene.steps(one.id)[-1]) == ("link ended", "It was not sent: it is matched anew, without the link.")
    link_of_another = linked_and_sent(scene)
    assert scene.steps(link_of_another.id)[-1][1].endswith("what was sent stays where it is.")


def linked_and_sent(scene):
    scene.release()
    scene.gather()
    one = scene.one()
    link(scene, one, "001R")
    scene.run()
    forget(scene, one)
    return one
