"""Refunds that are never doubled, never lost and never above what was captured. The saga: docs/refunds.md."""

from app.refunds.approvals import approve, approve_many, check_void, decline, may_void, void, waiting
from app.refunds.context import Context
from app.refunds.facts import Where
from app.refunds.follow import on_events
from app.refunds.intent import Intent
from app.refunds.service import REASONS, Prepared, Wish, of_ticket, prepare, request
from app.refunds.states import State
from app.refunds.store import active_policy, by_request, of_payer
from app.refunds.store_work import held
from app.refunds.tickets import of_closed_tickets
from app.refunds.worker import RefundWorker

__all__ = [
    "REASONS", "Context", "Intent", "Prepared", "RefundWorker", "State", "Where", "Wish", "active_policy", "approve",
    "approve_many", "by_request", "check_void", "decline", "held", "may_void", "of_closed_tickets", "of_payer", "of_ticket",
    "on_events", "prepare", "request", "void", "waiting",
]  # fmt: skip
