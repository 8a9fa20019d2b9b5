"""One record for several leads: what a duplicate rule put together says what each of them says, and stays so."""

from __future__ import annotations

import pytest

from app.leads.claiming import claim
from tests.crm_world import CRM
from tests.lead_scene import Scene


@pytest.fixture
def scene(database, org):
    made = Scene(database, org=org)
    made.payer("cus_8", None, name="Newcomer", email="ann@new.example")
    return made


def two(scene):
    """A request made the record; more seats of the same company were stopped by the org's rule."""
    scene.asked(payer="cus_8")
    scene.run()
    scene.signal("limit_hit", "expansion", payer="cus_8")
    scene.run()
    first, second = scene.leads()
    assert first.object_id == second.object_id
    return first, second


def told(scene):
    (record,) = scene.crm.records()
    return record.row["Description"]


def test_the_record_we_made_tells_both_kinds_the_older_first(scene):
    first, second = two(scene)
    text = told(scene)
    assert text.startswith("Asked in a ticket: Newcomer\nWhy now: 50 points")
    assert text.index("May we have a quote?") < text.index("More seats: Newcomer") < text.index("reached the limit")
    assert text.index(f"/admin/leads/{first.id}") < text.index(f"/admin/leads/{second.id}")
    assert [one.state for one in scene.leads()] == ["pushed", "pushed"]


def test_news_of_either_keeps_the_other_and_is_one_write(scene):
    two(scene)
    for again in (lambda: scene.asked("9", payer="cus_8", quotes=[{"on": "2026-11-02", "text": "SSO too?"}]),
                  lambda: scene.signal("limit_hit", "expansion", payer="cus_8", used=60)):  # fmt: skip
        before = scene.crm.calls("push")
        again()
        scene.run()
        scene.run()
        assert scene.crm.calls("push") - before == 1
    assert all(one in told(scene) for one in ("SSO too?", "May we have a quote?", "60 of 50 seats"))


def test_a_hold_stands_first_once_and_is_taken_off_by_one_write_each(scene):
    two(scene)
    before = scene.crm.calls("push")
    scene.hold("cus_8")
    scene.run()
    scene.run()
    assert told(scene).startswith("ON HOLD: A dispute is open.")
    assert (told(scene).count("ON HOLD"), scene.crm.calls("push") - before) == (1, 1)
    assert all("reached the limit" in told(scene) and one.pushed_hold for one in scene.leads())
    scene.release()
    scene.run()
    assert told(scene).startswith("Asked in a ticket")
    assert not any(one.pushed_hold for one in scene.leads())
    assert scene.crm.calls("push") - before == 2


def test_both_found_at_once_share_the_record_too(scene):
    scene.asked(payer="cus_8")
    scene.signal("limit_hit", "expansion", payer="cus_8")
    scene.run()
    scene.run()
    assert "May we have a quote?" in told(scene)
    assert "reached the limit" in told(scene)


def test_what_was_answered_speaks_no_more_and_the_record_stays_ours(scene):
    first, _ = two(scene)
    scene.sql("UPDATE lead SET state = 'closed', verdict = 'accepted', verdict_at = now() WHERE id = :id", id=first.id)
    scene.signal("limit_hit", "expansion", payer="cus_8", used=70)
    scene.run()
    assert told(scene).startswith("Why now: 40 points")
    assert "70 of 50 seats" in told(scene)


def test_a_hold_on_a_record_a_rep_made_costs_no_write(scene):
    row = scene.crm.state.create(
        "Lead", {"LastName": "Poe", "Company": "N", "Email": "ann@new.example", "Description": "Fair."}
    )
    scene.asked(payer="cus_8")
    scene.run()
    assert (scene.one().object_id, scene.one().state) == (row["Id"], "pushed")
    before = scene.crm.calls("push")
    scene.hold("cus_8")
    scene.run()
    assert scene.one().on_hold
    scene.release()
    scene.run()
    assert (scene.crm.calls("push"), told(scene)) == (before, "Fair.")


def test_news_on_a_record_a_rep_made_is_no_write_where_the_org_has_no_field_for_it(scene):
    scene.crm.state.create("Lead", {"LastName": "Poe", "Company": "N", "Email": "ann@new.example"})
    scene.asked(payer="cus_8")
    scene.run()
    before = scene.crm.calls("push")
    scene.asked("9", name="enterprise_words", payer="cus_8")
    scene.run()
    assert (scene.one().state, scene.one().score, scene.crm.calls("push")) == ("pushed", 85, before)


def test_who_dies_after_a_reps_record_got_our_key_leaves_its_text_to_the_rep(scene):
    row = scene.crm.state.create(
        "Lead", {"LastName": "Poe", "Company": "N", "Email": "ann@new.example", "Description": "Fair."}
    )
    scene.asked(payer="cus_8")
    scene.gather()
    scene.soon()
    (one,), _ = claim(scene.ctx, CRM)
    scene.crm.client.push([one.draft])  # linked; and nobody is there to write it down
    scene.lapse()
    scene.push()
    assert (scene.one().state, scene.one().object_id, told(scene)) == ("pushed", row["Id"], "Fair.")
    assert scene.one().theirs


def test_both_are_closed_when_what_sales_accepted_on_hold_is_rid_of_it(scene):
    first, _ = two(scene)
    scene.hold("cus_8")
    scene.run()
    scene.crm.state.accept("Lead", first.object_id)
    assert scene.poll() == 2
    scene.release()
    scene.run()
    assert [(one.verdict, one.state) for one in scene.leads()] == [("accepted", "closed")] * 2
    assert told(scene).startswith("Asked in a ticket")
