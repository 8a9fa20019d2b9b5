"""`make crash-leads N=60`: that many points, then one line of JSON. Exits with 1 at the first point that ends wrong."""

from __future__ import annotations

import itertools
import json
import sys
import time

from tests.faults.lead_harness import ANSWERS, BOUNDARIES, Harness
from tests.faults.terminal import counted, own_database


def points():
    """Every boundary with every answer; the answer changes with each point."""
    return [
        pair
        for _, pair in sorted(((n * 7 % 60), pair) for n, pair in enumerate(itertools.product(BOUNDARIES, ANSWERS)))
    ]


def main(number):
    began = time.monotonic()
    with own_database("crash") as database:
        harness = Harness(database)
        for boundary, answer in counted("points", itertools.islice(itertools.cycle(points()), number), number):
            try:
                harness.strike(boundary, answer)
            except AssertionError as wrong:
                sys.exit(f"{boundary} x {answer}: {wrong}")
        figures = {**harness.figures(), "seconds": round(time.monotonic() - began)}
        harness.stop()
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
