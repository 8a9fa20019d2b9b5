"""Pushing over the real library and real HTTP: what is sent, in how many calls, and what comes of each draft."""

from datetime import date

import pytest

from integrations.kernel.crm import PushState, Shape
from integrations.kernel.money import Money
from integrations.salesforce.org import NeedsSetup
from integrations.salesforce.settings import KEY_FIELD

UPSERT, UPDATE = "PATCH composite/sobjects/<kind>/<field>", "PATCH composite/sobjects"
SINGLE, QUERY = "PATCH sobjects/<kind>/<field>/<path:value>", "GET query"


def states(results):
    return [one.state.value for one in results]


def test_two_hundred_leads_are_one_call_and_a_repeat_changes_the_same_records(org, crm, draft):
    drafts, client = [draft(last_name=f"L{n}") for n in range(200)], crm()
    first = client.push(drafts)
    assert states(first) == ["created"] * 200
    assert [one.key for one in first] == [one.key for one in drafts]
    assert org.calls() == {UPSERT: 1}
    again = client.push(drafts)
    assert states(again) == ["updated"] * 200
    assert [one.object_id for one in again] == [one.object_id for one in first]
    assert len(org.rows("Lead")) == 200
    assert {org.row(one.object_id)[KEY_FIELD] for one in first} == {one.key for one in drafts}


def test_a_lead_says_what_the_draft_says_in_the_orgs_own_words(org, crm, draft):
    one = draft(
        first_name="Ada", last_name="Lovelace", email="ada@initech.example", company="Initech", hot=True,
        subject="Asked in a ticket: Initech", values={"score": "80"}, owner_id=org.owner(),
    )  # fmt: skip
    (result,) = crm().push([one])
    row = org.row(result.object_id)
    assert (row["FirstName"], row["LastName"], row["Email"], row["Company"]) == (
        "Ada", "Lovelace", "ada@initech.example", "Initech",
    )  # fmt: skip
    assert (row["Rating"], row["OwnerId"], row["Status"]) == ("Hot", org.owner(), "Open - Not Contacted")
    assert row["Description"] == "Why now: 80 points\n\nAsked in a ticket: Initech"


def test_a_deal_has_stage_type_amount_and_date_and_belongs_to_the_account(org, crm, draft):
    one = draft(
        Shape.DEAL, account_id=org.account()["Id"], amount=Money(480_050, "USD"), close_on=date(2027, 1, 31),
        owner_id=org.owner(), values={"next_step": "Offer the yearly plan"}, kind="expansion",
    )  # fmt: skip
    (result,) = crm().push([one])
    row = org.row(result.object_id)
    assert (row["Name"], row["StageName"], row["CloseDate"]) == ("Renewal: Acme", "Prospecting", "2027-01-31")
    assert (row["Amount"], row["AccountId"], row["NextStep"]) == (4800.5, org.account()["Id"], "Offer the yearly plan")
    assert (row["Type"], row["OwnerId"]) == ("Existing Customer - Upgrade", org.owner())


def test_a_task_has_account_date_priority_and_status(org, crm, draft):
    one = draft(
        Shape.TASK, account_id=org.account()["Id"], due_on=date(2026, 12, 24), hot=True, subject="Risk of leaving"
    )
    (result,) = crm().push([one])
    row = org.row(result.object_id)
    assert (row["Subject"], row["WhatId"], row["ActivityDate"]) == (
        "Risk of leaving",
        org.account()["Id"],
        "2026-12-24",
    )
    assert (row["Priority"], row["Status"]) == ("High", "Not Started")


def test_a_known_record_is_changed_by_its_id_and_only_where_the_draft_says(org, crm, draft):
    client = crm()
    (made,) = client.push([draft(Shape.DEAL, account_id=org.account()["Id"], close_on=date(2027, 1, 31))])
    org.state.update("Opportunity", made.object_id, {"StageName": "Negotiation/Review", "Name": "The rep's name"})
    hold = draft(
        Shape.DEAL, object_id=made.object_id, description="ON HOLD: a dispute is open", only=("description",),
        close_on=date(2028, 1, 1), subject="Another",
    )  # fmt: skip
    (result,) = client.push([hold])
    row = org.row(made.object_id)
    assert (result.state, result.object_id) == (PushState.UPDATED, made.object_id)
    assert row["Description"] == "ON HOLD: a dispute is open"
    assert (row["Name"], row["StageName"], row["CloseDate"]) == ("The rep's name", "Negotiation/Review", "2027-01-31")
    assert row[KEY_FIELD] != hold.key
    assert org.calls() == {SINGLE: 1, UPDATE: 1}


def test_known_and_new_with_and_without_owner_are_three_calls_and_keep_their_order(org, crm, draft):
    client = crm()
    known = [client.push([draft(last_name=f"K{n}")])[0] for n in range(2)]
    before = org.calls()
    mixed = [
        draft(last_name="new"), draft(object_id=known[0].object_id, last_name="changed"), draft(owner_id=org.owner()),
        draft(), draft(object_id=known[1].object_id), draft(owner_id=org.owner()),
    ]  # fmt: skip
    results = client.push(mixed)
    assert [one.key for one in results] == [one.key for one in mixed]
    assert states(results) == ["created", "updated", "created", "created", "updated", "created"]
    assert org.calls() == {**before, UPSERT: 2, UPDATE: 1}


def test_a_record_is_named_once_in_a_call(org, crm, draft):
    client = crm()
    (made,) = client.push([draft()])
    twice = [draft(object_id=made.object_id, description=text, only=("description",)) for text in ("one", "two")]
    assert states(client.push(twice)) == ["updated", "updated"]
    assert org.calls()[UPDATE] == 2


def test_assignment_rules_run_only_for_new_leads_without_an_owner(org, crm, draft, heard):
    client = crm()
    (made,) = client.push([draft()])
    client.push([draft(owner_id=org.owner())])
    client.push([draft(object_id=made.object_id)])
    client.push([draft(Shape.DEAL, close_on=date(2027, 1, 1))])
    told = [(h.get("sforce-auto-assign"), h.get("sforce-duplicate-rule-header", "").split(";")[0]) for h in heard()]
    assert told == [
        ("TRUE", "allowSave=false"), ("FALSE", "allowSave=false"), ("FALSE", "allowSave=true"),
        ("FALSE", "allowSave=false"),
    ]  # fmt: skip


def test_without_a_key_field_nothing_is_pushed_that_could_be_doubled(org, crm, draft):
    org.state.fields["Lead"].pop(KEY_FIELD)
    client = crm()
    with pytest.raises(NeedsSetup, match="Lead has no field Deskbridge_Key__c"):
        client.push([draft()])
    with pytest.raises(NeedsSetup, match="flask salesforce setup"):
        client.bulk([draft()])
    with pytest.raises(NeedsSetup):
        client.find(Shape.LEAD, ["ab"])
    assert not [one for one in org.calls() if not one.startswith("GET")]
    assert states(client.push([draft(Shape.DEAL, close_on=date(2027, 1, 1))])) == ["created"]
    org.state.add_field("Lead", KEY_FIELD, 64, external=True)  # the setup is done meanwhile
    assert states(client.push([draft()])) == ["created"]


def test_a_key_field_that_is_not_unique_is_none(org, crm, draft):
    from dataclasses import replace

    field = org.state.fields["Lead"][KEY_FIELD]
    org.state.fields["Lead"][KEY_FIELD] = replace(field, unique=False)
    with pytest.raises(NeedsSetup, match="Unique"):
        crm().push([draft()])


def test_a_key_field_that_goes_while_it_is_believed_in_is_noticed(org, crm, draft):
    client = crm()
    client.push([draft()])
    org.state.fields["Lead"].pop(KEY_FIELD)
    for drafts in ([draft()], [draft(), draft()]):
        with pytest.raises(NeedsSetup):
            client.push(drafts)


def test_no_drafts_are_no_call_and_too_many_or_mixed_are_refused(org, crm, draft):
    client = crm()
    assert list(client.push([])) == []
    for drafts in ([draft() for _ in range(201)], [draft(), draft(Shape.TASK)]):
        with pytest.raises(ValueError, match="of one shape"):
            client.push(drafts)
    assert org.calls() == {}


def test_describes_are_read_once_an_hour_and_not_for_each_push(org, crm, draft):
    client = crm()
    for _ in range(5):
        client.push([draft()])
    assert org.local.calls()["GET /services/data/<version>/sobjects/Lead/describe"] == 1
