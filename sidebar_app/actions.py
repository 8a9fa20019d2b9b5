"""The seam for refunds: what the panel will ask of app.refunds. Nothing is mounted here yet, so no button is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import sqlalchemy as sa

from app.identity import PayerMatch
from integrations.kernel.ids import VendorRef
from integrations.kernel.money import Money
from sidebar_app.identity import Visit


@dataclass(frozen=True, slots=True)
class Light:
    """One light of the pre-flight strip. reason: the sentence beside it, also when it is green."""

    name: str
    colour: Literal["green", "amber", "red"]
    reason: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """A refund as an agent asks for it. request_id: from the offer; the same one answers the same intent."""

    request_id: str
    charge: VendorRef
    amount: Money
    reason: str
    note: str


@dataclass(frozen=True, slots=True)
class RefundState:
    """A refund on its way. state: a name of trust.md 2.4. sentence: what the agent is told."""

    intent_id: str
    charge: VendorRef
    amount: Money
    state: str
    sentence: str


class RefundActions(Protocol):
    """What the panel needs; every answer is judged by the server again when the refund is requested."""

    def may_refund(self, cx: sa.Connection, visit: Visit) -> bool:
        """May this agent refund anything at all? Without it no refund button is drawn."""

    def preflight(
        self, cx: sa.Connection, visit: Visit, payer: PayerMatch, charge: VendorRef, amount: Money
    ) -> Sequence[Light]:
        """All lights for this charge and amount, each with its reason."""

    def request(self, cx: sa.Connection, visit: Visit, payer: PayerMatch, wanted: Wanted) -> RefundState:
        """Ask for a refund in the caller's transaction; nothing has been sent when this returns."""

    def states(self, cx: sa.Connection, visit: Visit, payer: PayerMatch) -> Sequence[RefundState]:
        """Refunds of this payer that are on their way or ended lately, newest first."""
