"""A company that changes under a lead: merged, ambiguous, learned of at the wrong moment. No second record, no lost one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.crm import store as crm_store
from app.crm.mirror import CHANGED, WHOLE
from app.leads import gather, retrying, review
from integrations.kernel.crm import AccountRecord, DirectoryPage
from tests.crm_world import CRM


def merged(scene):
    """Somebody merges the account into another at the CRM; its records go there."""
    scene.account("001M", "Northwind Group", domains=("northwind.example",))
    scene.account(at=scene.now + timedelta(hours=1), domains=("northwind.example",), gone=True)


def ambiguous(scene):
    """A person of the same domain turns up at another account."""
    scene.account("001R", "Reseller")
    scene.contact("003A", "001R", "northwind.example")


@pytest.mark.parametrize("change", [merged, ambiguous])
def test_a_lead_at_the_crm_keeps_its_record_whatever_the_mirror_says_of_the_company_later(scene, change):
    scene.signal()
    scene.run()
    change(scene)
    scene.signal(step=30)
    scene.run()
    one = scene.one()
    assert (one.state, one.score) == ("pushed", 50)
    assert one.account_id == ("001M" if change is merged else "001A")
    (record,) = scene.crm.records()
    assert "50 points" in record.row["Description"]


def test_what_one_connection_was_told_is_not_told_to_another(scene):
    """Which may be the same org under another name; docs/install-salesforce.md says what to do after a trial."""
    scene.signal()
    scene.run()
    record = AccountRecord("001P", scene.now, "Northwind Labs", "005P", domains=("northwind.example",))
    with scene.database.begin() as cx:
        crm_store.apply(cx, "con_new", DirectoryPage("x", True, (record,), (), ()))
        crm_store.save_cursor(cx, "con_new", WHOLE, "x")
        crm_store.save_cursor(cx, "con_new", CHANGED, "x")
    scene.signal(step=30)
    gather.gather(scene.database, "con_new", scene.now)
    assert (scene.one().crm_id, scene.one().score) == (CRM, 50)


def test_another_ticket_of_the_payer_joins_the_record_that_is_there(scene):
    scene.asked("7")
    scene.run()
    merged(scene)
    scene.asked("8", quotes=[{"on": scene.now.date().isoformat(), "text": "And a second quote?"}])
    scene.run()
    (record,) = scene.crm.records()
    assert scene.one().state == "pushed"
    assert "And a second quote?" in record.row["Description"]


def test_after_a_verdict_a_merged_company_rests_like_any_other(scene):
    scene.signal()
    scene.run()
    scene.crm.state.stage(scene.one().object_id, "Closed Lost")
    scene.poll()
    merged(scene)
    scene.signal(step=30)
    scene.signal(on="2028-01-15")
    scene.run()
    assert (scene.one().state, len(scene.crm.records())) == ("closed", 1)


@pytest.mark.parametrize(
    ("change", "after"), [(merged, [("001M", "held")]), (ambiguous, [("001A", "dropped"), ("", "review")])]
)
def test_what_is_not_sent_yet_goes_to_the_company_that_is_right_now(scene, change, after):
    scene.hold()
    scene.signal()
    scene.run()
    change(scene)
    scene.signal(step=30)
    scene.run()
    assert [(one.account_id, one.state) for one in scene.leads()] == after


def test_a_hold_of_the_payer_reaches_the_record_of_a_company_that_was_merged(scene):
    scene.signal()
    scene.run()
    merged(scene)
    scene.hold()
    scene.run()
    (record,) = scene.crm.records()
    assert record.row["Description"].startswith("ON HOLD: A dispute is open.")
    scene.signal(step=30)
    scene.release()
    scene.run()
    (record,) = scene.crm.records()
    assert record.row["Description"].startswith("Why now: 50 points")


def test_what_ended_while_it_was_held_and_holds_again_is_a_lead_again(scene):
    scene.hold()
    scene.signal()
    scene.run()
    scene.signal(ended=True)
    scene.run()
    assert scene.one().why == "What was seen holds no longer."
    scene.release()
    scene.signal()
    scene.run()
    assert scene.one().state == "pushed"


def test_a_company_the_mirror_learns_of_while_leads_are_matched_is_not_passed_over(scene):
    scene.payer("cus_5", "later.example", name="Later")
    scene.hold("cus_5")
    scene.signal(payer="cus_5")
    scene.account("001Z", "Somebody else")  # news: leads are matched again
    record = AccountRecord("001L", scene.now, "Later", "005A", domains=("later.example",))
    with scene.database.engine.begin() as page:  # its time is that of its begin, and it ends after the matching
        crm_store.save_cursor(page, CRM, "other", "y")
        scene.gather()
        crm_store.apply(page, CRM, DirectoryPage("y", True, (record,)))
        crm_store.save_cursor(page, CRM, CHANGED, "y")
    scene.gather()
    assert scene.one().account_id == "001L"


def test_a_company_that_was_answered_for_lately_is_not_asked_again_by_a_lead_a_person_links_to_it(scene):
    scene.signal()
    scene.run()
    scene.crm.state.stage(scene.one().object_id, "Closed Lost")
    scene.poll()
    scene.payer("cus_4", None, name="Northwind Labs")
    scene.signal(payer="cus_4", on="2027-06-01")
    scene.gather()
    waits = scene.one(state="review")
    with scene.database.begin() as cx:
        review.link(cx, waits.id, CRM, "001A", "per_1")
    scene.run()
    assert sorted(one.state for one in scene.leads()) == ["closed", "dropped"]
    scene.now += timedelta(days=91)
    scene.run()
    assert sorted(one.state for one in scene.leads()) == ["closed", "dropped", "pushed"]


def at_the_crm_too(scene):
    scene.crm.has("Account", "001A", IsDeleted=True)


def deleted(scene):
    """Somebody deletes the account at the CRM, and there is no other."""
    scene.account(at=scene.now + timedelta(hours=1), domains=("northwind.example",), gone=True)


def split(scene):
    """Its people are at two other accounts by now."""
    merged(scene)
    scene.account("001N", "Northwind Labs", domains=("northwind.example",))


@pytest.mark.parametrize(
    ("change", "after"),
    [(merged, ("001M", "pushed", "deal")), (deleted, ("", "pushed", "lead")), (split, ("", "review", ""))],
)
def test_a_lead_that_was_not_sent_leaves_an_account_that_is_gone_without_news_of_its_own(scene, change, after):
    scene.hold()
    scene.signal()
    scene.run()
    assert (scene.one().account_id, scene.one().state) == ("001A", "held")
    change(scene)
    at_the_crm_too(scene)
    scene.run()
    scene.release()
    scene.run()
    one = scene.one()
    assert (one.account_id, one.state, one.shape) == after
    assert [record.row.get("AccountId") for record in scene.crm.records("deal")] == ["001M"] * (change is merged)


def test_one_that_was_not_sent_waits_no_longer_for_a_company_that_is_gone_with_another_lead(scene):
    scene.signal("seats_full", "expansion")
    scene.run()  # sent: it keeps its account, and its record
    scene.hold()
    scene.signal()
    scene.run()
    deleted(scene)
    scene.run()
    assert [(one.kind, one.company, one.account_id, one.state) for one in scene.leads()] == [
        ("expansion", f"account:{CRM}:001A", "001A", "pushed"), ("renewal", "payer:bank:cus_1", "", "held"),
    ]  # fmt: skip


def test_a_lead_refused_for_a_gone_account_goes_to_the_right_one_when_it_is_repaired(scene):
    scene.signal()
    scene.gather()
    at_the_crm_too(scene)
    scene.push()
    dead = scene.one(state="dead")
    merged(scene)
    scene.gather()
    with scene.database.begin() as cx:
        retrying.again(cx, dead.id, "per_1")
    scene.run()
    assert (scene.one().account_id, scene.one().state) == ("001M", "pushed")


def another_payer(scene, domain=None):
    """Of the same company, with the same reason; known there by name only, or by a domain the mirror has not heard of."""
    scene.payer("cus_4", domain, name="Northwind Labs" if domain is None else "Labs")
    scene.signal("seats_full", "expansion", payer="cus_4")
    scene.gather()
    return scene.one(subject="payer:bank:cus_4")


def dropped_before(scene, how):
    """The company had a lead of the same quarter, which was dropped."""
    if how == "ended":
        scene.hold()
        scene.signal("seats_full", "expansion")
        scene.run()
        scene.signal("seats_full", "expansion", ended=True)
        scene.run()
        scene.release()
    else:
        scene.policy(minimum__expansion="90")
        scene.signal("seats_full", "expansion")
        scene.run()
        scene.policy()
    assert scene.one().state == "dropped"


@pytest.mark.parametrize("how", ["ended", "too low"])
@pytest.mark.parametrize("who", ["a person", "the mirror"])
def test_a_lead_that_meets_a_dropped_one_of_its_company_goes_on_as_that_one(scene, how, who):
    dropped_before(scene, how)
    waits = another_payer(scene, None if who == "a person" else "labs.example")
    if who == "a person":
        assert waits.state == "review"
        with scene.database.begin() as cx:
            review.link(cx, waits.id, CRM, "001A", "per_1")
    else:
        scene.hold("cus_4")
        scene.gather()
        scene.account(at=scene.now + timedelta(hours=1), domains=("northwind.example", "labs.example"))
        scene.gather()
        scene.release()
    scene.run()
    scene.run()
    assert sorted(one.state for one in scene.leads()) == ["dropped", "pushed"]
    (record,) = scene.crm.records()
    assert (record.shape, record.row["AccountId"]) == ("deal", "001A")


def test_a_lead_that_meets_one_that_was_held_too_long_does_not_come_back(scene):
    scene.hold()
    scene.signal("seats_full", "expansion")
    scene.run()
    scene.now += timedelta(days=60)
    scene.run()
    scene.release()
    assert "too long" in scene.one().why
    waits = another_payer(scene)
    with scene.database.begin() as cx:
        review.link(cx, waits.id, CRM, "001A", "per_1")
    scene.run()
    scene.run()
    assert [one.state for one in scene.leads()] == ["dropped", "dropped"]
