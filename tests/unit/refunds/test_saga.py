"""One refund from the click to the bank, and whatever may come between."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from app import refunds
from app.billing import service as billing
from app.billing import store as mirror
from app.outbox.models import outbox
from app.refunds import State, follow, store_work
from app.refunds.answers import End
from app.refunds.service import AskAgain, RefundRefused
from app.refunds.settling import settle
from app.tickets import store as tickets
from integrations.kernel.clock import utc_now
from integrations.kernel.records import TicketRecord
from integrations.stripe import client as stripe_client
from integrations.transport.http import OpenGate
from sandbox.stripe.simulator import SECRET_KEY


def wanted(world):
    """What the ticket is to get: tags, fields, notes of every outbox row."""
    with world.database.begin() as cx:
        return [row.change for row in cx.execute(sa.select(outbox).order_by(outbox.c.id))]


def test_a_refund_is_made_once_noted_once_and_known_everywhere(world):
    charge = world.charge()
    intent = world.request(charge, 1000, note="double billing")
    assert (intent.state, world.row(charge).reserved, world.at_vendor(intent.id)) == (State.RESERVED, 1000, [])
    assert world.drain() == 1
    made = world.at_vendor(intent.id)
    assert [(r["amount"], r["status"]) for r in made] == [(1000, "succeeded")]
    assert made[0]["metadata"] == {
        "intent_id": intent.id, "connection_id": "con_bill", "ticket_id": "7", "agent_id": "bea",
    }  # fmt: skip
    row = world.row(charge)
    assert (world.state(intent.id), row.refunded, row.reserved) == (State.SUCCEEDED, 1000, 0)
    notes = [note["body"] for change in wanted(world) for note in change["notes"]]
    assert notes == [f"Refund of 10.00 USD was made.\nCharge {charge}, refund {intent.id} ({made[0]['id']})."]
    assert world.drain() == 0
    world.check()


def test_the_same_offer_answers_the_same_intent(world):
    actor, charge = world.actor(), world.charge()
    wish = world.wish(charge, 1000, actor)
    assert refunds.request(world.ctx, actor, wish).id == refunds.request(world.ctx, actor, wish).id
    world.drain()
    assert refunds.request(world.ctx, actor, wish).state is State.SUCCEEDED
    assert world.row(charge).refunded == 1000


def test_another_refund_of_the_same_charge_within_ten_minutes_asks(world):
    charge = world.charge()
    world.request(charge, 1000)
    with pytest.raises(AskAgain, match=r"10.00 USD is being refunded, asked for just now"):
        world.request(charge, 1200)
    world.drain()
    with pytest.raises(AskAgain, match=r"10.00 USD was already refunded"):
        world.request(charge, 1000)
    world.request(charge, 1000, again=True)
    world.drain()
    assert world.row(charge).refunded == 2000
    world.check()


def test_fraudulent_asks_twice_and_says_what_it_does(world):
    charge = world.charge()
    with pytest.raises(AskAgain, match="block list"):
        world.request(charge, 1000, reason="fraudulent")
    intent = world.request(charge, 1000, reason="fraudulent", fraud_confirmed=True)
    world.drain()
    assert world.at_vendor(intent.id)[0]["reason"] == "fraudulent"


def test_more_than_is_left_is_refused_before_anything_is_reserved(world):
    charge = world.charge(5000)
    with pytest.raises(RefundRefused, match=r"At most 50.00 USD"):
        world.request(charge, 5001)
    world.request(charge, 4000)
    with pytest.raises(RefundRefused, match=r"At most 10.00 USD"):
        world.request(charge, 2000, again=True)


def test_what_others_gave_back_at_the_vendor_counts(world):
    charge = world.charge(5000)
    world.stripe.state.refund(charge, 3000)
    world.mirror(charge)
    assert world.prepare(charge).left.minor == 2000
    world.request(charge, 2000)
    world.drain()
    assert (world.row(charge).refunded, world.row(charge).elsewhere) == (2000, 3000)
    world.check()


def test_the_vendor_is_asked_again_right_before_the_money_moves(world):
    """The mirror did not know yet: a refund made elsewhere, a dispute."""
    one, other = world.charge(5000), world.charge(5000)
    first, second = world.request(one, 3000), world.request(other, 3000)
    world.stripe.state.refund(one, 2500)
    world.stripe.state.open_dispute(other)
    world.drain()
    assert world.intent(first.id).why == "Only 25.00 USD can still be given back."
    assert "disputed" in world.intent(second.id).why
    assert {world.state(i.id) for i in (first, second)} == {State.REJECTED}
    assert not world.at_vendor(first.id) + world.at_vendor(second.id)
    world.check()


def test_an_inquiry_does_not_stop_a_refund(world):
    charge = world.charge(5000)
    world.stripe.state.open_dispute(charge, inquiry=True)
    world.mirror(charge)
    assert "Recommended" in next(one.text for one in world.prepare(charge).strip.lights if one.name == "dispute")
    intent = world.request(charge, 5000)
    world.drain()
    assert world.state(intent.id) is State.SUCCEEDED


def test_a_refused_refund_frees_its_amount_and_says_why(world):
    charge = world.charge()
    intent = world.request(charge, 401)  # the practice amount that the bank declines
    world.drain()
    assert (world.state(intent.id), world.intent(intent.id).why) == (
        State.REJECTED,
        "The vendor refused it: card_declined.",
    )
    assert world.row(charge).reserved == 0
    world.check()


def test_an_answer_that_never_came_is_settled_by_reading_not_by_repeating(world):
    charge = world.charge()
    intent = world.request(charge, 500)  # made, then 500, and the 500 is replayed for the key for ever
    world.drain()
    assert world.state(intent.id) is State.UNKNOWN
    assert "not known yet" in world.prepare(charge).strip.why
    world.settle_all()
    assert world.state(intent.id) is State.SUCCEEDED
    assert len(world.at_vendor(intent.id)) == 1
    world.check()


def test_waiting_for_the_vendor_changes_no_state(world):
    intents = [world.request(world.charge(), minor) for minor in (409, 429)]
    world.drain()
    assert {world.state(i.id) for i in intents} == {State.SENDING}
    world.settle_all()
    assert {world.state(i.id) for i in intents} == {State.SUCCEEDED}
    assert {world.intent(i.id).moves for i in intents} == {4}
    world.check()


def test_a_key_without_the_permission_holds_everything_and_tells_a_person_once(world):
    world.stripe.state.deny(["refunds:write"])
    first, second = world.request(world.charge()), world.request(world.charge())
    world.drain()
    third = world.request(world.charge())
    assert world.drain() == 0
    assert {world.state(i.id) for i in (first, second)} <= {State.SENDING, State.RESERVED}
    assert len(world.notices("refund.held")) == 1
    world.stripe.state.deny([])
    with world.database.begin() as cx:
        assert store_work.release(cx, "con_bill")
    world.settle_all()
    assert {world.state(i.id) for i in (first, second, third)} == {State.SUCCEEDED}
    world.check()


def test_why_it_waits_is_written_down_while_its_state_stays(world):
    world.stripe.state.deny(["refunds:write"])
    intent = world.request(world.charge())
    world.drain()
    assert (world.state(intent.id), world.intent(intent.id).why) == (State.SENDING, "The vendor refuses our key.")
    world.stripe.state.deny([])
    world.settle_all()
    assert (world.state(intent.id), world.intent(intent.id).why) == (State.SUCCEEDED, "")


def test_a_key_refused_again_after_the_last_hold_was_over_is_told_again(world):
    with world.database.begin() as cx:
        assert store_work.hold(cx, "con_bill", "The vendor refuses our key.", 300.0)
    with world.database.begin() as cx:
        assert not store_work.hold(cx, "con_bill", "The vendor refuses our key.", 300.0)
    with world.database.begin() as cx:
        cx.execute(
            sa.text("UPDATE refund_hold SET until = now() - interval '1 day', since = now() - interval '2 days'")
        )
        assert store_work.held(cx, "con_bill") is None, "nobody is held by what is long over"
    with world.database.begin() as cx:
        assert store_work.hold(cx, "con_bill", "The vendor refuses our key.", 300.0)
        assert cx.execute(sa.text("SELECT since = now() FROM refund_hold")).scalar_one()


def test_a_secret_key_holds_everything_before_the_vendor_is_asked(world):
    world.account = replace(world.account, secrets={"api_key": (SECRET_KEY,)})
    intent = world.request(world.charge())
    world.drain()
    assert (world.state(intent.id), world.intent(intent.id).attempts) == (State.SENDING, 0)
    assert "restricted one" in world.notices("refund.held")[0].body


def test_a_refund_may_fail_at_the_bank_days_later_and_the_ticket_opens_again(world):
    charge = world.charge()
    intent = world.request(charge, 1000)
    world.drain()
    world.stripe.state.settle_refund(world.at_vendor(intent.id)[0]["id"], "failed")
    with world.database.begin() as cx:
        store_work.heard(cx, "con_bill", [intent.id], [], [])
    world.drain()
    assert (world.state(intent.id), world.row(charge).refunded) == (State.FAILED, 0)
    last = wanted(world)[-1]
    assert (last["tags"], last["fields"]) == ({"db_refund_failed": True}, {"status": "open"})
    assert [n.kind for n in world.notices()] == ["refund.failed"]
    world.mirror(charge)
    world.request(charge, 1000, again=True)
    world.drain()
    assert world.row(charge).refunded == 1000
    world.check()


def fails_at_the_bank(world, intent):
    """The bank sends it back, and a look at the vendor settles it; answers the vendor's id. Our mirror hears nothing."""
    made = world.at_vendor(intent.id)[0]["id"]
    world.stripe.state.settle_refund(made, "failed")
    with world.database.begin() as cx:
        store_work.heard(cx, "con_bill", [intent.id], [], [])
    world.drain()
    return made


def hears(world, kind, one):
    """The mirror gets the news of one object only."""
    client = stripe_client.connect(replace(world.account, base_url=world.stripe.url), OpenGate())
    told = [(client.fetch(kind, one), utc_now() + timedelta(minutes=6))]
    with world.database.begin() as cx:
        billing.refresh(cx, "con_bill", billing.apply(cx, "con_bill", told, "seats_used", read=True), "seats_used")


def test_what_the_bank_sent_back_is_read_again_and_until_then_the_strip_says_so(world):
    charge = world.charge()
    intent = world.request(charge, 10_000)
    world.drain()
    world.mirror(charge)
    made = fails_at_the_bank(world, intent)
    with world.database.begin() as cx:
        wanted = mirror.take_rereads(cx, 10)
    assert wanted == [("con_bill", "charge", charge), ("con_bill", "refund", made)]
    hears(world, "refund", made)
    shown = world.prepare(charge)
    assert (shown.left.minor, shown.strip.verdict) == (0, "refused")
    assert "100.00 USD of it came back, and the charge is being read again" in shown.strip.why
    hears(world, "charge", charge)
    shown = world.prepare(charge)
    assert (shown.left.minor, shown.strip.verdict) == (10_000, "allowed")
    world.request(charge, 10_000, again=True)
    world.drain()
    world.check()


def test_what_others_gave_back_after_the_bank_sent_ours_back_is_theirs(world):
    charge = world.charge()
    intent = world.request(charge, 10_000)
    world.drain()
    world.mirror(charge)
    fails_at_the_bank(world, intent)
    world.stripe.state.refund(charge, 10_000)
    world.mirror(charge)
    assert world.prepare(charge).strip.why == "All of it has been given back, or is on its way."


def test_a_refund_the_bank_keeps_for_three_days_opens_the_ticket_once(world):
    intent = world.request(world.charge(), 999)  # pending at first
    world.drain()
    assert world.state(intent.id) is State.PENDING_VENDOR
    assert follow.follow(world.ctx) == 0
    with world.database.begin() as cx:
        cx.execute(sa.text("UPDATE refund_intent SET state_at = state_at - interval '73 hours', next_look_at = now()"))
    assert follow.follow(world.ctx) == 2  # looked for, and told of
    assert follow.follow(world.ctx) == 0
    assert [n.kind for n in world.notices()] == ["refund.stalled"]
    assert wanted(world)[-1]["tags"] == {"db_refund_stalled": True}


def closes(world):
    """As Zendesk does four days after a ticket was solved: nothing is written to it any more."""
    values = {"requester_id": "ann", "status": "closed", "tags": []}
    with world.database.begin() as cx:
        tickets.apply(cx, "con_desk", [TicketRecord("7", utc_now(), values, complete=True)])


def test_a_closed_ticket_is_not_written_to_and_the_notice_says_to_contact_the_customer(world):
    failed, late = world.request(world.charge(), 1000), world.request(world.charge(), 999)
    world.drain()
    closes(world)
    before = wanted(world)
    fails_at_the_bank(world, failed)
    with world.database.begin() as cx:
        cx.execute(
            sa.text("UPDATE refund_intent SET state_at = state_at - interval '73 hours' WHERE id = :i"), {"i": late.id}
        )
    follow.follow(world.ctx)
    assert wanted(world) == before, "it would end as a dead letter"
    told = {notice.kind: notice.body for notice in world.notices()}
    assert set(told) == {"refund.failed", "refund.stalled"}
    for body in told.values():
        assert "Ticket 7 is closed and cannot be opened again: contact the customer." in body


def test_a_worker_that_comes_back_late_writes_nothing(world):
    intent = world.request(world.charge(), 1000)
    claimed = world.worker._claim()
    world.lapse()
    assert follow.sweep(world.ctx) == 1
    assert world.state(intent.id) is State.UNKNOWN
    world.worker.one(claimed[0])  # the one that was thought dead
    assert (world.state(intent.id), world.at_vendor(intent.id)) == (State.UNKNOWN, [])
    with world.database.begin() as cx:
        assert settle(cx, world.ctx, intent.id, End(State.SUCCEEDED), token=claimed[0].token) is None
    world.settle_all()
    assert (world.state(intent.id), len(world.at_vendor(intent.id))) == (State.SUCCEEDED, 1)
    world.check()


def test_past_the_life_of_the_key_a_person_must_look(world):
    intent = world.request(world.charge(), 1000)
    claimed = world.worker._claim()[0]
    world.worker._begin_call(claimed)  # and died before it was sent
    world.older(intent.id, 23)
    world.settle_all()
    assert (world.state(intent.id), world.at_vendor(intent.id)) == (State.NEEDS_HUMAN, [])
    assert [n.kind for n in world.notices()] == ["refund.needs_human"]
    world.check()
