"""Refunds by invoice line: only where a line's share is exact, with a credit note as a step of its own."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.refunds import State, store_work
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
