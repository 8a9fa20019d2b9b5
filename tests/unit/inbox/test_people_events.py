"""People merged, deleted and changed: mirror, links and tickets follow, on a real PostgreSQL."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from app import agents, identity
from app.agents import store as agent_store
from app.customers import store as customers
from app.identity import IdentitySettings, Requester
from app.inbox import people, read
from app.inbox.models import delivery_key
from app.inbox.parse import Parsed
from app.tickets import store as tickets
from integrations.kernel.events import Event
from integrations.kernel.ids import VendorRef
from integrations.kernel.ports import PeopleRead
from integrations.kernel.records import AgentRecord, Email, PersonRecord, TicketRecord

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
DESK = "desk"


def person(id_, *emails, second=0):
    told = tuple(Email(e, verified=True, primary=not n) for n, e in enumerate(emails))
    return PersonRecord(id_, NOON + timedelta(seconds=second), name=id_, emails=told, all_emails=True)


def event(kind, id_, record=None, key="e1", **note):
    at = NOON + timedelta(minutes=1)
    return Event(kind, "zendesk", DESK, key, VendorRef("zendesk", "person", id_), at, "9", record, note=note)


def parsed(*events):
    return [Parsed(None, None, "zendesk", events)]


@pytest.fixture
def cx(database):
    with database.engine.connect() as connection, connection.begin():
        customers.apply_people(connection, DESK, [person("1", "ann@acme.example"), person("2", "bob@acme.example")])
        ticket = {"status": "open", "requester_id": "1"}
        tickets.apply(connection, DESK, [TicketRecord("77", NOON, ticket, complete=True)])
        yield connection


def woken(cx):
    return set(cx.execute(sa.select(delivery_key.c.lane).where(delivery_key.c.state == "received")).scalars())


def test_whom_a_ticket_only_names_is_read_where_the_mirror_does_not_know_them(cx):
    assert read._people_to_read(cx, parsed(event("requester.seen", "1"), event("requester.seen", "9"))) == [
        (DESK, "person", ["9"])
    ]


def test_only_people_whom_their_event_does_not_carry_are_read(cx):
    found = read._people_to_read(
        cx,
        parsed(
            event("person.changed", "1", person("1")), event("person.identities_changed", "2"),
            event("person.deleted", "3"), event("person.merged", "4", survivor="5"),
        ),
    )  # fmt: skip
    assert found == [(DESK, "person", ["2", "4", "5"])]
    many = parsed(*[event("person.changed", str(n)) for n in range(150)])
    assert [len(ids) for *_, ids in read._people_to_read(cx, many)] == [100, 50]


def test_a_merge_moves_the_links_and_wakes_the_tickets_of_both(cx):
    identity.link(cx, Requester(DESK, "1"), ("bank", "cus_1"), "agent:5", rung=1)
    people.work(
        cx, DESK, [event("person.merged", "1", survivor="2")], [PeopleRead((person("2", "bob@acme.example"),), ("1",))]
    )
    settings = IdentitySettings()
    found = identity.match(cx, [Requester(DESK, "1"), Requester(DESK, "2")], settings)
    assert [[p.payer_id for p in found[Requester(DESK, i)].payers] for i in ("1", "2")] == [["cus_1"], ["cus_1"]]
    assert woken(cx) == {"ticket:77"}


def test_a_merge_that_does_not_say_into_whom_and_a_deletion_end_the_person(cx):
    people.work(cx, DESK, [event("person.merged", "1")], [PeopleRead((), ("1",))])
    people.work(cx, DESK, [event("person.deleted", "2", key="e2")], [])
    assert [p.is_there for p in customers.people(cx, DESK, ["1", "2"]).values()] == [False, False]
    assert woken(cx) == {"ticket:77"}


def test_another_address_is_read_and_matched_by_from_then_on(cx):
    people.work(
        cx, DESK, [event("person.identities_changed", "1")], [PeopleRead((person("1", "new@acme.example", second=30),))]
    )
    assert [a.folded for a in customers.people(cx, DESK, ["1"])["1"].addresses] == ["new@acme.example"]
    assert woken(cx) == {"ticket:77"}


def test_a_change_of_somebody_who_is_staff_has_the_staff_read_again(cx, database):
    agent_store.replace_all(cx, DESK, [AgentRecord("1", NOON, role="agent")], NOON)
    people.work(cx, DESK, [event("person.changed", "2")], [PeopleRead((person("2", second=1),))])
    assert agent_store.read_at(cx)[DESK] == (NOON, False)
    people.work(cx, DESK, [event("person.changed", "1", key="e3")], [PeopleRead((person("1", second=1),))])
    assert agent_store.read_at(cx)[DESK] == (NOON, True)
    assert agents.find(cx, DESK, ["1"])["1"].role == "agent"
