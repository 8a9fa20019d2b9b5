"""Short forms of the benchmarks whose results are ratios taken in turn in one run; the goals stand at half of what a whole run must reach."""

from __future__ import annotations

import statistics

import pytest

from bench import backfill, flat, queue_cost

pytestmark = pytest.mark.xdist_group("bench")  # two that measure at once would measure each other


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
