"""Both verifiers against the published vectors, and everything around them that must be refused."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.kernel.errors import BadSignature, MalformedPayload, StaleSignature
from integrations.stripe import webhook as stripe
from integrations.transport import jsonscan
from integrations.zendesk import webhook as zendesk
from integrations.zendesk.settings import PUBLISHED_TEST_SECRET as S

Z4_BODY = (
    b'{"account_id":22129848,"detail":{"actor_id":"8447388090494","id":"35436","status":"OPEN","tags":["billing"],"via":'
    b'{"channel":"web_service"}},"event":{"current":"OPEN","previous":"NEW"},"id":"5ca5b7b0-2e1b-4f4e-9f9d-3d2f6f9c7a11",'
    b'"subject":"zen:ticket:35436","time":"2026-01-15T10:00:00Z","type":"zen:event-type:ticket.status_changed",'
    b'"zendesk_event_version":"2022-11-06"}'
)
NOW = datetime(2026, 1, 15, 10, 0, 0, tzinfo=UTC)
VECTORS = [
    (S, "2026-01-15T10:00:00Z", b'{"ticket_id":"35436","status":"open"}', "fKzW38LSAiKZVzqTD1oUws7V2Dxu9XKrTrCXceWzm/s="),
    (S, "2026-01-15T10:00:00Z", b"", "128w6sU3+MeLQwFecNmdVNEaV/KLU7lLfxX2YxmQ9Io="),
    ("abc123secret", "2026-01-15T10:00:00Z", '{"id":"01HV","note":"café ✓"}'.encode(),
     "3INNvK6jjlXRYlZZU4BmEswiYmvr7T/qJyVNAPnKEWA="),
    (S, "2026-01-15T10:00:01Z", Z4_BODY, "HbFYhkaw6yO4EAgCRBpnwLbqgDqY/4wCuuUkF2g6dL0="),
]  # fmt: skip
Z1 = VECTORS[0]
S1 = ("whsec_test_secret", 1767225600, b'{"id":"evt_test_1","object":"event","type":"charge.refunded"}',
      "592508e07e89a211733ea5cfff3bca9d8df5ae0b173d3878d92aba53a68a773f")  # fmt: skip
S1_NOW = datetime.fromtimestamp(S1[1], UTC)


def zd(stamp, signature):
    return {zendesk.SIGNATURE: signature, zendesk.TIMESTAMP: stamp}


@pytest.mark.parametrize(("secret", "stamp", "body", "signature"), VECTORS)
def test_zendesk_vectors_are_genuine(secret, stamp, body, signature):
    zendesk.verify(zd(stamp, signature), body, ["another", secret], NOW)


def refused(headers, body, secrets=(S,), now=NOW):
    with pytest.raises(BadSignature):
        zendesk.verify(headers, body, secrets, now)


def test_zendesk_refuses_what_is_nearly_right():
    secret, stamp, body, signature = Z1
    key = secret.encode()

    def signed(message, with_key=key):
        return base64.b64encode(hmac.new(with_key, message, hashlib.sha256).digest()).decode()

    refused(zd(stamp, signature), body[:-1] + b"]")  # one byte flipped
    refused(zd(stamp, signed(body + stamp.encode())), body)  # body before the time
    refused(zd(stamp, signed(stamp.encode() + body, base64.b64decode(secret))), body)  # the key decoded
    refused(zd(stamp, signature), body, ["another webhook's secret"])
    refused(zd(stamp, signature), body, [])
    refused({zendesk.SIGNATURE: signature}, body)
    refused({zendesk.TIMESTAMP: stamp}, body)
    refused(zd(stamp + "{", signed((stamp + "{").encode() + body[1:])), body[1:])  # the boundary moved
    for odd in ("", "not base64!", "AAAA", signature[:-4], signature + "=", "é" * 44, "x" * 5000):
        refused(zd(stamp, odd), body)


@pytest.mark.parametrize("seconds", [-301, 301, 86_400])
def test_a_time_far_from_now_is_stale_in_both_directions(seconds):
    with pytest.raises(StaleSignature):
        zendesk.verify(zd(Z1[1], Z1[3]), Z1[2], [S], NOW + timedelta(seconds=seconds))
    with pytest.raises(StaleSignature):
        stripe.verify({stripe.SIGNATURE: f"t={S1[1]},v1={S1[3]}"}, S1[2], [S1[0]], S1_NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    "stamp",
    ["2026-01-15 10:00:00", "2026-01-15T10:00:00", "1768471200", "2026-13-45T99:00:00Z", "٢026-01-15T10:00:00Z"],
)
def test_only_zendesks_own_form_of_time_is_read(stamp):
    digest = base64.b64encode(hmac.new(S.encode(), stamp.encode() + b"x", hashlib.sha256).digest()).decode()
    refused(zd(stamp, digest), b"x")


def test_stripe_vector_is_genuine_with_any_of_several_signatures_and_secrets():
    header = f"t={S1[1]},v1={'0' * 64},v1={S1[3]},v0=abc"
    stripe.verify({stripe.SIGNATURE: header}, S1[2], ["whsec_new", S1[0]], S1_NOW)


@pytest.mark.parametrize(
    "header",
    [
        "", "v1=" + S1[3], f"t={S1[1]}", f"t={S1[1]},t={S1[1]},v1={S1[3]}", f"t=x,v1={S1[3]}", f"t={S1[1]},v1=é",
        f"t={S1[1]},v1={S1[3].upper()}", f"t=-{S1[1]},v1={S1[3]}", f"t={S1[1]}.0,v1={S1[3]}", ",".join(["v1=a"] * 50),
        f"t={S1[1]}," + ",".join([f"v1={S1[3]}"] * 11),
    ],
)  # fmt: skip
def test_stripe_refuses_odd_headers_without_a_crash(header):
    with pytest.raises(BadSignature):
        stripe.verify({stripe.SIGNATURE: header}, S1[2], [S1[0]], S1_NOW)


@given(st.binary(max_size=200), st.text(max_size=60), st.text(max_size=60))
def test_no_header_and_no_body_makes_a_verifier_raise_anything_else(body, one, two):
    for verify, headers in ((zendesk.verify, zd(one, two)), (stripe.verify, {stripe.SIGNATURE: one})):
        with pytest.raises(BadSignature):
            verify(headers, body, ["secret"], NOW)


@given(st.binary(min_size=1, max_size=80), st.integers(0, 639))
def test_any_flipped_bit_of_a_signed_body_is_noticed(body, bit):
    stamp = "2026-01-15T10:00:00Z"
    digest = base64.b64encode(hmac.new(b"k", stamp.encode() + body, hashlib.sha256).digest()).decode()
    zendesk.verify(zd(stamp, digest), body, ["k"], NOW)
    flipped = bytearray(body)
    flipped[bit // 8 % len(body)] ^= 1 << bit % 8
    refused(zd(stamp, digest), bytes(flipped), ["k"])


def test_a_trigger_delivery_is_known_by_its_signed_content_and_needs_a_ticket():
    headers = zd("2026-01-15T10:00:00Z", "x")
    body = b'{"schema":1,"event":"ticket.billing_hint","ticket_id":"35436"}'
    found = zendesk.envelope(headers, body, jsonscan.parse(body))
    assert (found.kind, found.lane) == ("trigger:ticket.billing_hint", "ticket:35436")
    later = zendesk.envelope(zd("2026-01-15T10:00:01Z", "x"), body, jsonscan.parse(body))
    assert found.event_key != later.event_key
    for bad in (b'{"ticket_id":"x"}', b'{"ticket_id":true}', b'{"status":"open"}', b'{"ticket_id":"1; DROP"}'):
        with pytest.raises(MalformedPayload):
            zendesk.envelope(headers, bad, jsonscan.parse(bad))


def test_events_are_addressed_to_the_lane_of_their_ticket_or_payer():
    document = jsonscan.parse(Z4_BODY)
    assert zendesk.envelope({}, Z4_BODY, document).lane == "ticket:35436"
    event = {"id": "evt_1", "type": "charge.refunded", "data": {"object": {"id": "ch_1", "customer": "cus_9"}}}
    found = stripe.envelope({}, b"", event)
    assert (found.lane, found.money) == ("payer:cus_9", True)
    with pytest.raises(MalformedPayload):
        stripe.envelope({}, b"", {"id": "1 OR 1", "type": "charge.refunded"})
