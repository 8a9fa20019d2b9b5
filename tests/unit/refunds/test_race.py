"""Many agents, one charge: never above what was captured, and what loses says why."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace

import pytest
import sqlalchemy as sa

from app import refunds
from app.access import Role
from app.db import Database
from app.refunds import RefundWorker
from integrations.kernel.errors import AppError

AGENTS = 20
RACES = 100  # `make races` does a thousand


def race(world, charge, amounts):
    """Everybody has the offer in hand, then all click at once, while two workers send. Answers what was granted.

    The workers have connections of their own, as in processes of their own: of one pool the clicks, which wait for one
    another, would take them all, and on a busy machine a worker would wait for one longer than the pool allows.
    """
    with closing(Database(world.database.url)) as own:
        return _race(world, charge, amounts, replace(world.ctx, database=own))


def _race(world, charge, amounts, theirs):
    actors = [world.actor(f"Agent{n}", Role.REFUNDER) for n in range(len(amounts))]
    wishes = [world.wish(charge, minor, actor, again=True) for actor, minor in zip(actors, amounts, strict=True)]
    start, over = threading.Barrier(len(amounts)), threading.Event()

    def click(actor, wish):
        start.wait()
        try:
            return refunds.request(world.ctx, actor, wish).amount.minor
        except AppError:
            return 0

    workers = [RefundWorker(theirs, world.client, world.pool) for _ in range(2)]
    senders = [threading.Thread(target=lambda w=w: w.drain(lambda: not over.is_set())) for w in workers]
    with ThreadPoolExecutor(len(amounts)) as pool:
        clicks = [pool.submit(click, *pair) for pair in zip(actors, wishes, strict=True)]
        for sender in senders:
            sender.start()
        granted = [one.result() for one in clicks]
    over.set()
    for sender in senders:
        sender.join()
    world.settle_all()
    return granted


@pytest.mark.parametrize("seed", range(3))
def test_twenty_agents_race_on_one_charge(world, seed):
    dice = random.Random(seed)
    charge = world.charge(10_000)
    wanted = [dice.choice([600, 1500, 4000, 7000]) for _ in range(AGENTS)]
    granted = race(world, charge, wanted)
    figures = world.check()
    row = world.row(charge)
    assert row.refunded == sum(granted) <= 10_000
    assert all(given for given, asked in zip(granted, wanted, strict=True) if asked <= 10_000 - row.refunded)
    assert figures["double"] == 0


@pytest.mark.slow
def test_many_races(world):
    for seed in range(RACES):
        dice = random.Random(seed)
        race(world, world.charge(10_000), [dice.choice([600, 1500, 4000, 7000]) for _ in range(AGENTS)])
    figures = world.check()
    assert len(world.charges) == RACES
    assert figures["double"] == 0


def test_the_check_holds_whatever_the_code_does(world):
    charge = world.charge(5000)
    world.request(charge, 4000)
    for change in ("reserved = 5001", "refunded = 1001", "elsewhere = 1001", "refunded = -1", "captured = 3999"):
        with pytest.raises(sa.exc.IntegrityError, match="ck_refund_charge"), world.database.begin() as cx:
            cx.execute(sa.text(f"UPDATE refund_charge SET {change}"))
