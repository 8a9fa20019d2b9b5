"""A draft in the org's fields: only what the org has and lets us write, in its words and lengths. Pure."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from integrations.kernel.crm import Shape
from integrations.kernel.money import Money
from integrations.salesforce import words
from integrations.salesforce.org import Field, sheet
from integrations.salesforce.words import Choices, fields
from sandbox.salesforce.kinds import fields_of

NONE = Choices({})


@pytest.fixture
def described():
    """described(object, **fields) -> its sheet; a field may be changed, added, or taken away (None)."""

    def build(name, **changes):
        told = [one.described() for one in fields_of(name).values()]
        made = sheet({"name": name, "fields": told})
        own = dict(made.fields)
        for field, value in changes.items():
            if value is None:
                own.pop(field)
            else:
                own[field] = value
        return replace(made, fields=own)

    return build


def deal(draft, **more):
    return draft(Shape.DEAL, close_on=date(2027, 1, 31), **more)


def test_an_amount_goes_out_in_a_currency_the_org_keeps_and_else_not_at_all(described, draft):
    one = deal(draft, amount=Money(1_234_567, "KWD"))
    many = described(
        "Opportunity", CurrencyIsoCode=Field("CurrencyIsoCode", "picklist", 255, True, True, ("EUR", "KWD"))
    )
    told = fields(one, many, NONE)
    assert (told["Amount"], told["CurrencyIsoCode"]) == (1234.567, "KWD")
    assert "Amount" not in fields(deal(draft, amount=Money(5, "USD")), many, NONE)
    single = described("Opportunity")
    assert fields(deal(draft, amount=Money(480_000, "EUR")), single, Choices({}, "EUR"))["Amount"] == 4800
    for choices in (NONE, Choices({}, "USD")):
        assert "Amount" not in fields(deal(draft, amount=Money(480_000, "EUR")), single, choices)


@pytest.mark.parametrize(
    ("told", "currency", "expected"),
    [
        (Decimal("1234.567"), "KWD", Money(1_234_567, "KWD")), (Decimal("12.5"), "JPY", Money(12, "JPY")),
        (Decimal("0.1"), "EUR", Money(10, "EUR")), (1500, "EUR", Money(150_000, "EUR")), (None, "EUR", None),
        (Decimal(1), "", None), (Decimal(1), "eur", None),
    ],
)  # fmt: skip
def test_an_amount_of_theirs_is_read_exactly(told, currency, expected):
    assert words.money(told, currency) == expected


def test_texts_are_cut_at_the_orgs_length_and_what_is_of_no_use_when_cut_is_left_out(described, draft):
    long = draft(subject="s" * 300, description="d" * 40_000, company="c" * 400, email="a" * 90 + "@x.example")
    told = fields(long, described("Lead"), NONE)
    assert (len(told["Description"]), told["Description"][-1]) == (32_000, "…")
    assert len(told["Company"]) == 255
    assert "Email" not in told


def test_control_characters_go_and_lines_stay(described, draft):
    told = fields(draft(description="a\x00b\x1b[31mc\r\nd\te\x7f"), described("Lead"), NONE)
    assert told["Description"].startswith("ab[31mc\r\nd\te")


def test_fields_that_are_hidden_or_may_not_be_written_are_left_out(described, draft):
    locked = Field("Email", "email", 80, may_create=True, may_update=False)
    org = described("Lead", Description=None, Email=locked, Rating=None)
    told = fields(draft(email="a@x.example", hot=True), org, NONE)
    assert "Description" not in told
    assert told["Email"] == "a@x.example"
    assert "Email" not in fields(draft(object_id="00Q1", email="a@x.example"), org, NONE)


def test_a_picklist_gets_the_orgs_own_spelling_or_nothing(described, draft):
    org = described("Opportunity", Type=Field("Type", "picklist", 255, True, True, ("existing business", "Other")))
    assert fields(deal(draft, kind="renewal"), org, NONE)["Type"] == "existing business"
    assert "Type" not in fields(deal(draft, kind="trial"), org, NONE)


def test_a_new_deal_begins_in_the_stage_that_was_chosen_or_the_first_that_is_open(described, draft):
    org = described("Opportunity")
    assert fields(deal(draft), org, Choices({}, "", "qualification"))["StageName"] == "Qualification"
    assert fields(deal(draft), org, Choices({}, "", "Nowhere"))["StageName"] == "Prospecting"
    values = ("Closed Lost", "Closed Won", "Won it", "Talking")
    odd = described("Opportunity", StageName=Field("StageName", "picklist", 255, True, True, values))
    assert fields(deal(draft), odd, NONE)["StageName"] == "Talking"


def test_of_a_record_that_is_there_the_reps_own_fields_are_not_touched(described, draft):
    told = fields(deal(draft, object_id="0061"), described("Opportunity"), NONE)
    assert not {"StageName", "Type", "LeadSource"} & set(told)


def test_only_what_is_named_is_told(described, draft):
    one = deal(
        draft, object_id="0061", description="ON HOLD: x", values={"next_step": "y"}, only=("description",), hot=True
    )
    assert fields(one, described("Opportunity"), NONE) == {"Description": "ON HOLD: x"}
    assert fields(replace(one, only=("values",)), described("Opportunity"), NONE) == {"NextStep": "y"}


def test_extra_values_go_where_the_admin_said_and_fit_the_fields_type(described, draft):
    org = described(
        "Lead", Score__c=Field("Score__c", "double", 0, True, True), Payer__c=Field("Payer__c", "string", 5, True, True)
    )
    choices = Choices({"score": "Score__c", "payer": "Payer__c", "link": "Gone__c"})
    told = fields(draft(values={"score": "80", "payer": "cus_12345", "link": "x", "ticket": "7"}), org, choices)
    assert (told["Score__c"], told["Payer__c"]) == (80, "cus_…")
    assert not {"Gone__c", "ticket"} & set(told)
    assert "Score__c" not in fields(draft(values={"score": "many"}), org, choices)
    assert fields(draft(values={"score": "80.5"}), org, choices)["Score__c"] == 80.5
