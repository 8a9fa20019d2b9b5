"""What `/readyz` and `flask doctor` look at, each answering in a sentence."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from app.db import migrations
from app.db.database import POOL_SIZE
from app.jobs import periodic
from app.runtime import Runtime
from app.telemetry.health import Check

SPARE_CONNECTIONS = 5  # kept for people, migrations and the server itself


def checks(runtime: Runtime) -> Mapping[str, Check]:
    """All checks by name; an empty answer is well."""
    return {
        "database": lambda: _database(runtime),
        "redis": lambda: _redis(runtime),
        "migrations": lambda: _migrations(runtime),
        "worker": lambda: _worker(runtime),
        "pool": lambda: _pool(runtime),
    }


def _database(runtime: Runtime) -> str:
    with runtime.database.begin() as cx:
        cx.execute(sa.text("SELECT 1"))
    return ""


def _redis(runtime: Runtime) -> str:
    runtime.redis.ping()
    return ""


def _migrations(runtime: Runtime) -> str:
    with runtime.database.begin() as cx:
        at, head = migrations.current(cx), migrations.head()
    return "" if at == head else f"the database is at {at or 'nothing'}, the code at {head}: run `flask db upgrade`"


def _worker(runtime: Runtime) -> str:
    with runtime.database.begin() as cx:
        seen = periodic.workers_seen(cx)
    return "" if seen else "no worker was seen in the last minute: start one with `flask worker`"


def _pool(runtime: Runtime) -> str:
    s = runtime.settings
    needed = (s.web_processes * 2 + s.worker_processes) * POOL_SIZE + SPARE_CONNECTIONS
    with runtime.database.begin() as cx:
        allowed = int(cx.execute(sa.text("SELECT current_setting('max_connections')::int")).scalar_one())
    return "" if needed <= allowed else (
        f"{needed} connections may be opened, the server allows {allowed}: raise max_connections or run fewer processes"
    )  # fmt: skip
