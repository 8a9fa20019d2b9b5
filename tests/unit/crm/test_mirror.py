"""The mirror of the CRM's directory: pages in order, the place saved with them, older never overwrites."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from app import crm
from app.crm import store
from app.crm.models import crm_account, crm_contact, crm_user
from integrations.kernel.clock import utc_now
from integrations.kernel.crm import AccountRecord, DirectoryPage
from integrations.kernel.errors import VendorUnavailable
from tests.crm_world import CRM

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
