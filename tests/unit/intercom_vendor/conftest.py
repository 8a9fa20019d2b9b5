"""Clients of the simulated Intercom, over real HTTP."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from integrations.intercom.client import connect
from integrations.kernel.vendor import Account
from integrations.transport.http import OpenGate
from sandbox.intercom.local import Local
from sandbox.intercom.simulator import ACCESS_TOKEN


@dataclass
class Inbox:
    """The simulator, and what its people do."""

    local: Local

    @property
    def state(self):
        return self.local.state

    @property
    def person(self):
        """A contact with a company."""
        return next(c for c in self.state.contacts.values() if c["companies"]["data"])

    def begun(self, text="I was charged twice", subject=""):
        return self.state.create_conversation(self.person["id"], text, subject)["id"]

    def calls(self):
        return {name: n for name, n in self.local.calls().items() if n}

    def forget_calls(self):
        self.local.simulator.ledger.reset_calls()

    def tags_of(self, conversation_id):
        return sorted(tag["name"] for tag in self.state.show(conversation_id)["tags"]["tags"])

    def parts_of(self, conversation_id):
        return self.state.show(conversation_id)["conversation_parts"]["conversation_parts"]

    def fault(self, kind, path="", times=1, **told):
        self.local.simulator.faults.set([{"kind": kind, "path": path, "times": times, **told}])


@pytest.fixture
def inbox():
    local = Local()
    yield Inbox(local)
    local.stop()


@pytest.fixture
def helpdesk(inbox):
    """helpdesk(**config) -> a client of the simulator."""

    def build(token=ACCESS_TOKEN, gate=None, **config):
        account = Account("con_1", "intercom", inbox.local.url, config, {"access_token": (token,)})
        return connect(account, gate or OpenGate())

    return build
