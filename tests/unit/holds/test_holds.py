"""Reasons to wait: open once, released once, found by payer and by person."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from app import holds
from app.holds import Hold
from app.holds.models import hold
from integrations.kernel.clock import utc_now

PAYER, PERSON, TICKET = ("bank", "cus_1"), ("desk", "7"), ("desk", "100")


def one(source_id="a", **more):
    told = {"payer": PAYER, "person": PERSON, "ticket": TICKET} | more
    return Hold("ticket", source_id, "a complaint", "until the ticket is solved", **told)


@pytest.fixture
def cx(database):
    with database.begin() as connection:
        yield connection


def why_of(found):
    return {key: [one.source_id for one in mine] for key, mine in found.items()}


def test_a_hold_is_found_by_its_payer_and_by_its_person(cx):
    holds.open(cx, one("a"), one("b", payer=("bank", "cus_2"), person=holds.NOBODY))
    found = holds.open_for(cx, [PAYER, ("bank", "cus_2"), ("other", "cus_1")], [PERSON, ("other", "7")])
    assert why_of(found) == {PAYER: ["a"], PERSON: ["a"], ("bank", "cus_2"): ["b"]}
    assert (found[PAYER][0].why, found[PAYER][0].until_what) == ("a complaint", "until the ticket is solved")


def test_a_hold_that_is_open_is_not_opened_again_and_one_that_ended_is(cx):
    assert holds.open(cx, one()) == 1
    assert holds.open(cx, one(), one()) == 0
    assert holds.release(cx, "ticket", "a", "it is solved") == 1
    assert holds.release(cx, "ticket", "a", "again") == 0
    assert holds.open_for(cx, [PAYER]) == {}
    assert holds.open(cx, one()) == 1
    rows = cx.execute(sa.select(hold.c.released_why).order_by(hold.c.id)).scalars().all()
    assert rows == ["it is solved", ""]  # ended, and never deleted


def test_a_source_releases_only_its_own(cx):
    holds.open(cx, one("a"), one("b"))
    assert holds.release(cx, "refund", "a", "x") == 0
    assert holds.release(cx, "ticket", ["a", "nothing"], "x") == 1
    assert why_of(holds.open_for(cx, [PAYER])) == {PAYER: ["b"]}


def test_a_payers_holds_are_made_what_is_wanted_and_others_are_left_alone(cx):
    holds.open(cx, one("a"), one("b"), one("c", payer=("bank", "cus_2")))
    holds.settle(cx, "ticket", [PAYER], [one("b"), one("d")], "closed")
    assert why_of(holds.open_for(cx, [PAYER, ("bank", "cus_2")])) == {PAYER: ["b", "d"], ("bank", "cus_2"): ["c"]}
    holds.settle(cx, "ticket", [], [], "closed")
    assert len(holds.open_for(cx, [PAYER])[PAYER]) == 2


def test_a_hold_with_a_latest_moment_ends_then(cx):
    now = utc_now()
    holds.open(cx, one("a", until_at=now - timedelta(hours=1)), one("b", until_at=now + timedelta(hours=1)), one("c"))
    assert holds.release_overdue(cx) == 1
    assert why_of(holds.open_for(cx, [PAYER])) == {PAYER: ["b", "c"]}


def test_nobody_is_held_by_a_hold_that_names_nobody(cx):
    nobodys = one("a", payer=holds.NOBODY, person=holds.NOBODY)
    holds.open(cx, nobodys)
    assert holds.open_for(cx, [holds.NOBODY, PAYER], [holds.NOBODY]) == {}
    assert holds.of_tickets(cx, [TICKET, ("desk", "1")]) == {TICKET: [nobodys]}


def test_the_holds_of_a_ticket_are_read_as_they_were_opened(cx):
    mine = [one("a"), one("b", person=holds.NOBODY), one("c", payer=holds.NOBODY, until_at=utc_now())]
    holds.open(cx, *mine)
    assert holds.of_tickets(cx, [TICKET]) == {TICKET: mine}
    holds.release(cx, "ticket", ["a", "c"], "over")
    assert holds.of_tickets(cx, [TICKET]) == {TICKET: [mine[1]]}


def test_the_readers_question_stands_on_indexes(cx):
    cx.execute(
        sa.text(
            "INSERT INTO hold (source, source_id, payer_connection_id, payer_id, connection_id, person_id, why, until_what)"
            " SELECT 'ticket', n::text, 'bank', 'cus_' || n, 'desk', n::text, '', '' FROM generate_series(1, 20000) n"
        )
    )
    cx.execute(sa.text("ANALYZE hold"))
    for name, columns in (("payer", ("payer_connection_id", "payer_id")), ("person", ("connection_id", "person_id"))):
        where = f"released_at IS NULL AND {columns[1]} <> '' AND ({columns[0]}, {columns[1]}) IN (('bank', 'cus_7'), ('desk', '8'))"
        plan = "\n".join(cx.execute(sa.text(f"EXPLAIN SELECT * FROM hold WHERE {where}")).scalars())
        assert f"ix_hold_{name}" in plan
        assert "Seq Scan" not in plan
