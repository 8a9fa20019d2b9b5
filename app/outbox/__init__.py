"""The outbox: wanted changes of tickets, merged, judged against what is so, sent by the relay."""

from app.outbox.service import Again, Plan, enqueue, give_back

__all__ = ["Again", "Plan", "enqueue", "give_back"]
