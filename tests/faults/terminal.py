"""For a run from a terminal: servers, a database and a simulated Stripe of its own, how far it is, the end by Ctrl-C."""

from __future__ import annotations

import signal
import sys
import time
from contextlib import contextmanager

import psycopg

from app.db import Database, migrations
from app.servers import temporary
from app.telemetry.logs import configure
from sandbox.base import Context
from sandbox.stripe.local import Local

TELL_S = 20


def counted(what, items, total):
    """The items; every 20 s how many are done, on standard error. Ends after the item at which Ctrl-C was pressed."""
    told, began, last = [], time.monotonic(), time.monotonic()
    signal.signal(signal.SIGINT, lambda number, _frame: told.append(number))
    for done, one in enumerate(items, 1):
        yield one
        now = time.monotonic()
        if now - last > TELL_S:
            last = now
            sys.stderr.write(f"{done} of {total} {what}, {now - began:.0f} s, nothing wrong so far\n")
        if told:
            return


@contextmanager
def own_database(name):
    """A database; gone afterwards."""
    configure("error")
    with temporary() as urls:
        server = urls.database_url.replace("//deskbridge_app@", "//postgres@")
        with psycopg.connect(server.replace("/deskbridge?", "/postgres?"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        url = server.replace("/deskbridge?", f"/{name}?")
        migrations.upgrade(url)
        database = Database(url)
        yield database
        database.close()


@contextmanager
def own_bank(name):
    """(database, simulated Stripe); gone afterwards. name: of the database."""
    with own_database(name) as database:
        stripe = Local(Context(limits=False, time_factor=50))
        yield database, stripe
        stripe.stop()
