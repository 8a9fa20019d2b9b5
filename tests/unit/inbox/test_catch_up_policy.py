"""Which events a difference stands for. Pure."""

from datetime import UTC, datetime, timedelta

from app.inbox.catch_up import differing
from integrations.kernel.clock import iso
from integrations.kernel.records import TicketRecord

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
HELD = {"status": "open", "priority": None, "tags": ["vip"], "subject": "Hi", "custom_fields": {"1": "a", "2": None}}


def read(**values):
    return TicketRecord("7", NOON, {**HELD, "created_at": iso(NOON), **values}, complete=True)


def test_each_value_that_differs_is_the_event_that_would_have_told():
    told = read(status="pending", priority="high", tags=["vip", "x"], custom_fields={"1": "b", "2": None})
    assert differing(HELD, told, NOON) == [
        "ticket.custom_field_changed", "ticket.priority_changed", "ticket.status_changed", "ticket.tags_changed"
    ]  # fmt: skip


def test_the_same_values_and_values_never_told_before_are_no_event():
    assert differing(HELD, read(tags=["VIP"]), NOON) == []
    assert differing({"status": "open"}, read(), NOON) == []


def test_a_ticket_never_heard_of_was_created_if_it_was_made_since():
    assert differing(None, read(), NOON - timedelta(hours=1)) == ["ticket.created", "ticket.status_changed"]
    assert differing(None, read(status="new", assignee_id="5"), NOON) == ["ticket.created", "ticket.assignee_changed"]
    assert differing(None, read(status="new"), NOON + timedelta(seconds=1)) == []
