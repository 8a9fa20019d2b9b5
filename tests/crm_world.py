"""The CRM of tests about leads: the simulated Salesforce over HTTP, our fields in it, and the real client to it.

It lives in the process of the test; who works in another process, and may be killed there, makes a client of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from integrations.kernel.vendor import Account
from integrations.salesforce.client import connect
from integrations.salesforce.settings import KEY_FIELD, SETTINGS
from integrations.transport.http import OpenGate
from sandbox.salesforce import oauth
from sandbox.salesforce.kinds import PREFIXES
from sandbox.salesforce.local import Local

CRM = "con_crm"
KINDS = {"lead": "Lead", "deal": "Opportunity", "task": "Task"}
SHAPES = {PREFIXES[kind]: shape for shape, kind in KINDS.items()}
DEFAULTS = {one.name: one.default for one in SETTINGS if one.default}
# What our calls are, by method and a part of the route; the first that fits.
CALLS = (
    ("PATCH", "jobs/ingest", "bulk_close"), ("POST", "jobs/ingest", "bulk"), ("PUT", "jobs/ingest", "bulk_upload"),
    ("GET", "results", "bulk_results"), ("GET", "Results", "bulk_results"), ("GET", "unprocessed", "bulk_results"),
    ("GET", "jobs/ingest", "bulk_state"), ("PATCH", "sobjects", "push"), ("GET", "describe", "describe"),
    ("GET", "queryAll", "changes"), ("GET", "query", "find"), ("POST", "oauth2", "session"),
)  # fmt: skip
PUSH = {"method": "PATCH", "path": "composite/sobjects|sobjects/[A-Za-z]+/[A-Za-z_]+__c/"}
BULK = {"method": "POST", "path": "jobs/ingest$"}
ROUTES = {"push": PUSH, "bulk": BULK, "directory": {"method": "GET", "path": "queryAll"}}
BUSY = '[{"errorCode": "SERVER_UNAVAILABLE", "message": "busy"}]'
SPENT = '[{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]'
DEEDS = {
    "": {"kind": "delay", "seconds": 0},  # nothing: the next one is meant
    "after": {"kind": "cut_after"},  # it is done, and nobody says so
    "lost": {"kind": "cut_before"},  # it is not done, and nobody says so
    "before": {"kind": "status", "status": 503, "body": BUSY},
    "limit": {"kind": "status", "status": 403, "body": SPENT},
}


def client_of(url, **config):
    """A client of an org at an address, as a worker has it."""
    config = {**DEFAULTS, "my_domain": "acme", "consumer_key": oauth.CONSUMER_KEY, "currency": "EUR", **config}
    account = Account(CRM, "salesforce", url, config, {"consumer_secret": (oauth.CONSUMER_SECRET,)})
    return connect(account, OpenGate())


@dataclass(frozen=True)
class Record:
    """A record of ours there. row: as the org holds it. writes: how often a client wrote it."""

    shape: str
    object_id: str
    key: str
    row: dict
    writes: int


class Org:
    """The org and what is in it. verdicts: do reps have our fields to answer in."""

    def __init__(self, verdicts=True):
        self.local = Local()
        self.url, self.state = self.local.url, self.local.state
        self.client = client_of(self.url)
        self.client.setup().make(verdicts=verdicts)
        self.local.simulator.ledger.reset_calls()

    def stop(self):
        self.local.stop()

    def has(self, kind, object_id, **values):
        """A record of theirs under an id that a test can read; again: changed."""
        rows = self.state.rows[kind]
        if object_id in rows:
            rows[object_id].update(values)
        else:
            self.state._insert(kind, {"Id": object_id, **values})

    def records(self, shape=""):
        """Live ones that carry our key."""
        kinds = [KINDS[shape]] if shape else list(KINDS.values())
        rows = [row for kind in kinds for row in list(self.state.rows[kind].values())]
        writes = self.local.simulator.ledger.changes
        return [
            Record(SHAPES[row["Id"][:3]], row["Id"], row[KEY_FIELD], row, writes[row["Id"]])
            for row in rows if row[KEY_FIELD] and not row["IsDeleted"]
        ]  # fmt: skip

    def fail(self, name, *deeds):
        """What meets the next calls, one after another."""
        route = ROUTES[name]
        self.local.simulator.faults.set([{**route, **DEEDS[deed]} for deed in deeds])

    def heal(self):
        self.local.simulator.faults.set([])
        self.state.locked.clear()

    def calls(self, name=""):
        """How many were answered of a kind; without one, all that write, look or ask for a job."""
        told = {}
        for operation, number in self.local.calls().items():
            method, _, rule = operation.partition(" ")
            what = next((what for verb, part, what in CALLS if verb == method and part in rule), "other")
            told[what] = told.get(what, 0) + number
        return told.get(name, 0) if name else sum(n for what, n in told.items() if what not in ("session", "describe"))
