"""An Intercom connection beside the sidebar's world: a conversation, its requester, admins of a simulated workspace."""

from __future__ import annotations

import hashlib
import hmac
import json

from jsonschema import Draft202012Validator

from app import access
from app.access import Login, Role
from app.agents import store as agents
from app.connections import Connections
from app.refunds import store as refunds
from app.refunds.policy import Policy, changed
from integrations import registry
from integrations.kernel.clock import utc_now
from integrations.kernel.records import AgentRecord
from sandbox.intercom.canvas_schema import CANVAS, MOST_BYTES
from sandbox.intercom.shapes import WORKSPACE
from sandbox.intercom.simulator import ACCESS_TOKEN
from tests import sidebar_world as world

INBOX, OTHER_INBOX, SECRET, OTHER_SECRET, OLD_SECRET = (
    "inbox",
    "inbox_b",
    "client-secret-1",
    "client-secret-2",
    "old-one",
)
CONVERSATION, STRANGER = "215470001", "215470002"
_CANVAS = Draft202012Validator(CANVAS)


def connect(database, keys, url):
    """Two inboxes of the same workspace's shape, each with an app, and a secret, of its own."""
    connections = Connections(database, keys)
    for name, secret in ((INBOX, SECRET), (OTHER_INBOX, OTHER_SECRET)):
        connections.add(
            registry.by_slug("intercom"), name, {"workspace_id": WORKSPACE, "limits": "off"},
            {"access_token": [ACCESS_TOKEN], "webhook_secret": [secret, OLD_SECRET] if name == INBOX else [secret]},
            connection_id=name, base_url=url,
        )  # fmt: skip


def staff(cx, ids, desk=INBOX, read_at=None, seats=True):
    role = "admin" if seats else "admin_without_seat"
    records = [AgentRecord(i, world.NOW, f"Admin {i}", None, role) for i in ids]
    agents.replace_all(cx, desk, records, read_at or utc_now())


def seed(database, ids, charges=10):
    """Everything of the sidebar's world, asked about in an inbox; a policy; who may refund."""
    world.seed(database, charges)
    with database.begin() as cx:
        for desk in (INBOX, OTHER_INBOX):
            staff(cx, ids, desk)
            world.person(cx, desk=desk)
            world.person(cx, "10009", desk=desk, email="nobody@unknown.example", name="Nobody", company=None)
            world.ticket(cx, CONVERSATION, desk=desk)
            world.ticket(cx, STRANGER, desk=desk, requester_id="10009")
        wishes = {"enabled": "yes", "limit.refunder.EUR": "50000/900000", "payer_count": "9", "charge_days": "999"}
        refunds.put_policy(cx, changed(Policy(), wishes), "per_admin")


def person(database, admin, role=Role.REFUNDER):
    """Name somebody for an admin of the workspace."""
    with database.begin() as cx:
        made = access.add_person(cx, "per_admin", f"Person {admin}", role)
        access.attach(cx, "per_admin", made, Login(INBOX, admin))
    return made


def signature(body, secret=SECRET):
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def said(document):
    """Every text of a canvas, one line each; the canvas is held to the schema and to Intercom's sizes."""
    _CANVAS.validate(document)
    canvas = document["canvas"]
    assert len(json.dumps(canvas["content"]).encode()) <= MOST_BYTES
    assert len(json.dumps(canvas["stored_data"]).encode()) <= MOST_BYTES
    return "\n".join(_texts(canvas["content"]))


def _texts(value):
    if isinstance(value, dict):
        for name, one in value.items():
            if name not in ("type", "id", "style", "action"):
                yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, str):
        yield value


class Inbox:
    """An admin with the app open beside a conversation; what was typed goes with each click."""

    def __init__(self, client, admin, conversation=CONVERSATION, *, desk=INBOX, secret=SECRET, workspace=WORKSPACE):
        self.client, self.admin, self.conversation = client, admin, conversation
        self.desk, self.secret, self.workspace = desk, secret, workspace
        self.current = {"content": {"components": []}, "stored_data": {}}

    def document(self, **more):
        return {
            "workspace_id": self.workspace, "admin": {"id": self.admin}, "conversation": {"id": self.conversation},
            "context": {"conversation_id": self.conversation, "location": "conversation", "locale": "en"}, **more,
        }  # fmt: skip

    def send(self, path, document, **headers):
        body = json.dumps(document, ensure_ascii=False).encode()
        given = {"X-Body-Signature": signature(body, self.secret), "Content-Type": "application/json"} | headers
        return self.client.post(f"/intercom/canvas/{self.desk}/{path}", data=body, headers=given)

    def open(self):
        return self.take(self.send("initialize", self.document()))

    def click(self, component, **typed):
        more = {"component_id": component, "current_canvas": self.current, "input_values": typed}
        return self.take(self.send("submit", self.document(**more)))

    def take(self, answer):
        assert answer.status_code == 200, answer.text
        self.current = answer.json["canvas"]
        return said(answer.json)

    def ids(self):
        """What can be clicked."""
        found = []
        for one in self.current["content"]["components"]:
            found += [row["id"] for row in one.get("items", ()) if "action" in row] if one["type"] == "list" else []
            found += [one["id"]] if "action" in one else []
        return found

    def review(self, charge="ch_cus_1_0", amount="12.00", reason="requested_by_customer", note=""):
        """As far as the confirm canvas."""
        self.open()
        self.click(f"charge/{charge}")
        return self.click("review", amount=amount, reason=reason, note=note)
