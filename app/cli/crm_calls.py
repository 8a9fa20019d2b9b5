"""The calls of a CRM's day in a sentence."""

from __future__ import annotations

from integrations.kernel.crm import Usage


def sentence(usage: Usage) -> str:
    """What was used, by us and by everybody, and how long leads wait; "" where nothing is known."""
    parts = []
    if usage.used is not None:
        parts.append(f"The CRM counts {usage.used:,} of {usage.allowed or 0:,} calls of everybody in 24 hours.")
    if usage.share is not None:
        made = "an unknown number" if usage.ours is None else f"{usage.ours:,}"
        parts.append(f"We made {made} of {usage.share:,} that are our share.")
    if usage.wait_s > 0:
        parts.append(f"Leads and reads wait about {_span(usage.wait_s)} until the next call is free.")
    elif usage.is_tight:
        parts.append("What is left is kept for sending: companies and verdicts are read later.")
    return " ".join(parts)


def _span(seconds: float) -> str:
    """Minutes, or hours and minutes; never less than is waited."""
    minutes = int(seconds // 60) + 1
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
