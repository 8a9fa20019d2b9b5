"""What is written down: who linked whom and when, what the ladder used, and who is to be woken."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from app import identity
from app.customers import store as customers
from app.identity import IdentitySettings, Requester
from app.identity.models import identity_link
from app.tickets import store as tickets
from integrations.kernel.billing import Gone, Payer
from integrations.kernel.errors import NotFound
from integrations.kernel.records import Email, OrganizationRecord, PersonRecord, TicketRecord

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
DESK, BANK = "con_desk", "con_bank"
ANN = Requester(DESK, "ann")
PAYER = (BANK, "cus_1")
RULES = IdentitySettings(
    link_keys=("helpdesk_id",), organization_keys=("account",), organization_fields=("stripe_customer",)
)


@pytest.fixture
def cx(database):
    with database.engine.connect() as connection, connection.begin():
        person(connection, "ann")
        payer(connection, "ann@example.com")
        yield connection


def person(cx, person_id, address="", *, verified=True, **known):
    emails = (Email(address or f"{person_id}@example.com", verified=verified),)
    customers.apply_people(cx, DESK, [PersonRecord(person_id, NOON, emails=emails, **known)])
    tickets.apply(cx, DESK, [TicketRecord(f"t_{person_id}", NOON, {"status": "open", "requester_id": person_id})])


def payer(cx, email=None, **metadata):
    record = Payer("cus_1", "cus_1", email, None, None, None, None, NOON, metadata)
    identity.index_payers(cx, BANK, [record], settings=RULES)


def matched(cx, requester=ANN):
    return [(one.payer_id, one.rung) for one in identity.match(cx, [requester], RULES)[requester].payers]


def written(cx):
    columns = identity_link.c.rung, identity_link.c.made_by, identity_link.c.ended_by
    return [tuple(row) for row in cx.execute(sa.select(*columns).order_by(identity_link.c.id))]


def test_what_the_ladder_found_is_written_down_once_at_its_first_use(cx):
    assert matched(cx) == matched(cx) == [("cus_1", 2)]
    assert written(cx) == [(2, "ladder", None)]
    row = cx.execute(sa.select(identity_link)).one()
    assert row.id.startswith("lnk_")
    assert (row.strength, row.made_at.tzinfo is not None) == ("verified", True)


def test_looking_without_remembering_writes_nothing(cx):
    identity.match(cx, [ANN], RULES, remember=False)
    assert written(cx) == []


def test_what_the_ladder_no_longer_finds_is_ended_and_seen_to_have_been(cx):
    matched(cx)
    payer(cx, "other@example.com")
    assert matched(cx) == []
    assert written(cx) == [(2, "ladder", "ladder")]
    payer(cx, "ann@example.com")
    assert matched(cx) == [("cus_1", 2)]
    assert written(cx) == [(2, "ladder", "ladder"), (2, "ladder", None)]


def test_a_match_that_became_stronger_is_written_down_anew(cx):
    matched(cx)
    payer(cx, "ann@example.com", helpdesk_id="42")
    customers.apply_people(cx, DESK, [PersonRecord("ann", NOON.replace(hour=13), external_id="42")])
    assert matched(cx) == [("cus_1", 1)]
    assert sorted(written(cx)) == [(1, "ladder", None), (2, "ladder", "ladder")]


def test_a_link_made_by_a_person_takes_the_ladders_place(cx):
    matched(cx)
    link_id = identity.link(cx, ANN, PAYER, by="agent_7", note="confirmed", rung=1)
    assert identity.link(cx, ANN, PAYER, by="agent_8", rung=1) == link_id
    assert matched(cx) == [("cus_1", 1)]
    assert written(cx) == [(2, "ladder", "ladder"), (1, "agent_7", None)]
    assert cx.execute(sa.select(identity_link.c.note).where(identity_link.c.id == link_id)).scalar() == "confirmed"


def test_a_stronger_link_ends_the_weaker_one_and_a_weaker_changes_nothing(cx):
    weak = identity.link(cx, ANN, PAYER, by="agent_7", rung=3)
    strong = identity.link(cx, ANN, PAYER, by="agent_8", rung=1)
    assert identity.link(cx, ANN, PAYER, by="agent_9", rung=3) == strong != weak
    assert written(cx) == [(3, "agent_7", "agent_8"), (1, "agent_8", None)]


def test_unlinking_says_who_and_can_be_done_once(cx):
    link_id = identity.link(cx, ANN, PAYER, by="agent_7", rung=1)
    identity.unlink(cx, link_id, by="agent_8")
    assert written(cx) == [(1, "agent_7", "agent_8")]
    with pytest.raises(NotFound):
        identity.unlink(cx, link_id, by="agent_8")
    with pytest.raises(NotFound):
        identity.unlink(cx, "lnk_unknown", by="agent_8")


def test_what_a_person_refused_the_ladder_does_not_find_again_until_a_person_links_it(cx):
    matched(cx)
    identity.unlink(cx, cx.execute(sa.select(identity_link.c.id)).scalar(), by="agent_7")
    assert matched(cx) == matched(cx) == []
    link_id = identity.link(cx, ANN, PAYER, by="agent_8", rung=1)
    assert matched(cx) == [("cus_1", 1)]
    identity.unlink(cx, link_id, by="agent_8")
    assert matched(cx) == []


def second(cx, email="ann@example.com", **metadata):
    record = Payer("cus_2", "cus_2", email, None, None, None, None, NOON, metadata)
    identity.index_payers(cx, BANK, [record], settings=RULES)


def chosen(cx, payer_id, by="agent_7"):
    (one,) = [p for p in identity.match(cx, [ANN], RULES)[ANN].payers if p.payer_id == payer_id]
    return identity.choose(cx, ANN, one, by)


def test_a_choice_among_several_keeps_the_rung_they_stand_on(cx):
    second(cx)
    assert matched(cx) == [("cus_1", 2), ("cus_2", 2)]
    assert chosen(cx, "cus_2") == chosen(cx, "cus_2", "agent_8")
    assert matched(cx) == [("cus_2", 2)]
    (one,) = identity.match(cx, [ANN], RULES)[ANN].payers
    assert (one.strength, one.chosen) == ("verified", True)
    assert identity.link_of(cx, ANN, (BANK, "cus_2")).made_by == "agent_7"
    assert matched(cx) == [("cus_2", 2)], "the ladder writes no link of its own beside it"


def test_a_choice_is_no_link_and_ends_with_what_it_was_made_among(cx):
    second(cx)
    chosen(cx, "cus_2")
    second(cx, "other@example.com")
    assert matched(cx) == [("cus_1", 2)]
    second(cx)
    assert matched(cx) == [("cus_1", 2), ("cus_2", 2)]
    chosen(cx, "cus_2")
    unsure = Email("ann@example.com", verified=False)
    customers.apply_people(cx, DESK, [PersonRecord("ann", NOON.replace(hour=13), emails=(unsure,))])
    assert matched(cx) == [("cus_1", 4), ("cus_2", 4)], "not verified any more: nobody has chosen among these"


def test_of_two_that_two_facts_proved_the_chosen_one_stays_proved_and_is_no_more_than_that(cx):
    customers.apply_people(cx, DESK, [PersonRecord("ann", NOON.replace(hour=13))])
    second(cx, None)
    for payer_id in ("cus_1", "cus_2"):
        identity.link(cx, ANN, (BANK, payer_id), by="agent_7", rung=3, note="invoice number")
    chosen(cx, "cus_2", "agent_8")
    assert matched(cx) == [("cus_2", 3)]
    assert identity.link_of(cx, ANN, (BANK, "cus_2")).note == "invoice number, chosen among several"
    assert written(cx) == [(3, "agent_7", None), (3, "agent_7", "agent_8"), (3, "agent_8", None)]


def test_the_last_choice_holds(cx):
    """Two agents chose at once, each among both."""
    second(cx)
    both = identity.match(cx, [ANN], RULES)[ANN].payers
    for one, by in zip(both, ("agent_7", "agent_8"), strict=True):
        identity.choose(cx, ANN, one, by)
    assert matched(cx) == [("cus_2", 2)]


def test_a_person_who_links_a_chosen_payer_says_more_than_the_choice(cx):
    second(cx)
    chosen(cx, "cus_2")
    identity.link(cx, ANN, (BANK, "cus_2"), by="agent_8", rung=3)
    second(cx, None)
    payer(cx)
    assert matched(cx) == [("cus_2", 3)]


@pytest.mark.parametrize(("rung", "by"), [(2, "agent_7"), (5, "agent_7"), (1, "ladder")])
def test_people_make_links_of_their_own_rungs_only(cx, rung, by):
    with pytest.raises(ValueError, match="not a person's link"):
        identity.link(cx, ANN, PAYER, by=by, rung=rung)
    with pytest.raises(ValueError, match="does not unlink"):
        identity.unlink(cx, "lnk_1", by="ladder")


def woken(cx, settings=RULES):
    return sorted(one.person_id for one in identity.requesters_of(cx, PAYER, settings))


def test_everybody_whom_the_ladder_leads_to_the_payer_is_woken_by_it(cx):
    customers.apply_organizations(
        cx, DESK,
        [
            OrganizationRecord("o_domain", NOON, domains=("acme.example",)),
            OrganizationRecord("o_field", NOON, fields={"stripe_customer": "cus_1"}),
            OrganizationRecord("o_key", NOON, external_id="42"),
        ],
    )  # fmt: skip
    person(cx, "mail", "Pay+x@acme.example", verified=False)
    person(cx, "colleague", "bob@acme.example")
    person(cx, "id", external_id="cus_1")
    person(cx, "key", external_id="7")
    person(cx, "of_domain", organization_id="o_domain")
    person(cx, "of_field", organization_id="o_field")
    person(cx, "of_key", organization_id="o_key")
    person(cx, "linked")
    person(cx, "old")
    person(cx, "kept")
    payer(cx, "pay@acme.example", helpdesk_id="7", account="42")
    identity.link(cx, Requester(DESK, "linked"), PAYER, by="agent_7", rung=1)
    identity.link(cx, Requester(DESK, "old"), PAYER, by="agent_7", rung=1)
    customers.merge_people(cx, DESK, {"old": "kept"}, NOON)
    everybody = ["colleague", "id", "kept", "key", "linked", "mail", "of_domain", "of_field", "of_key", "old"]
    assert woken(cx) == everybody
    assert woken(cx, None) == [one for one in everybody if one != "of_field"]
    named = [Requester(DESK, one) for one in everybody]
    assert all(PAYER in match.company or match.payers for match in identity.match(cx, named, RULES).values())
    assert woken(cx, None) == everybody  # what the ladder once used counts without settings


def test_nobody_is_woken_for_a_stranger_for_free_mail_or_for_closed_tickets(cx):
    person(cx, "stranger", "stranger@other.example")
    person(cx, "free", "free@gmail.com")
    assert woken(cx) == ["ann"]
    payer(cx, "somebody@gmail.com")
    assert woken(cx) == []
    payer(cx, "ann@example.com")
    tickets.apply(cx, DESK, [TicketRecord("t_ann", NOON.replace(hour=13), {"status": "closed"})])
    assert woken(cx) == []


def test_a_deleted_payer_wakes_those_who_were_linked_to_it(cx):
    matched(cx)
    identity.index_payers(cx, BANK, [Gone("payer", "cus_1")], settings=RULES)
    assert woken(cx) == ["ann"]


def test_many_payers_are_one_statement(cx):
    counted = []
    sa.event.listen(cx, "before_cursor_execute", lambda *a: counted.append(a[2]))
    found = identity.requesters_of_many(cx, [PAYER, (BANK, "cus_2"), ("con_other", "cus_1")], RULES)
    assert found == {PAYER: {ANN}}
    assert len(counted) == 1
    assert identity.requesters_of_many(cx, []) == {}
