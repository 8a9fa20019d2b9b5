"""`make crash-leads N=60`: that many points, then one line of JSON. Exits with 1 at the first point that ends wrong."""

from __future__ import annotations

import itertools
import json
import sys
import time

import psycopg

from app.db import Database, migrations
from app.servers import temporary
from app.telemetry.logs import configure
from tests.faults.lead_harness import ANSWERS, BOUNDARIES, Harness


def points():
    """Every boundary with every answer; the answer changes with each point."""
    return [
        pair
        for _, pair in sorted(((n * 7 % 60), pair) for n, pair in enumerate(itertools.product(BOUNDARIES, ANSWERS)))
    ]


def main(number):
    configure("error")
    began = time.monotonic()
    with temporary() as urls:
        server = urls.database_url.replace("//deskbridge_app@", "//postgres@")
        with psycopg.connect(server.replace("/deskbridge?", "/postgres?"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE crash")
        url = server.replace("/deskbridge?", "/crash?")
        migrations.upgrade(url)
        database = Database(url)
        harness = Harness(database)
        for boundary, answer in itertools.islice(itertools.cycle(points()), number):
            try:
                harness.strike(boundary, answer)
            except AssertionError as wrong:
                sys.exit(f"{boundary} x {answer}: {wrong}")
        figures = {**harness.figures(), "seconds": round(time.monotonic() - began)}
        harness.stop()
        database.close()
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
