"""The mirror of people and companies on a real PostgreSQL."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.customers import store
from app.customers.models import person_email
from integrations.kernel.records import Email, OrganizationRecord, PersonRecord

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
DESK = "con_desk"


def ann(second=0, **known):
    emails = known.pop("emails", (Email("Ann@Example.com", verified=True, primary=True),))
    return PersonRecord("1", NOON + timedelta(seconds=second), **{"name": "Ann", "emails": emails, **known})


def company(second=0, **known):
    return OrganizationRecord(
        "o", NOON + timedelta(seconds=second), **{"name": "Acme", "domains": ("acme.com",), **known}
    )


@pytest.fixture
def cx(database):
    with database.engine.connect() as connection, connection.begin():
        yield connection


def test_a_person_is_kept_with_all_addresses_the_primary_one_first(cx):
    emails = (Email("b@example.com", verified=False), Email("Ann+X@Example.com", verified=True, primary=True))
    store.apply_people(cx, DESK, [ann(emails=emails, external_id=" 42 ", time_zone="Europe/Oslo", fields={"tier": 1})])
    found = store.people(cx, DESK, ["1", "2"])
    assert list(found) == ["1"]
    one = found["1"]
    assert (one.email, one.email_domain, one.external_id) == ("Ann+X@Example.com", "example.com", "42")
    assert (one.time_zone, one.fields, one.is_there) == ("Europe/Oslo", {"tier": 1}, True)
    assert [(a.folded, a.base, a.verified) for a in one.addresses] == [
        ("ann+x@example.com", "ann@example.com", True),
        ("b@example.com", "b@example.com", False),
    ]


def test_an_older_record_never_overwrites_nor_do_its_addresses(cx):
    store.apply_people(cx, DESK, [ann(5, name="New", emails=(Email("new@example.com", verified=True),))])
    assert store.apply_people(cx, DESK, [ann(4)]) == set()
    one = store.people(cx, DESK, ["1"])["1"]
    assert (one.name, one.email) == ("New", "new@example.com")


def test_what_says_nothing_new_is_not_written(cx):
    assert store.apply_people(cx, DESK, [ann()]) == {"1"}
    assert store.apply_people(cx, DESK, [ann()]) == set()
    assert store.apply_people(cx, DESK, [ann(external_id="42")]) == {"1"}
    assert store.apply_organizations(cx, DESK, [company()]) == {"o"}
    assert store.apply_organizations(cx, DESK, [company()]) == set()
    assert store.apply_organizations(cx, DESK, [company(1, domains=())]) == {"o"}
    assert store.organizations(cx, DESK, ["o"])["o"].domains == ()


def test_two_addresses_that_fold_alike_are_one_and_verified_if_either_is(cx):
    emails = (
        Email("ANN@example.com", verified=True),
        Email("ann@example.com", verified=False),
        Email("no", verified=True),
    )
    store.apply_people(cx, DESK, [ann(emails=emails)])
    assert [(a.folded, a.verified) for a in store.people(cx, DESK, ["1"])["1"].addresses] == [("ann@example.com", True)]


def test_people_of_two_connections_with_one_id_are_two_people(cx):
    store.apply_people(cx, DESK, [ann()])
    store.apply_people(cx, "con_other", [ann(name="Other", emails=())])
    assert store.people(cx, DESK, ["1"])["1"].email == "Ann@Example.com"
    assert store.people(cx, "con_other", ["1"])["1"].email == ""
    assert store.by_folded_email(cx, "con_other", ["ann@example.com"]) == {}


def test_who_has_an_address_is_found_unless_gone(cx):
    store.apply_people(cx, DESK, [ann(), PersonRecord("2", NOON, emails=(Email("ann@example.com", verified=False),))])
    assert store.by_folded_email(cx, DESK, ["ann@example.com", "x@y.zz"]) == {"ann@example.com": ["1", "2"]}
    store.mark_people_gone(cx, DESK, ["2"], NOON)
    assert store.by_folded_email(cx, DESK, ["ann@example.com"]) == {"ann@example.com": ["1"]}


def test_a_late_record_does_not_bring_a_deleted_person_back_and_a_newer_one_does(cx):
    store.apply_people(cx, DESK, [ann()])
    store.mark_people_gone(cx, DESK, ["1", "unknown"], NOON + timedelta(seconds=5))
    store.apply_people(cx, DESK, [ann(3, name="Late")])
    assert not store.people(cx, DESK, ["1"])["1"].is_there
    assert not store.people(cx, DESK, ["unknown"])["unknown"].is_there
    store.apply_people(cx, DESK, [ann(9)])
    assert store.people(cx, DESK, ["1"])["1"].is_there


def test_who_was_merged_stays_merged_and_follows_the_survivor_further(cx):
    store.apply_people(cx, DESK, [ann()])
    store.merge_people(cx, DESK, {"1": "2"}, NOON)
    store.merge_people(cx, DESK, {"2": "3", "3": "3"}, NOON)
    store.apply_people(cx, DESK, [ann(9)])
    one = store.people(cx, DESK, ["1"])["1"]
    assert (one.merged_into, one.is_there) == ("3", False)
    assert store.people(cx, DESK, ["2"])["2"].merged_into == "3"


def test_a_company_is_kept_with_its_domains_folded(cx):
    store.apply_organizations(
        cx, DESK, [company(domains=("Acme.com", "Bücher.example", "no domain"), fields={"cus": "c"})]
    )
    one = store.organizations(cx, DESK, ["o", "x"])["o"]
    assert (sorted(one.domains), one.fields) == (["acme.com", "xn--bcher-kva.example"], {"cus": "c"})
    assert store.apply_organizations(cx, DESK, [company(-1)]) == set()


def test_texts_a_database_refuses_are_stored_without_what_it_refuses(cx):
    store.apply_people(cx, DESK, [ann(name="a\x00b\ud800", fields={"x\x00": ["\ud800"]}, locale="d\x00")])
    one = store.people(cx, DESK, ["1"])["1"]
    assert (one.name, one.fields, one.locale) == ("a\ufffdb\ufffd", {"x\ufffd": ["\ufffd"]}, "d\ufffd")


def test_an_older_record_that_waited_for_a_newer_one_does_not_overwrite_it(database):
    with database.begin() as cx:
        store.apply_people(cx, DESK, [ann(0)])
    with database.begin() as first:
        store.apply_people(first, DESK, [ann(9, name="Newest")])

        def work():
            with database.begin() as second:
                store.apply_people(second, DESK, [ann(5, name="Older", emails=())])

        other = threading.Thread(target=work)
        other.start()
        other.join(0.3)
        assert other.is_alive()
    other.join()
    with database.begin() as cx:
        one = store.people(cx, DESK, ["1"])["1"]
    assert (one.name, one.email) == ("Newest", "Ann@Example.com")


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations([ann(n, name=str(n), emails=(Email(f"a{n}@example.com", verified=True),)) for n in range(5)]))
def test_people_end_alike_in_whatever_order_they_are_told(cx, records):
    cx.execute(sa.delete(person_email))
    connection_id = "con_" + "".join(record.name for record in records)
    for record in records:
        store.apply_people(cx, connection_id, [record])
    one = store.people(cx, connection_id, ["1"])["1"]
    assert (one.name, [a.folded for a in one.addresses]) == ("4", ["a4@example.com"])


def mails(cx, id_="1"):
    return [(a.folded, a.verified) for a in store.people(cx, DESK, [id_])[id_].addresses]


def test_a_short_telling_keeps_the_other_addresses_and_what_is_exactly_known_of_them(cx):
    whole = (Email("ann@example.com", verified=False, primary=True), Email("a.b@example.com", verified=True))
    store.apply_people(cx, DESK, [ann(emails=whole, all_emails=True)])
    store.apply_people(cx, DESK, [ann(1, name="Anna")])  # side-loaded: the primary one only, "verified" of any of them
    assert mails(cx) == [("ann@example.com", False), ("a.b@example.com", True)]
    store.apply_people(cx, DESK, [ann(2, emails=(Email("a.b@example.com", verified=False, primary=True),))])
    assert mails(cx) == [("a.b@example.com", True)]


def test_a_whole_telling_replaces_all_addresses_and_a_person_may_have_none(cx):
    store.apply_people(cx, DESK, [ann()])
    store.apply_people(cx, DESK, [ann(1, emails=(Email("new@example.com", verified=True),), all_emails=True)])
    assert mails(cx) == [("new@example.com", True)]
    store.apply_people(cx, DESK, [ann(2, emails=(), all_emails=True)])
    assert mails(cx) == []
    store.apply_people(cx, DESK, [ann(3), PersonRecord("2", NOON, name="Bob")])
    store.apply_people(cx, DESK, [ann(4, emails=())])
    assert (mails(cx), mails(cx, "2")) == ([], [])
