"""What Salesforce refuses, and what comes of each draft: every row of the table, over real HTTP."""

import json

import pytest

from integrations.kernel.crm import PushState, Shape
from integrations.kernel.errors import (
    NeedsReauthorisation,
    OutcomeUnknown,
    RateLimited,
    VendorContractChanged,
    VendorRejected,
    VendorUnavailable,
)
from integrations.salesforce.faults import FAULTS
from integrations.salesforce.settings import KEY_FIELD

# Vendor sheet 4.3, and what was added to it. A code that is new to the table must be judged here too.
EXPECTED = {
    "UNABLE_TO_LOCK_ROW": "again", "SERVER_UNAVAILABLE": "again", "PROCESSING_HALTED": "again", "UNPROCESSED": "again",
    "INACTIVE_OWNER_OR_USER": "again", "STORAGE_LIMIT_EXCEEDED": "again", "DUPLICATES_DETECTED": "linked",
    "DUPLICATE_VALUE": "linked", "DUPLICATE_EXTERNAL_ID": "refused", "CANNOT_UPDATE_CONVERTED_LEAD": "converted",
    "REQUIRED_FIELD_MISSING": "refused", "FIELD_CUSTOM_VALIDATION_EXCEPTION": "refused", "STRING_TOO_LONG": "refused",
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": "refused", "INVALID_FIELD": "refused",
    "INVALID_FIELD_FOR_INSERT_UPDATE": "refused", "INVALID_TYPE_ON_FIELD_IN_RECORD": "refused",
    "INVALID_EMAIL_ADDRESS": "refused", "INSUFFICIENT_ACCESS_OR_READONLY": "refused",
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": "refused", "INVALID_CROSS_REFERENCE_KEY": "refused",
    "ENTITY_IS_DELETED": "refused", "NOT_FOUND": "refused", "MALFORMED_ID": "refused",
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": "refused",
}  # fmt: skip
OTHER = "00QSb0000000001AAA"
DUPLICATE = {"matchResults": [{"matchRecords": [{"record": {"attributes": {"type": "Lead"}, "Id": OTHER}}]}]}


def item(code, message="said", **more):
    return {"success": False, "errors": [{"statusCode": code, "message": message, "fields": [], **more}]}


FINE = {"success": True, "id": "00QSb0000000009AAA", "created": True, "errors": []}


def answer(org, *items, times=1, status=200, alone=()):
    """The next collections are answered with this; and the same record sent by itself, with the codes `alone`."""
    said = json.dumps([{"errorCode": code, "message": "said", "fields": []} for code in alone])
    org.local.simulator.faults.set([
        {"kind": "status", "status": status, "path": "composite", "times": times, "body": json.dumps(list(items))},
        {"kind": "status", "status": 400, "method": "PATCH", "path": "sobjects/Lead/", "times": times * len(alone), "body": said},
    ])  # fmt: skip


def test_every_row_of_the_table_is_judged_here():
    assert set(FAULTS) == set(EXPECTED)


@pytest.mark.parametrize("code", sorted(EXPECTED))
def test_a_refusal_is_the_end_its_row_says_and_its_neighbour_is_not_touched(org, crm, draft, code):
    told = item(code, duplicateResult=DUPLICATE) if code == "DUPLICATES_DETECTED" else item(code)
    if code == "DUPLICATE_VALUE":
        told = item(code, f"duplicate value found: Other__c duplicates value on record with id: {OTHER}")
    answer(org, told, FINE, times=9, alone=(code,) if EXPECTED[code] == "refused" else ())
    bad, good = crm().push([draft(object_id=""), draft()])
    assert (bad.state.value, good.state.value) == (EXPECTED[code], "created")
    assert bad.code == code
    assert len(bad.detail) > 10
    assert bad.detail.rstrip()[-1] in ".]d", bad.detail
    assert bad.object_id == (OTHER if EXPECTED[code] == "linked" else "")


def test_a_code_nobody_knows_is_refused_with_what_salesforce_says(org, crm, draft):
    answer(org, item("BRAND_NEW_CODE", "the moon is wrong for bob@initech.example"), FINE)
    bad, _ = crm().push([draft(), draft()])
    assert (bad.state, bad.code) == (PushState.REFUSED, "BRAND_NEW_CODE")
    assert bad.detail == "Salesforce refused it. Salesforce says: the moon is wrong for [address]"


@pytest.mark.parametrize(
    ("values", "code", "state"),
    [
        ({"last_name": ""}, "REQUIRED_FIELD_MISSING", "refused"),
        ({"email": "no address"}, "INVALID_EMAIL_ADDRESS", "refused"),
        ({"owner_id": "005Sb0000009999AAA"}, "INVALID_CROSS_REFERENCE_KEY", "refused"),
    ],
)
def test_what_the_org_itself_refuses_of_one_is_told_and_the_others_are_taken(org, crm, draft, values, code, state):
    results = crm().push([draft(), draft(**values), draft()])
    assert [one.state.value for one in results if one.code == ""] == ["created", "created"]
    (bad,) = [one for one in results if one.code]
    assert (bad.code, bad.state.value) == (code, state)
    assert "no address" not in bad.detail


def test_a_locked_account_is_tried_again_later(org, crm, draft):
    from datetime import date

    account = org.account()["Id"]
    org.state.lock_row(account)
    one = draft(Shape.DEAL, account_id=account, close_on=date(2027, 1, 1))
    client = crm()
    assert client.push([one])[0].state is PushState.AGAIN
    org.state.lock_row(account, free=True)
    assert client.push([one])[0].state is PushState.CREATED


def test_an_inactive_owner_and_a_deleted_account_are_told_apart(org, crm, draft):
    from datetime import date

    gone = org.account(2)["Id"]
    org.state.delete("Account", gone)
    deals = [
        draft(Shape.DEAL, close_on=date(2027, 1, 1), owner_id=org.owner(active=False)),
        draft(Shape.DEAL, close_on=date(2027, 1, 1), account_id=gone),
    ]
    results = crm().push(deals)
    assert [(one.code, one.state.value) for one in results] == [
        ("INACTIVE_OWNER_OR_USER", "again"), ("ENTITY_IS_DELETED", "refused"),
    ]  # fmt: skip


@pytest.mark.parametrize("number", [1, 2])
def test_a_duplicate_is_linked_gets_our_key_and_is_not_made_again(org, crm, draft, number):
    theirs = org.state.create("Lead", {"LastName": "Known", "Company": "Initech", "Email": "ada@initech.example"})
    drafts = [draft(email="ada@initech.example", description="new")] + [draft() for _ in range(number - 1)]
    client = crm()
    first = client.push(drafts)[0]
    assert (first.state, first.object_id, first.code) == (PushState.LINKED, theirs["Id"], "DUPLICATES_DETECTED")
    row = org.row(theirs["Id"])
    assert (row[KEY_FIELD], row["LastName"], row["Description"]) == (drafts[0].key, "Known", None)
    assert client.find(Shape.LEAD, [drafts[0].key])[drafts[0].key].object_id == theirs["Id"]
    (after,) = client.push([draft(object_id=theirs["Id"], description="later", only=("description",))])
    assert after.state is PushState.UPDATED


def test_a_record_that_has_a_key_keeps_it_when_another_draft_is_linked_to_it(org, crm, draft):
    client = crm()
    (made,) = client.push([draft(email="ada@initech.example")])
    (linked,) = client.push([draft(email="ada@initech.example")])
    assert (linked.state, linked.object_id) == (PushState.LINKED, made.object_id)
    assert org.row(made.object_id)[KEY_FIELD] == made.key


def test_a_duplicate_of_another_kind_is_refused_with_its_id(org, crm, draft):
    contact = "003Sb0000000007AAA"
    told = {"matchResults": [{"matchRecords": [{"record": {"Id": contact}}]}]}
    answer(org, item("DUPLICATES_DETECTED", duplicateResult=told), FINE)
    bad, _ = crm().push([draft(), draft()])
    assert bad.state is PushState.REFUSED
    assert contact in bad.detail


def test_a_collection_that_does_not_name_the_duplicate_is_asked_one_by_one(org, crm, draft):
    theirs = org.state.create("Lead", {"LastName": "Known", "Company": "I", "Email": "ada@initech.example"})
    answer(org, item("DUPLICATES_DETECTED"), FINE)
    linked, _ = crm().push([draft(email="ada@initech.example"), draft()])
    assert (linked.state, linked.object_id) == (PushState.LINKED, theirs["Id"])


def test_more_unnamed_duplicates_than_are_asked_for_at_once_wait(org, crm, draft):
    for n in range(25):
        org.state.create("Lead", {"LastName": "Known", "Company": "I", "Email": f"a{n}@initech.example"})
    answer(org, *[item("DUPLICATES_DETECTED")] * 25)
    results = crm().push([draft(email=f"a{n}@initech.example") for n in range(25)])
    assert [one.state.value for one in results] == ["linked"] * 20 + ["again"] * 5


def test_our_own_key_taken_at_the_same_moment_is_tried_again(org, crm, draft):
    message = f"duplicate value found: {KEY_FIELD} duplicates value on record with id: {OTHER}"
    answer(org, item("DUPLICATE_VALUE", message), item("DUPLICATE_VALUE", "duplicate value found: <unknown>"))
    assert [one.state.value for one in crm().push([draft(), draft()])] == ["again", "again"]


@pytest.mark.parametrize("alone", [True, False])
def test_two_records_with_one_key_are_refused_with_both_ids(org, crm, draft, alone):
    one = draft()
    made = [org.state.create("Lead", {"LastName": "L", "Company": "C"})["Id"] for _ in range(2)]
    for object_id in made:  # as a field that was not unique at the time would have let happen
        org.row(object_id)[KEY_FIELD] = one.key
        org.state.keys.setdefault(("Lead", KEY_FIELD, one.key), []).append(object_id)
    bad = crm().push([one] if alone else [draft(), one, draft()])[0 if alone else 1]
    assert (bad.state, bad.code) == (PushState.REFUSED, "DUPLICATE_EXTERNAL_ID")
    assert all(object_id in bad.detail for object_id in made)


@pytest.mark.parametrize("by_id", [True, False])
def test_a_converted_lead_is_told_with_its_id(org, crm, draft, by_id):
    client, one = crm(), draft()
    (made,) = client.push([one])
    row = org.row(made.object_id)
    row |= {"IsConverted": True}
    again = [draft(object_id=made.object_id)] if by_id else [one]
    (result,) = client.push(again)
    assert (result.state, result.object_id) == (PushState.CONVERTED, made.object_id)


def test_a_flow_of_theirs_that_fails_gets_one_more_try(org, crm, draft):
    told = item("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "Flow X failed")
    answer(org, told, FINE)
    first, second = draft(), draft()
    results = crm().push([first, second])
    assert [one.state.value for one in results] == ["created", "created"]  # the second try was real
    answer(org, told, told, times=2)
    results = crm().push([draft(), draft()])
    assert [one.state.value for one in results] == ["refused", "refused"]
    assert "Flow X failed" in results[0].detail


def test_ids_that_an_answer_leaves_out_are_looked_up_once(org, crm, draft):
    client = crm()
    drafts = [draft(), draft()]
    made = client.push(drafts)
    answer(org, {"success": True, "errors": []}, {"success": True, "errors": []})
    before = org.calls().get("GET query", 0)
    results = client.push(drafts)
    assert [one.object_id for one in results] == [one.object_id for one in made]
    assert org.calls()["GET query"] == before + 1


def test_a_cut_after_sending_is_unknown_and_the_record_is_found_by_its_key(org, crm, draft):
    for drafts in ([draft()], [draft(), draft()]):
        client = crm()
        org.fault(kind="cut_after", method="PATCH")
        with pytest.raises(OutcomeUnknown):
            client.push(drafts)
        found = client.find(Shape.LEAD, [one.key for one in drafts])
        assert set(found) == {one.key for one in drafts}
        assert [one.state.value for one in client.push(drafts)] == ["updated"] * len(drafts)
    assert len(org.rows("Lead")) == 3


def test_a_time_out_before_and_a_500_are_unknown_a_503_is_not(org, crm, draft):
    client = crm()
    client.push([draft()])
    for rule, error in (
        ({"kind": "cut_before"}, OutcomeUnknown), ({"kind": "status", "status": 500}, OutcomeUnknown),
        ({"kind": "status", "status": 503}, VendorUnavailable), ({"kind": "status", "status": 429}, RateLimited),
    ):  # fmt: skip
        org.fault(method="PATCH", **rule)
        with pytest.raises(error):
            client.push([draft(), draft()])
    assert len(org.rows("Lead")) == 1


def test_an_answer_that_cannot_be_read_after_a_write_is_unknown(org, crm, draft):
    client = crm()
    for body in ("<html>", "[]", '[{"success": true}]', '{"records": 1}', '[{"x": 1}, {"x": 1}]'):
        org.fault(kind="status", status=200, path="composite", body=body)
        with pytest.raises(OutcomeUnknown):
            client.push([draft(), draft()])
    org.fault(kind="status", status=200, path="describe", body='{"fields": 3}')
    with pytest.raises(VendorContractChanged):
        crm().push([draft()])


def test_when_a_later_call_of_several_fails_the_earlier_results_come_and_the_others_are_left_out(org, crm, draft):
    client = crm()
    drafts = [draft(), draft(), draft(owner_id=org.owner()), draft(owner_id=org.owner())]
    org.local.simulator.faults.set([
        {"kind": "delay", "seconds": 0, "method": "PATCH"}, {"kind": "cut_after", "method": "PATCH"},
    ])  # fmt: skip
    results = client.push(drafts)
    assert [one.key for one in results] == [one.key for one in drafts[:2]]
    assert set(client.find(Shape.LEAD, [one.key for one in drafts])) == {one.key for one in drafts}


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (403, "REQUEST_LIMIT_EXCEEDED", RateLimited),
        (403, "API_DISABLED_FOR_ORG", NeedsReauthorisation),
        (403, "SOMETHING", NeedsReauthorisation),
        (400, "INVALID_TYPE", NeedsReauthorisation),
        (400, "UNABLE_TO_LOCK_ROW", VendorUnavailable),
        (400, "JSON_PARSER_ERROR", VendorRejected),
        (404, "NOT_FOUND", NeedsReauthorisation),
    ],
)
def test_a_call_refused_as_a_whole_is_an_error_that_says_what_to_do(org, crm, draft, status, code, error):
    client = crm()
    body = json.dumps([{"errorCode": code, "message": "secret of bob@initech.example"}])
    org.fault(kind="status", status=status, path="composite", body=body)
    with pytest.raises(error) as caught:
        client.push([draft(), draft()])
    assert "initech" not in str(caught.value)
    if error is RateLimited:
        assert caught.value.retry_after_s == 3600


def test_what_is_refused_for_a_field_makes_the_org_be_described_anew(org, crm, draft):
    client = crm()
    client.push([draft(), draft()])
    answer(org, item("STRING_TOO_LONG"), FINE)
    client.push([draft(), draft()])
    client.push([draft(), draft()])
    assert org.local.calls()["GET /services/data/<version>/sobjects/Lead/describe"] == 2
