"""Short forms of the benchmarks whose results are ratios taken in turn in one run; the goals stand at half of what a whole run must reach."""

from __future__ import annotations

import statistics
import time

import pytest
import sqlalchemy as sa

from app.inbox.receive import Receiver
from bench import backfill, flat, leads, queue_cost, web
from bench.filled import filled
from integrations.kernel.clock import utc_now

pytestmark = pytest.mark.xdist_group("bench")  # two that measure at once would measure each other


_READ = "SELECT relname, seq_tup_read FROM pg_stat_user_tables WHERE n_live_tup > 1000"


def read_through(database):
    """Rows read by going through whole tables, of those that have many."""
    time.sleep(1.1)  # a backend tells its counts at most once a second
    with database.begin() as cx:
        return {row.relname: row.seq_tup_read for row in cx.execute(sa.text(_READ))}


def test_no_event_goes_through_a_whole_table():
    with filled(20_000, 20_000) as database:
        receiver = Receiver(database.door_pool)
        flat.cpu_ms(database, receiver, 0, 15)  # plans of prepared statements are made
        before = read_through(database)
        flat.cpu_ms(database, receiver, 100, 15)
        assert {"delivery_key", "ticket", "outbox", "lane", "person"} <= set(before)
        assert read_through(database) == before


@pytest.mark.slow
def test_an_event_costs_the_same_whatever_is_stored():
    large, small = flat.measured(100_000, 20_000, small=2_000, rounds=3, count=20)
    ratio = statistics.median(a / b for a, b in zip(large, small, strict=True))
    assert ratio <= 1 + 2 * (flat.GOAL - 1), f"{ratio:.2f}: something grows with the tables"


def test_the_queue_itself_costs_a_small_part_of_one_rq_job_an_event():
    ours, theirs = queue_cost.measured(2)
    assert statistics.median(a / b for a, b in zip(ours, theirs, strict=True)) <= queue_cost.GOAL * 2


def test_a_killed_backfill_goes_on_without_a_gap():
    with backfill.server(300) as base_url, backfill.database() as database_url:
        assert backfill.killed(database_url, base_url, 300, 0.5) <= 4


def test_the_house_that_the_doors_are_measured_in_can_be_built():
    with web.house() as found, found.database.begin() as cx:
        assert cx.execute(sa.text("SELECT count(*) FROM connection WHERE id = :c"), {"c": web.CONNECTION}).scalar() == 1


def test_each_signal_stands_on_its_index_and_scans_agree():
    now = utc_now()
    with leads.filled(60_000, now) as (database, owner):
        _, found, memory = leads.whole(database, now)
        assert leads.whole(database, now)[1] == found
        assert memory < 64
        by_signal = leads.ratios(owner, now, 3)  # asserts both plans
        ratios = {n: statistics.median(a / b for a, b in zip(*both, strict=True)) for n, both in by_signal.items()}
        assert max(ratios.values()) <= 0.5, ratios
        payers = leads.change(database, 500, 0)
        _, counts, _ = leads.cpu_of(database, lambda cx: leads.scan_payers(cx, payers, leads.LeadPolicy(), now))
        assert counts.written > 0
        rest = [
            leads.cpu_of(database, lambda cx, n=n: leads.scan_signal(cx, n, leads.LeadPolicy(), now))[1] for n in found
        ]
        assert sum(one.written + one.ended for one in rest) == 0
