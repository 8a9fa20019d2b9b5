"""What the product calls: have the servers running, stop them, or have a pair for a test."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.servers import postgres, processes, supervisor, valkey
from app.servers.layout import Layout, layout
from integrations.kernel.errors import ConfigError

READY_S = 90.0
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Urls:
    """database_url: the runtime's role. migration_url: the owner's role."""

    database_url: str
    migration_url: str
    redis_url: str


def ensure(folder: Path, *, fsync: bool = True) -> Urls:
    """Have both servers of a data folder running, whoever starts them, and a supervisor that keeps them so.

    Raises:
        ConfigError: they did not come up; the text holds the reason.
    """
    at = layout(folder)
    until = time.monotonic() + READY_S
    while True:
        if not supervisor.held(at):
            _spawn(at, fsync)
        if _ready(at):
            return _urls(at)
        if time.monotonic() > until:
            log = at.folder / "supervisor.log"
            reason = log.read_text() if log.exists() else "no reason was written"
            raise ConfigError(f"The embedded servers of {at.folder} did not start: {reason}")
        time.sleep(0.1)


def _ready(at: Layout) -> bool:
    """Both answer, and PostgreSQL has our database."""
    if not (postgres.answers(at) and valkey.answers(at)):
        return False
    import psycopg

    try:
        psycopg.connect(postgres.url(at, postgres.RUNTIME), connect_timeout=2).close()
    except psycopg.Error:
        return False
    return True


def _spawn(at: Layout, fsync: bool) -> None:
    """A supervisor of its own session: it outlives the command that started it."""
    command = [sys.executable, "-m", "app.servers.supervisor", str(at.folder), *([] if fsync else ["--no-fsync"])]
    started = subprocess.Popen(
        command, cwd=ROOT, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    processes.outlives(started)
    until = time.monotonic() + 10
    while not supervisor.held(at) and time.monotonic() < until:
        time.sleep(0.05)


def _urls(at: Layout) -> Urls:
    return Urls(postgres.url(at, postgres.RUNTIME), postgres.url(at, postgres.OWNER), valkey.url(at))


def stop(folder: Path) -> None:
    """End the supervisor and both servers; nothing of them is left, whoever was killed before."""
    at = layout(folder)
    if supervisor.held(at):
        processes.end([supervisor.pid(at)], signal.SIGTERM, 30.0)
    postgres.stop(at)
    valkey.stop(at)


def status(folder: Path) -> dict[str, str]:
    """What is running, in words."""
    at = layout(folder)
    return {
        "supervisor": "running" if supervisor.held(at) else "not running",
        "PostgreSQL": "answers" if postgres.answers(at) else "does not answer",
        "Valkey": "answers" if valkey.answers(at) else "does not answer",
    }


@contextmanager
def temporary() -> Iterator[Urls]:
    """A pair of servers for one test run: no supervisor, nothing kept, no fsync."""
    with tempfile.TemporaryDirectory(prefix="dbt-") as name:
        folder = Path(name)
        if os.geteuid() == 0:
            folder.chmod(0o711)
        at = layout(folder / "data")
        try:
            postgres.start(at, fsync=False)
            valkey.start(at)
            yield _urls(at)
        finally:
            postgres.stop(at)
            valkey.stop(at)
            processes.reap()
            shutil.rmtree(at.sockets.parent, ignore_errors=True)
