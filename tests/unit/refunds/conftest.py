"""The world of refunds, one database a test, one simulated Stripe a module."""

from __future__ import annotations

import pytest

from sandbox.base import Context
from sandbox.stripe.local import Local
from tests.refund_world import World


@pytest.fixture(scope="module")
def stripe():
    local = Local(Context(limits=False, time_factor=50))
    yield local
    local.stop()


@pytest.fixture
def world(database, stripe):
    made = World(database, stripe)
    made.set_up()
    yield made
    made.close()
    made.take_down()
