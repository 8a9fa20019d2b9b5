"""Deliveries of Stripe: verified by our own verifier, addressed, read.

stripe's own verifier raises on unsigned junk, takes future times and knows one secret only (trust.md 0.3).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from integrations.kernel.clock import from_unix
from integrations.kernel.errors import BadSignature, MalformedPayload
from integrations.kernel.events import Envelope, Event
from integrations.stripe import translate
from integrations.transport.signatures import check_age, header, matches

SIGNATURE = "stripe-signature"
MAX_SIGNATURES = 10

_TIME = re.compile(r"[0-9]{9,11}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_EVENT_ID = re.compile(r"evt_[A-Za-z0-9_]{1,120}")
_OBJECT_ID = re.compile(r"[A-Za-z0-9_]{1,128}")


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime) -> None:
    """Refuse a delivery that Stripe did not sign, or signed too far from now.

    Raises:
        BadSignature, StaleSignature.

    Source: Stripe docs, "Verify webhook signatures manually", read 2026-11: hex HMAC-SHA256 of "{t}." + body under the
    whole `whsec_` text; any of several v1 may match.
    """
    pairs = [part.strip().partition("=") for part in header(headers, SIGNATURE).split(",")]
    times = [value for name, _, value in pairs if name == "t"]
    digests = [value for name, _, value in pairs if name == "v1"]
    if len(times) != 1 or not _TIME.fullmatch(times[0]) or not 0 < len(digests) <= MAX_SIGNATURES:
        raise BadSignature("the header has no single time, or no signature")
    candidates = [bytes.fromhex(d) for d in digests if _DIGEST.fullmatch(d)]
    if not matches(secrets, f"{times[0]}.".encode() + body, candidates):
        raise BadSignature
    check_age(from_unix(int(times[0])), now)


def envelope(headers: Mapping[str, str], body: bytes, document: Mapping[str, Any]) -> Envelope:
    """The address of a verified delivery. Raises MalformedPayload when it is no Stripe event."""
    event_id, kind = document.get("id"), document.get("type")
    if not isinstance(event_id, str) or not _EVENT_ID.fullmatch(event_id) or not isinstance(kind, str):
        raise MalformedPayload("an event needs an id that begins with evt_, and a type")
    return Envelope(event_id, kind[:128], _lane(document), money=kind.startswith(translate.MONEY))


def parse(document: Mapping[str, Any], connection_id: str, event_key: str, received_at: datetime) -> Sequence[Event]:
    """Canonical events of a stored delivery; empty for a type we do not know."""
    return translate.event(document, connection_id, event_key)


def _lane(document: Mapping[str, Any]) -> str:
    """The payer where the object names one, else the object itself: what concerns one payer stays in order."""
    data = document.get("data")
    o = data.get("object") if isinstance(data, Mapping) else None
    if not isinstance(o, Mapping):
        return ""
    customer = o.get("id") if o.get("object") == "customer" else o.get("customer")
    if isinstance(customer, Mapping):
        customer = customer.get("id")
    for prefix, value in (("payer", customer), ("object", o.get("charge")), ("object", o.get("id"))):
        if isinstance(value, str) and _OBJECT_ID.fullmatch(value):
            return f"{prefix}:{value}"
    return ""
