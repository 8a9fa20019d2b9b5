"""How long a vendor asks to wait: the Retry-After header, in seconds or as a date (RFC 9110, 10.2.3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

DEFAULT_S = 5.0
LONGEST_S = 3600.0


def retry_after_s(headers: Mapping[str, str], now: datetime | None = None) -> float:
    """Seconds to wait; DEFAULT_S when the header is missing or unreadable, never more than LONGEST_S."""
    asked = asked_s(headers, now)
    return DEFAULT_S if asked is None else asked


def asked_s(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds the header asks for; None when there is none that can be read."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST_S)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    if at.tzinfo is None:  # "-0000": the date is in GMT without saying so
        at = at.replace(tzinfo=UTC)
    return min(max(0.0, (at - (now or datetime.now(UTC))).total_seconds()), LONGEST_S)
