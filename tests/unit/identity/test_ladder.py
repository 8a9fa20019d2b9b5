"""Every rung of the ladder, by hand, on a real PostgreSQL."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from app import identity
from app.customers import store as customers
from app.identity import IdentitySettings, Match, PayerMatch, Requester, Strength
from app.identity.policy import best
from integrations.kernel.billing import Gone, Payer
from integrations.kernel.records import Email, OrganizationRecord, PersonRecord

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
DESK, BANK = "con_desk", "con_bank"
ANN = Requester(DESK, "1")
RULES = IdentitySettings(
    link_keys=("helpdesk_id",), organization_keys=("account",), organization_fields=("stripe_customer",)
)


@pytest.fixture
def cx(database):
    with database.engine.connect() as connection, connection.begin():
        yield connection


def person(cx, address="ann@example.com", person_id="1", *, verified=True, connection_id=DESK, **known):
    emails = (Email(address, verified=verified, primary=True),) if address else ()
    customers.apply_people(cx, connection_id, [PersonRecord(person_id, NOON, emails=emails, **known)])


def company(cx, *domains, **known):
    customers.apply_organizations(cx, DESK, [OrganizationRecord("o", NOON, domains=domains, **known)])


def payer(cx, payer_id, email=None, *, connection_id=BANK, rules=RULES, **metadata):
    record = Payer(payer_id, payer_id, email, None, None, None, None, NOON, metadata)
    identity.index_payers(cx, connection_id, [record], settings=rules)


def found(cx, requester=ANN, rules=RULES):
    return identity.match(cx, [requester], rules)[requester]


def rungs(match):
    return [(one.payer_id, one.rung, one.strength) for one in match.payers]


def test_rung_1_a_person_linked_them(cx):
    person(cx, "ann@elsewhere.example")
    payer(cx, "cus_1")
    identity.link(cx, ANN, (BANK, "cus_1"), by="agent_7", note="said so on the phone", rung=1)
    assert rungs(found(cx)) == [("cus_1", 1, Strength.LINKED)]


def test_rung_1_the_helpdesk_keeps_the_payers_id(cx):
    person(cx, external_id="cus_1")
    payer(cx, "cus_1")
    assert rungs(found(cx)) == [("cus_1", 1, Strength.LINKED)]


def test_rung_1_the_payers_metadata_names_the_requester(cx):
    person(cx, external_id="42")
    payer(cx, "cus_1", helpdesk_id=" 42 ")
    payer(cx, "cus_2", other="42")
    assert rungs(found(cx)) == [("cus_1", 1, Strength.LINKED)]


def test_rung_1_the_payers_metadata_names_the_company(cx):
    person(cx, organization_id="o", external_id="7")
    company(cx, external_id="42")
    payer(cx, "cus_1", account="42")
    assert rungs(found(cx)) == [("cus_1", 1, Strength.LINKED)]


def test_a_company_and_a_person_of_one_number_are_not_mixed_up(cx):
    person(cx, organization_id="o", external_id="42")
    company(cx, external_id="7")
    payer(cx, "cus_1", account="42", helpdesk_id="7")
    assert rungs(found(cx)) == []


def test_rung_1_a_field_of_the_company_holds_the_payers_id(cx):
    person(cx, organization_id="o")
    company(cx, fields={"stripe_customer": "cus_1", "other": "cus_2", "number": 3})
    payer(cx, "cus_1")
    payer(cx, "cus_2")
    assert rungs(found(cx)) == [("cus_1", 1, Strength.LINKED)]


@pytest.mark.parametrize("written", ["ANN@Example.com", "ａnn@example.com", " ann@EXAMPLE.com. "])
def test_rung_2_verified_address_equal_whatever_case_and_unicode_form(cx, written):
    person(cx, "Ann@example.COM", verified=True)
    payer(cx, "cus_1", written)
    assert rungs(found(cx)) == [("cus_1", 2, Strength.VERIFIED)]


def test_rung_3_two_typed_facts_stand_between_verified_and_unverified(cx):
    person(cx, "ann@example.com", verified=False)
    payer(cx, "cus_facts")
    payer(cx, "cus_mail", "ann@example.com")
    identity.link(cx, ANN, (BANK, "cus_facts"), by="agent_7", rung=3)
    assert rungs(found(cx)) == [("cus_facts", 3, Strength.TWO_FACTS)]


def test_rung_4_an_unverified_address_is_weaker(cx):
    person(cx, verified=False)
    payer(cx, "cus_1", "ann@example.com")
    assert rungs(found(cx)) == [("cus_1", 4, Strength.UNVERIFIED)]


def test_rung_5_the_company_domain_gives_a_roll_up_and_no_payer(cx):
    person(cx, "ann@acme.example")
    payer(cx, "cus_1", "billing@acme.example")
    payer(cx, "cus_2", "cfo@acme.example")
    match = found(cx)
    assert (match.payers, match.strength) == ((), Strength.COMPANY)
    assert match.company == ((BANK, "cus_1"), (BANK, "cus_2"))


def test_rung_5_the_companys_own_domains_count(cx):
    person(cx, "ann@gmail.com", organization_id="o")
    company(cx, "acme.example", "gmail.com")
    payer(cx, "cus_1", "billing@acme.example")
    payer(cx, "cus_2", "stranger@gmail.com")
    assert found(cx).company == ((BANK, "cus_1"),)


@pytest.mark.parametrize("domain", ["gmail.com", "mail.yahoo.com", "privaterelay.appleid.com"])
def test_free_mail_is_never_a_company(cx, domain):
    person(cx, f"ann@{domain}")
    payer(cx, "cus_1", f"bob@{domain}")
    assert found(cx) == Match()


def test_free_mail_addresses_still_match_as_addresses(cx):
    person(cx, "ann@gmail.com")
    payer(cx, "cus_1", "ann@gmail.com")
    assert rungs(found(cx)) == [("cus_1", 2, Strength.VERIFIED)]


def test_a_domain_with_very_many_payers_is_no_company(cx):
    person(cx, "ann@host.example")
    for n in range(4):
        payer(cx, f"cus_{n}", f"u{n}@host.example")
    assert len(found(cx, rules=IdentitySettings(company_most=4)).company) == 4
    assert found(cx, rules=IdentitySettings(company_most=3)).company == ()


def test_plus_addresses_match_only_with_the_setting(cx):
    person(cx, "ann+shop@example.com")
    payer(cx, "cus_1", "ann@example.com")
    payer(cx, "cus_2", "ann+bills@example.com")
    assert rungs(found(cx)) == []
    with_setting = found(cx, rules=IdentitySettings(plus_addresses=True))
    assert [one.payer_id for one in with_setting.payers] == ["cus_1", "cus_2"]


@pytest.mark.parametrize("fake", ["ann@paypa1.example", "ann@pаypal.example", "ann@paypál.example"])
def test_a_look_alike_domain_is_a_warning_and_never_a_match(cx, fake):
    person(cx, fake)
    payer(cx, "cus_1", "ann@paypal.example")
    match = found(cx)
    assert (match.payers, match.company) == ((), ())
    assert [text.endswith("looks like paypal.example, which is another domain") for text in match.warnings] == [True]


def test_a_look_alike_of_free_mail_or_of_a_company_at_the_helpdesk_is_a_warning_too(cx):
    person(cx, "ann@gmai1.com")
    person(cx, "bob@acrne.example", "2")
    company(cx, "acme.example")
    payer(cx, "cus_1", "ann@gmail.com")
    assert found(cx).warnings == ("gmai1.com looks like gmail.com, which is another domain",)
    assert found(cx, Requester(DESK, "2")).warnings == (
        "acrne.example looks like acme.example, which is another domain",
    )


def test_the_real_domain_is_no_warning(cx):
    person(cx, "ann@gmail.com")
    person(cx, "bob@acme.example", "2", organization_id="o")
    company(cx, "acme.example", "acrne.example")
    payer(cx, "cus_1", "x@acme.example")
    payer(cx, "cus_2", "x@acrne.example")
    payer(cx, "cus_3", "x@gmail.com")
    assert found(cx).warnings == found(cx, Requester(DESK, "2")).warnings == ()


def test_nobody_at_free_mail_is_warned_of_a_payer_who_imitates_it(cx):
    person(cx, "ann@gmail.com", organization_id="o")
    company(cx, "gmail.com")
    payer(cx, "cus_1", "ann@gmai1.com")
    assert found(cx) == Match()


def test_several_payers_on_the_best_rung_are_all_listed_and_weaker_rungs_are_not(cx):
    person(cx, "ann@example.com")
    customers.apply_people(
        cx, DESK, [PersonRecord("1", NOON, emails=(Email("ann@example.com", True), Email("ann@old.example", False)))]
    )
    payer(cx, "cus_b", "ann@example.com")
    payer(cx, "cus_a", "ANN@example.com", connection_id="con_other_bank")
    payer(cx, "cus_weak", "ann@old.example")
    match = found(cx)
    assert match.payers == (
        PayerMatch(BANK, "cus_b", 2, Strength.VERIFIED),
        PayerMatch("con_other_bank", "cus_a", 2, Strength.VERIFIED),
    )
    assert (BANK, "cus_weak") in match.company  # the roll-up, not a payer of theirs


def test_who_is_deleted_or_unknown_has_no_payers(cx):
    person(cx)
    person(cx, person_id="2", active=False)
    payer(cx, "cus_1", "ann@example.com")
    identity.link(cx, ANN, (BANK, "cus_1"), by="agent_7", rung=1)
    customers.mark_people_gone(cx, DESK, ["1"], NOON)
    everybody = [ANN, Requester(DESK, "2"), Requester(DESK, "nobody")]
    assert identity.match(cx, everybody, RULES) == dict.fromkeys(everybody, Match())


def test_who_was_merged_has_the_payers_and_links_of_both(cx):
    person(cx, "old@example.com")
    person(cx, "new@example.com", "2")
    payer(cx, "cus_linked")
    payer(cx, "cus_mail", "new@example.com")
    identity.link(cx, ANN, (BANK, "cus_linked"), by="agent_7", rung=1)
    customers.merge_people(cx, DESK, {"1": "2"}, NOON)
    both = identity.match(cx, [ANN, Requester(DESK, "2")], RULES)
    assert rungs(both[ANN]) == rungs(both[Requester(DESK, "2")]) == [("cus_linked", 1, Strength.LINKED)]


def test_a_deleted_payer_is_matched_by_nothing_not_even_a_link(cx):
    person(cx, "ann@acme.example", external_id="cus_1")
    payer(cx, "cus_1", "ann@acme.example", helpdesk_id="cus_1")
    identity.link(cx, ANN, (BANK, "cus_1"), by="agent_7", rung=1)
    identity.index_payers(cx, BANK, [Gone("payer", "cus_1"), Gone("charge", "cus_1")], settings=RULES)
    assert found(cx) == Match()


def test_people_of_two_helpdesks_with_one_id_are_two_requesters(cx):
    person(cx, "ann@example.com")
    person(cx, "bob@example.com", connection_id="con_other")
    payer(cx, "cus_ann", "ann@example.com")
    payer(cx, "cus_bob", "bob@example.com")
    payer(cx, "cus_linked")
    identity.link(cx, Requester("con_other", "1"), (BANK, "cus_linked"), by="agent_7", rung=1)
    both = identity.match(cx, [ANN, Requester("con_other", "1")], RULES)
    assert [one.payer_id for one in both[ANN].payers] == ["cus_ann"]
    assert [one.payer_id for one in both[Requester("con_other", "1")].payers] == ["cus_linked"]


def test_a_payer_whose_address_or_metadata_changed_is_found_by_the_new_one_only(cx):
    person(cx, "old@example.com", external_id="old")
    payer(cx, "cus_1", "old@example.com", helpdesk_id="old")
    payer(cx, "cus_1", "new@example.com", helpdesk_id="new")
    assert rungs(found(cx)) == []


def test_an_older_telling_of_a_payer_never_overwrites_a_newer(cx):
    def told(email, second):
        record = Payer("cus_1", "cus_1", email, None, None, None, None, NOON, {"helpdesk_id": email})
        return record, NOON.replace(second=second)

    person(cx, "new@example.com")
    identity.index_payers(cx, BANK, [told("new@example.com", 5), told("old@example.com", 4)], settings=RULES)
    identity.index_payers(cx, BANK, [told("old@example.com", 3)], settings=RULES)
    identity.index_payers(cx, BANK, [(Gone("payer", "cus_1"), NOON)], settings=RULES)
    assert rungs(found(cx)) == [("cus_1", 2, Strength.VERIFIED)]


def test_a_hundred_requesters_cost_as_many_statements_as_one(cx):
    for n in range(100):
        person(cx, f"u{n}@example.com", str(n))
        payer(cx, f"cus_{n}", f"u{n}@example.com")
    counted = []
    sa.event.listen(cx, "before_cursor_execute", lambda *a: counted.append(a[2]))
    identity.match(cx, [Requester(DESK, "0")], RULES)
    one, _ = len(counted), counted.clear()
    matches = identity.match(cx, [Requester(DESK, str(n)) for n in range(100)], RULES)
    assert {len(match.payers) for match in matches.values()} == {1}
    assert len(counted) == one <= 7
    counted.clear()
    identity.match(cx, [Requester(DESK, str(n)) for n in range(100)], RULES)
    assert len(counted) < one  # all are written down by now


def test_the_strongest_rung_wins_and_strengths_are_ordered():
    assert best({4: [("c", "weak")], 2: [("c", "b"), ("c", "a"), ("c", "a")]}) == (
        PayerMatch("c", "a", 2, Strength.VERIFIED),
        PayerMatch("c", "b", 2, Strength.VERIFIED),
    )
    assert best({5: [("c", "company")]}) == ()
    assert Strength.VERIFIED.is_at_least(Strength.TWO_FACTS)
    assert not Strength.UNVERIFIED.is_at_least(Strength.TWO_FACTS)
