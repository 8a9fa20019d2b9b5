"""What the simulators share: an app with ledger, limits and faults, a sender of signed webhooks, a server."""

from sandbox.base.context import Context
from sandbox.base.later import Later
from sandbox.base.ledger import Ledger
from sandbox.base.limits import Windows
from sandbox.base.sender import Endpoint, Sender
from sandbox.base.simulator import Refusal, Simulator
from sandbox.base.strict import strict

__all__ = ["Context", "Endpoint", "Later", "Ledger", "Refusal", "Sender", "Simulator", "Windows", "strict"]
