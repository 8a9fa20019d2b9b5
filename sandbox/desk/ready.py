"""A ticket on which a refund can be tried at once: its requester's verified address is that of one customer who paid."""

from __future__ import annotations

from typing import Any

from sandbox.base import Context

OPEN = ("new", "open", "pending", "hold")
CURRENCIES = ("usd", "eur")  # the demo's policy has limits in these
LEAST = 10_000  # minor units: part of it is one click there, all of it takes an approval


def ticket(context: Context) -> int | None:
    """The newest such ticket; where the day brought none, one is written. None while nobody can get money back."""
    if "stripe" not in context.simulators:
        return None
    zendesk = context.simulators["zendesk"].state
    with context.lock:
        able = _able(context)
        found = [t["id"] for t in zendesk.tickets.values() if t["requester_id"] in able and t["status"] in OPEN]
        if not found and able:
            text = "I was charged twice this month. Can you give one of them back?"
            return int(zendesk.create_ticket(max(able), "Charged twice", text)["id"])
    return int(max(found)) if found else None


def _able(context: Context) -> set[int]:
    """People whose verified address is that of exactly one customer, who has a charge nothing of which was given back."""
    zendesk, stripe = context.simulators["zendesk"].state, context.simulators["stripe"].state
    payers: dict[str, list[str]] = {}
    for customer in stripe.of("customers"):
        payers.setdefault(str(customer["email"] or "").lower(), []).append(customer["id"])
    paid = {c["customer"] for c in stripe.of("charges") if _is_whole(c)}
    known = ((u["id"], payers.get(str(u["email"] or "").lower(), [])) for u in zendesk.users.values() if u["verified"])
    return {user_id for user_id, found in known if len(found) == 1 and found[0] in paid}


def _is_whole(charge: dict[str, Any]) -> bool:
    good = charge["status"] == "succeeded" and not charge["amount_refunded"] and not charge["disputed"]
    return good and charge["currency"] in CURRENCIES and charge["amount"] > LEAST
