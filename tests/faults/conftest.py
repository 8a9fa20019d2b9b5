"""The crash harness of refunds, one a module: its database, its Stripe, its nursery of processes."""

from __future__ import annotations

import fcntl
import tempfile
import uuid
from pathlib import Path

import psycopg
import pytest

from app.db import Database
from sandbox.base import Context
from sandbox.stripe.local import Local
from tests.faults.refund_harness import Harness


@pytest.fixture(scope="module")
def demo_ports():
    """The ports of the demo, which are fixed: whoever else wants them, in whichever test process, waits."""
    with Path(tempfile.gettempdir(), "deskbridge-demo-ports.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="module")
def module_database(postgres_url, template_url):
    """A database that all cases of a module share."""
    name = f"t{uuid.uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE deskbridge_template STRATEGY file_copy")
    database = Database(postgres_url.replace("/postgres?", f"/{name}?"))
    yield database
    database.close()
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def stripe():
    local = Local(Context(limits=False, time_factor=50))
    yield local
    local.stop()


@pytest.fixture(scope="module")
def harness(module_database, stripe):
    made = Harness(module_database, stripe)
    yield made
    try:
        made.figures()  # every invariant, over whatever ran in this process
    finally:
        made.stop()
