"""A log line is one JSON object with ids, and never what somebody wrote."""

from __future__ import annotations

import io
import json
import logging
import sys

import pytest
import sqlalchemy as sa

from app.telemetry.logs import bind, configure, get_logger
from integrations.kernel.errors import VendorUnavailable


@pytest.fixture
def lines(monkeypatch):
    """What was logged since, parsed."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    handlers = logging.getLogger().handlers[:]
    configure("debug")
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.getLogger().handlers[:] = handlers


def test_a_line_carries_what_its_context_is_about(lines):
    with bind(request_id="req_1", connection_id="desk"), bind(delivery_id=7):
        get_logger("here").info("event_failed", tries=2)
    get_logger("here").info("later")
    first, later = lines()
    assert first.items() >= {
        "event": "event_failed", "level": "info", "source": "here", "request_id": "req_1", "connection_id": "desk",
        "delivery_id": 7, "tries": 2,
    }.items()  # fmt: skip
    assert not {"request_id", "delivery_id"} & later.keys()


def test_control_characters_and_line_ends_do_not_make_a_second_line(lines):
    get_logger("here").info("seen", path='a\n{"event": "forged"}\x1b[31m')
    (line,) = lines()
    assert line["path"].startswith("a\n")


@pytest.mark.parametrize(
    "name", ["authorization", "body", "email", "headers", "password", "secret", "signature", "token"]
)
def test_a_name_that_must_not_be_logged_is_not(lines, name):
    get_logger("here").info("seen", **{name: "canary"})
    assert "canary" not in json.dumps(lines())


def fail(error):
    try:
        raise error
    except type(error):
        get_logger("here").exception("broken")


def test_an_exceptions_own_words_are_left_out_and_its_place_is_not(lines):
    fail(ValueError("canary@example.com is no number"))
    (line,) = lines()
    assert "canary" not in json.dumps(line)
    assert "ValueError at " in line["exception"][0]
    assert "test_logs.py" in line["exception"][0]


def test_the_words_of_our_own_errors_and_the_kind_of_their_cause_are_kept(lines):
    try:
        raise VendorUnavailable("tickets answered 503") from KeyError("canary")
    except VendorUnavailable:
        get_logger("here").exception("broken")
    (line,) = lines()
    assert line["exception"][0].startswith("VendorUnavailable: tickets answered 503 at ")
    assert line["exception"][1].startswith("KeyError at ")
    assert "canary" not in json.dumps(line)


def test_libraries_come_out_in_the_same_form(lines):
    try:
        raise OSError("canary")
    except OSError:
        logging.getLogger("some.library").exception("it broke")
    (line,) = lines()
    assert line["event"] == "it broke"
    assert line["exception"][0].startswith("OSError at ")
    assert "canary" not in json.dumps(line)


def test_a_databases_error_does_not_quote_what_was_to_be_stored(database):
    with pytest.raises(sa.exc.DataError) as caught, database.begin() as cx:
        cx.execute(
            sa.text("SELECT CAST(:value AS int) + length(:body)"), {"value": 2**40, "body": "canary@example.com"}
        )
    assert "canary" not in str(caught.value)


def test_what_is_kept_of_a_failure_quotes_no_row(database):
    from app.inbox.rest import reason

    with pytest.raises(sa.exc.IntegrityError) as caught, database.begin() as cx:
        cx.exec_driver_sql(
            "INSERT INTO connection (id, vendor, name, sealed) SELECT 'canary@example.com', 'v', 'n', 's' FROM (VALUES (1), (2))"
        )
    assert "canary" in str(caught.value)
    assert reason(caught.value) == "IntegrityError: UniqueViolation"
    assert reason(ValueError("of ours")) == "ValueError: of ours"
