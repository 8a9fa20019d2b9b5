"""Deliveries that come together are stored together: each once, each with its own answer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
import sqlalchemy as sa

from app.inbox.receive import Receiver
from integrations.kernel.errors import Overloaded
from integrations.kernel.events import Envelope

HEADERS = {"content-type": "application/json", "stripe-signature": "t=1,v1=secret"}


@pytest.fixture
def receiver(database):
    return Receiver(database.door_pool)


def send(receiver, key, kind="charge.updated", body=b"{}"):
    return receiver.store("bank", Envelope(key, kind, "payer:cus_1", money=False), HEADERS, body)


def test_many_at_once_are_stored_once_each_and_every_sender_learns_its_own_id(receiver, database):
    keys = [f"evt_{n % 100}" for n in range(400)]  # each four times
    with ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(lambda key: (key, *send(receiver, key, body=key.encode())), keys))
    with database.begin() as cx:
        rows = cx.execute(sa.text(
            "SELECT k.event_key, k.id, k.copies, convert_from(b.body, 'UTF8') AS body, b.headers FROM delivery_key k"
            " JOIN delivery_body b ON b.delivery_id = k.id"
        )).all()  # fmt: skip
    assert len(rows) == 100
    assert {row.copies for row in rows} == {4}
    assert all(row.body == row.event_key for row in rows)
    assert all(row.headers == {"content-type": "application/json"} for row in rows)
    assert {(key, found) for key, found, _ in answers} == {(row.event_key, row.id) for row in rows}
    assert sum(new for _, _, new in answers) == 100


def test_what_the_database_refuses_does_not_take_its_neighbours_along(receiver, database):
    def one(number):
        kind = "nul \0 in it" if number == 20 else "charge.updated"
        try:
            return send(receiver, f"evt_{number}", kind)[1]
        except Overloaded:
            return "refused"

    with psycopg.connect(database.url) as cx:  # all wait behind the first, so that they go together
        cx.execute("LOCK TABLE delivery_key IN EXCLUSIVE MODE")
        with ThreadPoolExecutor(40) as pool:
            calls = [pool.submit(one, number) for number in range(40)]
            cx.commit()
            answers = [call.result() for call in calls]
    assert answers == ["refused" if number == 20 else True for number in range(40)]


def test_a_failure_is_told_to_all_and_the_next_delivery_is_stored(receiver, database):
    with database.begin() as cx:
        cx.execute(sa.text("ALTER TABLE delivery_key RENAME TO hidden"))
    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(send, receiver, f"evt_{n}") for n in range(8)]
        assert all(isinstance(call.exception(), Overloaded) for call in calls)
    with database.begin() as cx:
        cx.execute(sa.text("ALTER TABLE hidden RENAME TO delivery_key"))
    assert send(receiver, "evt_0")[1] is True
