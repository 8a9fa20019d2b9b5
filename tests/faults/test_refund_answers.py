"""Every answer a vendor or a network can give, without a kill: each intent ends as it must, and once."""

from __future__ import annotations

import pytest

from app.refunds import State
from tests.faults.refund_proxy import ANSWERS


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer(harness, answer):
    _, offer, minor = harness.wanted(answer)
    intent_id = harness.click(offer, minor)
    harness.world.drain()
    harness.recover(answer, intent_id)
    harness.end(intent_id, answer)


@pytest.mark.parametrize("answers", [
    ["silent_before", "too_large"], ["reset_before", "declined"], ["broken_before", "broken_before", "ok"],
    ["conflict", "limited", "unauthorised", "reset_after"], ["limited", "declined"], ["late", "ok"],
    ["list_lags", "broken_stored"],
])  # fmt: skip
def test_answers_one_after_the_other(harness, answers):
    charge, offer, minor = harness.wanted("ok")
    harness.proxy.scripts[charge] = list(answers)
    intent_id = harness.click(offer, minor)
    harness.recover("ok", intent_id, rounds=14)
    harness.end(intent_id, answers[-1])


def test_a_refusal_of_a_repeat_is_believed_only_after_another_look(harness):
    """The first call was made and its answer lost; the list lags; the vendor says "too large": that was ours."""
    charge, offer, minor = harness.wanted("reset_after")
    harness.proxy.scripts[charge] = ["reset_after", "too_large"]
    intent_id = harness.click(offer, minor)
    harness.world.drain()
    harness.proxy.lags[charge] = 1
    harness.world.tick()
    harness.world.drain()
    assert harness.world.state(intent_id) is State.UNKNOWN
    assert harness.world.intent(intent_id).refused == "amount_too_large"
    harness.world.tick()
    harness.world.drain()
    harness.end(intent_id, "ok")


def test_a_500_that_is_replayed_and_made_nothing_is_put_before_a_person_within_a_day(harness):
    charge, offer, minor = harness.wanted("ok")
    harness.proxy.scripts[charge] = ["broken_before"] * 40
    intent_id = harness.click(offer, minor)
    harness.recover("ok", intent_id, rounds=4)
    assert harness.world.state(intent_id) is State.UNKNOWN
    harness.world.older(intent_id, 23)
    harness.recover("ok", intent_id)
    assert harness.world.state(intent_id) is State.NEEDS_HUMAN
    assert harness.world.at_vendor(intent_id) == []


def test_no_call_is_made_with_a_key_the_vendor_may_have_forgotten(harness):
    """A day later the list still lags: asking again would be a second refund."""
    charge, offer, minor = harness.wanted("key_forgotten")
    intent_id = harness.click(offer, minor)
    harness.world.drain()
    harness.forget_keys()
    harness.world.older(intent_id, 24)
    harness.proxy.lags[charge] = 1
    before = harness.proxy.forwarded
    harness.world.tick()
    harness.world.drain()
    assert harness.proxy.forwarded == before
    assert harness.world.state(intent_id) is State.NEEDS_HUMAN
    harness.world.stripe.state.settle_refund(harness.world.at_vendor(intent_id)[0]["id"], "succeeded")
    harness.die("webhook", harness.world.at_vendor(intent_id)[0])
    harness.world.drain()
    harness.end(intent_id, "ok")
