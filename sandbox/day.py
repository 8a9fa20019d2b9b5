"""A support day: tickets, replies, agents at work, foreign tags, and money matters in between."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from random import Random
from typing import Any

from sandbox.base import Context

STAFF = (500, 501, 502, 503)
FOREIGN_TAGS = ("vip", "beta", "escalated", "waiting_on_dev", "onboarding")


@dataclass(slots=True)
class Progress:
    """How far the day is. acts: what was done; the simulators' ledgers count the deliveries it made."""

    total: int = 0
    done: int = 0
    running: bool = False
    error: str = ""


class Day:
    """Runs in a thread of the sandbox's process. The same seed does the same things in the same order."""

    def __init__(self, context: Context) -> None:
        self._zendesk = context.simulators["zendesk"].state
        self._stripe = context.simulators["stripe"].state
        self.progress = Progress()

    def start(self, seed: int = 1, tickets: int = 320, acts: int = 1500, seconds: float = 30.0) -> None:
        """Stream a day in over some seconds; returns at once."""
        self.progress = Progress(tickets + acts, 0, running=True)
        threading.Thread(target=self._run, args=(Random(f"day-{seed}"), tickets, acts, seconds), daemon=True).start()

    def _run(self, random: Random, tickets: int, acts: int, seconds: float) -> None:
        plan = ["ticket"] * tickets + ["act"] * acts
        random.shuffle(plan)
        plan.sort(key=lambda what: what != "ticket" or random.random() > 0.5)
        plan[0] = "ticket"
        began = time.monotonic()
        try:
            for number, what in enumerate(plan):
                self._ticket(random) if what == "ticket" else self._act(random)
                self.progress.done = number + 1
                ahead = began + seconds * (number + 1) / len(plan) - time.monotonic()
                if ahead > 0:
                    time.sleep(ahead)
        except Exception as problem:  # noqa: BLE001 - the page must say why the day ended
            self.progress.error = f"{type(problem).__name__}: {problem}"
        self.progress.running = False

    def _ticket(self, random: Random) -> None:
        state = self._zendesk
        people = [u for u in state.users.values() if u["role"] == "end-user"]
        text = random.choice(state.texts)
        state.create_ticket(random.choice(people)["id"], text[:60], text)

    def _act(self, random: Random) -> None:
        state = self._zendesk
        ticket = state.tickets[random.choice(list(state.tickets))]
        if ticket["status"] == "closed":
            return
        chance = random.random()
        agent = random.choice(STAFF)
        if chance < 0.35:
            author, public = (ticket["requester_id"], True) if random.random() < 0.5 else (agent, random.random() < 0.7)
            state.comment(ticket["id"], author, random.choice(state.texts), public=public)
        elif chance < 0.55:
            state.change(
                ticket["id"],
                agent,
                {"status": random.choice(("open", "pending", "hold", "open")), "assignee_id": agent},
            )
        elif chance < 0.65:
            state.change(ticket["id"], agent, {"priority": random.choice(("low", "normal", "high"))})
        elif chance < 0.78:
            state.change(ticket["id"], agent, {"additional_tags": [random.choice(FOREIGN_TAGS)]})
        elif chance < 0.86:
            state.change(ticket["id"], agent, {"status": "solved", "assignee_id": agent})
        else:
            self._money(random)

    def _money(self, random: Random) -> None:
        stripe = self._stripe
        customer = random.choice(list(stripe.lists["customers"]))
        what: Any = random.choice((
            lambda: stripe.fail_payment(customer),
            lambda: stripe.pay_open_invoices(customer),
            lambda: stripe.change_seats(customer, random.randint(1, 90)),
            lambda: stripe.cancel_at_period_end(customer),
            lambda: self._charge(random, customer),
        ))  # fmt: skip
        what()

    def _charge(self, random: Random, customer: str) -> None:
        charges = [
            c for c in self._stripe.lists["charges"].values()
            if c["customer"] == customer and c["status"] == "succeeded" and not c["disputed"]
            and c["amount_captured"] > c["amount_refunded"]
        ]  # fmt: skip
        if not charges:
            return
        charge = random.choice(charges)
        if random.random() < 0.5:
            self._stripe.open_dispute(charge["id"], random.choice(("needs_response", "warning_needs_response")))
        else:
            left = charge["amount_captured"] - charge["amount_refunded"]
            self._stripe.refund(charge["id"], random.randint(1, left))

    def burst(self, tickets: int) -> None:
        """Many tickets at once, by people in turn."""
        people = [u["id"] for u in self._zendesk.users.values() if u["role"] == "end-user"]
        self.progress = Progress(tickets, 0, running=True)
        for n in range(tickets):
            self._zendesk.create_ticket(people[n % len(people)], f"Burst {n}", "One of many.")
            self.progress.done = n + 1
        self.progress.running = False
