"""Deliveries of Intercom: the vector, and everything that must be refused."""

import hmac
import json
from datetime import UTC, datetime

import pytest

from integrations.intercom import translate, webhook
from integrations.kernel.errors import BadSignature, MalformedPayload

NOW = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
SECRET = "intercom_client_secret"
I1 = (
    b'{"type":"notification_event","id":"notif_0001","topic":"conversation.user.created","app_id":"abc12345","data":'
    b'{"type":"notification_event_data","item":{"type":"conversation","id":"1122334455"}}}'
)
SIGNED = "cfcc76b1e0568e22ae855b96d1b4b1b005ca0fdf"


def sign(body, secret=SECRET, algorithm="sha1"):
    return hmac.new(secret.encode(), body, algorithm).hexdigest()


def verify(signature, body=I1, secrets=(SECRET,)):
    webhook.verify({webhook.SIGNATURE: signature}, body, list(secrets), NOW)


def test_the_vector_is_accepted_with_every_live_secret():
    assert sign(I1) == SIGNED
    verify(f"sha1={SIGNED}")
    verify(f"sha1={SIGNED}", secrets=["the new one", SECRET])


@pytest.mark.parametrize(
    "signature",
    [
        SIGNED, f"sha1={SIGNED.upper()}", f"SHA1={SIGNED}", f"sha1={SIGNED} ", f" sha1={SIGNED}", f"sha1={SIGNED}\n",
        f"sha1={SIGNED[:-1]}", f"sha1={SIGNED}0", f"sha1={SIGNED},sha1={SIGNED}", f"sha256={sign(I1, algorithm='sha256')}",
        f"sha1={sign(I1, algorithm='sha256')[:40]}", f"sha1={sign(b'')}", "sha1=", "", "sha1=é" + SIGNED[1:],
        "A" * 5000, f"sha1={sign(I1, 'another')}",
    ],
)  # fmt: skip
def test_a_signature_that_is_not_exactly_right_is_refused(signature):
    with pytest.raises(BadSignature):
        verify(signature)


@pytest.mark.parametrize("body", [I1 + b" ", I1[:-1], json.dumps(json.loads(I1)).encode(), b""])
def test_other_bytes_are_refused_even_when_they_mean_the_same(body):
    with pytest.raises(BadSignature):
        verify(f"sha1={SIGNED}", body)


def test_no_secret_and_an_empty_secret_sign_nothing():
    for secrets in ([], [""]):
        with pytest.raises(BadSignature):
            verify(f"sha1={sign(I1, '')}", secrets=secrets)
    with pytest.raises(BadSignature):
        webhook.verify({}, I1, [SECRET], NOW)


def notification(topic="conversation.user.created", **more):
    return {"type": "notification_event", "id": "notif_1", "topic": topic, "created_at": 1795600000, **more}


def item(kind, **values):
    return {"data": {"type": "notification_event_data", "item": {"type": kind, **values}}}


def envelope(document):
    return webhook.envelope({}, json.dumps(document).encode(), document)


def test_everything_of_one_conversation_stays_in_its_lane():
    topics = [t for t, (kind, _) in translate.TRANSLATE.items() if kind.startswith("ticket.")]
    assert len(topics) > 10
    for topic in topics:
        assert envelope(notification(topic, **item("conversation", id="7"))).lane == "ticket:7"
    assert envelope(notification("contact.deleted", **item("contact", id="6a"))).lane == "contact:6a"
    assert envelope(notification("company.created", **item("company", id="6c"))).lane == "company:6c"
    assert envelope(notification("conversation.deleted", **item("conversation", conversation_id=7))).lane == "ticket:7"


def test_a_ping_is_stored_under_a_key_of_its_own_and_means_nothing():
    ping = notification("ping", **item("ping", message="hello")) | {"id": None}
    first, second = envelope(ping), envelope(ping | {"created_at": 1795600001})
    assert first.event_key != second.event_key
    assert envelope(ping) == first
    assert webhook.parse(ping, "con_1", first.event_key, NOW) == ()


@pytest.mark.parametrize(
    "document",
    [
        {}, {"type": "notification_event"}, notification(id=None), notification(id="evt_1"), notification(id="notif_"),
        notification(id="notif_a b"), notification(id=7), notification(topic="a b"), notification(topic=""),
        notification(topic="x" * 129), notification(topic=None), notification(type="event"), notification(id="notif_" + "a" * 121),
    ],
)  # fmt: skip
def test_what_is_no_notification_is_malformed(document):
    with pytest.raises(MalformedPayload):
        envelope(document)


@pytest.mark.parametrize(
    "document",
    [
        notification(), notification(**item("conversation")), notification(data=[]), notification(data={"item": "x"}),
        notification(**item("conversation", id="7", updated_at="soon")),
        notification(created_at=None, **item("conversation", id="7")),
        notification(created_at=10**30, **item("conversation", id="7")),
        notification("contact.user.created", **item("contact", id="6a", updated_at=True)),
    ],
)  # fmt: skip
def test_a_known_topic_that_cannot_be_read_is_malformed_not_a_crash(document):
    with pytest.raises(MalformedPayload):
        webhook.parse(document, "con_1", "notif_1", NOW)


def test_an_id_that_could_not_be_one_gets_no_lane():
    assert envelope(notification(**item("conversation", id="7:x y"))).lane == ""
