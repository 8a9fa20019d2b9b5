"""Refunds by invoice line: only where a line's share is exact, with a credit note as a step of its own."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app import refunds
from app.access import Role
from app.refunds import State, approvals, store, store_work
from app.refunds.lines import LinesRefused
from app.refunds.models import refund_credit


def credit(world, intent):
    with world.database.begin() as cx:
        return cx.execute(sa.select(refund_credit).where(refund_credit.c.intent_id == intent.id)).first()


def test_a_line_is_refunded_and_a_credit_note_links_the_refund(world):
    charge, invoice, line = world.invoiced(3000)
    intent = world.request(charge, 1000, lines=((line, 1000),))
    world.drain()
    note = world.stripe.state.of("credit_notes", invoice=invoice)[0]
    assert (note["total"], note["refunds"][0]["refund"]) == (1000, world.at_vendor(intent.id)[0]["id"])
    assert note["metadata"] == {"intent_id": intent.id, "connection_id": "con_bill", "ticket_id": "7"}
    assert (credit(world, intent).state, credit(world, intent).credit_note_id) == ("done", note["id"])
    assert len(world.at_vendor(intent.id)) == 1
    world.check()


def test_the_money_does_not_wait_for_the_credit_note(world):
    charge, _, line = world.invoiced(3000)
    intent = world.request(charge, 1000, lines=((line, 1000),))
    world.stripe.state.deny(["credit_notes:write"])
    world.drain()
    assert (world.state(intent.id), credit(world, intent).state) == (State.SUCCEEDED, "sending")
    world.stripe.state.deny([])
    world.tick()
    world.drain()
    assert credit(world, intent).state == "done"


def test_a_refused_credit_note_is_put_before_a_person(world):
    charge, invoice, line = world.invoiced(3000)
    world.stripe.state.get("invoices", invoice)["post_payment_credit_notes_amount"] = 2500
    intent = world.request(charge, 1000, lines=((line, 1000),))
    world.drain()
    assert (world.state(intent.id), credit(world, intent).state) == (State.SUCCEEDED, "needs_human")
    assert [n.kind for n in world.notices()] == ["refund.credit_note"]


def fails_before_its_note(world, intent, **note):
    """The bank sends the refund back; its credit note is due only after that was settled, and so far as it is told."""
    world.stripe.state.settle_refund(world.at_vendor(intent.id)[0]["id"], "failed")
    with world.database.begin() as cx:
        cx.execute(sa.update(refund_credit).values(due_at=sa.text("now() + interval '1 hour'"), **note))
        store_work.heard(cx, "con_bill", [intent.id], [], [])
    world.drain()
    assert world.state(intent.id) is State.FAILED
    world.tick()
    world.drain()
    return credit(world, intent)


def by_line(world, once):
    """A refund by line that was made. once: its credit note was not begun yet."""
    charge, invoice, line = world.invoiced(3000)
    intent = world.request(charge, 1000, lines=((line, 1000),))
    rounds = iter([True]) if once else iter([True] * 9)
    world.worker.drain(lambda: next(rounds, False))
    return intent, invoice


def test_a_refund_that_failed_before_its_credit_note_gets_none(world):
    intent, invoice = by_line(world, once=True)
    assert credit(world, intent).state == "pending"
    found = fails_before_its_note(world, intent)
    assert (found.state, found.credit_note_id, found.attempts) == ("done", "", 0)
    assert found.why == "The refund failed: it gets no credit note."
    assert world.stripe.state.of("credit_notes", invoice=invoice) == []
    assert [n.kind for n in world.notices()] == ["refund.failed"]
    world.check()


def test_a_credit_note_that_was_written_for_a_refund_that_failed_is_to_be_voided(world):
    intent, _ = by_line(world, once=False)
    note = credit(world, intent).credit_note_id
    found = fails_before_its_note(world, intent, state="unknown", credit_note_id="")
    assert (found.state, found.credit_note_id) == ("needs_human", note)
    told = {n.kind: n.body for n in world.notices()}
    assert f"Void {note} in the vendor's dashboard" in told["refund.credit_note"]
    assert "Void its credit note, where one was written." in told["refund.failed"]


def test_whether_it_was_written_before_the_refund_failed_is_for_a_person(world):
    world.stripe.state.deny(["credit_notes:write"])
    intent, invoice = by_line(world, once=False)
    world.stripe.state.deny([])
    found = fails_before_its_note(world, intent)
    assert (found.state, found.attempts) == ("needs_human", 1)
    assert world.stripe.state.of("credit_notes", invoice=invoice) == []


@pytest.mark.parametrize(
    "lines", [[("il_other", 1000)], [("LINE", 400)], [("LINE", 500), ("LINE", 500)], [("LINE", 0)], [("LINE", 3001)]]
)
def test_lines_that_do_not_add_up_are_refused(world, lines):
    charge, _, line = world.invoiced(3000)
    with pytest.raises(LinesRefused):
        world.request(charge, 1000, lines=tuple((line if one == "LINE" else one, minor) for one, minor in lines))


def test_lines_are_not_offered_where_tax_or_discounts_make_them_a_guess(world):
    charge, invoice, line = world.invoiced(3000)
    world.stripe.state.get("invoices", invoice)["lines"]["data"][0]["amount"] = 2500
    world.mirror(charge, ("invoice", invoice))
    assert world.prepare(charge).lines == ()
    with pytest.raises(LinesRefused, match="do not add up"):
        world.request(charge, 1000, lines=((line, 1000),))


def test_unused_time_is_suggested_from_the_lines_period(world):
    charge, _, _ = world.invoiced(3000, days=10, period=30)
    suggestion = world.prepare(charge).suggestions[0]
    assert suggestion.amount.minor == pytest.approx(2000, abs=1)
    assert suggestion.arithmetic.startswith("30.00 USD × 19 days 23 h")


def two_lines(world, first=4000, second=6000):
    """A charge that paid an invoice of two lines; answers it and the lines' ids."""
    charge, invoice, line = world.invoiced(first + second, days=10)
    rows = world.stripe.state.get("invoices", invoice)["lines"]
    rows["data"] = [rows["data"][0] | {"amount": first}, rows["data"][0] | {"id": f"{line}b", "amount": second}]
    world.mirror(charge, ("invoice", invoice))
    return charge, line, f"{line}b"


def long_ago(world):
    """So that nobody is asked "again?" any more."""
    with world.database.begin() as cx:
        cx.execute(sa.text("UPDATE refund_intent SET created_at = created_at - interval '11 minutes'"))


def offered(world, charge):
    return {one.id: one.amount.minor for one in world.prepare(charge).lines}


def test_a_line_that_was_refunded_is_neither_offered_nor_refunded_again(world):
    charge, a, b = two_lines(world)
    world.request(charge, 4000, lines=((a, 4000),))
    assert offered(world, charge) == {b: 6000}, "while it is on its way"
    world.drain()
    world.mirror(charge)
    long_ago(world)
    assert offered(world, charge) == {b: 6000}
    for again in (4000, 1):
        with pytest.raises(LinesRefused, match="was refunded before or is on its way"):
            world.request(charge, again, lines=((a, again),), again=True)
    world.request(charge, 6000, lines=((b, 6000),))
    world.drain()
    assert (world.row(charge).refunded, offered(world, charge)) == (10_000, {})
    world.check()


def test_two_who_saw_the_same_line_offered_do_not_both_get_it(world):
    """The form was right when it was shown: what counts is what is known under the lock."""
    charge, a, _ = two_lines(world)
    bea, zoe = world.actor("Bea"), world.actor("Zoe")
    wishes = [(who, world.wish(charge, 4000, who, lines=((a, 4000),), again=True)) for who in (bea, zoe)]
    refunds.request(world.ctx, *wishes[0])
    with pytest.raises(LinesRefused):
        refunds.request(world.ctx, *wishes[1])


def test_of_a_line_that_went_back_in_part_the_rest_is_offered_and_says_so(world):
    charge, a, b = two_lines(world)
    world.request(charge, 1000, lines=((a, 1000),))
    world.drain()
    assert offered(world, charge) == {a: 3000, b: 6000}
    notes = {one.id: one.note for one in world.prepare(charge).lines}
    assert notes == {a: "10.00 USD of its 40.00 USD was refunded before or is on its way", b: ""}
    world.request(charge, 5500, again=True)
    capped = {one.id: (one.amount.minor, one.note) for one in world.prepare(charge).lines}
    assert capped[a] == (3000, notes[a])
    assert capped[b] == (3500, "of its 60.00 USD, as no more than 35.00 USD of the payment is left")


@pytest.mark.parametrize("end", [State.FAILED, State.DECLINED])
def test_a_line_whose_refund_came_to_nothing_is_offered_again(world, end):
    charge, a, b = two_lines(world)
    if end is State.DECLINED:
        world.policy(limit__refunder__USD="1000/20000")
    intent = world.request(charge, 4000, lines=((a, 4000),))
    assert offered(world, charge) == {b: 6000}
    if end is State.DECLINED:
        refunds.decline(world.ctx, world.actor("Eve", Role.APPROVER), intent.id, "no")
    else:
        world.drain()
        with world.database.begin() as cx:
            store.move(cx, store.take(cx, intent.id), State.FAILED, "machine")
    assert offered(world, charge) == {a: 4000, b: 6000}


def test_of_two_that_wait_for_the_same_line_one_is_approved(world):
    """As they were asked for before this was looked at."""
    world.policy(limit__refunder__USD="1000/20000")
    charge, a, b = two_lines(world)
    eve = world.actor("Eve", Role.APPROVER)
    first = world.request(charge, 4000, lines=((a, 4000),))
    second = world.request(charge, 4000, lines=((b, 4000),), again=True)
    for one in (first, second):
        assert judged(world, eve, one) is None
    with world.database.begin() as cx:
        told = {"i": second.id, "a": f'[["{a}", 4000]]', "b": first.bound}
        cx.execute(sa.text("UPDATE refund_intent SET lines = CAST(:a AS jsonb), bound = :b WHERE id = :i"), told)
    refunds.approve(world.ctx, eve, first.id, first.bound)
    assert isinstance(judged(world, eve, world.intent(second.id)), LinesRefused)
    with pytest.raises(LinesRefused):
        refunds.approve(world.ctx, eve, second.id, first.bound)
    assert world.state(second.id) is State.AWAITING_APPROVAL


def judged(world, actor, intent):
    with world.database.begin() as cx:
        return approvals.judge(cx, world.ctx, actor, intent)[1]


def test_what_went_back_before_is_taken_off_the_unused_time_and_the_sum_says_so(world):
    """10.00 of one line, and 6.00 that named none: it may have been for any, so it counts for each."""
    charge, a, _ = two_lines(world)
    first, second = world.prepare(charge).suggestions
    assert (first.amount.minor, second.amount.minor) == (pytest.approx(2667, abs=1), pytest.approx(4000, abs=1))
    world.request(charge, 1000, lines=((a, 1000),))
    world.request(charge, 600, again=True)
    after = world.prepare(charge).suggestions
    expected = [first.amount.minor - 1600, second.amount.minor - 600]
    assert [one.amount.minor for one in after] == pytest.approx(expected, abs=1)
    assert ", less 16.00 USD given back before = 10.6" in after[0].arithmetic
    world.request(charge, 2000, again=True)
    assert len(world.prepare(charge).suggestions) == 1, "of the first nothing is left to suggest"


def test_the_suggested_amount_is_not_suggested_again(world):
    charge, _, _ = world.invoiced(3000, days=10, period=30)
    world.request(charge, world.prepare(charge).suggestions[0].amount.minor)
    world.drain()
    long_ago(world)
    assert world.prepare(charge).suggestions == ()
