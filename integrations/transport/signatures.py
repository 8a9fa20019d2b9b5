"""Comparing signatures without telling anything by time: every secret is tried, the loop never ends early."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime

from integrations.kernel.errors import BadSignature, StaleSignature

TOLERANCE_S = 300


def matches(secrets: Sequence[str], message: bytes, candidates: Sequence[bytes]) -> bool:
    """Is one of the candidates (raw digests) the HMAC-SHA256 of the message under one of the secrets?"""
    found = False
    for secret in secrets:
        expected = hmac.new(secret.encode(), message, hashlib.sha256).digest()
        for candidate in candidates:
            found |= hmac.compare_digest(expected, candidate)
    return found


def check_age(signed_at: datetime, now: datetime) -> None:
    """Refuse a signed time more than five minutes from now, in either direction. Raises StaleSignature."""
    if abs((now - signed_at).total_seconds()) > TOLERANCE_S:
        raise StaleSignature


def header(headers: Mapping[str, str], name: str) -> str:
    """A header as ASCII text. Raises BadSignature when it is missing, very long or not ASCII."""
    value = headers.get(name, "")
    if not value or len(value) > 4096 or not value.isascii():
        raise BadSignature(f"{name} is missing or unreadable")
    return value
