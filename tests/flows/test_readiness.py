"""`/readyz` says which check fails and what to do; `/healthz` only that this process answers."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.config import load
from app.db import migrations
from app.factory import create_app
from app.jobs import periodic
from app.jobs.models import worker

NOBODY = "127.0.0.1:9"  # the discard port: nothing listens there


@pytest.fixture
def ask(database, redis_url):
    """Ask an installation with these settings; answers (status, checks)."""
    opened = []

    def asked(**settings):
        given = {"DATABASE_URL": database.url, "REDIS_URL": redis_url, "MODE": "sandbox", **settings}
        app = create_app(load(given))
        opened.append(app.extensions["deskbridge"])
        assert app.test_client().get("/healthz").status_code == 200
        answer = app.test_client().get("/readyz")
        return answer.status_code, answer.get_json()["checks"]

    yield asked
    for runtime in opened:
        runtime.redis.close()
        runtime.database.close()


@pytest.fixture
def seen(database):
    """A worker was seen a moment ago."""
    with database.begin() as cx:
        periodic.heartbeat(cx, "test")


def failing(checks):
    return {name for name, text in checks.items() if text != "ok"}


def test_everything_is_there(ask, seen):
    status, checks = ask()
    assert (status, failing(checks)) == (200, set())


def test_no_worker_in_the_last_minute(ask, seen, database):
    with database.begin() as cx:
        cx.execute(sa.update(worker).values(seen_at=sa.func.now() - sa.text("interval '61 seconds'")))
    status, checks = ask()
    assert (status, failing(checks)) == (503, {"worker"})
    assert "flask worker" in checks["worker"]


def test_redis_away(ask, seen):
    status, checks = ask(REDIS_URL=f"redis://{NOBODY}/0")
    assert (status, failing(checks)) == (503, {"redis"})


def test_migrations_behind_the_code(ask, seen, database):
    with database.begin() as cx:
        cx.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    status, checks = ask()
    assert (status, failing(checks)) == (503, {"migrations"})
    assert migrations.head() in checks["migrations"]
    assert "flask db upgrade" in checks["migrations"]


def test_database_away(ask):
    status, checks = ask(DATABASE_URL=f"postgresql://deskbridge_app:canary-password@{NOBODY}/deskbridge")
    assert (status, failing(checks)) == (503, {"database", "migrations", "worker", "pool"})
    assert "canary-password" not in str(checks)


def test_more_connections_than_the_server_allows(ask, seen):
    status, checks = ask(WEB_PROCESSES="60", WORKER_PROCESSES="60")
    assert (status, failing(checks)) == (503, {"pool"})
