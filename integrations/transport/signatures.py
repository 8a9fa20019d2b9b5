"""Comparing signatures without telling anything by time: every secret is tried, the loop never ends early."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime

from integrations.kernel.errors import BadSignature, StaleSignature

TOLERANCE_S = 300
LONGEST_HEADER = 4096


def matches(secrets: Sequence[str], message: bytes, candidates: Sequence[bytes], *, algorithm: str = "sha256") -> bool:
    """Is one of the candidates (raw digests) the HMAC of the message under one of the secrets?

    An empty secret signs nothing: anybody could use it.
    """
    found = False
    for secret in secrets:
        expected = hmac.new(secret.encode(), message, algorithm).digest()
        for candidate in candidates:
            found |= hmac.compare_digest(expected, candidate) and secret != ""
    return found


def base64_digest(text: str) -> bytes:
    """The 32 bytes of a SHA-256 digest in base64, in its one right spelling. Raises BadSignature."""
    try:
        digest = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error) as error:
        raise BadSignature("the signature is not base64") from error
    if len(digest) != hashlib.sha256().digest_size or base64.b64encode(digest).decode() != text:
        raise BadSignature("the signature is not 32 bytes of base64")
    return digest


def check_age(signed_at: datetime, now: datetime) -> None:
    """Refuse a signed time more than five minutes from now, in either direction. Raises StaleSignature."""
    if abs((now - signed_at).total_seconds()) > TOLERANCE_S:
        raise StaleSignature


def header(headers: Mapping[str, str], name: str) -> str:
    """A header as ASCII text. Raises BadSignature when it is missing, very long or not ASCII."""
    value = headers.get(name, "")
    if not value or len(value) > LONGEST_HEADER or not value.isascii():
        raise BadSignature(f"{name} is missing or unreadable")
    return value
