"""Every way a write may end, several in one batch; and that one batch's trouble is nobody else's."""

from __future__ import annotations

import pytest

from app.connections import UnknownConnection
from app.outbox import store
from integrations.kernel.errors import (
    ConfigError,
    NeedsReauthorisation,
    OutcomeUnknown,
    RateLimited,
    VendorUnavailable,
)
from integrations.kernel.ports import WriteState

DONE, REFUSED, GONE, CONFLICT = WriteState.DONE, WriteState.REFUSED, WriteState.GONE, WriteState.CONFLICT


@pytest.mark.parametrize("by_job", [False, True])
def test_each_ticket_of_a_batch_comes_to_its_own_end(bench, by_job):
    desk = bench.client("desk")
    desk.by_job = by_job
    desk.answers = {
        "1": [DONE], "2": [REFUSED, REFUSED], "3": [REFUSED, DONE], "4": [GONE], "5": [CONFLICT, DONE], "6": [None, DONE],
        "7": [REFUSED, REFUSED], "8": [GONE], "9": [CONFLICT, DONE], "10": [None, DONE],
    }  # fmt: skip
    bench.want(*desk.answers, db_x=True)
    for _ in range(4):
        bench.drain()
        bench.hurry()
    assert bench.states() == {
        "1": "done", "2": "dead", "3": "done", "4": "dropped", "5": "done", "6": "done", "7": "dead", "8": "dropped",
        "9": "done", "10": "done",
    }  # fmt: skip
    assert {row.ticket_id: row.reason for row in bench.rows() if row.state == "dead"} == {
        "2": "refused by script", "7": "refused by script",
    }  # fmt: skip
    alone = [call for call in desk.calls if len(call) == 1]
    assert {("2",), ("3",), ("7",)} <= set(alone), "what failed in a batch is tried by itself"


def test_a_change_nobody_answers_for_is_tried_to_the_limit_and_then_a_dead_letter(bench):
    bench.client("desk").answers = {"1": [None] * 9, "2": [None] * 9}
    bench.want("1", "2", db_x=True)
    for _ in range(6):
        bench.drain()
        bench.hurry()
    assert bench.states() == {"1": "dead", "2": "dead"}
    assert {row.tries for row in bench.rows()} == {5}
    assert bench.rows()[0].reason.startswith("gave up after 5 tries")


def test_a_whole_batch_told_to_wait_waits_as_long_as_was_said_and_it_is_no_try(bench):
    def full(ids):
        raise RateLimited("429", retry_after_s=40)

    bench.client("desk").before = full
    bench.want("1", "2", db_x=True)
    bench.drain()
    with bench.database.begin() as cx:
        rows = cx.exec_driver_sql("SELECT state, tries, extract(epoch FROM due_at - now()) FROM outbox").all()
    assert [(state, tries) for state, tries, _ in rows] == [("pending", 0)] * 2
    assert all(35 < wait <= 40 for _, _, wait in rows)


@pytest.mark.parametrize("error", [VendorUnavailable("away"), NeedsReauthorisation("401")])
def test_a_vendor_that_is_away_costs_no_try_and_every_change_is_sent_when_it_is_back(bench, error):
    def away(ids):
        raise error

    bench.client("desk").before = away
    bench.want("1", "2", db_x=True)
    for _ in range(12):
        bench.drain(1)
        bench.hurry()
    assert bench.states() == {"1": "pending", "2": "pending"}
    bench.client("desk").before = lambda ids: None
    bench.drain()
    assert bench.states() == {"1": "done", "2": "done"}


def test_what_waited_a_whole_day_for_its_vendor_is_a_dead_letter_that_says_so(bench):
    def away(ids):
        raise VendorUnavailable("away")

    bench.client("desk").before = away
    bench.want("1", db_x=True)
    with bench.database.begin() as cx:
        cx.exec_driver_sql("UPDATE outbox SET created_at = now() - interval '25 hours'")
    bench.drain()
    assert bench.states() == {"1": "dead"}
    assert "24 hours" in bench.rows()[0].reason


def test_a_change_that_makes_our_own_code_fail_is_found_alone_and_set_aside_the_others_are_written(bench):
    def poison(ids):
        if "3" in ids:
            raise ValueError("colour cannot be written")

    bench.client("desk").before = poison
    bench.want("1", "2", "3", "4", db_x=True)
    for _ in range(7):
        bench.drain()
        bench.hurry()
    assert bench.states() == {"1": "done", "2": "done", "3": "dead", "4": "done"}
    assert "ValueError" in bench.rows("3")[0].reason


@pytest.mark.parametrize("error", [UnknownConnection(), ConfigError("no key fits"), RuntimeError("a bug")])
def test_a_connection_that_cannot_be_opened_keeps_no_other_from_its_writes(bench, error):
    bench.desks["another"] = error
    bench.want("1", connection="another", db_x=True)
    bench.want("2", db_x=True)
    bench.drain()
    assert bench.states() == {"1": "pending", "2": "done"}
    due = [row for row in bench.rows("1") if row.tries == 0]
    assert due or isinstance(error, RuntimeError), "a person must act: that is no try of the change"


def test_jobs_that_never_end_at_one_desk_leave_all_room_to_the_others(bench):
    slow = bench.client("slow")
    slow.by_job, slow.finished = True, False
    for n in range(25):
        bench.want(str(n), connection="slow", db_x=True)
        bench.relay._send_due()
    assert len(slow.calls) == 20, "as many jobs as may run at once"
    bench.want("1", connection="desk", db_x=True)
    bench.drain(60, unless=lambda: bench.client("desk").tags)
    assert bench.client("desk").tags == {"1": {"db_x"}}


def test_a_desk_that_cannot_tell_of_its_jobs_keeps_no_other_from_its_own(bench):
    def lost(job_ids):
        raise RuntimeError("a bug")

    for name in ("another", "desk"):
        bench.client(name).by_job = True
        bench.want("1", "2", connection=name, db_x=True)
    bench.client("another").jobs = lost

    def own():
        return [row.state for row in bench.rows() if row.connection_id == "desk"]

    bench.drain(60, unless=lambda: own() == ["done", "done"])
    assert own() == ["done", "done"]


def test_a_failing_worker_thread_does_not_make_the_loop_spin(bench):
    looks = []

    def away(ids):
        looks.append(ids)
        raise OutcomeUnknown("cut")

    bench.client("desk").before = away
    bench.want("1", db_x=True)
    bench.drain(1)
    assert len(looks) < 12


def test_what_is_so_already_is_dropped_without_a_call(bench):
    bench.know("1", tags=["db_x"])
    bench.want("1", db_x=True)
    bench.drain()
    assert bench.client("desk").calls == []
    assert bench.states() == {"1": "dropped"}


def test_listing_shows_the_newest_first(bench):
    bench.client("desk").answers = {"1": [REFUSED, REFUSED], "2": [REFUSED, REFUSED]}
    bench.want("1", "2", db_x=True)
    bench.drain()
    with bench.database.begin() as cx:
        assert [row["ticket_id"] for row in store.listing(cx, "dead", 10)] == ["2", "1"]
