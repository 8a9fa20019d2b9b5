"""What every test may ask for: a real PostgreSQL with our tables, a clean database for each test."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest
import redis
from hypothesis import HealthCheck, settings

from app.db import Database, migrations
from app.servers import Urls, temporary
from tests import kept, skips
from tests.chromium import ARGUMENTS, CHROMIUM
from tests.crm_world import Org
from tests.databases import Databases

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# A slow machine is no fault of the code: no test fails for the time it took.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


kept.keep()


@pytest.fixture(scope="session")
def servers() -> Iterator[Urls]:
    """A PostgreSQL and a Valkey of this test process."""
    with temporary() as urls:
        yield urls


@pytest.fixture(scope="session")
def postgres_url(servers: Urls) -> str:
    """The server, as its superuser."""
    return servers.database_url.replace("//deskbridge_app@", "//postgres@").replace("/deskbridge?", "/postgres?")


@pytest.fixture
def redis_url(servers: Urls) -> str:
    """The Valkey, emptied."""
    client = redis.Redis.from_url(servers.redis_url)
    client.flushall()
    client.close()
    return servers.redis_url


@pytest.fixture(scope="session")
def template_url(postgres_url: str) -> str:
    """A database made by our migrations, from which each test's own is copied."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE deskbridge_template")
    url = postgres_url.replace("/postgres?", "/deskbridge_template?")
    migrations.upgrade(url)
    return url


@pytest.fixture(scope="session")
def databases(postgres_url: str, template_url: str) -> Iterator[Databases]:
    """Those of this test process."""
    found = Databases(postgres_url)
    yield found
    found.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The one browser of this test process."""
    if CHROMIUM is None:
        pytest.skip("NOT TESTED: no chromium here (apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield found
        found.close()


@pytest.fixture
def org() -> Iterator[Org]:
    """A simulated Salesforce of this test's own, served over HTTP."""
    made = Org()
    yield made
    made.stop()


@contextmanager
def fresh_database(databases: Databases) -> Iterator[Database]:
    """A database with all tables and nothing in them but what the migrations put there."""
    name = databases.take()
    database = Database(databases.at(name))
    yield database
    database.close()
    databases.give_back(name)


@pytest.fixture
def database(databases: Databases) -> Iterator[Database]:
    """A clean database of this test's own, with all tables."""
    with fresh_database(databases) as found:
        yield found


@pytest.fixture
def new_database(databases: Databases) -> Callable[[], AbstractContextManager[Database]]:
    """How to get more of them."""
    return lambda: fresh_database(databases)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """First what waits for minutes and one after the other: at the end it would keep the other processes waiting too."""
    items.sort(key=lambda item: "demo_ports" not in getattr(item, "fixturenames", ()))


SKIPPED: list[tuple[str, str]] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember what is skipped, wherever a worker of xdist ran it."""
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        SKIPPED.append((report.nodeid, reason))


def pytest_unconfigure(config: pytest.Config) -> None:
    """The very last line names every skipped suite with its count."""
    if not hasattr(config, "workerinput") and not config.option.collectonly:
        sys.stdout.write(skips.last_line(SKIPPED) + "\n")
