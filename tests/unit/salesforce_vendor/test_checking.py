"""What the check says of an org, by its describes over HTTP: a sentence each, with what to do; none when all is well."""

import json
from dataclasses import replace

import pytest

from integrations.kernel.crm import Usage
from integrations.kernel.errors import VendorError
from integrations.salesforce import checking, setting_up
from integrations.salesforce.settings import KEY_FIELD


def describe(org, name, **changes):
    """The next describe of an object is changed in these parts."""
    fields = [one.described() for one in org.state.fields[name].values()]
    told = {"name": name, "fields": fields, "createable": True, "updateable": True, **changes}
    org.fault(kind="status", status=200, path=f"sobjects/{name}/describe", body=json.dumps(told))


def change(org, name, field, **values):
    """A field of the org is other than it was."""
    org.state.fields[name][field] = replace(org.state.fields[name][field], **values)


def test_an_org_that_is_ready_has_no_problems_in_seven_calls(org, crm):
    assert crm().check() == []
    assert org.local.simulator.daily.used == 7  # limits, and six describes


def test_a_key_field_that_may_not_be_written_or_is_not_unique_is_told_apart_from_a_missing_one(org, crm):
    change(org, "Lead", KEY_FIELD, writable=False)
    change(org, "Opportunity", KEY_FIELD, unique=False)
    org.state.fields["Task"].pop(KEY_FIELD)
    lead, deal, task = crm().check()
    assert lead == f"The integration user may not write Lead.{KEY_FIELD}: give it edit access to the field."
    assert deal.startswith(f"Opportunity has no field {KEY_FIELD} that is External ID and Unique")
    assert task.startswith(f"Task has no field {KEY_FIELD}")


def test_fields_we_must_write_and_may_not_are_named_together(org, crm):
    change(org, "Lead", "Company", writable=False)
    org.state.fields["Lead"].pop("Description")
    assert crm().check() == [
        "The integration user may not write Company, Description of Lead: give it edit access to the fields."
    ]


@pytest.mark.parametrize("part", ["createable", "updateable"])
def test_an_object_we_may_only_read_is_told(org, crm, part):
    describe(org, "Opportunity", **{part: False})
    assert crm().check() == ["The integration user may not create and edit Opportunity: give its permission set both."]


@pytest.mark.parametrize(("status", "code"), [(404, "NOT_FOUND"), (403, "INSUFFICIENT_ACCESS"), (400, "INVALID_TYPE")])
def test_an_object_we_do_not_see_is_told_and_the_others_are_still_checked(org, crm, status, code):
    org.state.fields["Task"].pop(KEY_FIELD)
    body = json.dumps([{"errorCode": code, "message": "m"}])
    org.fault(kind="status", status=status, path="sobjects/Account/describe", body=body)
    hidden, task = crm().check()
    assert hidden == "The integration user does not see the object Account: give its permission set access to it."
    assert task.startswith("Task has no field")


@pytest.mark.parametrize(("name", "field"), [
    ("Account", "Name"), ("Account", "OwnerId"), ("Account", "ParentId"), ("Account", "Website"), ("Contact", "AccountId"),
    ("Contact", "Email"), ("User", "Name"), ("User", "IsActive"),
])  # fmt: skip
def test_a_field_without_which_companies_cannot_be_read_is_told(org, crm, pages, name, field):
    org.state.fields[name].pop(field)
    (told,) = crm().check()
    assert told == (
        f"The integration user may not read {name}.{field}: Setup > Permission Sets > the user's set > Object Settings > {name} "
        "> Edit: tick Read Access. Until then no company is read and no lead is made."
    )
    with pytest.raises(VendorError):
        pages(crm().directory)


def test_fields_we_may_not_read_are_named_together(org, crm):
    org.state.fields["Account"].pop("Website")
    org.state.fields["Account"].pop("ParentId")
    (told,) = crm().check()
    assert told.startswith("The integration user may not read Account.ParentId, Account.Website: Setup > ")


@pytest.mark.parametrize("name", ["Account", "Contact", "User"])
def test_an_object_we_read_and_do_not_see_is_told(org, crm, pages, name):
    org.state.fields.pop(name)
    assert crm().check() == [
        f"The integration user does not see the object {name}: give its permission set access to it."
    ]
    with pytest.raises(VendorError):
        pages(crm().directory)


def test_settings_that_do_not_fit_the_org_are_told_with_what_it_has(org, crm):
    told = crm(
        stage="Nowhere", account_key_field="Customer_Id__c", territory_field="Region__c", fields="score=Score__c"
    ).check()
    assert told == [
        (
            "stage: the org has no stage 'Nowhere'; it has Prospecting, Qualification, Needs Analysis, Proposal/Price Quote, "
            "Negotiation/Review, Closed Won, Closed Lost."
        ),
        "account_key_field: Account has no field Customer_Id__c that the integration user sees.",
        "territory_field: Account has no field Region__c that the integration user sees.",
        "fields: none of Lead, Opportunity and Task has Score__c (for score), or it is hidden from us.",
    ]


def test_an_org_with_one_currency_must_say_which_and_one_with_several_need_not(org, crm):
    assert [one for one in crm(currency="").check() if one.startswith("currency")]
    money = replace(org.state.fields["Lead"]["Rating"], name="CurrencyIsoCode", values=("EUR", "USD"))
    org.state.fields["Opportunity"]["CurrencyIsoCode"] = money
    assert crm(currency="").check() == []


def test_a_day_that_is_nearly_used_up_is_told_with_its_numbers(crm):
    sheets = crm()._sheets
    (told,) = checking.problems(sheets, KEY_FIELD, {"currency": "USD"}, Usage(8000, 10_000))
    assert told.startswith("8000 of the org's 10000 API calls of 24 hours are used.")
    assert checking.problems(sheets, KEY_FIELD, {"currency": "USD"}, Usage(7999, 10_000)) == []


def test_what_keeps_us_out_is_the_one_problem(org, crm):
    assert (
        crm(secrets={"consumer_secret": ("wrong",)}).check()[0].startswith("Salesforce does not take the consumer key")
    )
    org.fault(kind="cut_before", times=9)
    (told,) = crm().check()
    assert "not answer" in told or "not reach" in told


def test_the_check_reads_the_org_anew_and_changes_nothing(org, crm):
    client = crm()
    assert client.check() == []
    org.state.fields["Lead"].pop(KEY_FIELD)
    assert len(client.check()) == 1
    assert not [one for one in org.calls() if not one.startswith("GET")]


def test_clicks_name_everything_a_person_must_choose():
    key = setting_up.clicks("Task", KEY_FIELD, setting_up.key_metadata())
    for word in ("Activity", "Text", "length 64", "name Deskbridge_Key", "'Unique'", "'External ID'", "permission set"):
        assert word in key
    wanted = setting_up.wanted(KEY_FIELD, verdicts=True)
    verdict = setting_up.clicks("Lead", "Deskbridge_Verdict__c", wanted["Deskbridge_Verdict__c"])
    assert "Picklist, label 'Deskbridge verdict', name Deskbridge_Verdict, values Accepted, Rejected" in verdict
    assert "Edit Tasks" in setting_up.see_it("Task")
    assert "Object Settings > Lead" in setting_up.see_it("Lead")
