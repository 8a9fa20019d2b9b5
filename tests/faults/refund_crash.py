"""`make crash N=200`: that many points, then one line of JSON. Exits with 1 at the first point that ends wrong.

A second argument is the point to begin with, to go on where a run ended. Ctrl-C ends a run after the point it is at,
with the line for what was done.
"""

from __future__ import annotations

import itertools
import json
import signal
import sys
import time

import psycopg

from app.db import Database, migrations
from app.servers import temporary
from app.telemetry.logs import configure
from sandbox.base import Context
from sandbox.stripe.local import Local
from tests.faults.refund_harness import Harness
from tests.faults.test_refund_kills import GATE, REST, strike


def main(points, first=0):
    configure("error")
    began, told = time.monotonic(), []
    signal.signal(signal.SIGINT, lambda number, _frame: told.append(number))
    with temporary() as urls:
        server = urls.database_url.replace("//deskbridge_app@", "//postgres@")
        with psycopg.connect(server.replace("/deskbridge?", "/postgres?"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE crash")
        url = server.replace("/deskbridge?", "/crash?")
        migrations.upgrade(url)
        database, stripe = Database(url), Local(Context(limits=False, time_factor=50))
        harness = Harness(database, stripe)
        for boundary, answer in itertools.islice(itertools.cycle([*GATE, *REST]), first, first + points):
            try:
                strike(harness, boundary, answer)
            except AssertionError as wrong:
                sys.exit(f"{boundary} x {answer}: {wrong}")
            if told:
                break
        figures = {**harness.figures(), "seconds": round(time.monotonic() - began)}
        harness.stop()
        stripe.stop()
        database.close()
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
