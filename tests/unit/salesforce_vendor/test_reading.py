"""Reading over real HTTP: companies, people and owners by time of change, standings of our records, what is gone."""

from datetime import UTC, datetime, timedelta

import pytest

from integrations.kernel.errors import VendorContractChanged, VendorUnavailable
from integrations.salesforce import places, reading

EVER = datetime(2020, 1, 1, tzinfo=UTC)
OBJECTS = ("Account", "Contact", "User")


@pytest.fixture
def directory(crm, pages):
    """directory(cursor, **config) -> (accounts, contacts, users of one round, the place after it)."""

    def read(cursor="", **config):
        found, after = pages(crm(**config).directory, cursor)
        parts = ([one for page in found for one in getattr(page, name)] for name in ("accounts", "contacts", "users"))
        return *parts, after

    return read


@pytest.fixture
def small(monkeypatch):
    """Pages of three rows."""
    monkeypatch.setattr(reading, "PAGE", 3)
    monkeypatch.setattr(places, "PAGE", 3)


def test_the_first_round_reads_everything_in_three_calls(org, crm, pages):
    client = crm()
    found, _ = pages(client.directory)
    accounts = {one.id: one for page in found for one in page.accounts}
    assert set(accounts) == set(org.state.rows["Account"])
    assert {one.id for page in found for one in page.contacts} == set(org.state.rows["Contact"])
    assert len([one for page in found for one in page.users]) == len(org.state.rows["User"])
    assert org.calls() == {"GET queryAll": 3}


def test_a_company_says_its_name_owner_parent_domain_territory_and_our_own_id(org, directory):
    org.state.add_field("Account", "Customer_Id__c", 40)
    row, parent = org.account(0), org.account(1)
    org.state.update("Account", row["Id"], {
        "Website": "http://WWW.Bücher.example/shop?x=1", "ParentId": parent["Id"], "BillingCountry": "Germany",
        "Customer_Id__c": "cus_7",
    })  # fmt: skip
    accounts, *_ = directory(account_key_field="Customer_Id__c")
    one = next(one for one in accounts if one.id == row["Id"])
    assert (one.name, one.owner_id, one.parent_id) == (row["Name"], row["OwnerId"], parent["Id"])
    assert (one.domains, one.territory, one.external_id) == (("xn--bcher-kva.example",), "Germany", "cus_7")
    assert not one.gone


def test_of_a_contact_only_company_and_domain_are_kept(org, directory):
    made = org.state.create("Contact", {
        "LastName": "Lovelace", "Email": "Ada@Mail.Initech.example", "AccountId": org.account()["Id"],
    })  # fmt: skip
    none = org.state.create("Contact", {"LastName": "No address"})
    _, contacts, *_ = directory()
    known = {one.id: one for one in contacts}
    assert (known[made["Id"]].domain, known[made["Id"]].account_id) == ("mail.initech.example", org.account()["Id"])
    assert (known[none["Id"]].domain, known[none["Id"]].account_id) == ("", "")
    assert "lovelace" not in repr(known[made["Id"]]).lower()


def test_owners_are_staff_and_say_whether_they_are_active(org, directory):
    portal = org.state.create("User", {"Username": "c@x.example", "Name": "C", "UserType": "PowerCustomerSuccess"})
    *_, users, _ = directory()
    told = {one.id: one.active for one in users}
    assert told[org.owner()] is True
    assert told[org.owner(active=False)] is False
    assert portal["Id"] not in told


def test_a_deleted_company_is_told_as_gone(org, directory):
    *_, place = directory()
    gone = org.account(2)["Id"]
    org.state.delete("Account", gone)
    accounts, *_ = directory(place)
    assert [one.gone for one in accounts if one.id == gone] == [True]


def test_the_next_round_reads_what_changed_and_five_minutes_before_it(org, directory):
    org.age(60, *OBJECTS)
    late = org.account(1)
    late["SystemModstamp"] = (datetime.now(UTC) - timedelta(minutes=3)).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    org.state.update("Account", org.account(0)["Id"], {"Name": "Changed"})
    accounts, contacts, users, place = directory()
    assert (len(accounts), len(contacts)) == (len(org.state.rows["Account"]), len(org.state.rows["Contact"]))
    accounts, contacts, _, place = directory(place)
    assert {one.id for one in accounts} == {org.account(0)["Id"], late["Id"]}  # a long transaction may show late
    org.state.update("Account", org.account(3)["Id"], {"Name": "Later"})
    accounts, *_ = directory(place)
    assert org.account(3)["Id"] in {one.id for one in accounts}


def test_a_change_that_shows_up_after_newer_ones_is_still_read(org, directory):
    org.age(60, *OBJECTS)
    org.state.update("Account", org.account(0)["Id"], {"Name": "Newest"})
    *_, place = directory()
    slow = org.account(1)  # its transaction began earlier and was committed only now
    slow |= {"Name": "Slow", "SystemModstamp": (datetime.now(UTC) - timedelta(minutes=4)).isoformat()}
    accounts, *_ = directory(place)
    assert {one.name for one in accounts} == {"Newest", "Slow"}


def test_pages_within_one_moment_lose_nothing_and_tell_nothing_twice(org, directory, small):
    org.age(60, *OBJECTS)
    accounts, contacts, users, _ = directory()
    for found, kind in ((accounts, "Account"), (contacts, "Contact"), (users, "User")):
        ids = [one.id for one in found]
        assert len(ids) == len(set(ids))
        assert set(ids) == set(org.state.rows[kind])


def test_a_reading_goes_on_where_it_was_stopped_also_in_another_process(org, crm, pages, small):
    org.age(60, *OBJECTS)
    first = crm().directory("")
    assert not first.at_end
    rest, _ = pages(crm().directory, first.cursor)
    ids = [one.id for page in (first, *rest) for one in page.accounts]
    assert sorted(ids) == sorted(org.state.rows["Account"])


def test_a_page_that_fails_is_read_again_from_the_same_place(org, crm, small):
    client = crm()
    first = client.directory("")
    org.fault(kind="cut_after", path="queryAll")
    with pytest.raises(VendorUnavailable):
        client.directory(first.cursor)
    assert client.directory(first.cursor).accounts == crm().directory(first.cursor).accounts


@pytest.mark.parametrize("body", [
    '{"totalSize": 1, "done": true}', '{"done": true, "records": [{"Id": "001"}]}', "[]",
    '{"done": true, "records": [{"Id": "001", "SystemModstamp": "yesterday"}]}',
])  # fmt: skip
def test_rows_in_an_unknown_shape_are_said_to_be_so(org, crm, body):
    client = crm()
    org.fault(kind="status", status=200, path="queryAll", body=body)
    with pytest.raises(VendorContractChanged):
        client.directory("")


@pytest.mark.parametrize("cursor", ["x", "{}", "[1]", '{"at":"y","since":{},"seen":{},"after":null}'])
def test_a_place_nobody_wrote_is_refused(crm, cursor):
    with pytest.raises(VendorContractChanged, match="place"):
        crm().directory(cursor)
