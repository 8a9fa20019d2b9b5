"""Judgements and their fact sets: two statements a batch, shared sets, hostile values, partitions dropped whole."""

import dataclasses
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from app.history import store as history
from app.history.models import fact_set, judgement
from app.history.store import Judgement
from integrations.kernel.events import Change

AT = datetime(2026, 11, 24, 9, tzinfo=UTC)
EFFECT = {"kind": "tickets.add_tags", "payload": {"tags": ["db_x"]}, "rule": "r", "key": "k", "ticket_id": "1"}


def one(ticket="1", facts=None, **parts):
    base = {
        "connection_id": "con_1", "ticket_id": ticket, "delivery_id": 7, "event_kind": "ticket.created",
        "event_key": "evt_1", "occurred_at": AT, "facts": facts if facts is not None else {"ticket.status": "open"},
        "changes": {}, "rule_set_version": 3, "trace": {"engine": 1, "fired": ["r"], "effects": [EFFECT]},
    }  # fmt: skip
    return Judgement(**{**base, **parts})


def count(cx, table):
    return cx.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


def test_what_is_kept_comes_back_with_its_facts_and_changes(database):
    facts = {"ticket.status": "open", "ticket.tags": ["a"], "event.kind": "ticket.commented", "event.comment": "hi"}
    with database.begin() as cx:
        history.record(cx, [one(facts=facts, changes={"priority": Change("low", None)}, tick=True)])
        (kept,) = history.latest(cx, "con_1", "1")
    assert kept.facts == facts
    assert kept.changes == {"priority": Change("low", None)}
    assert (kept.delivery_id, kept.event_kind, kept.event_key, kept.occurred_at) == (7, "ticket.created", "evt_1", AT)
    assert (kept.rule_set_version, kept.engine_version, kept.fired, kept.tick) == (3, 1, ("r",), True)
    assert kept.effects == ({"kind": "tickets.add_tags", "payload": {"tags": ["db_x"]}, "rule": "r"},)


def test_the_newest_come_first_and_only_those_of_the_ticket_of_that_connection(database):
    with database.begin() as cx:
        history.record(cx, [one(event_key="a"), one(event_key="b"), one("2"), one(connection_id="con_2")])
        history.record(cx, [one(event_key="c")])
        assert [kept.event_key for kept in history.latest(cx, "con_1", "1", 2)] == ["c", "b"]


def test_equal_fact_sets_are_kept_once_whatever_their_order_and_whatever_the_event_said(database):
    with database.begin() as cx:
        first, again = {"a.x": 1, "a.y": 2, "event.comment": "one"}, {"event.comment": "two", "a.y": 2, "a.x": 1}
        history.record(cx, [one(facts=first), one("2", facts=again)])
        history.record(cx, [one("3", facts=again)])
        assert count(cx, judgement) == 3
        assert count(cx, fact_set) == 3  # one of the tickets, two of the events


def test_a_batch_costs_two_statements(database):
    statements = []
    sa.event.listen(database.engine, "before_cursor_execute", lambda *a: statements.append(a[2]))
    with database.begin() as cx:
        history.record(cx, [one(str(n), {"ticket.id": str(n)}) for n in range(50)])
        history.record(cx, [])
    assert len(statements) == 2


def test_a_judgement_holds_no_text_of_people(database):
    effects = [
        {"kind": "tickets.note", "payload": {"key": "k", "body": "Ann pays"}, "rule": "r"},
        {"kind": "tickets.set", "payload": {"field": "custom_fields.1", "value": "Ann"}, "rule": "r"},
        {"kind": "tickets.set", "payload": {"field": "priority", "value": "high"}, "rule": "r"},
    ]
    with database.begin() as cx:
        facts = {"requester.name": "Ann", "event.comment": "Ann here"}
        trace = {"engine": 1, "fired": ["r"], "effects": effects}
        history.record(cx, [one(facts=facts, changes={"subject": Change("Ann", "")}, trace=trace)])
        (row,) = cx.execute(sa.select(judgement))
    assert "Ann" not in str(row)
    assert "high" in str(row)


@pytest.mark.parametrize(
    "value", ["a\0b", "\ud800", ["\0"], float("nan"), float("inf"), "\U0001f600", 10**40, "\\u0000"]
)
def test_no_value_a_customer_can_send_poisons_the_batch(database, value):
    with database.begin() as cx:
        history.record(cx, [one(facts={"ticket.subject": value, "event.comment": value})])
        (kept,) = history.latest(cx, "con_1", "1")
    assert set(kept.facts) == {"ticket.subject", "event.comment"}
    if value in ("\U0001f600", 10**40, "\\u0000"):
        assert kept.facts["ticket.subject"] == value


def parts(cx):
    query = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'fact_set'::regclass ORDER BY 1"
    return list(cx.execute(sa.text(query)).scalars())


def test_partitions_are_made_ahead_and_rows_that_came_before_move_into_theirs(database):
    with database.begin() as cx:
        today = cx.execute(sa.text("SELECT current_date")).scalar_one()
        history.record(cx, [one()], today=today)
        assert parts(cx) == ["fact_set_00000000"]
        made = history.ensure_partitions(cx, "fact_set", 2)
        assert made == [f"fact_set_{today + timedelta(days=n):%Y%m%d}" for n in range(3)]
        assert history.ensure_partitions(cx, "fact_set", 2) == []
        assert cx.execute(sa.text("SELECT count(*) FROM fact_set_00000000")).scalar_one() == 0
        assert history.latest(cx, "con_1", "1")[0].facts == {"ticket.status": "open"}
        history.record(cx, [one("2", {"ticket.status": "new"})], today=today)
        assert cx.execute(sa.text(f"SELECT count(*) FROM {made[0]}")).scalar_one() == 3


def test_old_days_are_dropped_whole_and_their_judgements_stay_without_facts(database):
    with database.begin() as cx:
        today = cx.execute(sa.text("SELECT current_date")).scalar_one()
        old = today - timedelta(days=31)
        span = f"FROM ('{old}') TO ('{old + timedelta(days=1)}')"
        cx.execute(sa.text(f"CREATE TABLE fact_set_{old:%Y%m%d} PARTITION OF fact_set FOR VALUES {span}"))
        history.ensure_partitions(cx, "fact_set", 0)
        history.record(cx, [one("old")], today=old)
        history.record(cx, [one("older")], today=date(2026, 1, 1))  # in the default partition
        history.record(cx, [one("new")], today=today)
        assert history.drop_partitions(cx, "fact_set", 30) == [f"fact_set_{old:%Y%m%d}"]
        assert [history.latest(cx, "con_1", t)[0].facts for t in ("old", "older")] == [None, None]
        assert history.latest(cx, "con_1", "new")[0].facts is not None
        assert history.drop_partitions(cx, "fact_set", 30) == []


def test_judgements_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        one().tick = True
