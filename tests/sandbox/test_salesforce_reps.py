"""Reps and admins of the simulated Salesforce: verdicts, conversion, a won deal, custom fields, locked rows, faults."""

import pytest
import requests

from sandbox.salesforce.errors import Failed

LEAD = {"LastName": "Novak", "Company": "Unknown Ltd", "Email": "novak@unknown.example"}
EXTERNAL = {"type": "Text", "label": "Deskbridge key", "length": 64, "externalId": True, "unique": True}
PICKLIST = {
    "type": "Picklist", "label": "Verdict",
    "valueSet": {"restricted": True, "valueSetDefinition": {"value": [{"fullName": "Accepted"}, {"fullName": "Rejected"}]}},
}  # fmt: skip


@pytest.fixture
def call(salesforce):
    return salesforce.caller()


def make(call, name, metadata):
    return call("POST", "tooling/sobjects/CustomField/", json={"FullName": name, "Metadata": metadata})


def test_a_verdict_shows_in_the_status_until_the_org_has_our_fields(salesforce, call):
    lead = salesforce.state.create("Lead", LEAD)
    salesforce.state.reject("Lead", lead["Id"], "Not now")
    assert lead["Status"] == "Closed - Not Converted"
    made = make(call, "Lead.Deskbridge_Verdict__c", PICKLIST)
    assert made.status_code == 201
    salesforce.state.accept("Lead", lead["Id"])
    assert call("GET", f"sobjects/Lead/{lead['Id']}").json()["Deskbridge_Verdict__c"] == "Accepted"
    wrong = call("PATCH", f"sobjects/Lead/{lead['Id']}", json={"Deskbridge_Verdict__c": "Maybe"})
    assert wrong.json()[0]["errorCode"] == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    assert call("DELETE", f"tooling/sobjects/CustomField/{made.json()['id']}").status_code == 204
    assert "Deskbridge_Verdict__c" not in call("GET", f"sobjects/Lead/{lead['Id']}").json()


def test_fields_are_made_once_and_only_with_the_permission(salesforce, call):
    assert make(call, "Lead.Deskbridge_Key__c", EXTERNAL).status_code == 201
    assert make(call, "Lead.Deskbridge_Key__c", EXTERNAL).json()[0]["errorCode"] == "DUPLICATE_DEVELOPER_NAME"
    assert call("PATCH", "sobjects/Lead/Deskbridge_Key__c/a%20b", json=LEAD).status_code == 201
    salesforce.state.permit(False)
    refused = make(call, "Lead.Other__c", EXTERNAL)
    assert (refused.status_code, refused.json()[0]["errorCode"]) == (403, "INSUFFICIENT_ACCESS_OR_READONLY")


def test_a_converted_lead_is_read_only_and_its_deal_can_be_won(salesforce, call):
    lead = salesforce.state.create("Lead", LEAD)
    made = salesforce.state.convert(lead["Id"])
    refused = call("PATCH", f"sobjects/Lead/{lead['Id']}", json={"Rating": "Hot"})
    assert refused.json()[0]["errorCode"] == "CANNOT_UPDATE_CONVERTED_LEAD"
    assert call("GET", f"sobjects/Lead/{lead['Id']}").json()["ConvertedOpportunityId"] == made["Opportunity"]
    salesforce.state.win(made["Opportunity"], 1200.5)
    deal = call("GET", f"sobjects/Opportunity/{made['Opportunity']}").json()
    assert (deal["IsWon"], deal["IsClosed"], deal["Amount"]) == (True, True, 1200.5)
    with pytest.raises(Failed):
        salesforce.state.convert(lead["Id"])


def test_a_locked_account_takes_no_deal_until_it_is_free(salesforce, call):
    account = next(iter(salesforce.state.rows["Account"]))
    deal = {"Name": "Renewal", "StageName": "Prospecting", "CloseDate": "2027-01-31", "AccountId": account}
    salesforce.state.lock_row(account)
    assert call("POST", "sobjects/Opportunity", json=deal).json()[0]["errorCode"] == "UNABLE_TO_LOCK_ROW"
    salesforce.state.lock_row(account, free=True)
    assert call("POST", "sobjects/Opportunity", json=deal).status_code == 201


def test_an_answer_that_was_cut_off_was_acted_on_all_the_same(salesforce, call):
    salesforce.simulator.faults.set([{"method": "POST", "path": "sobjects/Lead", "kind": "cut_after"}])
    with pytest.raises(requests.ConnectionError):
        call("POST", "sobjects/Lead", json=LEAD)
    assert len(salesforce.state.rows["Lead"]) == 1
