"""Databases of tests: made once, emptied after each test and used again. Making one costs a checkpoint of the server.

A database whose schema a test has changed is dropped. Rows that the migrations put there are put back.
"""

from __future__ import annotations

import json
import uuid

import psycopg
from psycopg import sql

TEMPLATE = "deskbridge_template"
# Whatever a test can change beside rows: tables and partitions, columns, constraints, triggers, functions, rights, settings.
_SCHEMA = """
    SELECT md5(concat_ws('|',
        (SELECT string_agg(concat_ws(' ', relname, relkind, relacl::text, reloptions::text), ',' ORDER BY relname)
         FROM pg_class WHERE relnamespace = 'public'::regnamespace),
        (SELECT count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
         WHERE c.relnamespace = 'public'::regnamespace AND NOT a.attisdropped),
        (SELECT string_agg(concat_ws(' ', conname, convalidated), ',' ORDER BY conname) FROM pg_constraint
         WHERE connamespace = 'public'::regnamespace),
        (SELECT string_agg(concat_ws(' ', tgname, tgenabled), ',' ORDER BY tgname) FROM pg_trigger WHERE NOT tgisinternal),
        (SELECT string_agg(md5(prosrc), ',' ORDER BY proname) FROM pg_proc WHERE pronamespace = 'public'::regnamespace),
        (SELECT count(*) FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase
         WHERE d.datname = current_database())))
"""
# By table, with its partitions: how many bytes it takes.
_USED = """
    SELECT parent.relname, sum(pg_relation_size(own.oid))
    FROM pg_class own LEFT JOIN pg_inherits i ON i.inhrelid = own.oid
    JOIN pg_class parent ON parent.oid = coalesce(i.inhparent, own.oid)
    WHERE own.relnamespace = 'public'::regnamespace AND own.relkind = 'r'
    GROUP BY 1 HAVING sum(pg_relation_size(own.oid)) > 0 ORDER BY 1
"""
_FROM_ONE = """
    SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
    FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL
"""
SMALL = 131_072  # bytes; to truncate makes new files, which takes longer than to delete what a small table holds
_OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


class Databases:
    """Those of one test process. url: the server's, of its superuser, with the database `postgres`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._spare: list[str] = []
        self._open: dict[str, psycopg.Connection] = {}
        with self.opened(TEMPLATE) as connection:
            self._schema = connection.execute(_SCHEMA).fetchone()
            self._rows = {}
            for table, _ in connection.execute(_USED).fetchall():
                told = connection.execute(sql.SQL("SELECT json_agg(t) FROM {} t").format(sql.Identifier(table)))
                if rows := told.fetchone()[0]:
                    self._rows[table] = json.dumps(rows)

    def close(self) -> None:
        """Let go of the server."""
        for connection in self._open.values():
            connection.close()

    def at(self, name: str) -> str:
        """The address of a database."""
        return self._url.replace("/postgres?", f"/{name}?")

    def opened(self, name: str) -> psycopg.Connection:
        """A connection of the superuser, each statement committed."""
        return psycopg.connect(self.at(name), autocommit=True)

    def name_of(self, url: str) -> str:
        """Of a database's address."""
        return url.partition("?")[0].rpartition("/")[2]

    def peek(self) -> str:
        """The name of the one that is taken next."""
        return self._spare[-1]

    def take(self) -> str:
        """The name of a database with all tables and what the migrations put into them."""
        if self._spare:
            return self._spare.pop()
        name = f"t{uuid.uuid4().hex}"
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy")
        return name

    def give_back(self, name: str) -> None:
        """Empty it for the next test, or drop it when it is not what it was."""
        connection = self._cleaner(name)
        connection.execute(_OTHERS)
        if connection.execute(_SCHEMA).fetchone() == self._schema:
            self._empty(connection)
            self._spare.append(name)
            return
        self._open.pop(name).close()
        with psycopg.connect(self._url, autocommit=True) as server:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _cleaner(self, name: str) -> psycopg.Connection:
        """A connection that is kept: a new one would read the whole catalog again each time."""
        known = self._open.get(name)
        if known is None or known.closed:
            known = self._open[name] = self.opened(name)
        return known

    def _empty(self, connection: psycopg.Connection) -> None:
        with connection.transaction():
            connection.execute("SET LOCAL session_replication_role = replica")  # what is append-only is emptied, too
            for table, size in connection.execute(_USED).fetchall():
                empty = "DELETE FROM {}" if size <= SMALL else "TRUNCATE {}"
                connection.execute(sql.SQL(empty).format(sql.Identifier(table)))
            connection.execute(_FROM_ONE)
            for table, rows in self._rows.items():
                put = "INSERT INTO {0} SELECT * FROM json_populate_recordset(NULL::{0}, %s::json)"
                connection.execute(sql.SQL(put).format(sql.Identifier(table)), [rows])
