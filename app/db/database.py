"""Connections: SQLAlchemy for everything, and a bare psycopg pool for the door, where each 100 microseconds count."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from psycopg_pool import ConnectionPool

POOL_SIZE = 10  # architecture: at most 10 a process; /readyz compares processes x pool with max_connections


class Database:
    """One PostgreSQL. `url`: postgresql://... as libpq takes it."""

    def __init__(self, url: str, *, pool_size: int = POOL_SIZE, statement_timeout_s: float = 30.0) -> None:
        self.url = url
        self._options = f"-c statement_timeout={int(statement_timeout_s * 1000)} -c timezone=UTC"
        self.engine = sa.create_engine(
            sa.make_url(url).set(drivername="postgresql+psycopg"),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=5,
            hide_parameters=True,  # an error's text must not quote what somebody wrote
            connect_args={"connect_timeout": 5, "options": self._options},
        )
        self._looking = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._held = threading.local()
        self._pool: ConnectionPool | None = None
        self._pool_lock = threading.Lock()

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """One transaction: committed when the block ends, rolled back when it raises.

        Raises:
            RuntimeError: this thread is in a transaction already. As many threads as the pool has connections, each
                waiting for its second one, would stop one another until all of them time out.
        """
        with self._only_one(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def look(self) -> Iterator[sa.Connection]:
        """For statements that each stand by themselves: no transaction around them, so two round trips less.

        Raises:
            RuntimeError: as `begin`.
        """
        with self._only_one(), self._looking.connect() as connection:
            yield connection

    @contextmanager
    def _only_one(self) -> Iterator[None]:
        if getattr(self._held, "one", False):
            raise RuntimeError("a second connection was asked for inside a transaction")
        self._held.one = True
        try:
            yield
        finally:
            self._held.one = False

    def door_pool(self, size: int = 8) -> ConnectionPool:
        """The bare pool of the webhook door; opened at first use, never blocks a request for more than 2 s."""
        with self._pool_lock:  # the first requests come together: one pool, not one each
            if self._pool is None:
                self._pool = ConnectionPool(
                    self.url,
                    min_size=1,
                    max_size=size,
                    timeout=2.0,
                    kwargs={"connect_timeout": 2, "options": self._options, "autocommit": True},
                    open=True,
                )
            return self._pool

    def close(self) -> None:
        """Give every connection back to the server."""
        if self._pool is not None:
            self._pool.close()
        self.engine.dispose()
