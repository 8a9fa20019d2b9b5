"""`make crash N=200`: that many points, then one line of JSON. Exits with 1 at the first point that ends wrong.

A second argument is the point to begin with, to go on where a run ended. Ctrl-C ends a run after the point it is at,
with the line for what was done.
"""

from __future__ import annotations

import itertools
import json
import sys
import time

from tests.faults.refund_harness import Harness
from tests.faults.terminal import counted, own_bank
from tests.faults.test_refund_kills import GATE, REST, strike


def main(points, first=0):
    began = time.monotonic()
    with own_bank("crash") as (database, stripe):
        harness = Harness(database, stripe)
        pairs = itertools.islice(itertools.cycle([*GATE, *REST]), first, first + points)
        for boundary, answer in counted("points", pairs, points):
            try:
                strike(harness, boundary, answer)
            except AssertionError as wrong:
                sys.exit(f"{boundary} x {answer}: {wrong}")
        figures = {**harness.figures(), "seconds": round(time.monotonic() - began)}
        harness.stop()
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
