"""The tickets' mirror on a real PostgreSQL."""

import random
import threading
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.tickets import store
from app.tickets.models import ticket
from app.tickets.policy import Outcome
from integrations.kernel.records import TicketRecord

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
DESK = "con_desk"


def record(ticket_id="1", second=0, *, complete=True, **values):
    return TicketRecord(ticket_id, NOON + timedelta(seconds=second), {"status": "open", **values}, complete)


class Tagged:
    """A write of ours that added a tag."""

    def __init__(self, tag):
        self.tag = tag

    def applied_to(self, values):
        return {**values, "tags": sorted({*values.get("tags", ()), self.tag})}


@pytest.fixture
def cx(database):
    with database.engine.connect() as connection, connection.begin():
        yield connection


def test_several_tellings_of_one_ticket_in_one_batch_are_applied_oldest_first(cx):
    done = store.apply(cx, DESK, [record(second=2, status="solved"), record(second=1, status="pending"), record("2")])
    assert {key: (one.outcome, one.ticket.status) for key, one in done.items()} == {
        "1": (Outcome.NEW, "solved"),
        "2": (Outcome.NEW, "open"),
    }
    assert store.read(cx, DESK, ["1", "2", "3"]) == {key: one.ticket for key, one in done.items()}


def test_a_batch_tells_what_was_before(cx):
    store.apply(cx, DESK, [record(status="open")])
    done = store.apply(cx, DESK, [record(second=1, status="solved")])["1"]
    assert (done.outcome, done.previous.status, done.ticket.status) == (Outcome.NEWER, "open", "solved")
    assert done.as_of == NOON + timedelta(seconds=1)
    assert store.apply(cx, DESK, [record(status="new")])["1"].outcome is Outcome.STALE


def test_the_read_of_a_batch_comes_after_its_event_of_the_same_second(cx):
    store.apply(cx, DESK, [record(status="pending"), record(status="open", complete=False)])
    assert store.needing_read(cx, DESK, ["1"]) == []
    assert store.read(cx, DESK, ["1"])["1"].status == "pending"


def test_tickets_of_two_connections_with_one_id_are_two_tickets(cx):
    store.apply(cx, DESK, [record(status="open")])
    store.apply(cx, "con_other", [record(status="solved")])
    store.mark_gone(cx, "con_other", ["1"])
    assert store.read(cx, DESK, ["1"])["1"].status == "open"
    assert not store.read(cx, DESK, ["1"])["1"].gone
    assert store.read(cx, "con_third", ["1"]) == {}


def test_what_must_be_read_is_unknown_incomplete_in_doubt_or_gone(cx):
    store.apply(cx, DESK, [record("well"), record("event", complete=False), record("tie"), record("gone")])
    store.apply(cx, DESK, [record("tie", status="solved", complete=False)])
    store.mark_gone(cx, DESK, ["gone"])
    assert store.needing_read(cx, DESK, ["well", "event", "tie", "gone", "never", "never"]) == [
        "event", "tie", "gone", "never",
    ]  # fmt: skip
    assert store.needing_read(cx, DESK, []) == []


def test_our_own_write_is_folded_in_and_leaves_the_vendors_time(cx):
    store.apply(cx, DESK, [record(tags=["theirs"])])
    store.fold(cx, DESK, [("1", Tagged("db_a")), ("1", Tagged("db_b")), ("unknown", Tagged("db_a"))])
    held = store.read(cx, DESK, ["1"])["1"]
    assert held.values["tags"] == ["db_a", "db_b", "theirs"]
    assert held.as_of == NOON
    assert store.apply(cx, DESK, [record(tags=["db_a", "db_b", "theirs"])])["1"].ticket.reread is False


def test_a_write_that_changed_nothing_touches_no_row(cx):
    store.apply(cx, DESK, [record(tags=["db_a"])])
    place = sa.select(sa.literal_column("ctid::text")).select_from(ticket)
    before = cx.execute(place).scalar()
    store.fold(cx, DESK, [("1", Tagged("db_a"))])
    store.apply(cx, DESK, [record(tags=["db_a"])])
    assert cx.execute(place).scalar() == before


def test_a_late_event_does_not_bring_a_ticket_back_that_is_gone(cx):
    store.mark_gone(cx, DESK, ["1", "1"], as_of=NOON)
    store.apply(cx, DESK, [record(second=-5, complete=False)])
    store.apply(cx, DESK, [record(second=5, complete=False)])
    assert store.read(cx, DESK, ["1"])["1"].gone
    store.apply(cx, DESK, [record(second=5)])
    assert not store.read(cx, DESK, ["1"])["1"].gone


def test_a_fan_out_walks_in_capped_chunks_and_leaves_the_closed_alone(cx):
    rows = [record(f"{n:02}", requester_id="ann" if n % 2 else "bob", organization_id="acme") for n in range(9)]
    rows += [record("c", status="closed", requester_id="ann"), record("s", status="solved", requester_id="ann")]
    store.apply(cx, DESK, [*rows, record("g", requester_id="ann")])
    store.mark_gone(cx, DESK, ["g"])

    def walk(**who):
        found, after = [], ""
        while chunk := store.open_tickets_of(cx, DESK, **who, after_id=after, limit=2):
            assert len(chunk) <= 2
            found, after = found + chunk, chunk[-1]
        return found

    assert walk(requesters=["ann"]) == ["01", "03", "05", "07", "s"]
    assert walk(requesters=["ann"], also_solved=False) == ["01", "03", "05", "07"]
    assert walk(requesters=["bob", "ann"]) == ["00", "01", "02", "03", "04", "05", "06", "07", "08", "s"]
    assert walk(requesters=["nobody"], organizations=["acme"]) == [f"{n:02}" for n in range(9)]
    assert walk() == []


def test_texts_a_database_refuses_are_stored_without_what_it_refuses(cx):
    store.apply(cx, DESK, [record(subject="a\x00b\ud800c \\u0000 \U0001f600", custom_fields={"1": float("nan")})])
    values = store.read(cx, DESK, ["1"])["1"].values
    assert values["subject"] == "a\ufffdb\ufffdc \\u0000 \U0001f600"
    assert values["custom_fields"] == {"1": None}


def test_two_batches_that_meet_on_new_tickets_lose_nothing(database):
    """Both find the tickets unknown; whoever inserts later must still not overwrite what is newer."""
    ids = [str(n) for n in range(40)]
    start = threading.Barrier(4)
    failures = []

    def work(second):
        mine = [record(one, second, complete=False, **{"priority": str(second), f"by{second}": 1}) for one in ids]
        random.Random(second).shuffle(mine)
        start.wait()
        try:
            with database.begin() as cx:
                store.apply(cx, DESK, mine)
        except sa.exc.SQLAlchemyError as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(second,)) for second in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert failures == []
    with database.begin() as cx:
        held = store.read(cx, DESK, ids)
    assert {one.as_of for one in held.values()} == {NOON + timedelta(seconds=3)}
    assert {one.values["priority"] for one in held.values()} == {"3"}


def test_two_batches_that_tell_different_values_of_known_tickets_lose_neither(database):
    ids = [str(n) for n in range(20)]
    with database.begin() as cx:
        store.apply(cx, DESK, [record(one) for one in ids])
    with database.begin() as first:
        store.apply(first, DESK, [record(one, 1, complete=False, priority="high") for one in ids])

        def work():
            with database.begin() as second:
                store.apply(second, DESK, [record(one, 2, complete=False, subject="late") for one in reversed(ids)])

        other = threading.Thread(target=work)
        other.start()
        other.join(0.3)
        assert other.is_alive()  # it waits for the rows
    other.join()
    with database.begin() as cx:
        held = store.read(cx, DESK, ids).values()
    assert {(one.values.get("priority"), one.values.get("subject")) for one in held} == {("high", "late")}


def test_a_batch_is_three_statements_whatever_its_size_and_history(cx):
    store.apply(cx, DESK, [record(str(n)) for n in range(50)])
    counted = []
    sa.event.listen(cx, "before_cursor_execute", lambda *a: counted.append(a[2]))
    store.apply(cx, DESK, [record(str(n), second=1 + k) for n in range(25, 75) for k in range(3)])
    assert len(counted) == 3


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_the_mirror_ends_alike_however_reads_are_shuffled_doubled_and_cut_into_batches(cx, data):
    records = [record(t, s, status=f"s{s}", tags=[f"t{s}"]) for t in "ab" for s in range(4)]
    told = data.draw(st.permutations(records + data.draw(st.lists(st.sampled_from(records), max_size=6))))
    cut = data.draw(st.integers(0, len(told)))
    connection_id = f"con_{data.draw(st.uuids())}"
    store.apply(cx, connection_id, told[:cut])
    store.apply(cx, connection_id, told[cut:])
    held = store.read(cx, connection_id, ["a", "b"])
    assert {(one.status, one.reread, one.complete) for one in held.values()} == {("s3", False, True)}
