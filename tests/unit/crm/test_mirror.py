"""The mirror of the CRM's directory: pages in order, the place saved with them, older never overwrites."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from app import crm
from app.crm import store
from app.crm.models import crm_account, crm_contact, crm_user
from integrations.kernel.clock import utc_now
from integrations.kernel.crm import AccountRecord, ContactRecord, CrmUser, DirectoryPage
from integrations.kernel.errors import VendorUnavailable
from tests.crm_world import CRM, TheirCrm

NOW = utc_now()


@pytest.fixture
def theirs(database):
    return TheirCrm(database.url).set_up()


def rows(database, table):
    with database.begin() as cx:
        return cx.execute(sa.select(table).order_by(table.c.id)).all()


def apply(database, *accounts):
    with database.begin() as cx:
        return store.apply(cx, CRM, DirectoryPage("", True, accounts))


def test_all_pages_are_read_once_and_the_next_run_goes_on_from_there(database, theirs):
    theirs.pages = [
        ([AccountRecord("001A", NOW, "Acme, Inc.", domains=("b.example", "a.example"))], [], [CrmUser("005A", "Rita")]),
        ([], [ContactRecord("003A", NOW, "001A", "a.example")], []),
    ]
    assert crm.mirror(database, CRM, theirs) == crm.Mirrored(2, 2)
    (account,) = rows(database, crm_account)
    assert (account.folded_name, account.domains) == ("acme", ["a.example", "b.example"])
    assert rows(database, crm_contact)[0].domain == "a.example"
    assert rows(database, crm_user)[0].active
    theirs.pages.append(
        ([AccountRecord("001A", NOW + timedelta(1), "Acme", gone=True)], [], [CrmUser("005A", "Rita", False)])
    )
    calls = theirs.calls("directory")
    assert crm.mirror(database, CRM, theirs) == crm.Mirrored(1, 1)
    assert theirs.calls("directory") == calls + 1
    assert rows(database, crm_account)[0].gone
    assert not rows(database, crm_user)[0].active


def test_a_page_that_fails_leaves_those_before_it_and_is_read_next(database, theirs):
    theirs.pages = [([AccountRecord("001A", NOW)], [], []), ([AccountRecord("001B", NOW)], [], [])]
    theirs.fail("directory", "")
    theirs.fail("directory", "before")
    with pytest.raises(VendorUnavailable):
        crm.mirror(database, CRM, theirs)
    assert [row.id for row in rows(database, crm_account)] == ["001A"]
    assert crm.mirror(database, CRM, theirs) == crm.Mirrored(1, 1)


def test_older_never_overwrites_and_the_same_is_no_change(database):
    assert apply(database, AccountRecord("001A", NOW, "New")) == 1
    assert apply(database, AccountRecord("001A", NOW - timedelta(1), "Old", gone=True)) == 0
    assert apply(database, AccountRecord("001A", NOW, "New")) == 0
    assert apply(database, AccountRecord("001A", NOW, "Tie")) == 1
    assert [row.name for row in rows(database, crm_account)] == ["Tie"]


def test_of_two_tellings_in_one_page_the_newer_stands(database):
    apply(database, AccountRecord("001A", NOW + timedelta(1), "New"), AccountRecord("001A", NOW, "Old"))
    assert rows(database, crm_account)[0].name == "New"
