"""Deliveries of Zendesk: the published vectors, and everything that must be refused."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.kernel.errors import BadSignature, MalformedPayload, StaleSignature
from integrations.zendesk import translate, webhook
from integrations.zendesk.settings import PUBLISHED_TEST_SECRET as S

NOW = datetime(2026, 1, 15, 10, 0, 3, tzinfo=UTC)
STAMP = "2026-01-15T10:00:00Z"
Z4 = (
    b'{"account_id":22129848,"detail":{"actor_id":"8447388090494","id":"35436","status":"OPEN","tags":["billing"],'
    b'"via":{"channel":"web_service"}},"event":{"current":"OPEN","previous":"NEW"},'
    b'"id":"5ca5b7b0-2e1b-4f4e-9f9d-3d2f6f9c7a11","subject":"zen:ticket:35436","time":"2026-01-15T10:00:00Z",'
    b'"type":"zen:event-type:ticket.status_changed","zendesk_event_version":"2022-11-06"}'
)
VECTORS = [
    (S, STAMP, b'{"ticket_id":"35436","status":"open"}', "fKzW38LSAiKZVzqTD1oUws7V2Dxu9XKrTrCXceWzm/s="),
    (S, STAMP, b"", "128w6sU3+MeLQwFecNmdVNEaV/KLU7lLfxX2YxmQ9Io="),
    ("abc123secret", STAMP, '{"id":"01HV","note":"café ✓"}'.encode(), "3INNvK6jjlXRYlZZU4BmEswiYmvr7T/qJyVNAPnKEWA="),
    (S, "2026-01-15T10:00:01Z", Z4, "HbFYhkaw6yO4EAgCRBpnwLbqgDqY/4wCuuUkF2g6dL0="),
]


def headers(signature, stamp=STAMP):
    return {webhook.SIGNATURE: signature, webhook.TIMESTAMP: stamp}


def sign(message, key=b"live"):
    key = key if isinstance(key, bytes) else key.encode()
    return base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode()


@pytest.mark.parametrize(("secret", "stamp", "body", "signature"), VECTORS, ids=["Z1", "Z2", "Z3", "Z4"])
def test_the_published_vectors_are_accepted(secret, stamp, body, signature):
    webhook.verify(headers(signature, stamp), body, [secret], NOW, test_secret=True)
    webhook.verify(headers(signature, stamp), body, ["new one", secret], NOW, test_secret=True)


@pytest.mark.parametrize(("secret", "stamp", "body", "signature"), VECTORS[:1] + VECTORS[3:], ids=["Z1", "Z4"])
def test_the_secret_zendesk_publishes_is_refused_unless_asked_for(secret, stamp, body, signature):
    with pytest.raises(BadSignature):
        webhook.verify(headers(signature, stamp), body, [secret, "live"], NOW)


@pytest.mark.parametrize(("secret", "stamp", "body", "signature"), VECTORS, ids=["Z1", "Z2", "Z3", "Z4"])
def test_one_changed_byte_is_refused(secret, stamp, body, signature):
    for other in ({"body": body + b" "}, {"stamp": "2026-01-15T10:00:02Z"}, {"signature": signature.swapcase()}):
        given = {"body": body, "stamp": stamp, "signature": signature, **other}
        with pytest.raises(BadSignature):
            webhook.verify(headers(given["signature"], given["stamp"]), given["body"], [secret], NOW, test_secret=True)


BODY = b'{"ticket_id":"1"}'
RIGHT = sign(STAMP.encode() + BODY)


@pytest.mark.parametrize(
    "signature",
    [
        sign(BODY + STAMP.encode()),
        sign(STAMP.encode() + BODY, base64.b64decode("bGl2ZXNlY3JldA==")),
        sign(STAMP.encode() + BODY, "another webhook's"),
        sign(STAMP.encode() + b"." + BODY),
        sign(BODY),
        hmac.new(b"live", STAMP.encode() + BODY, hashlib.sha256).hexdigest(),
        RIGHT.rstrip("="),
        RIGHT + "\n",
        f" {RIGHT}",
        RIGHT[:-2] + "!=",
        base64.b64encode(b"short").decode(),
        "",
        "é" * 44,
        "A" * 5000,
        f"{RIGHT},{RIGHT}",
    ],
)
def test_a_signature_that_is_not_exactly_right_is_refused(signature):
    with pytest.raises(BadSignature):
        webhook.verify(headers(signature), BODY, ["live", "bGl2ZXNlY3JldA=="], NOW)


@pytest.mark.parametrize("name", [webhook.SIGNATURE, webhook.TIMESTAMP])
def test_a_missing_header_is_refused(name):
    given = headers(RIGHT)
    del given[name]
    with pytest.raises(BadSignature):
        webhook.verify(given, BODY, ["live"], NOW)


@pytest.mark.parametrize(
    "stamp",
    [
        "2026-01-15T10:00:00+00:00", "2026-01-15T10:00:00.000Z", "2026-01-15 10:00:00Z", "2026-1-15T10:00:00Z",
        "2026-01-15T10:00:00z", "2026-01-15T10:00:00Z ", "1768471200", "2026-13-15T10:00:00Z", "2026-01-15T10:00:60Z",
        "٢٠٢٦-01-15T10:00:00Z", "2026-01-15T10:00:00Z{",
    ],
)  # fmt: skip
def test_a_time_in_another_form_is_refused_even_when_signed(stamp):
    with pytest.raises(BadSignature):
        webhook.verify(headers(sign(stamp.encode() + BODY), stamp), BODY, ["live"], NOW)


def test_the_border_between_time_and_body_cannot_be_moved():
    moved = headers(sign(STAMP.encode() + BODY), STAMP[:-1])
    with pytest.raises(BadSignature):
        webhook.verify(moved, b"Z" + BODY, ["live"], NOW)


@given(st.binary(min_size=1, max_size=80), st.integers(0, 639))
def test_any_flipped_bit_of_a_signed_body_is_noticed(body, bit):
    flipped = bytearray(body)
    flipped[bit // 8 % len(body)] ^= 1 << bit % 8
    webhook.verify(headers(sign(STAMP.encode() + body)), body, ["live"], NOW)
    with pytest.raises(BadSignature):
        webhook.verify(headers(sign(STAMP.encode() + body)), bytes(flipped), ["live"], NOW)


@given(st.binary(max_size=200), st.text(max_size=60), st.text(max_size=60))
def test_no_header_whatever_raises_anything_else(body, one, two):
    with pytest.raises(BadSignature):
        webhook.verify(headers(one, two), body, ["live"], NOW)


@pytest.mark.parametrize(("seconds", "fine"), [(-301, False), (-300, True), (300, True), (301, False)])
def test_five_minutes_either_way_are_accepted(seconds, fine):
    now = datetime(2026, 1, 15, 10, 0, 0, tzinfo=UTC) + timedelta(seconds=seconds)
    if fine:
        webhook.verify(headers(RIGHT), BODY, ["live"], now)
    else:
        with pytest.raises(StaleSignature):
            webhook.verify(headers(RIGHT), BODY, ["live"], now)


@pytest.mark.parametrize("secrets", [[], [""], ["", "other"]])
def test_no_secret_accepts_nothing(secrets):
    for secret in ("live", ""):
        with pytest.raises(BadSignature):
            webhook.verify(headers(sign(STAMP.encode() + BODY, secret)), BODY, secrets, NOW)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"ticket_id": ""},
        {"ticket_id": "{{ticket.id}}"},
        {"ticket_id": True},
        {"ticket_id": ["1"]},
        {"ticket_id": "1; DROP"},
        {"ticket_id": "9" * 21},
        {"ticket_id": -1},
        {"type": "zen:event-type:ticket.created", "subject": "zen:ticket:1"},
        {"type": "zen:event-type:ticket.created", "subject": "zen:ticket:1", "id": 7},
        {"type": "zen:event-type:ticket.created", "subject": "zen:ticket:1", "id": "a b"},
        {"type": "zen:event-type:" + "x" * 200, "subject": "zen:ticket:1", "id": "1"},
        {"type": ["zen:event-type:ticket.created"], "subject": {}, "id": "1"},
    ],
)
def test_what_is_neither_kind_of_webhook_is_malformed(document):
    with pytest.raises(MalformedPayload):
        webhook.envelope(headers(RIGHT), json.dumps(document).encode(), document)


def test_the_same_template_twice_is_two_deliveries_and_a_repeat_is_one():
    document = {"ticket_id": "1"}
    first, repeat = (webhook.envelope(headers("x"), BODY, document) for _ in range(2))
    later = webhook.envelope(headers("x", "2026-01-15T10:00:09Z"), BODY, document)
    assert first == repeat
    assert first.event_key != later.event_key
    assert first.event_key == hashlib.sha256(STAMP.encode() + BODY).hexdigest()


def event(name="ticket.created", **other):
    told = {"type": f"zen:event-type:{name}", "subject": "zen:ticket:1", "id": "1", "time": STAMP, "detail": {}}
    return {**told, "event": {}, **other}


@pytest.mark.parametrize(
    "document",
    [
        event(subject="zen:user:1"),
        event(subject="ticket:1"),
        event(subject=None),
        event(detail=None),
        event(detail=[]),
        event(time="yesterday"),
        event(time=None),
        event(time="2026-01-15T10:00:00"),
        event(detail={"updated_at": "never"}),
        event(detail={"updated_at": STAMP, "custom_fields": [{"value": 1}]}),
        event("ticket.comment_added"),
        event("ticket.comment_added", event={"comment": "text"}),
    ],
)
def test_a_known_event_in_a_shape_of_its_own_is_malformed(document):
    with pytest.raises(MalformedPayload):
        webhook.parse(document, "con_1", "1", NOW)


@pytest.mark.parametrize("name", sorted(translate.TRANSLATE))
def test_every_type_of_the_table_is_read_without_its_details(name):
    family = name.partition(".")[0]
    told = {"comment": {}} if name == "ticket.comment_added" else {}
    document = event(name, subject=f"zen:{family}:5", event=told, detail={"updated_at": STAMP})
    (found,) = webhook.parse(document, "con_1", "1", NOW)
    assert found.kind == translate.TRANSLATE[name][0]
    assert (found.record is None) == (family != "ticket" or found.kind in translate.READ_AFTER)


def test_a_character_no_database_can_hold_is_left_out():
    told = {"comment": {"body": "a\x00b", "is_public": True}}
    detail = {"updated_at": STAMP, "subject": "x\x00", "tags": ["t\x00"]}
    (found,) = webhook.parse(event("ticket.comment_added", event=told, detail=detail), "con_1", "1", NOW)
    assert found.note["comment"] == "ab"
    assert (found.record.values["subject"], found.record.values["tags"]) == ("x", ["t"])
