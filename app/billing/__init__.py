"""Mirror of the billing vendor: what it told us, and one profile a payer, so that a ticket costs one row each."""

from app.billing.facts import base_facts, relative_facts
from app.billing.service import on_events, payer_of
from app.billing.store import profiles
from app.billing.store_terms import LOOK_BACK

__all__ = ["LOOK_BACK", "base_facts", "on_events", "payer_of", "profiles", "relative_facts"]
