"""Of one moment a read is the vendor's last word, and a ticket in doubt is asked for until it is not."""

from __future__ import annotations

from datetime import UTC, datetime

from app.inbox import recheck, store
from app.inbox.parse import RECHECKED, Parsed
from app.tickets import store as tickets
from integrations.kernel.events import Event
from integrations.kernel.ids import VendorRef
from integrations.kernel.records import TicketRecord

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def whole(priority):
    return TicketRecord("7", NOON, {"status": "open", "priority": priority}, complete=True)


def event(kind):
    return Event(kind, "intercom", "desk", "e", VendorRef("intercom", "ticket", "7"), NOON)


def delivery(number):
    return Parsed(None, store.Delivery(number, "desk", f"k{number}", "x", "ticket:7", 0, NOON, b"{}"), "intercom")


def in_doubt(cx):
    tickets.apply(cx, "desk", [whole("high")])
    applied = tickets.apply(cx, "desk", [whole("normal")])
    assert applied["7"].ticket.reread
    return applied


def test_a_doubt_that_is_new_is_asked_for_once(database):
    with database.begin() as cx:
        applied = in_doubt(cx)
        recheck.ask(cx, "desk", applied, [(delivery(1), event("ticket.commented"))], set())
        again = tickets.apply(cx, "desk", [])
        assert again == {}
        assert store.backlog(cx, 10) == 1


def test_a_doubt_that_outlives_its_recheck_is_asked_for_again(database):
    with database.begin() as cx:
        in_doubt(cx)
        late = TicketRecord("7", NOON, {"status": "open", "priority": "low"})
        applied = tickets.apply(cx, "desk", [late])
        assert applied["7"].ticket.reread
        recheck.ask(cx, "desk", applied, [(delivery(1), event("ticket.commented"))], set())
        assert store.backlog(cx, 10) == 0, "the recheck of before is still to come"
        recheck.ask(cx, "desk", applied, [(delivery(2), event(RECHECKED))], set())
        assert store.backlog(cx, 10) == 1


def test_of_one_batch_the_read_wins_over_a_whole_delivery_of_the_same_moment(database):
    with database.begin() as cx:
        in_doubt(cx)
        applied = tickets.apply(cx, "desk", [whole("normal"), whole("high")])  # told, then read
        assert applied["7"].ticket.values["priority"] == "high"
