"""Small strict things: JSON from outside, signatures, Retry-After, back-off."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from integrations.kernel.errors import BadSignature, MalformedPayload, StaleSignature
from integrations.transport import backoff, jsonscan, signatures
from integrations.transport.retry_after import DEFAULT_S, retry_after_s

SUITE = Path(__file__).resolve().parents[4] / "shared" / "data" / "hostile" / "json_test_suite" / "test_parsing"
DUPLICATES = {"y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json"}
NOW = datetime(2026, 11, 24, 10, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"1",
        b'"text"',
        b'{"a":1,"a":2}',
        b'{"a":{"b":1,"b":1}}',
        b'{"a":NaN}',
        b'{"a":-Infinity}',
        b'{"a":1e999}',
        b'{"a":' + b"1" * 41 + b"}",
        b'{"a":1.' + b"0" * 41 + b"}",
        b'{"a":"\\ud800"}',
        b'{"a":["\\uDEAD"]}',
        b'{"\\uD834x":1}',
        b'{"a":"\xff"}',
        b'{"a":"\xed\xa0\x80"}',
        b'\xef\xbb\xbf{"a":1}',
        '{"a":1}'.encode("utf-16"),
        b'{"a":"line\nbreak"}',
        b'{"a\x00":1}',
        b'{"a":1}{"b":2}',
        b'{"a":1,}',
        b"{'a':1}",
        b'{"a":' + b"[" * 64 + b"]" * 64 + b"}",
        b'{"a":[' + b"1," * 20_000 + b"1]}",
        b"[" * 1_000_000,
        b'{"a":' * 200_000,
        b'{"a":"' + b'\\"' * 500_000,
        b'"' * 1_000_000,
        b"1" * 1_000_000,
    ],
    ids=lambda body: f"{body[:16]!r}-{len(body)}",
)
def test_what_is_not_one_strict_bounded_object_is_refused_quickly(body):
    started = time.process_time()
    with pytest.raises(MalformedPayload):
        jsonscan.parse(body)
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a":' + b"[" * 63 + b"]" * 63 + b"}", None),
        (b'{"a":[' + b"1," * 19_990 + b"1]}", None),
        (b' {"a":"[[[{{{,,,\\"]"} ', {"a": '[[[{{{,,,"]'}),
        (b'{"a":' + b"1" * 40 + b"}", {"a": int("1" * 40)}),
        (b'{"a":"' + b"1" * 50 + b'"}', {"a": "1" * 50}),
        ('{"ä":"\\ud83d\\ude00 \\u00e9"}'.encode(), {"ä": "😀 é"}),
        (b'{"a":1.5e3,"b":-0.0,"c":true,"d":null}', {"a": 1500.0, "b": -0.0, "c": True, "d": None}),
    ],
    ids=range(7),
)
def test_what_is_within_the_bounds_is_read_as_it_stands(body, value):
    found = jsonscan.parse(body)
    assert value is None or found == value


def test_the_public_suite_of_hostile_json():
    if not SUITE.is_dir():
        pytest.skip(
            f"THE JSON TEST SUITE IS NOT THERE: {SUITE.parent.name}; hostile JSON is tested by hand-made bodies only"
        )
    wrong = []
    for path in sorted(SUITE.iterdir()):
        body = path.read_bytes()
        try:
            jsonscan.parse(body)
            accepted = True
        except MalformedPayload:
            accepted = False
        must_accept = path.name.startswith("y_") and body.lstrip()[:1] == b"{" and path.name not in DUPLICATES
        if (must_accept and not accepted) or (accepted and (path.name.startswith("n_") or path.name in DUPLICATES)):
            wrong.append(path.name)
    assert wrong == []


def test_being_strict_costs_a_few_times_what_the_standard_parser_does():
    detail = ",".join(f'"field_{number}":"a few ordinary words, {number}"' for number in range(70))
    body = f'{{"type":"zen:event-type:ticket.created","detail":{{{detail}}},"tags":["a","b"]}}'.encode()
    assert 2_500 < len(body) < 4_000
    ratios = [_cost_ns(jsonscan.parse, body) / _cost_ns(json.loads, body) for _ in range(20)]
    assert min(ratios) < 10, "of turns in one run, so a slow machine is slow for both"


def _cost_ns(parse, body):
    started = time.process_time_ns()
    for _ in range(50):
        parse(body)
    return time.process_time_ns() - started


def digest(secret, message):
    import hashlib
    import hmac

    return hmac.new(secret.encode(), message, hashlib.sha256).digest()


def test_any_live_secret_and_any_candidate_matches():
    right, wrong = digest("old", b"m"), digest("other", b"m")
    assert signatures.matches(["new", "old"], b"m", [wrong, right])
    assert not signatures.matches(["new", "old"], b"n", [wrong, right])
    assert not signatures.matches([], b"m", [right])


def test_an_empty_secret_signs_nothing():
    assert not signatures.matches([""], b"m", [digest("", b"m")])


@pytest.mark.parametrize("text", ["", "####", "QUJD", "A" * 44, "A" * 42 + "B=", "A" * 43 + "=\n", "A" * 43, "é" * 44])
def test_a_digest_must_be_thirty_two_bytes_in_their_one_spelling(text):
    with pytest.raises(BadSignature):
        signatures.base64_digest(text)


def test_the_age_is_bounded_in_both_directions():
    for seconds in (-300, 0, 300):
        signatures.check_age(NOW + timedelta(seconds=seconds), NOW)
    for seconds in (-301, 301):
        with pytest.raises(StaleSignature):
            signatures.check_age(NOW + timedelta(seconds=seconds), NOW)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("37", 37),
        ("0", 0),
        (" 5 ", 5),
        ("99999", 3600),
        ("Tue, 24 Nov 2026 10:00:41 GMT", 41),
        ("Tue, 24 Nov 2026 09:59:00 GMT", 0),
        ("Tue, 24 Nov 2026 10:00:41 -0000", 41),
        ("soon", DEFAULT_S),
        ("-3", DEFAULT_S),
        ("1.5", DEFAULT_S),
        ("٣", DEFAULT_S),
        ("", DEFAULT_S),
    ],
)
def test_retry_after_is_read_to_the_second(text, seconds):
    assert retry_after_s({"Retry-After": text}, NOW) == seconds


def test_back_off_is_anywhere_up_to_a_ceiling_that_doubles_to_a_quarter_hour():
    for tries, ceiling in ((1, 2), (2, 4), (5, 32), (10, 900), (10_000, 900)):
        waits = [backoff.delay_s(tries) for _ in range(400)]
        assert min(waits) >= 0.1
        assert ceiling * 0.9 < max(waits) <= ceiling
        assert min(waits) < ceiling * 0.2
