"""What a ticket ends as does not depend on when and in which order its events came."""

from __future__ import annotations

import threading
import time

import pytest

from app.inbox import store, work
from integrations.kernel.errors import Overloaded

RULES = """
rules:
- {id: ask, title: Asked for, order: 1, when: ["*"], all: [{fact: ticket.priority, is: high}],
   actions: [{add_tags: {tags: [db_high]}}]}
- {id: unasked, title: Not asked for, order: 2, when: ["*"], all: [{fact: ticket.priority, is_not: high}],
   actions: [{remove_tags: {tags: [db_high]}}]}
"""


@pytest.fixture
def judged(bench):
    bench.rules(RULES)
    bench.ticket("1", priority="high")
    return bench


def test_our_own_event_runs_no_rule_but_the_mirror_learns_from_it(judged):
    judged.ticket("1", priority="low")
    judged.event("1", priority="LOW")
    judged.drain()
    own = judged.event("1", second=3, actor="999", priority="HIGH")
    judged.drain(rounds=1)
    assert judged.states()[own] == "own"
    assert judged.mirror("1").values["priority"] == "high"


def test_a_removal_wanted_while_a_late_event_hid_our_own_tag_is_made_up_for(judged):
    judged.event("1", priority="HIGH")
    judged.drain()
    judged.land("1")  # db_high is on the ticket since second 5; the event that says so is late
    judged.event("1", second=2, priority="LOW")  # older than our write: its tags lack db_high
    judged.drain()
    assert judged.wanted("1") == {}, "the mirror was set back: nothing to remove, as it seems"
    judged.event("1", second=5, actor="999", tags=["db_high"], priority="LOW")
    judged.drain()
    assert judged.wanted("1") == {"db_high": False}


def test_our_own_event_that_tells_what_we_know_asks_for_nothing(judged):
    judged.event("1", priority="HIGH")
    judged.drain()
    judged.land("1")
    judged.event("1", second=5, actor="999", tags=["db_high"], priority="HIGH")
    before = len(judged.states())
    judged.drain()
    assert len(judged.states()) == before


def test_a_ticket_first_heard_of_by_our_own_event_is_judged_all_the_same(judged):
    judged.event("1", actor="999", priority="HIGH")  # what others did to it before was lost on the way
    judged.drain()
    assert judged.wanted("1") == {"db_high": True}


def test_two_tellings_of_one_second_that_differ_are_settled_by_one_read(judged):
    judged.event("1", priority="HIGH")
    judged.drain()
    judged.ticket("1", second=4, priority="low", tags=["db_high"])
    judged.event("1", second=4, priority="HIGH", tags=["db_high"])
    judged.event("1", second=4, priority="LOW", tags=["db_high"])
    judged.event("1", second=4, priority="HIGH", tags=["db_high"])
    reads = len(judged.desk().reads)
    judged.drain()
    assert judged.mirror("1").values["priority"] == "low"
    assert len(judged.desk().reads) == reads + 1
    assert judged.wanted("1") == {"db_high": False}


def test_a_second_doubt_of_the_same_second_is_settled_too(judged):
    judged.event("1", priority="HIGH")
    judged.event("1", second=4, priority="LOW")
    judged.drain()
    for wanted in ("low", "high", "normal"):
        judged.ticket("1", second=4, priority=wanted)
        judged.event("1", second=4, priority="URGENT")
        judged.drain()
        assert judged.mirror("1").values["priority"] == wanted


def test_a_deletion_that_comes_late_does_not_bury_a_ticket_that_was_restored(judged):
    judged.ticket("1", second=9, priority="high")
    judged.event("1", second=9, kind="undeleted")
    judged.drain()
    judged.event("1", second=5, kind="soft_deleted")
    judged.drain()
    assert not judged.mirror("1").gone
    judged.event("1", second=12, kind="soft_deleted")
    judged.drain()
    assert judged.mirror("1").gone


def test_a_fact_that_changes_while_a_ticket_is_judged_on_the_old_one_reaches_it(judged):
    """The payer's transaction waits for those who judge on what was before it, and only then looks for its tickets."""
    order = []
    with judged.database.begin() as cx:
        store.begin_to_judge(cx)
        other = threading.Thread(target=lambda: _fact_changes(judged, order))
        other.start()
        time.sleep(0.3)
        order.append("judged")
    other.join(5)
    assert order == ["judged", "looked"]


def _fact_changes(bench, order):
    with bench.database.begin() as cx:
        store.wait_for_judges(cx)
        order.append("looked")


def test_many_judge_at_once(judged):
    with judged.database.begin() as one, judged.database.engine.begin() as two:
        store.begin_to_judge(one)
        store.begin_to_judge(two)


def test_billing_comes_before_judging_in_a_batch(judged, monkeypatch):
    """Else it would wait for others who judge while they wait for it."""
    calls = []
    monkeypatch.setattr(work, "_billing", lambda *_: calls.append("billing"))
    monkeypatch.setattr(work.store, "begin_to_judge", lambda _: calls.append("judge"))
    judged.event("1")
    judged.store("bank", "evt_1", "charge.refunded", "payer:cus_1", {
        "id": "evt_1", "type": "charge.refunded", "created": 1790000000, "data": {"object": {"id": "ch_1", "object": "charge"}},
        "object": "event",
    })  # fmt: skip
    judged.vendors["bank"] = "stripe"
    judged.drain(rounds=1)
    assert calls[-1] == "judge"


def test_a_ticket_written_too_often_is_held_and_its_last_word_is_kept(judged):
    judged.settings = judged.settings.model_copy(update={"writes_per_ticket": 2})
    judged.inbox = judged.another()
    for n, priority in enumerate(("HIGH", "LOW", "HIGH")):
        judged.event("1", second=n * 10, priority=priority, tags=["db_high"] if n == 1 else [])
        judged.drain()
        if n < 2:
            judged.land("1")
    assert judged.wanted("1") == {"db_high": True}
    with judged.database.begin() as cx:
        due, reason = cx.exec_driver_sql(
            "SELECT due_at - now() > '9 minutes', reason FROM outbox WHERE state = 'pending'"
        ).one()
    assert due
    assert "WRITES_PER_TICKET" in reason


def test_the_door_says_try_again_when_the_backlog_is_full(judged):
    from app.inbox.door import Door

    for n in range(4):
        judged.event(str(n))
    door = Door(judged.database, None, None, max_backlog=3)
    with pytest.raises(Overloaded):
        door._refuse_when_full()
