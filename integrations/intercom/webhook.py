"""Deliveries of Intercom: verified, addressed, read. They carry no signed time: a replay is known by its id alone."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from integrations.intercom import translate
from integrations.kernel.errors import BadSignature, MalformedPayload
from integrations.kernel.events import Envelope, Event
from integrations.transport.signatures import header, matches

SIGNATURE = "x-hub-signature"

_DIGEST = re.compile(r"sha1=([0-9a-f]{40})")
_EVENT_ID = re.compile(r"notif_[A-Za-z0-9._-]{1,120}")
_TOPIC = re.compile(r"[a-z0-9_.]{1,128}")
_OBJECT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime) -> None:
    """Refuse a delivery that Intercom did not sign.

    Args:
        headers: lower-cased names.
        body: the exact bytes received; never re-encoded JSON.
        secrets: client secrets of the app; each is tried.
        now: not used: nothing signed says when it was sent.

    Raises:
        BadSignature.

    Source: Intercom developer docs, "Signed notifications", read 2026-11: `sha1=` and the hex HMAC-SHA1 of the body.
    """
    found = _DIGEST.fullmatch(header(headers, SIGNATURE))
    if found is None:
        raise BadSignature("the signature is not sha1= and 40 hex digits")
    if not matches(secrets, body, [bytes.fromhex(found[1])], algorithm="sha1"):
        raise BadSignature


def envelope(headers: Mapping[str, str], body: bytes, document: Mapping[str, Any]) -> Envelope:
    """The address of a verified delivery. Raises MalformedPayload when it is no notification of Intercom's."""
    event_id, topic = document.get("id"), document.get("topic")
    if document.get("type") != "notification_event" or not isinstance(topic, str) or not _TOPIC.fullmatch(topic):
        raise MalformedPayload("a notification needs its type and a topic")
    if topic == translate.PING and event_id is None:  # pings are sent without an id
        event_id = f"notif_ping-{hashlib.sha256(body).hexdigest()[:32]}"
    if not isinstance(event_id, str) or not _EVENT_ID.fullmatch(event_id):
        raise MalformedPayload("a notification needs an id that begins with notif_")
    subject = translate.subject_of(document)
    known = subject is not None and _OBJECT_ID.fullmatch(subject.id)
    return Envelope(event_id, topic, translate.lane_of(subject) if subject and known else "")


def parse(document: Mapping[str, Any], connection_id: str, event_key: str, received_at: datetime) -> Sequence[Event]:
    """Canonical events of a stored delivery; empty for a ping and for a topic we do not know."""
    return translate.event(document, connection_id, event_key)
