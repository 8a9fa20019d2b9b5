"""How tellings of a ticket add up, whatever their order and number."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.tickets.policy import Outcome, apply
from integrations.kernel.records import TicketRecord

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
FULL = {"status": "open", "priority": None, "tags": ["a"], "custom_fields": {"1": "x", "2": "y"}}


def told(second=0, *, complete=False, **values):
    return TicketRecord("7", NOON + timedelta(seconds=second), values, complete)


def read(second=0, **values):
    return told(second, complete=True, **{**FULL, **values})


def after(*records):
    held = outcome = None
    for record in records:
        held, outcome = apply(held, record)
    return held, outcome


def test_the_first_telling_is_new():
    held, outcome = after(told(status="open"))
    assert (outcome, held.complete, held.values) == (Outcome.NEW, False, {"status": "open"})


def test_an_older_telling_never_overwrites():
    held, outcome = after(read(5, status="solved"), told(4, status="open"))
    assert (outcome, held.status) == (Outcome.STALE, "solved")


def test_an_event_changes_what_it_tells_and_leaves_the_rest():
    held, outcome = after(read(), told(1, status="pending", custom_fields={"2": "z"}))
    assert outcome is Outcome.NEWER
    assert held.complete
    assert held.values == {**FULL, "status": "pending", "custom_fields": {"1": "x", "2": "z"}}


def test_a_read_replaces_also_what_it_no_longer_has():
    held, _ = after(read(), read(1, custom_fields={"1": "x"}))
    assert held.values["custom_fields"] == {"1": "x"}


def test_tags_are_a_sorted_lower_case_set():
    assert after(told(tags=["VIP", "a", "vip"]))[0].values["tags"] == ["a", "vip"]


def test_a_tie_that_says_the_same_is_nothing():
    first, _ = after(read())
    held, outcome = apply(first, told(status="open"))
    assert outcome is Outcome.TIE
    assert held is first


def test_a_tie_that_differs_asks_for_one_more_read_and_the_read_settles_it():
    held, outcome = after(read(), told(status="pending"))
    assert (outcome, held.reread, held.status) == (Outcome.TIE, True, "open")
    held, _ = apply(held, read(status="pending"))
    assert (held.reread, held.status) == (False, "pending")


def test_two_reads_of_one_moment_that_differ_ask_once_and_not_for_ever():
    held, _ = after(read(status="open"), read(status="pending"))
    assert (held.status, held.reread) == ("pending", True)
    assert apply(held, read(status="open"))[0].reread is False


def test_an_event_of_the_same_second_fills_what_is_unknown():
    held, _ = after(told(status="open"), told(priority="high"))
    assert held.values == {"status": "open", "priority": "high"}
    assert not held.reread


def test_a_read_from_before_the_event_fills_only_what_the_event_did_not_carry():
    held, outcome = after(told(5, status="solved"), read(0))
    assert (outcome, held.status, held.complete, held.reread) == (Outcome.STALE, "solved", True, False)
    assert held.values == {**FULL, "status": "solved"}


def test_a_late_event_fills_what_no_newer_one_told():
    late = told(1, status="pending", custom_fields={"2": "late"})
    held, outcome = after(read(), told(2, status="solved"), late)
    assert (outcome, held.status, held.values["custom_fields"]) == (Outcome.STALE, "solved", {"1": "x", "2": "late"})
    assert after(read(), late, told(2, status="solved"))[0] == held


def test_a_read_that_is_older_than_the_doubt_does_not_settle_it():
    held, _ = after(read(), told(5, status="pending"), told(5, status="solved"), read(1))
    assert held.reread
    assert not apply(held, read(5))[0].reread


def test_a_deleted_ticket_is_gone():
    assert after(read(), told(1, status="deleted"))[0].gone


def test_an_event_does_not_bring_a_gone_ticket_back_but_a_read_does():
    held, _ = after(read(), told(1, status="deleted"), told(2, status="open"))
    assert (held.gone, held.reread) == (True, True)
    held, _ = apply(held, read(2))
    assert (held.gone, held.reread) == (False, False)


moments = st.lists(st.integers(0, 50), min_size=1, max_size=8, unique=True)


@given(moments, st.data())
def test_reads_in_any_order_and_number_end_alike(seconds, data):
    records = [read(s, status=f"s{s}", custom_fields={str(s % 3): s}) for s in seconds]
    straight, _ = after(*sorted(records, key=lambda r: r.as_of))
    shuffled = data.draw(st.permutations(records + data.draw(st.lists(st.sampled_from(records), max_size=5))))
    assert after(*shuffled)[0] == straight


def tellings(second):
    some = st.dictionaries(st.sampled_from(["status", "priority", "subject"]), st.integers(0, 3), max_size=3)
    fields = st.dictionaries(st.sampled_from("123"), st.integers(0, 3), max_size=2)
    event = st.builds(lambda v, f: told(second, **v, **({"custom_fields": f} if f else {})), some, fields)
    return st.one_of(event, st.builds(lambda v, f: read(second, **v, custom_fields=f), some, fields))


@given(st.lists(st.integers(0, 20), min_size=1, max_size=7, unique=True), st.data())
def test_events_and_reads_in_any_order_and_number_end_alike(seconds, data):
    records = [data.draw(tellings(second)) for second in sorted(seconds)]
    straight, _ = after(*records)
    shuffled = data.draw(st.permutations(records + data.draw(st.lists(st.sampled_from(records), max_size=4))))
    held, _ = after(*shuffled)
    assert (held.values, held.as_of, held.read_as_of, held.reread) == (
        straight.values, straight.as_of, straight.read_as_of, False,
    )  # fmt: skip


@pytest.mark.parametrize("record", [read(1), told(1, status="open"), told(-1, status="new")])
def test_what_is_held_is_never_changed_in_place(record):
    first, _ = after(read())
    before = {**first.values, "tags": list(first.values["tags"]), "custom_fields": dict(first.values["custom_fields"])}
    apply(first, record)
    assert first.values == before
