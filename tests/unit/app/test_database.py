"""One thread holds one connection at a time; another thread has its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
import sqlalchemy as sa

ONE = sa.text("SELECT 1")


def test_a_second_connection_inside_a_transaction_is_refused_at_once(database):
    with database.begin() as cx:
        with pytest.raises(RuntimeError, match="second connection"), database.begin():
            pass
        assert cx.execute(ONE).scalar() == 1, "the first one goes on"


def test_it_is_free_again_after_a_fault(database):
    with pytest.raises(ZeroDivisionError), database.begin():
        raise ZeroDivisionError
    with database.begin() as cx:
        assert cx.execute(ONE).scalar() == 1


def test_other_threads_are_not_meant(database):
    def ask():
        with database.begin() as cx:
            return cx.execute(ONE).scalar()

    with ThreadPoolExecutor(1) as pool, database.begin():
        assert pool.submit(ask).result() == 1


def test_what_only_looks_has_no_transaction_and_is_still_the_threads_only_connection(database):
    with database.look() as cx:
        cx.execute(sa.text("CREATE TABLE told (id int)"))
        with pytest.raises(RuntimeError, match="second connection"), database.begin():
            pass
        cx.execute(sa.text("INSERT INTO told VALUES (1)"))
        with psycopg.connect(database.url) as other:  # committed already
            assert other.execute("SELECT count(*) FROM told").fetchone() == (1,)
    with database.begin() as cx:
        assert cx.connection.driver_connection.autocommit is False
        cx.execute(sa.text("DROP TABLE told"))
