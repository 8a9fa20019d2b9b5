"""`make races N=1000`: that many charges, each with twenty agents who click at once; then one line of JSON.

Exits with 1 where more was granted than was there, or anything else is wrong in the end. Ctrl-C ends a run after the race
it is at, with the line for what was done.
"""

from __future__ import annotations

import json
import random
import sys
import time

from tests.faults.terminal import counted, own_bank
from tests.refund_world import World
from tests.unit.refunds.test_race import AGENTS, race

CAPTURED, AMOUNTS = 10_000, (600, 1500, 4000, 7000)


def main(races, first=0):
    began, most = time.monotonic(), 0
    with own_bank("races") as (database, stripe):
        world = World(database, stripe)
        world.set_up()
        for seed in counted("races", range(first, first + races), races):
            dice = random.Random(seed)
            granted = sum(race(world, world.charge(CAPTURED), [dice.choice(AMOUNTS) for _ in range(AGENTS)]))
            most = max(most, granted)
            if granted > CAPTURED:
                sys.exit(f"race {seed}: {granted} of {CAPTURED} granted")
        figures = {"races": len(world.charges), "agents": AGENTS, "most_granted": most, "captured": CAPTURED,
                   **world.check(), "seconds": round(time.monotonic() - began)}  # fmt: skip
        world.close()
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
