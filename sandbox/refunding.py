"""The demo's refunds, asked for and approved by two named people with the operator's commands, and both sides counted."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.running import SANDBOX, Demo, say

AGENT, LEAD = "bea", "eve"
LIMIT = 2_000  # minor units of USD that the agent may give back alone
PLAIN, OVER, BLOCKED, CUT = (
    "12.00",
    "25.00",
    "10.00",
    "5.04",
)  # 5.04 is made and never answered (sandbox.stripe.refunds)
ROOM = 3_000  # each charge must hold more than any of these
SETTLED_S = 120.0
POLICY = (
    "enabled=yes", f"limit.refunder.USD={LIMIT}/20000", "limit.approver.USD=50000/200000", "payer_count=20",
    "charge_days=3650",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Paid:
    """A charge, and a ticket of whom it was taken from."""

    charge: str
    ticket: str


def allow(demo: Demo) -> None:
    """What an admin decides first: who is who, and how much each may give back."""
    demo.flask("people", "add", "Bea", "--role", "refunder", "--login", f"console:{AGENT}")
    demo.flask("people", "add", "Eve", "--role", "approver", "--login", f"console:{LEAD}")
    demo.flask("people", "rule", "zendesk_demo", "role", "agent", "refunder")
    demo.flask("policy", "set", *POLICY)


def perform(demo: Demo, rest: Callable[[Demo], None]) -> dict[str, int]:
    """Four refunds, waited for; answers the figures of the last line. rest: waits until the product knows everything."""
    plain, over, cut, disputed = _chosen(demo)
    rest(demo)
    say(
        "\nFour refunds: a plain one, one above the agent's limit, one whose answer is cut, one of a disputed charge ..."
    )
    _show("plain", _ask(demo, plain, PLAIN))
    waits = _ask(demo, over, OVER)
    _show("over the limit", waits)
    demo.flask("refunds", "approve", waits["id"], "--by", LEAD)
    say(f"  {'':<15} approved by somebody else")
    _show("answer cut", _ask(demo, cut, CUT))
    status, told = demo.attempt(*_words(disputed, BLOCKED))
    refused = int(status != 0 and "is disputed" in told)
    say(f"  {'disputed':<15} {told.strip() if refused else 'NOT REFUSED'}")
    _wait(demo)
    rest(demo)
    return {"wanted": 4, "refused": refused, **count(_made(demo), _recorded(demo))}


def count(made: Sequence[Mapping[str, Any]], recorded: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Both sides. Pure.

    Args:
        made: the vendor's refunds that carry an intent's id and are not failed or canceled.
        recorded: our intents whose money went back, as `flask refunds list --json` tells them.
    """
    by_intent = Counter(one["metadata"]["intent_id"] for one in made)
    ours = {one["id"]: one for one in recorded}
    twice = sum(n - 1 for n in by_intent.values())
    fits = [one for one in made if _fits(one, ours.get(one["metadata"]["intent_id"]))]
    return {"at_vendor": len(made), "recorded": len({one["metadata"]["intent_id"] for one in fits}), "double": twice}


def _fits(made: Mapping[str, Any], intent: Mapping[str, Any] | None) -> bool:
    """Did we write down this very refund: the same id, charge, amount and currency?"""
    theirs = (made["id"], made["charge"], made["amount"], made["currency"].upper())
    return intent is not None and theirs == (intent["refund"], intent["charge"], intent["amount"], intent["currency"])


def agree(figures: Mapping[str, int]) -> bool:
    """Nothing twice, nothing missing on either side, nothing refunded that was to be refused."""
    at_vendor = figures["wanted"] - figures["refused"]
    return figures["double"] == 0 and figures["at_vendor"] == figures["recorded"] == at_vendor


def ready(demo: Demo) -> str:
    """The command of a refund that can be tried."""
    return "flask " + " ".join(_words(next(_paid(demo)), PLAIN))


def _chosen(demo: Demo) -> list[Paid]:
    """Four charges, the last of them one that is disputed from now on, and known here to be."""
    found = [paid for _, paid in zip(range(4), _paid(demo), strict=False)]
    if len(found) < 4:
        raise SystemExit(f"Only {len(found)} charges of requesters can be refunded; the demo needs 4 of them.")
    demo.post(f"{SANDBOX}/control/stripe/act", {"do": "open_dispute", "args": [found[-1].charge]})
    return found


def _paid(demo: Demo) -> Iterator[Paid]:
    """Charges in USD of requesters with a verified address that pays, the newest of each."""
    people = {u["id"]: u["email"].lower() for u in demo.json(f"{SANDBOX}/state/people")["people"] if u["verified"]}
    tickets = demo.json(f"{SANDBOX}/state/zendesk")["tickets"]
    asked = {people[t["requester_id"]]: str(t["id"]) for t in tickets if t["requester_id"] in people}
    objects = {k: demo.json(f"{SANDBOX}/state/stripe/{k}")["objects"] for k in ("customers", "charges")}
    addresses = Counter((c["email"] or "").lower() for c in objects["customers"])
    newest = {c["customer"]: c for c in objects["charges"] if _is_refundable(c)}
    for customer in objects["customers"]:
        address = (customer["email"] or "").lower()
        if customer["id"] in newest and address in asked and addresses[address] == 1:
            yield Paid(newest[customer["id"]]["id"], asked[address])


def _is_refundable(charge: Mapping[str, Any]) -> bool:
    good = charge["status"] == "succeeded" and not charge["amount_refunded"] and not charge["disputed"]
    return good and charge["currency"] == "usd" and charge["amount_captured"] > ROOM


def _words(paid: Paid, amount: str) -> list[str]:
    return [
        "refunds", "request", paid.charge, "--connection", "stripe_demo", "--helpdesk", "zendesk_demo",
        "--ticket", paid.ticket, "--amount", amount, "--by", AGENT,
    ]  # fmt: skip


def _ask(demo: Demo, paid: Paid, amount: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(demo.flask(*_words(paid, amount), "--json"))
    return found


def _show(what: str, intent: Mapping[str, Any]) -> None:
    why = f" ({intent['why']})" if intent["why"] else ""
    say(f"  {what:<15} {intent['amount'] / 100:.2f} {intent['currency']} of {intent['charge']}: {intent['state']}{why}")


def _wait(demo: Demo) -> None:
    """Until no refund is on its way. One that needs a person never ends by itself, and ends the demo."""
    until = time.monotonic() + SETTLED_S
    while left := demo.flask("refunds", "list", "--json").splitlines():
        if time.monotonic() > until:
            raise SystemExit(f"Refunds that did not settle in {SETTLED_S:.0f} s: {left}{demo.logs()}")
        time.sleep(1.0)


def _made(demo: Demo) -> list[dict[str, Any]]:
    """What the simulated Stripe holds of ours."""
    made = demo.json(f"{SANDBOX}/state/stripe/refunds")["objects"]
    return [one for one in made if one["metadata"].get("intent_id") and one["status"] not in ("failed", "canceled")]


def _recorded(demo: Demo) -> list[dict[str, Any]]:
    lines = [
        line
        for state in ("succeeded", "pending_vendor", "requires_action")
        for line in demo.flask("refunds", "list", "--state", state, "--limit", "1000", "--json").splitlines()
    ]
    return [json.loads(line) for line in lines]
