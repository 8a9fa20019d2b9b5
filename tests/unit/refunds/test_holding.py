"""Sales waits while a refund is open; what is wrong with holds is never in the way of money."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app import holds
from app.refunds import State, holding
from app.refunds.models import refund_intent
from app.refunds.states import MOVES

BROKEN = """
    CREATE OR REPLACE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'broken'; END $$;
    CREATE TRIGGER broken BEFORE INSERT OR UPDATE ON hold FOR EACH ROW EXECUTE FUNCTION broken();
"""


@pytest.fixture
def held(world):
    """Source ids of what holds the payer now."""

    def found():
        with world.database.begin() as cx:
            query = sa.select(refund_intent.c.connection_id, refund_intent.c.payer_id).distinct()
            payers = [tuple(row) for row in cx.execute(query)]
            return [one.source_id for mine in holds.open_for(cx, payers).values() for one in mine]

    return found


def run(world, text):
    with world.database.begin() as cx:
        return cx.execute(sa.text(text))


def test_the_payer_is_held_from_the_request_until_the_refund_is_made(world, held):
    intent = world.request(world.charge(), 1000)
    assert held() == [intent.id]
    world.drain()
    assert world.state(intent.id) is State.SUCCEEDED
    assert held() == []
    (row,) = run(world, "SELECT released_why, until_what FROM hold")
    assert tuple(row) == ("the refund is succeeded", "until the refund has ended")


def test_one_that_waits_for_approval_holds_and_one_that_is_refused_by_the_vendor_does_not(world, held):
    world.policy(limit__refunder__USD="500/100000")
    waiting = world.request(world.charge(), 1000)
    assert waiting.state is State.AWAITING_APPROVAL
    refused = world.request(world.charge(), 401)
    world.drain()
    world.settle_all()
    assert (world.state(refused.id), held()) == (State.REJECTED, [waiting.id])


def test_money_moves_although_holds_cannot_be_written_and_the_sweep_makes_it_good(world, held):
    run(world, BROKEN)
    intent = world.request(world.charge(), 1000)
    assert (intent.state, held()) == (State.RESERVED, [])
    run(world, "DROP TRIGGER broken ON hold")
    run(world, "UPDATE refund_intent SET state_at = now() - interval '2 minutes'")
    with world.database.begin() as cx:
        assert holding.sweep(cx) == 1
        assert holding.sweep(cx) == 0
    assert held() == [intent.id]
    run(world, BROKEN)
    assert world.drain() == 1
    assert (world.state(intent.id), held()) == (State.SUCCEEDED, [intent.id])
    run(world, "DROP TRIGGER broken ON hold")
    with world.database.begin() as cx:
        assert holding.sweep(cx) == 1
    assert held() == []
    world.check()


def test_every_state_holds_or_is_an_end_or_is_paid():
    assert {s for s in State if s not in holding.HOLDING} == {s for s in State if not MOVES[s] or s is State.SUCCEEDED}


def test_the_sweeps_statement_and_the_index_name_the_states_that_hold():
    (index,) = [i for i in refund_intent.indexes if i.name == "ix_refund_intent_open"]
    for text in (str(index.dialect_options["postgresql"]["where"]), holding._MISSING.text):
        assert all(f"'{state.value}'" in text for state in holding.HOLDING)
        assert not any(f"'{state.value}'" in text for state in State if state not in holding.HOLDING)
