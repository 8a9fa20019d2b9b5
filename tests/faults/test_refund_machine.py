"""Any order of clicks, faults, crashes and late news: a Hypothesis state machine against a plain model."""

from __future__ import annotations

import contextlib
from collections import defaultdict

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from app import refunds
from app.refunds import State, follow, store_work
from app.telemetry import failpoints
from app.telemetry.failpoints import Struck
from integrations.kernel.errors import AppError
from tests.faults.test_refund_kills import HEARD, REQUEST, SWEEP, WORK
from tests.refund_world import World

CAPTURED = 5_000
FAULTS = ("cut_before", "cut_after", "status")
WISHES = (700, 1300, 2900, 5000)


@pytest.fixture(scope="module")
def world(module_database, stripe):
    made = World(module_database, stripe, deadline_s=5.0)
    made.set_up()
    yield made
    failpoints.arm("")
    made.close()


class Refunds(RuleBasedStateMachine):
    """Each example has charges of its own in `world`."""

    world: World

    def __init__(self):
        super().__init__()
        self.charges = [self.world.charge(CAPTURED) for _ in range(2)]
        self.asked = {}  # the model: offer -> what was asked for
        self.wishes = []
        self.simulator = self.world.stripe.context.simulators["stripe"]

    @rule(which=st.integers(0, 1), minor=st.sampled_from(WISHES))
    def click(self, which, minor):
        with contextlib.suppress(AppError, Struck):
            wish = self.world.wish(self.charges[which], minor, again=True)
            self.wishes.append(wish)
            self.answered(wish, refunds.request(self.world.ctx, self.world.actor(), wish))

    @rule()
    def double_click(self):
        if self.wishes:
            with contextlib.suppress(AppError, Struck):
                wish = self.wishes[-1]
                self.answered(wish, refunds.request(self.world.ctx, self.world.actor(), wish))

    def answered(self, wish, intent):
        """The same offer is the same intent, for ever."""
        assert self.asked.setdefault(wish.offer, intent.id) == intent.id

    @rule()
    def work(self):
        with contextlib.suppress(Struck):
            self.world.drain()

    @rule()
    def tick(self):
        self.world.tick()

    @rule(name=st.sampled_from((*REQUEST, *WORK, *HEARD, *SWEEP)))
    def crash(self, name):
        failpoints.arm(f"{name}=raise")

    @rule()
    def sweep(self):
        self.world.lapse()
        with contextlib.suppress(Struck):
            follow.sweep(self.world.ctx)

    @rule(kind=st.sampled_from(FAULTS), reads=st.booleans())
    def vendor_fault(self, kind, reads):
        told = {"method": "GET" if reads else "POST", "path": "/v1/refunds", "kind": kind, "status": 500}
        self.simulator.faults.set([told])

    @rule(copies=st.integers(1, 3))
    def deliver(self, copies):
        """The vendor's webhooks, once or more."""
        for _ in range(copies):
            with contextlib.suppress(Struck), self.world.database.begin() as cx:
                store_work.heard(cx, "con_bill", [], [], self.charges)

    @rule(which=st.integers(0, 1))
    def elsewhere(self, which):
        """Somebody refunds in the vendor's dashboard."""
        with contextlib.suppress(ValueError, AppError):  # the mirror may meet the fault that is set
            self.world.stripe.state.refund(self.charges[which], 300)
            self.world.mirror(self.charges[which])

    @rule()
    def late_bank_failure(self):
        """A refund that succeeded fails days later."""
        mine = [r for r in self.at_vendor() if r["status"] == "succeeded" and r["metadata"].get("intent_id")]
        if mine:
            self.world.stripe.state.settle_refund(mine[0]["id"], "failed")
            with self.world.database.begin() as cx:
                store_work.heard(cx, "con_bill", [mine[0]["metadata"]["intent_id"]], [], [])

    def at_vendor(self):
        return [r for c in self.charges for r in self.world.stripe.state.of("refunds", charge=c)]

    @invariant()
    def never_twice_and_never_above(self):
        by_intent, by_charge = defaultdict(int), defaultdict(int)
        for refund in self.at_vendor():
            if refund["metadata"].get("intent_id"):
                by_intent[refund["metadata"]["intent_id"]] += 1
            if refund["status"] not in ("failed", "canceled"):
                by_charge[refund["charge"]] += refund["amount"]
        assert max(by_intent.values(), default=0) <= 1
        assert max(by_charge.values(), default=0) <= CAPTURED

    def teardown(self):
        """The faults are over: everything comes to rest, and both sides agree."""
        failpoints.arm("")
        self.simulator.faults.set([])
        for charge in self.charges:
            with self.world.database.begin() as cx:
                store_work.heard(cx, "con_bill", [], [], [charge])
        self.world.settle_all(rounds=12)
        self.world.check()
        for intent_id in self.asked.values():
            assert self.world.state(intent_id) is not State.NEEDS_HUMAN


def play(world, examples, steps):
    quiet = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)
    run_state_machine_as_test(
        type("Refunds", (Refunds,), {"world": world}),
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=quiet,
            phases=(Phase.explicit, Phase.generate, Phase.shrink), print_blob=True,
        ),
    )  # fmt: skip


def test_any_order_of_events_ends_well(world):
    play(world, 6, 15)


@pytest.mark.slow
def test_many_orders_of_events_end_well(world):
    play(world, 150, 50)
