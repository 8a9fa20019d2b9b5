"""The web servers under test: our app, two processes, a database that really writes to disk."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from app.config import load
from app.db import Database, migrations
from app.runtime import Runtime
from app.servers import ensure, stop
from bench.deliveries import CONNECTION, SECRET
from integrations import registry

ROOT = Path(__file__).resolve().parents[1]
PROCESSES = 2
PORT = 21_700


@dataclass(slots=True)
class House:
    """Servers with our tables, one connection, and the environment that web processes are started with."""

    database: Database
    environment: dict[str, str]

    def stored(self, prefix: str) -> set[str]:
        """Event keys of deliveries that have a row and a body."""
        query = sa.text(
            "SELECT event_key FROM delivery_key k JOIN delivery_body b ON b.delivery_id = k.id WHERE event_key LIKE :p"
        )
        with self.database.begin() as cx:
            return set(cx.execute(query, {"p": f"evt_{prefix}x%"}).scalars())

    def must_hold(self, prefix: str, keys: Sequence[str]) -> None:
        """Every delivery that was answered 2xx has its row, or the benchmark ends."""
        if lost := set(keys) - self.stored(prefix):
            raise SystemExit(f"{len(lost)} of {len(keys)} deliveries answered 2xx have no row, {min(lost)} first")


@contextmanager
def house() -> Iterator[House]:
    """PostgreSQL with fsync and Redis, in a fresh folder, with one Stripe connection."""
    with tempfile.TemporaryDirectory(prefix="deskbridge-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        settings = {
            "MODE": "sandbox", "LOG_LEVEL": "error", "DATA_FOLDER": str(folder / "servers"), "MAX_BACKLOG": "10000000",
        }  # fmt: skip
        urls = ensure(folder / "servers")
        try:
            migrations.upgrade(urls.migration_url)
            runtime = Runtime(load(settings))
            secrets = {"api_key": ["rk_test_bench"], "webhook_secret": [SECRET]}
            stripe = registry.by_slug("stripe")
            assert stripe is not None
            runtime.connections.add(stripe, "Bench", {}, secrets, connection_id=CONNECTION)
            runtime.database.close()
            database = Database(urls.database_url)
            environment = {
                **os.environ, **settings, "DATABASE_URL": urls.database_url, "REDIS_URL": urls.redis_url,  # noqa: TID251
                "PROMETHEUS_MULTIPROC_DIR": str(folder),
            }  # fmt: skip
            yield House(database, environment)
            database.close()
        finally:
            stop(folder / "servers")


def shipped() -> list[str]:
    """The command of one web process, as `flask web` starts it, but with the route that only reads."""
    return [sys.executable, "-m", "flask", "--app", "bench.door_app", "web", "--processes", "1"]


@contextmanager
def serving(
    house: House, port: int = PORT, commands: Sequence[Sequence[str]] = (), more: Mapping[str, str] | None = None
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Web processes on a port: the shipped ones when no commands are given."""
    environment = {**house.environment, "WEB_PORT": str(port), **(more or {})}
    children = [
        subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, start_new_session=True)
        for command in (commands or [shipped()] * PROCESSES)
    ]
    try:
        wait_for(port, children)
        yield children
    finally:
        for child in children:
            child.terminate()
        for child in children:
            with suppress(subprocess.TimeoutExpired):
                child.wait(10)
            with suppress(ProcessLookupError):
                os.killpg(child.pid, 9)
            child.wait()


def wait_for(port: int, children: Sequence[subprocess.Popen[bytes]], answers: int = 20) -> None:
    """Until the port has answered some times in a row, so that each process behind it is up."""
    until, well = time.monotonic() + 60, 0
    while well < answers:
        if time.monotonic() > until or any(child.poll() is not None for child in children):
            raise SystemExit(f"the server on port {port} did not start: {children[0].args}")
        well = well + 1 if _answers(port) else 0
        if not well:
            time.sleep(0.2)
    time.sleep(1.0)


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
        return b" 200 " in connection.recv(64)
    return False
