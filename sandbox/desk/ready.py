"""A ticket on which a refund can be tried at once: its requester's verified address is that of one customer who paid."""

from __future__ import annotations

from typing import Any

from sandbox.base import Context

OPEN = ("new", "open", "pending", "hold")
CURRENCIES = ("usd", "eur")


def ticket(context: Context) -> int | None:
    """The newest such ticket; None while there is none."""
    if "stripe" not in context.simulators:
        return None
    zendesk, stripe = context.simulators["zendesk"].state, context.simulators["stripe"].state
    with context.lock:
        payers: dict[str, list[str]] = {}
        for customer in stripe.of("customers"):
            payers.setdefault(str(customer["email"] or "").lower(), []).append(customer["id"])
        paid = {c["customer"] for c in stripe.of("charges") if _is_whole(c)}
        for row in sorted(zendesk.tickets.values(), key=lambda t: -int(t["id"])):
            user = zendesk.users[row["requester_id"]]
            found = payers.get(str(user["email"] or "").lower(), []) if user["verified"] else []
            if row["status"] in OPEN and len(found) == 1 and found[0] in paid:
                return int(row["id"])
    return None


def _is_whole(charge: dict[str, Any]) -> bool:
    """Nothing of it was given back or is disputed."""
    good = charge["status"] == "succeeded" and not charge["amount_refunded"] and not charge["disputed"]
    return good and charge["currency"] in CURRENCIES and charge["amount"] > 1200
