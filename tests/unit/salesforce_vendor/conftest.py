"""Clients of the simulated Salesforce, over real HTTP."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from integrations.kernel.crm import Draft, Shape
from integrations.kernel.vendor import Account
from integrations.salesforce.client import connect
from integrations.salesforce.settings import KEY_FIELD, SETTINGS
from integrations.transport.http import OpenGate
from sandbox.salesforce import oauth
from sandbox.salesforce.local import Local

OBJECTS = {Shape.LEAD: "Lead", Shape.DEAL: "Opportunity", Shape.TASK: "Task"}
DEFAULTS = {one.name: one.default for one in SETTINGS if one.default}


def all_pages(read, cursor=""):
    """Every page of a round, and the place after it."""
    found = []
    while True:
        page = read(cursor)
        found.append(page)
        cursor = page.cursor
        if page.at_end:
            return found, cursor


class Org:
    """The simulator, with our key fields set up, and what it holds."""

    def __init__(self):
        self.local = Local()
        self.state = self.local.state
        for name in OBJECTS.values():
            self.state.add_field(name, KEY_FIELD, 64, external=True)

    def rows(self, name):
        """Live rows of an object that carry our key."""
        return [row for row in self.state.rows[name].values() if row.get(KEY_FIELD) and not row.get("IsDeleted")]

    def row(self, object_id):
        return next(rows[object_id] for rows in self.state.rows.values() if object_id in rows)

    def age(self, minutes, *kinds):
        """Everything there was changed so long ago, all at one moment."""
        then = (datetime.now(UTC) - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
        for kind in kinds:
            for row in self.state.rows[kind].values():
                row["SystemModstamp"] = then

    def calls(self):
        """Calls so far by `METHOD last parts of the route`, without sessions and describes."""
        told = {}
        for operation, number in self.local.calls().items():
            if "oauth2" not in operation and "describe" not in operation:
                rule = re.sub(r"sobjects/(Lead|Opportunity|Task)\b", "sobjects/<kind>", operation)
                told[rule.replace("/services/data/<version>/", "")] = number
        return told

    def fault(self, **rule):
        self.local.simulator.faults.set([rule])

    def account(self, number=0):
        """An account's row."""
        return list(self.state.rows["Account"].values())[number]

    def owner(self, active=True):
        """A rep's id."""
        return next(
            r["Id"] for r in self.state.rows["User"].values() if r["IsActive"] is active and r["Id"] != self.state.me
        )


@pytest.fixture
def org():
    made = Org()
    yield made
    made.local.stop()


@pytest.fixture
def crm(org):
    """crm(**config) -> a client of the org; by client credentials unless told otherwise."""

    def build(gate=None, secrets=None, **config):
        secrets = {"consumer_secret": (oauth.CONSUMER_SECRET,)} if secrets is None else secrets
        config = {**DEFAULTS, "my_domain": "acme", "consumer_key": oauth.CONSUMER_KEY, "currency": "USD", **config}
        return connect(Account("con_crm", "salesforce", org.local.url, config, secrets), gate or OpenGate())

    return build


@pytest.fixture(scope="session")
def key_pair():
    """(private PEM, public PEM)."""
    made = rsa.generate_private_key(65537, 2048)
    private = made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = made.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


def make_draft(shape=Shape.LEAD, **values):
    """A draft of any shape, with all that it must have."""
    told = {"key": uuid.uuid4().hex, "kind": "renewal", "subject": "Renewal: Acme", "description": "Why now: 80 points"}
    if shape is Shape.LEAD:
        told |= {"company": "Acme", "last_name": "Not known"}
    return Draft(shape=shape, **{**told, **values})


@pytest.fixture
def draft():
    """draft(shape, **values) -> a Draft."""
    return make_draft


@pytest.fixture
def heard(org):
    """heard() -> headers of every write so far, lower-cased names."""
    from flask import request

    got = []

    @org.local.simulator.app.before_request
    def listen():
        if request.method in ("PATCH", "POST", "PUT") and "oauth2" not in request.path:
            got.append({name.lower(): value for name, value in request.headers.items()})

    return lambda: got


@pytest.fixture
def pages():
    """pages(read, cursor) -> (every page of a round, the place after it)."""
    return all_pages
