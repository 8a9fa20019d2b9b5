"""From signals to leads: one open lead a company and kind, the company found once, at the right moment or not at all."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.crm import mirror
from app.leads import review
from integrations.kernel.errors import VendorUnavailable
from tests.crm_world import CRM


def test_a_signal_becomes_a_lead_of_the_company_that_is_due(scene):
    scene.signal()
    assert scene.gather() == 1
    one = scene.one()
    assert (one.state, one.company, one.account_id) == ("due", f"account:{CRM}:001A", "001A")
    assert one.match == {"strength": "domain", "reason": "Northwind Labs has the domain northwind.example."}
    assert (one.score, one.money, one.currency, one.rules) == (33, 500_000, "EUR", ["renewal"])
    assert scene.gather() == 0


def test_nobody_is_a_stranger_before_all_companies_of_the_crm_are_known(scene, org):
    scene.sql("DELETE FROM crm_cursor")
    scene.signal()
    assert (scene.gather(), scene.leads()) == (0, [])
    org.fail("directory", "", "before")
    with pytest.raises(VendorUnavailable):
        mirror(scene.database, CRM, org.client)
    assert scene.gather() == 0
    mirror(scene.database, CRM, org.client)
    assert scene.gather() == 1
    assert scene.one().account_id == "001A"


def test_sixty_and_thirty_days_before_are_the_same_lead(scene):
    scene.signal()
    scene.run()
    scene.signal(step=30)
    scene.run()
    one = scene.one()
    assert (one.state, one.score) == ("pushed", 50)
    (record,) = scene.crm.records()
    assert "50 points" in record.row["Description"]


def test_two_payers_of_one_account_share_its_lead(scene):
    scene.payer("cus_2", "northwind.example")
    scene.signal()
    scene.signal(payer="cus_2", on="2027-03-01")
    scene.gather()
    assert len(scene.one().card["refs"]) == 4


def test_free_mail_says_nothing_and_an_unknown_company_becomes_a_lead(scene):
    scene.account("001G", "Gmail fan club", domains=("gmail.com",))
    scene.payer("cus_3", "gmail.com", name="Somebody New", email="ann@gmail.com")
    scene.asked(payer="cus_3")
    scene.run()
    (record,) = scene.crm.records()
    assert (record.shape, record.row["Company"]) == ("lead", "Somebody New")


@pytest.mark.parametrize("parent", ["", "001A"])
def test_a_domain_of_two_accounts_waits_for_a_person_who_answers_once(scene, parent):
    scene.account("001B", "Northwind Europe", parent_id=parent, domains=("northwind.example",))
    scene.signal()
    scene.run()
    one = scene.one()
    assert (one.state, scene.crm.calls("push")) == ("review", 0)
    assert [c["account_id"] for c in one.match["candidates"]] == ["001A", "001B"]
    assert ("parent and child" in one.why) == bool(parent)
    with scene.database.begin() as cx:
        review.link(cx, one.id, CRM, "001B", "per_1")
    scene.signal("seats_full", "expansion")
    scene.run()
    found = scene.leads()
    assert {(lead.account_id, lead.state, lead.match["strength"]) for lead in found} == {("001B", "pushed", "linked")}


def test_a_contact_of_another_account_makes_a_domain_ambiguous(scene):
    scene.account("001C", "Reseller")
    scene.contact("003A", "001C", "northwind.example")
    scene.signal()
    scene.gather()
    assert scene.one().state == "review"


def test_our_id_on_an_account_goes_before_the_domain(scene):
    scene.account("001D", "Northwind by id", external_id="cus_1")
    scene.signal()
    scene.gather()
    assert (scene.one().account_id, scene.one().match["strength"]) == ("001D", "external_id")


def test_a_name_alone_is_a_suggestion(scene):
    scene.account("001E", "Umbrella Inc.")
    scene.payer("cus_4", None, name="Umbrella")
    scene.signal(payer="cus_4")
    scene.gather()
    one = scene.one()
    assert (one.state, one.match["strength"], one.account_id) == ("review", "name", "")


def test_a_company_the_mirror_learns_of_takes_the_lead_over_and_its_own_record_stays(scene):
    scene.payer("cus_5", "later.example", name="Later")
    scene.asked(payer="cus_5")
    scene.run()
    (first,) = scene.crm.records()
    scene.account("001L", "Later", domains=("later.example",))
    scene.asked("8", payer="cus_5")
    scene.run()
    one = scene.one()
    assert (one.company, one.object_id, one.shape) == (f"account:{CRM}:001L", first.object_id, "lead")
    assert len(scene.crm.records()) == 1


def test_of_two_leads_that_turn_out_to_be_one_the_one_at_the_crm_stays(scene):
    scene.payer("cus_6", "six.example", name="Six")
    scene.signal(payer="cus_6")
    scene.run()  # a lead of an unknown company, at the CRM
    scene.payer("cus_7", None, name="Seven")
    scene.account("001S", "Holding", external_id="cus_7")
    scene.signal(payer="cus_7", on="2027-05-01")
    scene.gather()  # the account has its own, not sent yet
    scene.account("001S", "Holding", external_id="cus_7", domains=("six.example",))
    scene.run()
    kept, dropped = scene.one(state="pushed"), scene.one(state="dropped")
    assert (kept.company, dropped.object_id) == (f"account:{CRM}:001S", "")
    assert kept.id in dropped.why
    assert len(scene.crm.records()) == 1
    assert {row["lead_id"] for row in scene.sql("SELECT lead_id FROM lead_signal")} == {kept.id}


def test_below_the_least_score_nothing_is_sent_and_more_reasons_bring_it_back(scene):
    scene.policy(minimum__renewal="40")
    scene.signal()
    scene.run()
    assert scene.one().state == "dropped"
    scene.signal(step=30)
    scene.run()
    assert scene.one().state == "pushed"


def test_another_policy_judges_what_was_dropped_for_its_score_once_more(scene):
    scene.policy(minimum__renewal="80")
    scene.signal(step=30)
    scene.run()
    scene.run()
    assert (scene.one().state, scene.one().score) == ("dropped", 50)
    scene.policy(minimum__renewal="80", weight__renewal="100")
    scene.run()
    assert (scene.one().state, scene.one().score) == ("pushed", 100)
    scene.policy(minimum__renewal="120", weight__renewal="100")
    scene.run()
    assert scene.one().state == "pushed"  # what sales has stays theirs


def test_another_policy_judges_what_waits_once_more_and_not_what_was_held_too_long(scene):
    scene.hold()
    scene.signal(step=30)
    scene.gather()
    assert scene.one().state == "held"
    scene.policy(weight__renewal="90")
    scene.gather()
    assert (scene.one().state, scene.one().score) == ("held", 90)
    scene.policy(minimum__renewal="80")
    scene.gather()
    assert (scene.one().state, scene.one().score) == ("dropped", 50)
    scene.policy(minimum__renewal="15")
    scene.gather()
    assert scene.one().state == "held"
    scene.sql("UPDATE lead SET expires_at = now() - interval '1 hour'")
    scene.gather()
    assert "too long" in scene.one().why
    scene.release()
    scene.policy(minimum__renewal="20")
    scene.run()
    assert scene.one().state == "dropped"


def test_another_policy_breaks_no_rest_after_a_verdict_and_is_heard_when_that_is_over(scene):
    scene.policy(minimum__renewal="40")
    scene.signal(step=90, source="sub_a", on="2028-01-15")
    scene.run()
    assert scene.one().state == "dropped"
    scene.signal(step=30, source="sub_b")
    scene.run()
    scene.crm.state.stage(scene.one(state="pushed").object_id, "Closed Lost")
    scene.poll()
    scene.policy(minimum__renewal="15")
    scene.run()
    assert sorted(one.state for one in scene.leads()) == ["closed", "dropped"]
    scene.sql("UPDATE lead SET verdict_at = verdict_at - interval '90 days 10 minutes'")
    scene.sql("UPDATE lead_signal SET seen_at = seen_at - interval '90 days'")
    scene.run()
    assert sorted(one.state for one in scene.leads()) == ["closed", "pushed"]


def test_the_same_policy_judges_nothing_anew(scene):
    scene.policy(minimum__renewal="80")
    scene.signal(step=30)
    assert [scene.gather() for _ in range(3)] == [1, 0, 0]
    steps = scene.steps(scene.one().id)
    scene.gather()
    assert scene.steps(scene.one().id) == steps


def test_what_has_ended_is_dropped_before_and_stays_after_it_was_sent(scene):
    scene.signal()
    scene.gather()
    scene.signal(ended=True)
    scene.run()
    assert (scene.one().state, scene.crm.calls("push")) == ("dropped", 0)
    scene.signal()
    scene.run()
    scene.signal(ended=True)
    scene.run()
    assert scene.one().state == "pushed"


def test_after_a_verdict_the_same_is_not_said_again_for_ninety_days(scene):
    scene.signal()
    scene.run()
    scene.crm.state.stage(scene.one().object_id, "Closed Lost")
    scene.poll()
    scene.signal(on="2028-01-15")
    scene.run()
    assert scene.one().state == "closed"
    scene.now += timedelta(days=91)
    scene.run()
    assert [one.state for one in scene.leads()] == ["closed", "pushed"]


def test_the_holdout_is_kept_back_and_never_of_renewals(scene):
    scene.policy(holdout_pct="100")
    scene.signal()
    scene.signal("limit_hit", "expansion")
    scene.run()
    assert {one.kind: one.state for one in scene.leads()} == {"renewal": "pushed", "expansion": "withheld"}
    scene.signal("limit_hit", "expansion", used=60)
    scene.run()
    assert len(scene.crm.records()) == 1


def test_risk_shows_on_the_other_leads_of_the_company(scene):
    scene.signal()
    scene.signal("cancellation", "risk")
    scene.run()
    (deal,) = scene.crm.records("deal")
    assert "a risk of 60 points (not taken off)" in deal.row["Description"]
    assert scene.one(kind="renewal").score == 33
