"""Deliveries of Zendesk: verified, addressed, read. Two kinds: event-subscribed (fixed shape) and trigger-connected (the
admin's own template, of which only the ticket id is believed).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from integrations.kernel.errors import BadSignature, MalformedPayload
from integrations.kernel.events import Envelope, Event
from integrations.kernel.ids import VendorRef
from integrations.transport.signatures import base64_digest, check_age, header, matches
from integrations.zendesk import translate
from integrations.zendesk.settings import PUBLISHED_TEST_SECRET

SIGNATURE = "x-zendesk-webhook-signature"
TIMESTAMP = "x-zendesk-webhook-signature-timestamp"
TRIGGER = "trigger:"
VERSION = "zendesk_event_version"

# Joined to the body with nothing between: only the fixed form, or the border between the two could be moved.
_TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_EVENT_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_NUMBER = re.compile(r"[0-9]{1,20}")
_HINT = re.compile(r"[a-z0-9_.-]{1,64}")


def verify(
    headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime, *, test_secret: bool = False
) -> None:
    """Refuse a delivery that Zendesk did not sign, or signed too far from now.

    Args:
        headers: lower-cased names.
        body: the exact bytes received.
        secrets: all live ones; each is tried.
        now: aware UTC.
        test_secret: also take the secret that Zendesk publishes. Anybody can sign with it: for vectors only.

    Raises:
        BadSignature, StaleSignature.

    Source: Zendesk developer docs, "Verifying and authenticating webhooks", read 2026-11: base64 HMAC-SHA256 of
    timestamp + body; the key is the secret's text itself, not decoded.
    """
    digest, stamp = base64_digest(header(headers, SIGNATURE)), header(headers, TIMESTAMP)
    if not _TIMESTAMP.fullmatch(stamp):
        raise BadSignature("the timestamp is not in Zendesk's form")
    try:
        signed_at = datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise BadSignature("the timestamp is no moment") from error
    live = [secret for secret in secrets if test_secret or secret != PUBLISHED_TEST_SECRET]
    if not matches(live, stamp.encode() + body, [digest]):
        raise BadSignature
    check_age(signed_at, now)


def envelope(headers: Mapping[str, str], body: bytes, document: Mapping[str, Any]) -> Envelope:
    """The address of a verified delivery. Raises MalformedPayload when it is neither of the two kinds."""
    if _is_event(document):
        event_id, kind = document.get("id"), str(document["type"])
        if not isinstance(event_id, str) or not _EVENT_ID.fullmatch(event_id) or len(kind) > 128:
            raise MalformedPayload("an event needs an id and a type")
        subject = translate.SUBJECT.fullmatch(str(document.get("subject")))
        return Envelope(event_id, kind, f"{subject[1]}:{subject[2]}" if subject else "")
    ticket_id = _ticket_id(document)
    hint = document.get("event")
    name = hint if isinstance(hint, str) and _HINT.fullmatch(hint) else "ticket"
    content = header(headers, TIMESTAMP).encode() + body  # the invocation id is not signed, so it is no key
    return Envelope(hashlib.sha256(content).hexdigest(), f"{TRIGGER}{name}", f"ticket:{ticket_id}")


def parse(document: Mapping[str, Any], connection_id: str, event_key: str, received_at: datetime) -> Sequence[Event]:
    """Canonical events of a stored delivery; empty for a type we do not know."""
    if _is_event(document):
        return translate.event(document, connection_id, event_key)
    subject = VendorRef("zendesk", "ticket", _ticket_id(document))
    actor = document.get("actor_id")
    actor_id = str(actor) if isinstance(actor, str | int) and _NUMBER.fullmatch(str(actor)) else ""
    return (Event("ticket.hinted", "zendesk", connection_id, event_key, subject, received_at, actor=actor_id),)


def _is_event(document: Mapping[str, Any]) -> bool:
    """A template of an admin may hold a ticket's `type` and `subject` too: Zendesk's own have a prefix or a version."""
    kind = document.get("type")
    return isinstance(kind, str) and (kind.startswith(translate.PREFIX) or VERSION in document)


def _ticket_id(document: Mapping[str, Any]) -> str:
    value = document.get("ticket_id")
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not _NUMBER.fullmatch(text):
        raise MalformedPayload("the trigger's template has no ticket_id; use the one in the README")
    return text
