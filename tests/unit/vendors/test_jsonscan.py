"""Strict JSON: what is ambiguous or exhausting is refused, ordinary bodies pass unchanged."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.kernel.errors import MalformedPayload
from integrations.transport.jsonscan import parse

SUITE = Path(__file__).resolve().parents[4] / "shared" / "data" / "hostile" / "json_test_suite" / "test_parsing"
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), VALUES))
def test_what_json_writes_is_read_back(value):
    assert parse(json.dumps(value).encode()) == value
    assert parse(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")) == value


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"null", b"1", b'"x"', b'{"a":NaN}', b'{"a":Infinity}', b'{"a":1,"a":2}', b"\xef\xbb\xbf{}",
        b'{"a":"\xff"}', b'{"a":"\\ud800"}', b'{"\\udc00":1}', b'{"a":' + b"9" * 41 + b"}", b"{" * 100,
        b'{"a":' + b"[" * 65 + b"]" * 65 + b"}", b'{"a":[' + b"1," * 20_001 + b"1]}", b'{"a":1} {}', b"{'a':1}",
        b'{"a":' * 100_000,
    ],
)  # fmt: skip
def test_hostile_bodies_are_refused(body):
    with pytest.raises(MalformedPayload):
        parse(body)


def test_brackets_and_digits_inside_of_texts_do_not_count():
    body = json.dumps({"a": "[" * 500 + "9" * 500 + '\\"{'}).encode()
    assert len(parse(body)["a"]) == 1003


@pytest.mark.parametrize("path", sorted(SUITE.glob("*.json")) or [None], ids=lambda p: p.name if p else "absent")
def test_the_public_suite_of_json_documents(path):
    if path is None:
        pytest.skip("LOUD: ../shared is absent, the public JSON suite was NOT run")
    body = path.read_bytes()
    try:
        value = parse(body)
    except MalformedPayload:
        plain = path.name.startswith("y_") and body.strip()[:1] == b"{" and "duplicated" not in path.name
        assert not plain, "a valid object was refused"
    else:
        assert not path.name.startswith("n_")
        assert isinstance(value, dict)
