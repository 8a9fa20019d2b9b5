"""The mirror of the CRM's directory: pages in order, the place saved with them, older never overwrites."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from app import crm
from app.crm import store
from app.crm.mirror import WHOLE
from app.crm.models import crm_account, crm_contact, crm_cursor, crm_user
from integrations.kernel.clock import utc_now
from integrations.kernel.crm import AccountRecord, DirectoryPage
from integrations.kernel.errors import VendorUnavailable
from tests.crm_world import CRM, Org, client_of

NOW = utc_now()


def rows(database, table):
    with database.begin() as cx:
        return cx.execute(sa.select(table).order_by(table.c.id)).all()


def apply(database, *accounts):
    with database.begin() as cx:
        return store.apply(cx, CRM, DirectoryPage("", True, accounts))


def named(database, table, object_id):
    return next(row for row in rows(database, table) if row.id == object_id)


def test_all_pages_are_read_once_and_the_next_run_goes_on_from_there(database, org):
    org.has("User", "005A", Name="Rita")
    org.has("Account", "001A", Name="Acme, Inc.", Website="https://www.a.example", OwnerId="005A")
    org.has("Contact", "003A", LastName="Poe", AccountId="001A", Email="ann@b.example")
    known = sum(len(org.state.rows[kind]) for kind in ("Account", "Contact"))
    assert crm.mirror(database, CRM, org.client) == crm.Mirrored(3, known)
    account = named(database, crm_account, "001A")
    assert (account.folded_name, account.domains, account.owner_id) == ("acme", ["a.example"], "005A")
    assert named(database, crm_contact, "003A").domain == "b.example"
    assert named(database, crm_user, "005A").active
    assert crm.mirror(database, CRM, org.client) == crm.Mirrored(3, 0)
    org.state.delete("Account", "001A")
    org.state.update("User", "005A", {"IsActive": False})
    assert crm.mirror(database, CRM, org.client) == crm.Mirrored(3, 1)
    assert named(database, crm_account, "001A").gone
    assert not named(database, crm_user, "005A").active


def test_a_page_that_fails_leaves_those_before_it_and_is_read_next(database, org):
    org.fail("directory", "", "before")
    with pytest.raises(VendorUnavailable):
        crm.mirror(database, CRM, org.client)
    accounts, contacts = (rows(database, table) for table in (crm_account, crm_contact))
    assert (len(accounts), contacts) == (len(org.state.rows["Account"]), [])
    assert crm.mirror(database, CRM, org.client).pages == 2
    assert len(rows(database, crm_contact)) == len(org.state.rows["Contact"])


def test_older_never_overwrites_and_the_same_is_no_change(database):
    assert apply(database, AccountRecord("001A", NOW, "New")) == 1
    assert apply(database, AccountRecord("001A", NOW - timedelta(1), "Old", gone=True)) == 0
    assert apply(database, AccountRecord("001A", NOW, "New")) == 0
    assert apply(database, AccountRecord("001A", NOW, "Tie")) == 1
    assert [row.name for row in rows(database, crm_account)] == ["Tie"]


def test_of_two_tellings_in_one_page_the_newer_stands(database):
    apply(database, AccountRecord("001A", NOW + timedelta(1), "New"), AccountRecord("001A", NOW, "Old"))
    assert rows(database, crm_account)[0].name == "New"


def places(database):
    with database.begin() as cx:
        return set(cx.execute(sa.select(crm_cursor.c.name)).scalars())


def aged(org, *ids):
    """What is there was changed long ago: a reading that goes on does not see it."""
    for kind in ("Account", "Contact", "User"):
        for object_id, row in org.state.rows[kind].items():
            if not ids or object_id in ids:
                row["SystemModstamp"] = "2026-01-01T00:00:00.000+0000"


@pytest.fixture
def read(database, org):
    """An org that was read to its end before anybody said which field holds our id: only the last change is recent."""
    org.state.add_field("Account", "Cust__c", 40)
    org.has("Account", "001A", Name="Acme", Cust__c="cus_1", BillingCountry="Germany", Industry="Retail")
    aged(org)
    org.has("Account", "001B", Name="Beta")
    crm.mirror(database, CRM, org.client)
    return org


def test_fields_that_are_named_later_are_read_of_companies_that_are_known(database, read):
    later = client_of(read.url, account_key_field="Cust__c", territory_field="Industry")
    crm.mirror(database, CRM, later)
    account = named(database, crm_account, "001A")
    assert (account.external_id, account.territory, account.gone) == ("cus_1", "Retail", False)
    assert crm.mirror(database, CRM, later) == crm.Mirrored(3, 0)


def test_a_field_that_we_are_shown_later_is_read_too(database, read):
    field = read.state.fields["Account"].pop("Cust__c")
    later = client_of(read.url, account_key_field="Cust__c")
    crm.mirror(database, CRM, later)
    assert named(database, crm_account, "001A").external_id == ""
    read.state.fields["Account"]["Cust__c"] = field
    crm.mirror(database, CRM, client_of(read.url, account_key_field="Cust__c"))
    assert named(database, crm_account, "001A").external_id == "cus_1"
    assert crm.mirror(database, CRM, later) == crm.Mirrored(3, 0)  # who believes an older describe looks once more
    assert named(database, crm_account, "001A").external_id == "cus_1"


def test_while_other_fields_are_read_the_directory_is_not_whole(database, read):
    read.fail("directory", "", "before")
    with pytest.raises(VendorUnavailable):
        crm.mirror(database, CRM, client_of(read.url, account_key_field="Cust__c"))
    assert WHOLE not in places(database)
    assert not named(database, crm_account, "001A").gone
    crm.mirror(database, CRM, client_of(read.url, account_key_field="Cust__c"))
    assert WHOLE in places(database)


@pytest.fixture
def prod(org):
    """Another org, made before what is known of the first: one record is in both, as in a sandbox that was copied."""
    made = Org()
    made.has("Account", "001A", Name="Acme")
    made.has("Account", "001P", Name="Production only")
    aged(made)
    yield made
    made.stop()


def test_another_org_is_read_from_its_beginning_and_the_first_ones_companies_are_gone(database, read, prod):
    with database.begin() as cx:
        store.save_cursor(cx, CRM, "standings", "a place in the first org's list")
    other = client_of(prod.url, my_domain="acme-prod")
    prod.fail("directory", "", "before")
    with pytest.raises(VendorUnavailable):
        crm.mirror(database, CRM, other)
    assert not {WHOLE, "standings"} & places(database)
    assert crm.mirror(database, CRM, other).pages == 2
    assert WHOLE in places(database)
    live = {row.id for row in rows(database, crm_account) if not row.gone}
    assert live == set(prod.state.rows["Account"]) >= {"001A", "001P"}
    assert {row.id for row in rows(database, crm_contact) if not row.gone} == set(prod.state.rows["Contact"])


def test_who_still_reads_the_first_org_writes_nothing_of_it_any_more(database, read, prod):
    other, went = client_of(prod.url, my_domain="acme-prod"), []

    class Slow:
        """A client whose page is answered after somebody else began with the other org."""

        def source(self, **how):
            return read.client.source(**how)

        def directory(self, cursor):
            page = read.client.directory(cursor)
            if not went:
                went.append(crm.mirror(database, CRM, other))
            return page

    assert crm.mirror(database, CRM, Slow()).pages == 0
    assert named(database, crm_account, "001B").gone
    assert crm.mirror(database, CRM, other) == crm.Mirrored(3, 0)
