"""One PostgreSQL: made, started, recognised, stopped."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import psycopg

from app.servers import processes, programs
from app.servers.layout import Layout
from app.servers.server import Server

DATABASE, OWNER, RUNTIME, SUPERUSER = "deskbridge", "deskbridge_owner", "deskbridge_app", "postgres"
INITDB = (
    f"--username={SUPERUSER} --auth-local=trust --auth-host=reject --encoding=UTF8 --locale=C "
    "--locale-provider=builtin --builtin-locale=C.UTF-8"
).split()
SETTINGS = {
    "listen_addresses": "",
    "port": "5432",  # only the name of the socket
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "synchronous_commit": "on",
    "log_min_messages": "warning",
    "max_wal_size": "2GB",
}
WITHOUT_FSYNC = {"fsync": "off", "full_page_writes": "off"}


class Postgres(Server):
    """The PostgreSQL of one data folder. fsync: survives a power cut; tests do without."""

    name = "postgres"

    def __init__(self, at: Layout, *, fsync: bool = True) -> None:
        super().__init__(at)
        self._fsync = fsync

    @property
    def socket(self) -> Path:
        """See Server."""
        return self.at.sockets / ".s.PGSQL.5432"

    def url(self, role: str, database: str = DATABASE) -> str:
        """Where it is, as libpq takes it: the port is said because PGPORT may be set."""
        return f"postgresql://{role}@/{database}?host={self.at.sockets}&port=5432"

    def answers(self) -> bool:
        """See Server."""
        return self._row("SELECT current_setting('data_directory')") == (str(self.at.data),)

    def is_furnished(self) -> bool:
        """Does it answer, with our roles and our database in it?"""
        query = (
            "SELECT current_setting('data_directory'), (SELECT count(*) FROM pg_roles WHERE rolname = ANY(%s)),"
            " (SELECT count(*) FROM pg_database WHERE datname = %s)"
        )
        return self._row(query, [OWNER, RUNTIME], DATABASE) == (str(self.at.data), 2, 1)

    def _row(self, query: str, *values: object) -> tuple[object, ...] | None:
        try:
            with psycopg.connect(self.url(SUPERUSER, "postgres"), connect_timeout=2) as cx:
                return cx.execute(query.encode(), values).fetchone()
        except psycopg.Error:
            return None

    def leads(self, line: list[bytes]) -> bool:
        """See Server."""
        return bool(line) and line[0].endswith(b"/postgres") and processes.option("-D", self.at.data)(line)

    def belongs(self, line: list[bytes]) -> bool:
        """See Server. A child is titled `postgres: <cluster_name>: ...`; initdb works in a folder of its own."""
        return bool(line) and (
            line[0].startswith(f"postgres: {self.at.mark}:".encode()) or self.leads(line) or self._is_initdb(line)
        )

    def _is_initdb(self, line: list[bytes]) -> bool:
        unfinished = os.fsencode(self.at.home / "initdb-")
        return line[0].endswith(b"/initdb") and any(part.startswith(unfinished) for part in line)

    def keep(self) -> None:
        """See Server; makes the data folder, the roles and the database when they are not there."""
        if not (self.at.data / "PG_VERSION").exists():
            self.end()
            self._initialise()
        super().keep()
        if not self.is_furnished():
            self._furnish()

    def launch(self) -> None:
        """See Server. What a killed server left is not believed: none of its processes lives when we come here."""
        (self.at.data / "postmaster.pid").unlink(missing_ok=True)
        for socket in self.at.sockets.glob(".s.PGSQL.*"):
            socket.unlink()
        settings = {**SETTINGS, **({} if self._fsync else WITHOUT_FSYNC)}
        settings |= {"unix_socket_directories": str(self.at.sockets), "cluster_name": self.at.mark}
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        program = programs.postgres(self.at.owner) / "postgres"
        processes.launch(self.at.owner, [program, "-D", self.at.data, *arguments], self.log, self.at.data)

    def end(self) -> None:
        """See Server. Fast shutdown by the main process; then whatever lingers, which would hold the shared memory."""
        uid = self.at.owner.uid
        orphans_only = not self.pids()
        processes.end(uid, self.leads, signal.SIGINT, 15.0)
        for how, wait_s in ((signal.SIGQUIT, 1.0 if orphans_only else 6.0), (signal.SIGKILL, 5.0)):
            if processes.end(uid, self.belongs, how, wait_s):
                return
        raise self._force_failed()

    def _initialise(self) -> None:
        """A whole data folder or none: made beside its place, then moved there."""
        for part in self.at.home.glob("initdb-*"):
            shutil.rmtree(part)
        made = self.at.home / f"initdb-{os.getpid()}"
        made.mkdir(mode=0o700)
        self.at.owner.give(made)
        program = programs.postgres(self.at.owner) / "initdb"
        options = [*INITDB, *([] if self._fsync else ["--no-sync"])]
        processes.run(self.at.owner, [program, "-D", made, *options], made)
        if self.at.data.exists():
            self.at.data.rmdir()  # an empty one may be there; one with files is not ours to remove
        made.rename(self.at.data)

    def _furnish(self) -> None:
        """The two roles and the database. Names are constants; DDL takes no bound values."""
        with psycopg.connect(self.url(SUPERUSER, "postgres"), autocommit=True, connect_timeout=5) as cx:
            known = {row[0] for row in cx.execute("SELECT rolname FROM pg_roles").fetchall()}
            for role in {OWNER, RUNTIME} - known:
                cx.execute(f"CREATE ROLE {role} LOGIN".encode())
            if not cx.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone():
                cx.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}".encode())
