"""For a run from a terminal: servers, a database and a simulated Stripe of its own, and the end by Ctrl-C."""

from __future__ import annotations

import signal
from contextlib import contextmanager

import psycopg

from app.db import Database, migrations
from app.servers import temporary
from app.telemetry.logs import configure
from sandbox.base import Context
from sandbox.stripe.local import Local


def interrupted():
    """A list that gets an entry with the first Ctrl-C: the run ends after what it is at, and tells of that."""
    told = []
    signal.signal(signal.SIGINT, lambda number, _frame: told.append(number))
    return told


@contextmanager
def own_bank(name):
    """(database, simulated Stripe); gone afterwards. name: of the database."""
    configure("error")
    with temporary() as urls:
        server = urls.database_url.replace("//deskbridge_app@", "//postgres@")
        with psycopg.connect(server.replace("/deskbridge?", "/postgres?"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        url = server.replace("/deskbridge?", f"/{name}?")
        migrations.upgrade(url)
        database, stripe = Database(url), Local(Context(limits=False, time_factor=50))
        yield database, stripe
        stripe.stop()
        database.close()
