"""Claims, leases, fencing, order, poison, rest: one lane's or one connection's trouble is its own."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.connections import UnknownConnection
from app.inbox import process
from app.inbox.models import lane
from integrations.kernel.errors import ConfigError, NeedsReauthorisation, RateLimited, VendorContractChanged
from integrations.kernel.records import TicketRecord

RULES = """
rules:
- {id: all, title: All, order: 2, when: ["*"], all: [{fact: ticket.status, is: open}],
   actions: [{add_tags: {tags: [db_seen]}}]}
"""


def break_on(monkeypatch, text, error):
    """Judging fails for tickets with this subject: a bug of ours that one event meets."""
    whole = process.work

    def work(cx, parsed, reads, *rest):
        told = [e.record for p in parsed for e in p.events] + [
            t for r in reads.values() for a in r.answers for t in a.tickets
        ]
        if any(record is not None and record.values.get("subject") == text for record in told):
            raise error
        return whole(cx, parsed, reads, *rest)

    monkeypatch.setattr(process, "work", work)


def test_events_of_a_lane_come_in_order_and_a_lane_has_one_owner(bench):
    first, second, other = bench.event("1"), bench.event("1"), bench.event("2")
    mine = bench.claim(lanes=1)
    assert [[d.event_key for d in one.deliveries] for one in mine] == [[first, second]]
    assert [[d.event_key for d in one.deliveries] for one in bench.claim()] == [[other]]
    assert bench.claim() == []


def test_a_worker_that_lost_its_lease_changes_nothing_and_what_it_held_is_done_once(bench):
    bench.rules(RULES)
    bench.ticket("1")
    key = bench.event("1")
    late = bench.claim()
    bench.hurry()
    (now,) = bench.claim()
    assert bench.inbox._batch(late) == 0
    assert bench.states() == {key: "received"}
    assert bench.mirror("1") is None
    assert bench.inbox._batch([now]) == 1
    assert bench.states() == {key: "done"}


def test_losing_one_lane_does_not_cost_the_others_their_work(bench):
    for ticket_id in ("1", "2", "3"):
        bench.ticket(ticket_id)
        bench.event(ticket_id)
    lanes = bench.claim()
    with bench.database.begin() as cx:
        cx.execute(sa.update(lane).where(lane.c.key == "ticket:2").values(token=99))
    assert bench.inbox._batch(lanes) == 2
    assert sorted(bench.states().values()) == ["done", "done", "received"]


def test_poison_in_a_batch_is_set_aside_after_five_tries_and_its_ticket_goes_on(bench, monkeypatch):
    bench.rules(RULES)
    for ticket_id in ("1", "2", "3"):
        bench.ticket(ticket_id)
    break_on(monkeypatch, "Poison", ValueError("a bug"))
    bad = bench.event("2", subject="Poison")
    later = bench.event("2", second=5, tags=["vip"])
    good = [bench.event("1"), bench.event("3")]
    bench.drain(rounds=1)
    assert [bench.states()[key] for key in good] == ["done", "done"], "the others are done at once"
    assert [bench.states()[key] for key in (bad, later)] == ["received", "received"], "its lane rests, in order"
    assert bench.row(bad).tries == 1
    for _ in range(4):
        assert bench.row(bad).state == "received"
        bench.hurry()
        bench.drain(rounds=1)
    assert bench.row(bad).tries == 5
    bench.hurry()
    bench.drain()
    assert bench.row(bad).state == "quarantined"
    assert bench.row(bad).reason == "ValueError: a bug"
    assert bench.states()[later] == "done"
    assert bench.mirror("2").values["tags"] == ["vip"]


def test_a_ticket_whose_reading_is_poison_harms_no_other(bench, monkeypatch):
    for ticket_id in ("1", "2", "3"):
        bench.ticket(ticket_id, subject="Poison" if ticket_id == "2" else "Hello")
        bench.event(ticket_id, kind="merged")  # carries no ticket: it is read
    break_on(monkeypatch, "Poison", ValueError("a bug"))
    bench.drain()
    assert bench.states() == {"e1": "done", "e2": "received", "e3": "done"}
    assert [bench.row(key).tries for key in ("e1", "e3")] == [0, 0]


def test_an_answer_nobody_understands_is_found_by_reading_each_ticket_alone(bench):
    def odd(ids):
        if "2" in ids:
            raise VendorContractChanged("a shape we do not know")

    for ticket_id in ("1", "2", "3"):
        bench.ticket(ticket_id)
        bench.event(ticket_id)
    bench.desk().before = odd
    for _ in range(5):
        bench.drain()
        bench.hurry()
    assert bench.states() == {"e1": "done", "e2": "quarantined", "e3": "done"}


@pytest.mark.parametrize("error", [NeedsReauthorisation("401"), RateLimited("429", retry_after_s=30)])
def test_a_desk_that_cannot_be_read_rests_alone_and_it_is_no_try_of_its_events(bench, error):
    def away(ids):
        raise error

    bench.desk("other").before = away
    bench.ticket("1")
    waiting, done = bench.event("1", connection="other"), bench.event("1")
    for _ in range(7):
        bench.drain(rounds=3)
        bench.hurry()
    assert bench.states() == {waiting: "received", done: "done"}
    assert bench.row(waiting).tries == 0
    bench.desk("other").before = lambda ids: None
    bench.ticket("1", connection="other")
    bench.drain()
    assert bench.states() == {waiting: "done", done: "done"}


def test_a_rest_is_as_long_as_the_vendor_says(bench):
    def full(ids):
        raise RateLimited("429", retry_after_s=30)

    bench.desk().before = full
    bench.event("1")
    bench.drain(rounds=2)
    with bench.database.begin() as cx:
        rest = cx.execute(sa.select(sa.func.extract("epoch", lane.c.busy_until - sa.func.now()))).scalar_one()
    assert 25 < rest <= 30


@pytest.mark.parametrize("where", ["vendor_of", "own_user"])
def test_a_connection_that_is_switched_off_keeps_its_events_and_stops_nobody(bench, where):
    for n in range(3):
        bench.event(str(n), connection="gone")
    bench.ticket("1")
    done = bench.event("1")
    if where == "vendor_of":
        bench.vendors["gone"] = UnknownConnection()
    else:
        own = bench.own_user

        def closed(connection_id):
            if connection_id == "gone":
                raise ConfigError("no key fits")
            return own(connection_id)

        bench.own_user = closed
    bench.drain()
    assert bench.states() == {"e1": "received", "e2": "received", "e3": "received", done: "done"}
    bench.vendors["gone"] = "zendesk"
    bench.own_user = lambda _: "999"
    bench.hurry()
    bench.drain()
    assert set(bench.states().values()) == {"done"}


def test_unknown_kinds_are_ignored_and_unreadable_bodies_set_aside_at_once(bench):
    unknown = bench.store("desk", "u1", "zen:event-type:ticket.sang", "ticket:1", {
        "type": "zen:event-type:ticket.sang", "subject": "zen:ticket:1", "id": "u1",
    })  # fmt: skip
    broken = bench.store("desk", "b1", "zen:event-type:ticket.created", "ticket:1", b"{not json")
    bench.drain()
    assert bench.states() == {unknown: "ignored", broken: "quarantined"}


def test_a_hot_ticket_is_worked_in_portions(bench):
    bench.ticket("1")
    for second in range(60):
        bench.event("1", second=second)
    (one,) = bench.claim()
    assert len(one.deliveries) == 50
    bench.hurry()
    assert bench.drain() >= 60
    assert set(bench.states().values()) == {"done", "stale"}


def test_a_deadlock_or_a_database_that_restarts_is_no_try_of_an_event(bench, monkeypatch):
    bench.ticket("1", subject="Poison")
    bench.event("1", subject="Poison")
    break_on(monkeypatch, "Poison", sa.exc.OperationalError("SELECT 1", {}, Exception("deadlock detected")))
    for _ in range(7):
        bench.drain(rounds=2)
        bench.hurry()
    assert bench.row("e1").tries == 0
    assert bench.row("e1").state == "received"


def test_records_of_one_batch_are_those_of_its_tickets():
    from app.inbox.read import Reads
    from integrations.kernel.clock import utc_now
    from integrations.kernel.ports import TicketRead

    read = Reads([TicketRead((TicketRecord("1", utc_now(), {}), TicketRecord("2", utc_now(), {})), (), (), ("3", "4"))])
    (only,) = read.of({("c", "ticket", "2"), ("c", "ticket", "4")}).answers
    assert [t.id for t in only.tickets] == ["2"]
    assert only.gone == ("4",)
    assert read.of({("c", "ticket", "9"), ("c", "person", "1")}).answers == []
