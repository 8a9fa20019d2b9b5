"""One thread holds one connection at a time; another thread has its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

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
