"""What the simulated Stripe holds, and all that can happen to it. Each act changes objects together and tells of it."""

from __future__ import annotations

from sandbox.base import Context
from sandbox.stripe.customers import Customers
from sandbox.stripe.stories import move_in, shelves
from sandbox.world import World


class State(Customers):
    """The account. Acts take ids and answer copies; `lists` is the state itself, by list name and id."""

    def __init__(self, context: Context, world: World) -> None:
        super().__init__(context)
        self.prorations = {}
        self.denied: set[str] = set()
        shelves(self)
        for payer in world.payers:
            move_in(self, payer)
        self.in_order()

    def deny(self, permissions: list[str]) -> list[str]:
        """Take these from the restricted key: `charges:read`, `refunds:write`; an empty list gives all back."""
        with self.context.lock:
            self.denied = set(permissions)
            return sorted(self.denied)
