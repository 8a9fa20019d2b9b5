"""The backfill: every page once, on from where it stopped, nothing held while the vendor is asked."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.billing import profiles
from app.billing.backfill import backfill, restart
from app.billing.models import billing_cursor, billing_object, seat_count
from integrations.kernel.billing import KIND_OF, KINDS
from integrations.kernel.errors import VendorRejected, VendorUnavailable
from integrations.kernel.ports import BillingPage

CON = "con_1"


class Lists:
    """A vendor's lists, two objects a page; `stop_after` pages it is unreachable."""

    def __init__(self, make, stop_after=None, database=None):
        self.now, self.asked, self.stop_after, self.database = make.NOW, [], stop_after, database
        self.held = 0
        self.lists = {kind: [] for kind in KINDS}
        for n in range(5):
            for record in (
                make.payer(f"cus_{n}"), make.charge(100, cid=f"ch_{n}", pid=f"cus_{n}"),
                make.subscription(make.item(100, n), sid=f"sub_{n}", pid=f"cus_{n}"),
                make.dispute(did=f"dp_{n}", charge_id=f"ch_{n}"),
            ):  # fmt: skip
                self.lists[KIND_OF[type(record)]].append(record)

    def page(self, kind, cursor="", limit=2):
        if self.stop_after is not None and len(self.asked) >= self.stop_after:
            raise VendorUnavailable
        self.asked.append((kind, cursor))
        ids = [r.id for r in self.lists[kind]]
        if cursor and cursor not in ids:
            raise VendorRejected(http_status=400, vendor_code="resource_missing")
        start = ids.index(cursor) + 1 if cursor else 0
        page = self.lists[kind][start : start + 2]
        if self.database is not None:
            self.held = max(self.held, self.database.engine.pool.checkedout())
        return BillingPage(tuple(page), page[-1].id if start + 2 < len(ids) else "", self.now)


def run(database, client, indexed=None):
    shown = []
    count = backfill(
        database, CON, client, seats_used_key="seats_used", progress=lambda *told: shown.append(told),
        index=lambda cx, con, records: indexed.extend(records) if indexed is not None else None,
    )  # fmt: skip
    return count, shown


def count(database, table):
    with database.begin() as cx:
        return cx.execute(sa.select(sa.func.count()).select_from(table)).scalar()


def test_everything_is_read_once_and_every_payer_has_a_profile(database, make):
    client, indexed = Lists(make), []
    found, shown = run(database, client, indexed)
    assert (found, count(database, billing_object), count(database, seat_count)) == (20, 20, 5)
    assert len(client.asked) == len(set(client.asked)) == 4 * 3 + len(KINDS) - 4
    assert len(indexed) == 20
    with database.begin() as cx:
        found = profiles(cx, [(CON, f"cus_{n}") for n in range(5)])
    assert [p["mrr"] for _, p in sorted(found.items())] == [{"USD": 100 * n} for n in range(5)]
    assert all(p["dispute"] for p in found.values())
    assert ("profile", 5, True) in shown


def test_a_second_run_asks_for_nothing_and_a_restart_for_everything(database, make):
    run(database, Lists(make))
    again = Lists(make)
    assert (run(database, again)[0], again.asked) == (20, [])
    with database.begin() as cx:
        restart(cx, CON)
    run(database, again)
    assert len(again.asked) == 18 + 1


@pytest.mark.parametrize("stop_after", range(1, 19, 3))
def test_a_run_that_was_stopped_goes_on_without_a_gap(database, make, stop_after):
    with pytest.raises(VendorUnavailable):
        run(database, Lists(make, stop_after))
    rest = Lists(make)
    assert run(database, rest)[0] == 20
    assert count(database, billing_object) == 20
    assert len(rest.asked) < 19


def test_no_connection_is_held_while_the_vendor_is_asked_but_by_the_other_kinds(database, make):
    client = Lists(make, database=database)
    run(database, client)
    assert client.held <= 3  # four threads: the one that asks holds none


def test_a_cursor_whose_object_is_gone_begins_its_list_again(database, make):
    with pytest.raises(VendorUnavailable):
        run(database, Lists(make, stop_after=1))
    with database.begin() as cx:
        cx.execute(sa.update(billing_cursor).where(billing_cursor.c.name.like("backfill:%")).values(cursor="gone_1"))
    assert run(database, Lists(make))[0] == 20


def test_events_are_fetched_from_the_moment_it_began(database, make):
    with pytest.raises(VendorUnavailable):
        run(database, Lists(make, stop_after=0))
    query = sa.select(billing_cursor.c.cursor).where(billing_cursor.c.name == "events")
    with database.begin() as cx:
        first = cx.execute(query).scalar()
    run(database, Lists(make))
    with database.begin() as cx:
        assert cx.execute(query).scalar() == first


def test_a_page_read_before_an_event_does_not_undo_it(database, make):
    from app.billing import service

    client = Lists(make)
    with database.begin() as cx:
        service.apply(cx, CON, [(make.payer("cus_1", country="FR"), make.NOW - timedelta(seconds=30))], "seats_used")
    run(database, client)
    with database.begin() as cx:
        assert profiles(cx, [(CON, "cus_1")])[CON, "cus_1"]["country"] == "FR"
