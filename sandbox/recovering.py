"""Of the deliveries the demo loses on purpose: which does the product know of all the same, because it fetched them?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from sandbox.running import SANDBOX, Demo

CONNECTIONS = (("zendesk_demo", "zendesk"), ("stripe_demo", "stripe"), ("intercom_demo", "intercom"))
LOSES = 0.02  # of what each vendor sends


def lost_on_purpose(ledger: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Key -> the body of each delivery that was never sent."""
    return {key: delivery.get("body") or {} for key, delivery in ledger["keys"].items() if delivery["lost"]}


def missing(demo: Demo) -> tuple[int, list[str]]:
    """(how many were lost on purpose, those of them the product does not know of)."""
    count, unknown = 0, []
    for connection, vendor in CONNECTIONS:
        bodies = lost_on_purpose(demo.json(f"{SANDBOX}/ledger/{vendor}?keys=1"))
        count += len(bodies)
        unknown += _unknown(demo, connection, vendor, bodies)
    return count, unknown


def _unknown(demo: Demo, connection: str, vendor: str, bodies: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Stripe's events come under their own ids; of tickets and conversations the mirror must be as new as the event."""
    if not bodies:
        return
    if vendor == "stripe":
        stored = {line.split("\t")[0] for line in demo.flask("inbox", "keys", connection).splitlines()}
        yield from (f"{vendor} {key}" for key in bodies if key.partition("@")[0] not in stored)
        return
    known = {}
    for line in demo.flask("inbox", "tickets", connection).splitlines():
        ticket, as_of, status = line.split("\t")
        known[ticket] = datetime.max.replace(tzinfo=UTC) if status == "gone" else datetime.fromisoformat(as_of)
    for key, body in bodies.items():
        ticket, at = _zendesk(body) if vendor == "zendesk" else _intercom(body)
        if ticket and (ticket not in known or known[ticket] < at):
            yield f"{vendor} {key} of {ticket}"


def _zendesk(body: Mapping[str, Any]) -> tuple[str, datetime]:
    """(ticket, since when it must be known). Events of people are followed by reading, not by the export."""
    kind, _, ticket = str(body.get("subject", "")).removeprefix("zen:").partition(":")
    detail = body.get("detail") or {}
    if kind != "ticket" or "updated_at" not in detail:
        return "", datetime.now(UTC)
    return ticket, datetime.fromisoformat(detail["updated_at"])


def _intercom(body: Mapping[str, Any]) -> tuple[str, datetime]:
    item = (body.get("data") or {}).get("item") or {}
    if item.get("type") != "conversation" or "updated_at" not in item:
        return "", datetime.now(UTC)
    return str(item["id"]), datetime.fromtimestamp(item["updated_at"], UTC)
