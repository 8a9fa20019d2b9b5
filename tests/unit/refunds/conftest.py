"""The world of refunds, one database a test, one simulated Stripe a module."""

from __future__ import annotations

import pytest

from app.cli import register
from app.config import load
from app.factory import create_app
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


@pytest.fixture
def run(world):
    """A command of the operator, as it is run."""
    app = create_app(load({"DATABASE_URL": world.database.url, "REDIS_URL": "redis://127.0.0.1:1"}))
    if not app.cli.commands.get("refunds"):
        register(app)
    runner = app.test_cli_runner()
    yield lambda *words: runner.invoke(args=[*words])
    app.extensions["deskbridge"].database.close()
