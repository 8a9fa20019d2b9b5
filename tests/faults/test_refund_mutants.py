"""The tests are tested: with any safeguard taken out, the battery fails; with all of them in, it passes."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.refunds import State, follow
from tests.faults import refund_mutants
from tests.faults.refund_harness import Harness


def made_twice_when_the_list_lags(h):
    """The answer is lost, the list does not show it yet: the repeat must meet the same key."""
    charge, offer, minor = h.wanted("reset_after")
    h.proxy.lags[charge] = 2  # the look before the first call, and the one before the second
    intent_id = h.click(offer, minor)
    h.recover("ok", intent_id)
    h.end(intent_id, "ok")


def a_forgotten_key(h):
    _, offer, minor = h.wanted("key_forgotten")
    intent_id = h.click(offer, minor)
    h.world.drain()
    h.recover("key_forgotten", intent_id)
    h.end(intent_id, "ok")


def a_late_write(h):
    """A worker thought dead comes back with a no, while another one is about to send."""
    charge, offer, minor = h.wanted("ok")
    h.proxy.scripts[charge] = ["declined"]
    intent_id = h.click(offer, minor)
    first, client = h.world.worker, h.world.client("con_bill")
    late = first._begin_call(first._claim()[0])
    end = first._call(client, late)
    h.proxy.scripts[charge] = ["ok"]
    h.world.lapse()
    follow.sweep(h.world.ctx)
    mine = first._begin_call(first._claim()[0])
    first._end(late, end)
    first._end(mine, first._call(client, mine))
    h.end(intent_id, "ok")


def a_bank_that_fails_later(h):
    """Who works the webhook off dies; nobody else would ever tell."""
    _, offer, minor = h.wanted("ok")
    intent_id = h.click(offer, minor)
    h.world.drain()
    refund = h.world.at_vendor(intent_id)[0]
    h.world.stripe.state.settle_refund(refund["id"], "failed")
    h.die("webhook", refund)
    h.die("worker", failpoints="refund.look.before_commit=kill")
    h.world.tick()
    h.world.drain()
    assert h.world.state(intent_id) is State.FAILED


def a_dead_worker(h):
    _, offer, minor = h.wanted("ok")
    intent_id = h.click(offer, minor)
    h.die("worker", failpoints="refund.send.before_call=kill")
    h.recover("ok", intent_id)
    h.end(intent_id, "ok")


def more_than_was_captured(h):
    """Somebody writes a sum that cannot be: the database says no."""
    charge, offer, minor = h.wanted("ok")
    h.click(offer, minor)
    with pytest.raises(sa.exc.IntegrityError), h.world.database.begin() as cx:
        cx.execute(sa.text("UPDATE refund_charge SET elsewhere = captured WHERE charge_id = :c"), {"c": charge})


BATTERY = {
    "fresh_key": made_twice_when_the_list_lags, "no_read_before_resend": a_forgotten_key, "no_fencing": a_late_write,
    "acknowledge_before_commit": a_bank_that_fails_later, "no_sweeper": a_dead_worker,
    "no_check": more_than_was_captured,
}  # fmt: skip


# What the failure of each must be about: a mutant that fails for another reason shows nothing.
SAYS = {
    "fresh_key": r"\[1000, 1000\] at the vendor", "no_read_before_resend": r"\[1000, 1000\] at the vendor",
    "no_fencing": r"is rejected", "acknowledge_before_commit": r"succeeded.*failed", "no_sweeper": r"is sending",
    "no_check": r"DID NOT RAISE",
}  # fmt: skip


@pytest.fixture
def mutated(module_database, stripe, monkeypatch, request):
    """A harness whose every process is the mutant."""
    name = getattr(request, "param", "")
    with module_database.begin() as cx:
        cx.execute(sa.text("DROP FUNCTION IF EXISTS i4() CASCADE"))
        cx.execute(sa.text("DELETE FROM access_login"))  # each harness names its people anew
    made = Harness(module_database, stripe, name)
    refund_mutants.apply(name, monkeypatch.setattr)
    yield made
    made.stop()


def test_there_is_a_case_for_every_mutant():
    assert BATTERY.keys() == refund_mutants.MUTANTS.keys()


@pytest.mark.slow
@pytest.mark.parametrize("case", BATTERY.values(), ids=BATTERY.keys())
def test_the_battery_passes(mutated, case):
    case(mutated)


@pytest.mark.slow
@pytest.mark.parametrize(("mutated", "name"), [(name, name) for name in BATTERY], indirect=["mutated"])
def test_a_mutant_fails(mutated, name):
    if name == "no_check":
        with mutated.world.database.begin() as cx:
            cx.execute(sa.text("ALTER TABLE refund_charge DROP CONSTRAINT ck_refund_charge_captured"))
    with pytest.raises((AssertionError, pytest.fail.Exception), match=SAYS[name]):
        BATTERY[name](mutated)
