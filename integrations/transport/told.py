"""What a vendor's headers tell of its limits.

Source: Zendesk, "Rate limits", read 2026-11: X-Rate-Limit and X-Rate-Limit-Remaining (account, a minute), the same as
ratelimit-limit, -remaining and -reset in ticketing APIs, and `zendesk-ratelimit-tickets-index: total=100; remaining=99;
resets=41` for one endpoint. Intercom, "Rate limiting", read 2026-11: X-RateLimit-Limit and -Remaining of its window (its
-Reset is a moment, not a span: the window's own length is used). Salesforce, vendor sheet 4.2: `Sforce-Limit-Info:
api-usage=18/5000` of the last 24 hours, which roll: calls of others are believed for a quarter of an hour, then one goes
out and is told anew.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_ENDPOINT = "zendesk-ratelimit-"
_USAGE = re.compile(r"(?:^|[;\s])api-usage=(\d{1,9})/(\d{1,9})(?!\d)")
USAGE_KEPT_S = 900
_PART = re.compile(r"(total|remaining|resets)\s*=\s*(\d{1,9})")


@dataclass(frozen=True, slots=True)
class Told:
    """`account`: of the whole account, else of the endpoint called. total, resets_s: None when not told."""

    account: bool
    remaining: int
    total: int | None = None
    resets_s: int | None = None


def told(headers: Mapping[str, str]) -> list[Told]:
    """Every limit an answer speaks of; what cannot be read is left out."""
    lower = {name.lower(): value for name, value in headers.items()}
    found = []
    remaining = _number(lower, "x-rate-limit-remaining", "ratelimit-remaining", "x-ratelimit-remaining")
    if remaining is not None:
        total = _number(lower, "x-rate-limit", "ratelimit-limit", "x-ratelimit-limit")
        found.append(Told(True, remaining, total, _number(lower, "ratelimit-reset")))
    if usage := _USAGE.search(lower.get("sforce-limit-info", "")):
        used, allowed = int(usage[1]), int(usage[2])
        found.append(Told(True, max(0, allowed - used), allowed, USAGE_KEPT_S))
    for name, value in lower.items():
        if name.startswith(_ENDPOINT):
            parts = {key: int(number) for key, number in _PART.findall(value)}
            if "remaining" in parts:
                found.append(Told(False, parts["remaining"], parts.get("total"), parts.get("resets")))
    return found


def _number(headers: Mapping[str, str], *names: str) -> int | None:
    for name in names:
        text = headers.get(name, "").strip()
        if text.isascii() and text.isdigit() and len(text) < 10:
            return int(text)
    return None
