"""Standings of our records over real HTTP: verdicts, conversions, ends, what is gone; and records by key and id."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from integrations.kernel.crm import PushState, Shape
from integrations.kernel.money import Money
from integrations.salesforce.settings import KEY_FIELD, REASON_FIELD, VERDICT_FIELD

EVER = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def standings(pages):
    """standings(client, cursor, since) -> (standings of one round by record, the place after it)."""

    def read(client, cursor="", since=EVER):
        found, after = pages(lambda at: client.standings(at, since), cursor)
        return {one.object_id: one for page in found for one in page.standings}, after

    return read


def test_only_our_records_are_read_of_all_three_kinds(org, crm, draft, standings):
    client = crm()
    made = [client.push([one])[0].object_id for one in (
        draft(), draft(Shape.DEAL, close_on=datetime(2027, 1, 1, tzinfo=UTC).date()), draft(Shape.TASK),
    )]  # fmt: skip
    org.state.create("Lead", {"LastName": "Theirs", "Company": "X"})
    found, _ = standings(client)
    assert [found[one].shape for one in made] == [Shape.LEAD, Shape.DEAL, Shape.TASK]
    assert len(found) == 3


def test_a_verdict_is_read_from_the_fields_we_offer(org, crm, draft, standings):
    org.state.add_field("Lead", VERDICT_FIELD)
    org.state.add_field("Lead", REASON_FIELD)
    client, one = crm(), draft()
    (made,) = client.push([one])
    org.state.reject("Lead", made.object_id, "No budget")
    found, _ = standings(client)
    told = found[made.object_id]
    assert (told.key, told.verdict, told.reason) == (one.key, "Rejected", "No budget")
    assert told.status == "Open - Not Contacted"


def test_without_those_fields_the_orgs_own_status_is_told(org, crm, draft, standings):
    client = crm()
    (made,) = client.push([draft()])
    org.state.accept("Lead", made.object_id)
    found, _ = standings(client)
    assert (found[made.object_id].verdict, found[made.object_id].status) == ("", "Working - Contacted")


def test_a_converted_lead_names_what_it_became(org, crm, draft, standings):
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


def test_a_deal_tells_stage_end_and_amount_in_the_orgs_currency(org, crm, draft, standings):
    client = crm(currency="KWD")
    (made,) = client.push([draft(Shape.DEAL, close_on=datetime(2027, 1, 1, tzinfo=UTC).date())])
    org.state.win(made.object_id, 1234.567)
    told = standings(client)[0][made.object_id]
    assert (told.stage, told.closed, told.won, told.amount) == ("Closed Won", True, True, Money(1_234_567, "KWD"))
    told = standings(crm(currency=""))[0][made.object_id]
    assert (told.won, told.amount) == (True, None)  # an amount without its currency says nothing


def test_a_task_tells_its_end_and_its_company(org, crm, draft, standings):
    client, account = crm(), org.account()["Id"]
    (made,) = client.push([draft(Shape.TASK, account_id=account)])
    org.state.update("Task", made.object_id, {"Status": "Completed"})
    told = standings(client)[0][made.object_id]
    assert (told.closed, told.account_id) == (True, account)


def test_a_deleted_record_of_ours_is_told_as_gone(org, crm, draft, standings):
    client, one = crm(), draft()
    (made,) = client.push([one])
    _, place = standings(client)
    org.state.delete("Lead", made.object_id)
    found, _ = standings(client, place)
    assert (found[made.object_id].gone, found[made.object_id].key) == (True, one.key)
    assert client.find(Shape.LEAD, [one.key]) == {}  # and is not found where a new one could be made
    assert client.show(Shape.LEAD, [made.object_id]) == {}


def test_the_first_round_of_standings_begins_where_it_is_told(org, crm, draft, standings):
    client = crm()
    old, new = (client.push([draft()])[0].object_id for _ in range(2))
    org.age(60, "Lead")
    org.state.accept("Lead", new)
    found, place = standings(client, since=datetime.now(UTC) - timedelta(minutes=30))
    assert set(found) == {new}
    assert set(standings(client, place, EVER)[0]) == {new}  # later ones go by the place


def test_an_object_without_our_key_field_is_passed_over(org, crm, draft, standings):
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
