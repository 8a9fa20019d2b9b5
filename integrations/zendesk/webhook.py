"""Deliveries of Zendesk: verified, addressed, read. Two kinds: event-subscribed (fixed shape) and trigger-connected (the
admin's own template, of which only the ticket id is believed).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from integrations.kernel.errors import BadSignature, MalformedPayload
from integrations.kernel.events import Envelope, Event
from integrations.kernel.ids import VendorRef
from integrations.transport.signatures import check_age, header, matches
from integrations.zendesk import translate

SIGNATURE = "x-zendesk-webhook-signature"
TIMESTAMP = "x-zendesk-webhook-signature-timestamp"

_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")  # joined to the body with nothing between: fixed form only
_EVENT_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_NUMBER = re.compile(r"[0-9]{1,20}")
_SUBJECT = re.compile(r"zen:([a-z_]{1,40}):([0-9]{1,20})")
_HINT = re.compile(r"[a-z0-9_.-]{1,64}")
TRIGGER = "trigger:"


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime) -> None:
    """Refuse a delivery that Zendesk did not sign, or signed too far from now.

    Raises:
        BadSignature, StaleSignature.

    Source: Zendesk developer docs, "Verifying and authenticating webhooks", read 2026-11: base64 HMAC-SHA256 of
    timestamp + body; the key is the secret's text itself, not decoded.
    """
    given, stamp = header(headers, SIGNATURE), header(headers, TIMESTAMP)
    if not _TIMESTAMP.fullmatch(stamp):
        raise BadSignature("the timestamp is not in Zendesk's form")
    try:
        signed_at = datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        digest = base64.b64decode(given, validate=True)
    except (ValueError, binascii.Error) as error:
        raise BadSignature("the signature or its time cannot be read") from error
    if len(digest) != hashlib.sha256().digest_size or not matches(secrets, stamp.encode() + body, [digest]):
        raise BadSignature
    check_age(signed_at, now)


def envelope(headers: Mapping[str, str], body: bytes, document: Mapping[str, Any]) -> Envelope:
    """The address of a verified delivery. Raises MalformedPayload when it is neither of the two kinds."""
    kind = document.get("type")
    if isinstance(kind, str) and "subject" in document:
        event_id = document.get("id")
        if not isinstance(event_id, str) or not _EVENT_ID.fullmatch(event_id) or len(kind) > 128:
            raise MalformedPayload("an event needs an id and a type")
        subject = _SUBJECT.fullmatch(str(document["subject"]))
        lane = f"{subject[1]}:{subject[2]}" if subject else ""
        return Envelope(event_id, kind, lane)
    ticket_id = _ticket_id(document)
    hint = document.get("event")
    name = hint if isinstance(hint, str) and _HINT.fullmatch(hint) else "ticket"
    content = header(headers, TIMESTAMP).encode() + body  # the invocation id is not signed, so it is no key
    return Envelope(hashlib.sha256(content).hexdigest(), f"{TRIGGER}{name}", f"ticket:{ticket_id}")


def parse(document: Mapping[str, Any], connection_id: str, event_key: str, received_at: datetime) -> Sequence[Event]:
    """Canonical events of a stored delivery; empty for a type we do not know."""
    if "type" in document and "subject" in document:
        return translate.event(document, connection_id, event_key)
    subject = VendorRef("zendesk", "ticket", _ticket_id(document))
    actor = str(document.get("actor_id", "") or "")
    return (Event("ticket.hinted", "zendesk", connection_id, event_key, subject, received_at, actor=actor),)


def _ticket_id(document: Mapping[str, Any]) -> str:
    value = document.get("ticket_id")
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not _NUMBER.fullmatch(text.strip()):
        raise MalformedPayload("the trigger's template has no ticket_id; use the one in the README")
    return text.strip()
