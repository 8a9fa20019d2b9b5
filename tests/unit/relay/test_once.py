"""Nothing is done twice and nothing is forgotten: dead workers, late workers, lost answers, notes, merges."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa

from app.outbox import Plan, enqueue, store
from app.outbox.models import outbox
from app.outbox.wanted import Wanted
from integrations.kernel.errors import OutcomeUnknown
from integrations.kernel.ports import WriteState
from integrations.kernel.records import Note


def claim(bench, connection="desk"):
    with bench.database.begin() as cx:
        return store.claim(cx, connection, limit=100, lease_s=60)


def cut(*_):
    raise OutcomeUnknown("cut")


def test_a_worker_that_died_while_sending_is_followed_and_nothing_is_written_twice(bench):
    bench.want("1", "2", notes=["n"], db_x=True)
    rows = claim(bench)  # this worker dies: once before it sent, once after
    bench.client("desk").update_tickets([rows[0].wanted.change("1")], "")
    bench.lapse()
    bench.drain()
    assert bench.states() == {"1": "done", "2": "done"}
    assert sorted(bench.client("desk").notes) == [("1", "n"), ("2", "n")]


def test_a_change_whose_every_worker_dies_is_a_dead_letter_in_the_end(bench):
    bench.want("1", db_x=True)
    for _ in range(5):
        claim(bench)
        bench.lapse()
        bench.relay._take_over_lapsed()
    assert bench.states() == {"1": "dead"}


def test_a_late_worker_changes_nothing_whatever_it_comes_back_with(bench):
    bench.want("1", db_x=True)
    (late,) = claim(bench)
    bench.lapse()
    bench.relay._take_over_lapsed()  # pending again, nobody has claimed it yet
    bench.want("1", db_y=True)
    with bench.database.begin() as cx:
        store.accepted(cx, [late], "job-of-the-late-one", 1)
        assert store.settle(cx, [(late, "done", "")]) == set()
        store.look_later(cx, [late], 60)
    assert bench.states() == {"1": "pending"}
    bench.drain()
    assert bench.client("desk").tags == {"1": {"db_x", "db_y"}}


def test_a_thread_that_waited_past_its_lease_does_not_send(bench):
    bench.want("1", notes=["n"], db_x=True)
    rows = claim(bench)
    bench.lapse()
    bench.relay._send("desk", rows)
    assert bench.client("desk").calls == []


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_note_whose_answer_was_lost_is_looked_for_and_stands_once(bench, moment):
    desk = bench.client("desk")
    setattr(desk, moment, cut)
    bench.want("1", "2", notes=["n"], db_x=True)
    bench.drain(1)
    setattr(desk, moment, lambda ids: None)
    bench.hurry()
    bench.drain()
    assert sorted(desk.notes) == [("1", "n"), ("2", "n")]
    assert bench.states() == {"1": "done", "2": "done"}


def test_a_note_found_written_is_settled_even_where_the_rest_of_its_batch_fails(bench):
    desk = bench.client("desk")
    desk.after = cut
    bench.want("1", notes=["n"])
    bench.drain(1)
    desk.after = lambda ids: None
    desk.before = cut
    bench.want("2", db_x=True)
    bench.hurry()
    bench.relay._send_due()
    assert bench.states() == {"1": "done", "2": "pending"}


def test_several_notes_of_one_ticket_each_come_once_and_what_was_wanted_meanwhile_too(bench):
    desk = bench.client("desk")
    bench.want("1", notes=["a", "b", "c"], db_x=True)
    desk.before = lambda ids: bench.want("1", notes=["d"], db_y=True) if not desk.notes else None
    bench.drain()
    assert sorted(desk.notes) == [("1", "a"), ("1", "b"), ("1", "c"), ("1", "d")]
    assert desk.tags == {"1": {"db_x", "db_y"}}


def test_a_dead_letter_tried_again_by_a_person_writes_no_note_a_second_time(bench):
    desk = bench.client("desk")
    desk.after = cut
    bench.want("1", notes=["n"], db_x=True)
    for _ in range(6):
        bench.drain(1)
        bench.hurry()
    assert bench.states() == {"1": "dead"}
    desk.after = lambda ids: None
    dead = bench.rows()[0].id
    with bench.database.begin() as cx:
        for row in store.revive(cx, [dead]):
            enqueue(cx, "desk", [Plan("1", row.wanted, {}, row.rules)], gather_s=0, forced=True)
    bench.drain()
    assert desk.notes == [("1", "n")]
    assert [row.state for row in bench.rows()] == ["dropped", "done"]


def test_what_two_want_of_a_ticket_in_the_same_moment_is_both_done(bench):
    other = bench.database.engine.connect()
    with other.begin():
        enqueue(other, "desk", [Plan("1", Wanted({"db_a": True}, {}, (Note("a", "t"),)), {})], gather_s=0)
        second = threading.Thread(target=lambda: bench.want("1", notes=["b"], db_b=True))
        second.start()
        second.join(0.5)  # waits for the first one's row
        assert second.is_alive()
    other.close()
    second.join()
    bench.drain()
    assert bench.client("desk").tags == {"1": {"db_a", "db_b"}}
    assert sorted(bench.client("desk").notes) == [("1", "a"), ("1", "b")]


def test_add_on_its_way_and_then_remove_wanted_ends_removed(bench):
    desk = bench.client("desk")
    desk.by_job, desk.finished = True, False
    bench.know("1", "2")
    bench.want("1", "2", db_x=True)
    bench.relay._send_due()
    bench.want("1", db_x=False)
    assert [row.state for row in bench.rows("1")] == ["accepted", "pending"]
    desk.finished = True
    bench.drain()
    assert desk.tags == {"1": set(), "2": {"db_x"}}


def test_add_still_waiting_and_then_remove_wanted_sends_nothing(bench):
    bench.want("1", db_x=True)
    bench.want("1", db_x=False)
    bench.drain()
    assert bench.client("desk").calls == []
    assert bench.rows() == []


def test_a_ticket_written_too_often_is_held_with_its_reason_and_nothing_is_forgotten(bench):
    bench.want("1", held={"1": 300.0}, db_x=True)
    bench.want("1", held={"1": 300.0}, db_y=True)
    bench.drain()
    assert bench.client("desk").calls == []
    (row,) = bench.rows()
    assert "held" in row.reason
    bench.hurry()
    bench.drain()
    assert bench.client("desk").tags == {"1": {"db_x", "db_y"}}


def test_how_long_a_ticket_is_held_is_until_its_oldest_write_is_ten_minutes_old(bench):
    for n in range(3):
        bench.want("1", **{f"db_{n}": True})
        bench.drain()
    first = bench.rows()[0].id
    with bench.database.begin() as cx:
        cx.execute(
            sa.update(outbox).where(outbox.c.id == first)
            .values(settled_at=sa.func.now() - sa.text("interval '9 minutes'"))
        )  # fmt: skip
        held = store.busy_tickets(cx, "desk", ["1", "2"], 3)
        assert store.busy_tickets(cx, "desk", ["1"], 4) == {}
    assert held.keys() == {"1"}
    assert 50 < held["1"] <= 60


def test_refused_conflicting_and_landed_rows_are_given_back_together(bench):
    """Two rows given back at once: what an earlier version could not do at all."""
    bench.client("desk").answers = {"1": [WriteState.CONFLICT], "2": [WriteState.REFUSED], "3": [None]}
    bench.want("1", "2", "3", "4", db_x=True)
    bench.relay._send_due()
    assert bench.states() == {"1": "pending", "2": "pending", "3": "pending", "4": "done"}
    assert [(row.alone, row.unsure) for row in bench.rows()[:3]] == [(False, False), (True, False), (False, True)]
