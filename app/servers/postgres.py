"""One PostgreSQL of ours: made, started, recognised, stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress

import psycopg

from app.servers import processes
from app.servers.layout import Layout
from integrations.kernel.errors import ConfigError

DATABASE, OWNER, RUNTIME = "deskbridge", "deskbridge_owner", "deskbridge_app"
START_S = 60.0
SUPERUSER = "postgres"


def url(at: Layout, role: str, database: str = DATABASE) -> str:
    """Where it is, over the private socket folder."""
    return f"postgresql://{role}@/{database}?host={at.sockets}"


def answers(at: Layout) -> bool:
    """Is the server behind our socket there, and is it the one of our data folder?"""
    try:
        with psycopg.connect(url(at, SUPERUSER, "postgres"), connect_timeout=2) as cx:
            row = cx.execute("SHOW data_directory").fetchone()
    except psycopg.Error:
        return False
    return row is not None and row[0] == str(at.data)


def start(at: Layout, *, fsync: bool = True) -> None:
    """Start it (or find it running), make roles and database. Raises ConfigError with the log's end."""
    if not answers(at):
        _initialise(at, fsync)
        _clear(at)
        _launch(at, fsync)
        _wait(at)
    _roles(at)


def stop(at: Layout) -> None:
    """Fast shutdown, then whatever is left of it by force."""
    mine = processes.working_in(at.data, "postgres")
    postmasters = [pid for pid in mine if _parent(pid) not in mine]
    processes.end(postmasters, signal.SIGINT, 10.0)
    for how in (signal.SIGQUIT, signal.SIGKILL):
        if left := processes.working_in(at.data, "postgres"):
            processes.end(left, how, 5.0)


def _parent(pid: int) -> int:
    with suppress(OSError), open(f"/proc/{pid}/stat", "rb") as file:
        return int(file.read().rpartition(b")")[2].split()[1])
    return 0


def _initialise(at: Layout, fsync: bool) -> None:
    if (at.data / "global" / "pg_control").exists():
        return
    at.data.mkdir(exist_ok=True)
    options = ["-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C", *([] if fsync else ["--no-sync"])]
    try:
        subprocess.run(
            [at.postgres / "initdb", "-D", at.data, *options],
            check=True, capture_output=True, cwd=at.sockets, **at.as_user(),  # type: ignore[call-overload]
        )  # fmt: skip
    except subprocess.CalledProcessError as error:
        raise ConfigError(f"PostgreSQL could not make {at.data}: {error.stderr.decode()[-500:]}") from error


def _clear(at: Layout) -> None:
    """Take what a killed server left: children that linger, and a pid file that names nobody of ours."""
    left = processes.working_in(at.data, "postgres")
    if left:
        left = processes.end(left, signal.SIGQUIT, 5.0)
        processes.end(left, signal.SIGKILL, 5.0)
    (at.data / "postmaster.pid").unlink(missing_ok=True)
    for name in (".s.PGSQL.5432", ".s.PGSQL.5432.lock"):
        (at.sockets / name).unlink(missing_ok=True)


def _launch(at: Layout, fsync: bool) -> None:
    settings = {
        "unix_socket_directories": str(at.sockets), "listen_addresses": "", "max_connections": "150",
        "fsync": "on" if fsync else "off", "synchronous_commit": "on",
        "full_page_writes": "on" if fsync else "off", "log_min_messages": "warning", "max_wal_size": "2GB",
    }  # fmt: skip
    arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    log = os.open(at.folder / "postgres.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        started = subprocess.Popen(
            [at.postgres / "postgres", "-D", at.data, *arguments],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=at.data, start_new_session=True, **at.as_user(),  # type: ignore[call-overload]
        )  # fmt: skip
        processes.outlives(started)
    finally:
        os.close(log)


def _wait(at: Layout) -> None:
    until = time.monotonic() + START_S
    while not answers(at):
        if time.monotonic() > until or not processes.working_in(at.data, "postgres"):
            time.sleep(0.2)  # it may have been between fork and exec
            if time.monotonic() > until or not processes.working_in(at.data, "postgres"):
                raise ConfigError(f"PostgreSQL did not start; {at.folder / 'postgres.log'} ends with:\n{_log_end(at)}")
        time.sleep(0.05)


def _log_end(at: Layout) -> str:
    with suppress(OSError):
        return (at.folder / "postgres.log").read_text(encoding="utf-8", errors="replace")[-1000:]
    return "(no log)"


def _roles(at: Layout) -> None:
    """The two roles and the database. Names are constants; DDL takes no bound values."""
    with psycopg.connect(url(at, SUPERUSER, "postgres"), autocommit=True, connect_timeout=5) as cx:
        known = {row[0] for row in cx.execute("SELECT rolname FROM pg_roles").fetchall()}
        for role in (OWNER, RUNTIME):
            if role not in known:
                cx.execute(f"CREATE ROLE {role} LOGIN")
        if not cx.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone():
            cx.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
