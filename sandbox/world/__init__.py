"""Who lives in the sandbox: people, companies, payers; the same for the same seed."""

from sandbox.world.build import build_world, ticket_texts
from sandbox.world.model import Group, Organization, Payer, Person, World
from sandbox.world.names import PLANS

__all__ = ["PLANS", "Group", "Organization", "Payer", "Person", "World", "build_world", "ticket_texts"]
