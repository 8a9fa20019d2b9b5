"""Reading over real HTTP: companies, people and owners by time of change, standings of our records, what is gone."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from integrations.kernel.crm import PushState, Shape
from integrations.kernel.errors import VendorContractChanged, VendorUnavailable
from integrations.kernel.money import Money
from integrations.salesforce import places, reading
from integrations.salesforce.settings import KEY_FIELD, REASON_FIELD, VERDICT_FIELD

EVER = datetime(2020, 1, 1, tzinfo=UTC)
OBJECTS = ("Account", "Contact", "User")


def pages(read, cursor=""):
    """Every page of a round, and the place after it."""
    found = []
    while True:
        page = read(cursor)
        found.append(page)
        cursor = page.cursor
        if page.at_end:
            return found, cursor


@pytest.fixture
def directory(crm):
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


def age(org, minutes, *kinds):
    """Everything there was changed so long ago, all at one moment."""
    then = (datetime.now(UTC) - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    for kind in kinds or OBJECTS:
        for row in org.state.rows[kind].values():
            row["SystemModstamp"] = then


def test_the_first_round_reads_everything_in_three_calls(org, crm):
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
    age(org, 60)
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
    age(org, 60)
    org.state.update("Account", org.account(0)["Id"], {"Name": "Newest"})
    *_, place = directory()
    slow = org.account(1)  # its transaction began earlier and was committed only now
    slow |= {"Name": "Slow", "SystemModstamp": (datetime.now(UTC) - timedelta(minutes=4)).isoformat()}
    accounts, *_ = directory(place)
    assert {one.name for one in accounts} == {"Newest", "Slow"}


def test_pages_within_one_moment_lose_nothing_and_tell_nothing_twice(org, directory, small):
    age(org, 60)
    accounts, contacts, users, _ = directory()
    for found, kind in ((accounts, "Account"), (contacts, "Contact"), (users, "User")):
        ids = [one.id for one in found]
        assert len(ids) == len(set(ids))
        assert set(ids) == set(org.state.rows[kind])


def test_a_reading_goes_on_where_it_was_stopped_also_in_another_process(org, crm, small):
    age(org, 60)
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


# Standings ---------------------------------------------------------------------


def standings(client, cursor="", since=EVER):
    found, after = pages(lambda at: client.standings(at, since), cursor)
    return {one.object_id: one for page in found for one in page.standings}, after


def test_only_our_records_are_read_of_all_three_kinds(org, crm, draft):
    client = crm()
    made = [client.push([one])[0].object_id for one in (
        draft(), draft(Shape.DEAL, close_on=datetime(2027, 1, 1, tzinfo=UTC).date()), draft(Shape.TASK),
    )]  # fmt: skip
    org.state.create("Lead", {"LastName": "Theirs", "Company": "X"})
    found, _ = standings(client)
    assert [found[one].shape for one in made] == [Shape.LEAD, Shape.DEAL, Shape.TASK]
    assert len(found) == 3


def test_a_verdict_is_read_from_the_fields_we_offer(org, crm, draft):
    org.state.add_field("Lead", VERDICT_FIELD)
    org.state.add_field("Lead", REASON_FIELD)
    client, one = crm(), draft()
    (made,) = client.push([one])
    org.state.reject("Lead", made.object_id, "No budget")
    found, _ = standings(client)
    told = found[made.object_id]
    assert (told.key, told.verdict, told.reason) == (one.key, "Rejected", "No budget")
    assert told.status == "Open - Not Contacted"


def test_without_those_fields_the_orgs_own_status_is_told(org, crm, draft):
    client = crm()
    (made,) = client.push([draft()])
    org.state.accept("Lead", made.object_id)
    found, _ = standings(client)
    assert (found[made.object_id].verdict, found[made.object_id].status) == ("", "Working - Contacted")


def test_a_converted_lead_names_what_it_became(org, crm, draft):
    client = crm()
    (made,) = client.push([draft()])
    became = org.state.convert(made.object_id)
    found, _ = standings(client)
    told = found[made.object_id]
    assert told.converted
    assert (told.account_id, told.contact_id, told.deal_id) == tuple(
        became[one] for one in ("Account", "Contact", "Opportunity")
    )
    shown = client.show(Shape.DEAL, [told.deal_id])[told.deal_id]
    assert (shown.stage, shown.account_id, shown.closed, shown.key) == ("Qualification", became["Account"], False, "")


def test_a_deal_tells_stage_end_and_amount_in_the_orgs_currency(org, crm, draft):
    client = crm(currency="KWD")
    (made,) = client.push([draft(Shape.DEAL, close_on=datetime(2027, 1, 1, tzinfo=UTC).date())])
    org.state.win(made.object_id, 1234.567)
    told = standings(client)[0][made.object_id]
    assert (told.stage, told.closed, told.won, told.amount) == ("Closed Won", True, True, Money(1_234_567, "KWD"))
    told = standings(crm(currency=""))[0][made.object_id]
    assert (told.won, told.amount) == (True, None)  # an amount without its currency says nothing


def test_a_task_tells_its_end_and_its_company(org, crm, draft):
    client, account = crm(), org.account()["Id"]
    (made,) = client.push([draft(Shape.TASK, account_id=account)])
    org.state.update("Task", made.object_id, {"Status": "Completed"})
    told = standings(client)[0][made.object_id]
    assert (told.closed, told.account_id) == (True, account)


def test_a_deleted_record_of_ours_is_told_as_gone(org, crm, draft):
    client, one = crm(), draft()
    (made,) = client.push([one])
    _, place = standings(client)
    org.state.delete("Lead", made.object_id)
    found, _ = standings(client, place)
    assert (found[made.object_id].gone, found[made.object_id].key) == (True, one.key)
    assert client.find(Shape.LEAD, [one.key]) == {}  # and is not found where a new one could be made
    assert client.show(Shape.LEAD, [made.object_id]) == {}


def test_the_first_round_of_standings_begins_where_it_is_told(org, crm, draft):
    client = crm()
    old, new = (client.push([draft()])[0].object_id for _ in range(2))
    age(org, 60, "Lead")
    org.state.accept("Lead", new)
    found, place = standings(client, since=datetime.now(UTC) - timedelta(minutes=30))
    assert set(found) == {new}
    assert set(standings(client, place, EVER)[0]) == {new}  # later ones go by the place


def test_an_object_without_our_key_field_is_passed_over(org, crm, draft):
    client = crm()
    (made,) = client.push([draft()])
    org.state.fields["Opportunity"].pop(KEY_FIELD)
    assert set(standings(crm())[0]) == {made.object_id}


def test_records_are_found_by_key_and_shown_by_id_two_hundred_a_call(org, crm, draft):
    client = crm()
    drafts = [draft(last_name=f"L{n}") for n in range(201)]
    made = [*client.push(drafts[:200]), *client.push(drafts[200:])]
    before = org.calls().get("GET query", 0)
    found = client.find(Shape.LEAD, [one.key.upper() for one in drafts] + ["nobody's", "o'brien\\"])
    assert {key: one.object_id for key, one in found.items()} == {one.key.upper(): one.object_id for one in made}
    shown = client.show(Shape.LEAD, [one.object_id for one in made])
    assert {asked: one.key for asked, one in shown.items()} == {one.object_id: one.key for one in made}
    assert org.calls()["GET query"] == before + 4
    assert all(one.state is PushState.CREATED for one in made)


def test_what_is_asked_for_goes_into_a_query_quoted(org, crm):
    client = crm()
    evil = ["' OR Id != '", "x') OR (Id != ''", "\\", "\n"]
    assert client.find(Shape.LEAD, evil) == {}
    assert client.show(Shape.LEAD, ["' OR Id != '"]) == {}


def test_the_day_of_calls_is_known_after_any_answer(org, crm):
    client = crm()
    assert (client.usage().used, client.usage().allowed) == (None, None)
    org.local.simulator.daily.allow(5000)
    client.directory("")
    used = client.usage()
    assert used.allowed == 5000
    assert used.used == org.local.simulator.daily.used
    org.fault(kind="status", status=200, path="queryAll", body=json.dumps({"records": [], "done": True}))
    client.directory("")
    assert client.usage() == used  # an answer that does not say leaves it
