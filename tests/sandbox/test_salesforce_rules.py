"""What other records, rules and admins of the simulated Salesforce decide about a write, by real HTTP."""

import inspect
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs" / "install-salesforce.md"
LEAD = {"LastName": "Novak", "Company": "Unknown Ltd", "Email": "novak@unknown.example"}
DEAL = {"Name": "Renewal", "StageName": "Prospecting", "CloseDate": "2027-01-31"}
TEXT = {"type": "Text", "label": "Key", "length": 64, "externalId": True, "unique": True}
ALLOW = {"Sforce-Duplicate-Rule-Header": "allowSave=true; includeRecordDetails=true; runAsCurrentUser=true"}
FIELDS = "tooling/sobjects/CustomField"
OF_FIELD = (
    "SELECT Id FROM CustomField WHERE EntityDefinition.QualifiedApiName = '{}' AND DeveloperName = 'Deskbridge_Key'"
)


@pytest.fixture
def call(salesforce):
    return salesforce.caller()


def code(answer):
    return answer.status_code, answer.json()[0]["errorCode"]


def rep(salesforce, name="Tess Territory"):
    return next(u["Id"] for u in salesforce.state.rows["User"].values() if u["Name"] == name)


def lead(call, **values):
    return call("POST", "sobjects/Lead", json={**LEAD, **values}).json()["id"]


def test_a_record_and_what_hangs_on_it_cannot_be_written_while_somebody_holds_it(salesforce, call):
    account = next(iter(salesforce.state.rows["Account"]))
    deal = call("POST", "sobjects/Opportunity", json={**DEAL, "AccountId": account}).json()["id"]
    for held in (deal, account):
        salesforce.state.lock_row(held[:15])
        for ask in (("PATCH", f"sobjects/Opportunity/{deal}"), ("DELETE", f"sobjects/Opportunity/{deal}")):
            assert code(call(*ask, json={"NextStep": "Call"})) == (400, "UNABLE_TO_LOCK_ROW")
        salesforce.state.lock_row(held, free=True)
    assert call("PATCH", f"sobjects/Opportunity/{deal}", json={"NextStep": "Call"}).status_code == 204


def test_a_lead_cannot_get_the_address_of_another_open_one_but_keeps_its_own(salesforce, call):
    first, other = lead(call), lead(call, Email="other@unknown.example")
    path = f"sobjects/Lead/{other}"
    assert code(call("PATCH", path, json={"Email": "NOVAK@unknown.example"})) == (400, "DUPLICATES_DETECTED")
    assert call("PATCH", path, json={"Email": "other@unknown.example"}).status_code == 204
    assert call("PATCH", path, json={"Email": LEAD["Email"]}, headers=ALLOW).status_code == 204
    assert call("PATCH", path, json={"Email": LEAD["Email"], "Rating": "Hot"}).status_code == 204  # it did not change
    told = call("POST", "sobjects/Lead", json=LEAD).json()[0]["duplicateResult"]["matchResults"][0]
    assert {one["record"]["Id"] for one in told["matchRecords"]} == {first, other}
    assert (told["size"], told["matchRecords"][0]["record"]["attributes"]["type"]) == (2, "Lead")


@pytest.mark.parametrize("away", ["converted", "deleted", "changed"])
def test_a_lead_that_is_no_longer_open_under_the_address_is_no_duplicate(salesforce, call, away):
    first = lead(call)
    if away == "converted":
        salesforce.state.convert(first)
    elif away == "deleted":
        salesforce.state.delete("Lead", first)
    else:
        salesforce.state.update("Lead", first, {"Email": None})
    assert call("POST", "sobjects/Lead", json=LEAD).status_code == 201


@pytest.mark.parametrize("says", ["allowSave=false; includeRecordDetails=true", "includeRecordDetails=true", "true"])
def test_only_the_header_that_allows_it_saves_a_duplicate(call, says):
    lead(call)
    answer = call("POST", "sobjects/Lead", json=LEAD, headers={"Sforce-Duplicate-Rule-Header": says})
    assert code(answer) == (400, "DUPLICATES_DETECTED")


def test_without_the_orgs_rule_duplicates_are_made(salesforce, call):
    lead(call)
    salesforce.state.duplicates_alert = False
    assert call("POST", "sobjects/Lead", json=LEAD).status_code == 201


@pytest.mark.parametrize(("header", "given"), [(None, True), ("TRUE", True), ("FALSE", False)])
def test_the_active_assignment_rule_gives_new_leads_an_owner_unless_told_not_to(salesforce, call, header, given):
    salesforce.state.assign_leads(rep(salesforce))
    headers = {"Sforce-Auto-Assign": header} if header else {}
    made = call("POST", "sobjects/Lead", json=LEAD, headers=headers).json()["id"]
    owner = call("GET", f"sobjects/Lead/{made}").json()["OwnerId"]
    assert owner == (rep(salesforce) if given else salesforce.state.me)
    named = call("POST", "sobjects/Lead", json={**LEAD, "Email": None, "OwnerId": rep(salesforce, "Rita Rep")})
    assert call("GET", f"sobjects/Lead/{named.json()['id']}").json()["OwnerId"] == rep(salesforce, "Rita Rep")


def test_the_assignment_rule_can_be_asked_for_and_not_be_written(salesforce, call):
    query = {"q": "SELECT Id FROM AssignmentRule WHERE SobjectType = 'Lead' AND Active = true LIMIT 1"}
    assert call("GET", "query", params=query).json()["records"] == []
    rule = salesforce.state.assign_leads(rep(salesforce))
    assert [one["Id"] for one in call("GET", "query", params=query).json()["records"]] == [rule]
    assert call("PATCH", f"sobjects/AssignmentRule/{rule}", json={"Active": False}).status_code == 400
    salesforce.state.assign_leads("")
    assert call("GET", "query", params=query).json()["records"] == []


def test_the_admins_own_rules_refuse_as_often_as_they_were_told_to(salesforce, call):
    for wanted in ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"):
        salesforce.state.object_to("Lead", wanted, "Rule X", times=2)
        refused = [call("POST", "sobjects/Lead", json=LEAD) for _ in range(2)]
        assert [code(one) for one in refused] == [(400, wanted)] * 2
        assert refused[0].json()[0]["message"] == "Rule X"
    assert call("POST", "sobjects/Lead", json=LEAD).status_code == 201


def test_a_deleted_record_can_be_named_by_nobody(salesforce, call):
    account = next(iter(salesforce.state.rows["Account"]))
    salesforce.state.delete("Account", account)
    assert code(call("POST", "sobjects/Opportunity", json={**DEAL, "AccountId": account})) == (400, "ENTITY_IS_DELETED")
    assert code(call("GET", f"sobjects/Account/{account}")) == (404, "ENTITY_IS_DELETED")


def test_an_id_of_fifteen_characters_is_the_same_record(call):
    made = lead(call)
    assert call("GET", f"sobjects/Lead/{made[:15]}").json()["Id"] == made
    task = call("POST", "sobjects/Task", json={"Subject": "Call", "WhoId": made[:15]})
    assert task.status_code == 201


def test_fields_of_tasks_are_activitys_and_are_found_by_their_name(salesforce, call):
    refused = call("POST", FIELDS, json={"FullName": "Task.Deskbridge_Key__c", "Metadata": TEXT})
    assert code(refused) == (400, "FIELD_INTEGRITY_EXCEPTION")
    made = call("POST", FIELDS, json={"FullName": "Activity.Deskbridge_Key__c", "Metadata": TEXT}).json()["id"]
    assert salesforce.state.fields["Task"]["Deskbridge_Key__c"].unique
    salesforce.state.add_field("Lead", "Deskbridge_Key__c", 64, external=True)  # by hand
    found = {}
    for home in ("Activity", "Lead", "Opportunity"):
        told = call("GET", "tooling/query", params={"q": OF_FIELD.format(home)}).json()
        found[home] = [one["Id"] for one in told["records"]]
    assert (found["Activity"], len(found["Lead"]), found["Opportunity"]) == ([made], 1, [])
    assert code(call("GET", "tooling/query", params={"q": "SELECT Id FROM Lead"})) == (400, "INVALID_TYPE")
    for home, kind in (("Activity", "Task"), ("Lead", "Lead")):
        path = f"{FIELDS}/{found[home][0]}"
        assert [call("DELETE", path).status_code for _ in range(2)] == [204, 404]
        assert "Deskbridge_Key__c" not in salesforce.state.fields[kind]


def test_a_new_field_can_be_hidden_until_the_permission_set_shows_it(salesforce, call):
    salesforce.state.show_fields(False)
    order = {"FullName": "Lead.Deskbridge_Key__c", "Metadata": TEXT}
    assert call("POST", FIELDS, json=order).status_code == 201
    assert code(call("POST", FIELDS, json=order)) == (400, "DUPLICATE_DEVELOPER_NAME")
    names = lambda: [one["name"] for one in call("GET", "sobjects/Lead/describe").json()["fields"]]  # noqa: E731
    assert "Deskbridge_Key__c" not in names()
    body = {**LEAD, "Deskbridge_Key__c": "k"}
    assert code(call("POST", "sobjects/Lead", json=body)) == (400, "INVALID_FIELD")
    salesforce.state.show_fields()
    assert "Deskbridge_Key__c" in names()
    assert call("POST", "sobjects/Lead", json=body).status_code == 201


def test_texts_that_are_long_cannot_be_asked_for_and_an_address_ends_somewhere(call):
    query = {"q": "SELECT Id FROM Lead WHERE Description = 'x'"}
    assert code(call("GET", "query", params=query)) == (400, "INVALID_FIELD")
    query = {"q": f"SELECT Id FROM Lead WHERE LastName = '{'x' * 17_000}'"}
    assert code(call("GET", "query", params=query)) == (414, "URI_TOO_LONG")


def test_every_act_in_the_docs_is_there_and_takes_what_they_say(salesforce):
    acts = re.findall(r"`(\w+)\(([^)]*)\)`", "".join(re.findall(r"(?m)^\|([^|]*\)`[^|]*)\|", DOCS.read_text())))
    assert len(acts) > 15
    for name, told in acts:
        parameters = inspect.signature(getattr(salesforce.state, name)).parameters
        assert len([one for one in told.split(",") if one]) <= len(parameters), name
