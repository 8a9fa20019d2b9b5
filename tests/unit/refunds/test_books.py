"""The books: both sides to the unit; what others made is shown; what differs is said."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.refunds import State, books, manual, store_work
from app.refunds.manual import StillThere
from integrations.kernel.clock import utc_now
from integrations.kernel.errors import NotFound


@pytest.fixture
def stripe():
    """Of this test's own: the books are about everything the vendor holds."""
    from sandbox.base import Context
    from sandbox.stripe.local import Local

    local = Local(Context(limits=False, time_factor=50))
    for refund in local.state.of("refunds"):
        del local.state.lists["refunds"][refund["id"]]
    yield local
    local.stop()


def reconcile(world):
    return books.reconcile(world.ctx, world.client, "con_bill", utc_now() - timedelta(days=3))


def tampered(world, statement, **values):
    with world.database.begin() as cx:
        for table in ("refund_intent", "refund_charge"):
            cx.execute(sa.text(f"ALTER TABLE {table} DISABLE TRIGGER i4"))
        cx.execute(sa.text(statement), values)
        for table in ("refund_intent", "refund_charge"):
            cx.execute(sa.text(f"ALTER TABLE {table} ENABLE TRIGGER i4"))


def test_both_sides_agree_and_what_others_made_is_shown_not_adopted(world):
    charges = [world.charge() for _ in range(3)]
    for charge in charges:
        world.request(charge, 1000)
    world.request(charges[0], 500 + 1, again=True)
    world.request(world.charge(), 401)  # refused
    world.drain()
    world.stripe.state.refund(charges[1], 700)
    found = reconcile(world)
    assert found.agree
    assert (found.at_vendor, found.recorded) == ({"USD": 3501}, {"USD": 3501})
    assert (found.foreign, found.foreign_count) == ({"USD": 700}, 1)


def test_a_refund_that_failed_is_on_neither_side(world):
    intent = world.request(world.charge(), 1000)
    world.drain()
    world.stripe.state.settle_refund(world.at_vendor(intent.id)[0]["id"], "failed")
    found = reconcile(world)
    assert (found.agree, found.settled, found.at_vendor) == (True, 1, {})
    assert world.state(intent.id) is State.FAILED


def test_what_the_vendor_holds_settles_what_we_do_not_know(world):
    intent = world.request(world.charge(), 500)  # made, and answered with 500
    world.drain()
    assert world.state(intent.id) is State.UNKNOWN
    assert reconcile(world).agree
    assert world.state(intent.id) is State.SUCCEEDED
    world.check()


def test_a_difference_is_named_by_its_charge_and_a_person_is_told_once_a_day(world):
    intent = world.request(world.charge(), 1000)
    world.drain()
    tampered(world, "UPDATE refund_intent SET amount = 900 WHERE id = :i", i=intent.id)
    for _ in range(2):
        found = books.nightly(world.ctx, world.client, "con_bill")
    assert found.differences == {intent.charge_id: (1000, 900)}
    assert [n.kind for n in world.notices("refund.books")] == ["refund.books"]


class Meanwhile:
    """The vendor's client; something happens once while the pages of its list are read."""

    def __init__(self, client, happens):
        self._client, self._happens = client, [happens]

    def refunds_since(self, since):
        found = list(self._client.refunds_since(since))
        if self._happens:
            self._happens.pop()()
        return iter(found)

    def __getattr__(self, name):
        return getattr(self._client, name)


def test_what_moves_while_the_list_is_read_is_left_to_the_next_run(world):
    first = world.request(world.charge(), 1000)
    world.drain()
    made = []

    def happens():
        made.append(world.request(world.charge(), 700))
        world.drain()
        world.stripe.state.settle_refund(world.at_vendor(first.id)[0]["id"], "failed")
        with world.database.begin() as cx:
            store_work.heard(cx, "con_bill", [first.id], [], [])
        world.drain()

    client = Meanwhile(world.client("con_bill"), happens)
    found = books.nightly(world.ctx, lambda _: client, "con_bill")
    assert [world.state(one.id) for one in (first, *made)] == [State.FAILED, State.SUCCEEDED]
    assert (found.agree, found.at_vendor, found.recorded) == (True, {}, {})
    assert world.notices("refund.books") == []
    found = books.nightly(world.ctx, lambda _: client, "con_bill")
    assert (found.agree, found.at_vendor, found.recorded) == (True, {"USD": 700}, {"USD": 700})


def test_a_difference_of_what_moved_while_the_list_was_read_is_named_by_the_next_run(world):
    made = []

    def happens():
        made.append(world.request(world.charge(), 700))
        world.drain()
        tampered(world, "UPDATE refund_intent SET amount = 600 WHERE id = :i", i=made[0].id)

    client = Meanwhile(world.client("con_bill"), happens)
    assert books.reconcile(world.ctx, lambda _: client, "con_bill", utc_now() - timedelta(days=3)).agree
    assert reconcile(world).differences == {made[0].charge_id: (700, 600)}


def test_what_the_books_settle_is_counted_at_once(world):
    world.request(world.charge(), 500)  # made, and answered with 500
    world.drain()
    found = reconcile(world)
    assert (found.settled, found.agree, found.recorded) == (1, True, {"USD": 500})


def test_an_intent_that_is_not_ours_and_a_second_refund_are_named(world):
    charge = world.charge()
    intent = world.request(charge, 1000)
    world.drain()
    world.stripe.state.refund(charge, 100, metadata={"intent_id": "rfd_of_a_lost_database"})
    double = world.stripe.state.refund(charge, 1000, metadata={"intent_id": intent.id})
    found = reconcile(world)
    assert (len(found.strangers), found.doubles, found.agree) == (1, [intent.id], False)
    assert found.differences == {charge: (2000, 1000)}
    assert double["id"]


def test_what_is_recorded_and_not_at_the_vendor_is_a_difference(world):
    intent = world.request(world.charge(), 1000)
    world.drain()
    with world.stripe.context.lock:
        made = world.at_vendor(intent.id)[0]
        del world.stripe.state.lists["refunds"][made["id"]]
    tampered(world, "UPDATE refund_intent SET created_at = now() - interval '1 day' WHERE id = :i", i=intent.id)
    assert reconcile(world).differences == {intent.charge_id: (0, 1000)}


def test_a_person_may_say_it_was_not_made_only_when_the_vendor_holds_nothing(world):
    lost, made = world.request(world.charge(), 1000), world.request(world.charge(), 500)
    for _ in range(3):  # 5.00 is a magic amount: the first answer is a 500, then the refund is looked for and found
        world.drain()
        world.tick()
    assert {world.state(one.id) for one in (lost, made)} == {State.SUCCEEDED}
    for intent in (lost, made):
        tampered(world, "UPDATE refund_intent SET state = 'needs_human' WHERE id = :i", i=intent.id)
        tampered(
            world, "UPDATE refund_charge SET reserved = refunded, refunded = 0 WHERE charge_id = :i", i=intent.charge_id
        )
    with world.stripe.context.lock:
        del world.stripe.state.lists["refunds"][world.at_vendor(lost.id)[0]["id"]]
    manual.not_sent(world.ctx, world.client, lost.id, "per_ops", "not in the dashboard")
    assert (world.state(lost.id), world.row(lost.charge_id).reserved) == (State.REJECTED, 0)
    with pytest.raises(StillThere, match="succeeded"):
        manual.not_sent(world.ctx, world.client, made.id, "per_ops", "not in the dashboard")
    with pytest.raises(NotFound):
        manual.not_sent(world.ctx, world.client, "rfd_x", "per_ops", "")
