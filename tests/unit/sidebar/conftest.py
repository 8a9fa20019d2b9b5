"""The panel's door on a real database, asked by Flask's test client as the page would ask."""

from __future__ import annotations

import copy
import re

import pytest

from app.factory import create_app
from sandbox.intercom.local import Local
from sidebar_app import blueprint, canvas, fresh
from tests import canvas_world as inbox
from tests import sidebar_world as world
from tests.canvas_world import Inbox


class Agent:
    """One agent's page: opened by a signed token, then asked."""

    def __init__(self, client, agent="501", *, desk=world.DESK, place="ticket_sidebar", **claims):
        self.client = client
        self.desk = desk
        token = world.SIGNER.token(int(agent), place, **claims)
        self.page = client.post(f"/sidebar/{desk}?colorScheme=dark", data={"token": token})
        found = re.search(r'name="session" content="([^"]+)"', self.page.text)
        self.bearer = found.group(1) if found else ""
        self.headers = {"Authorization": f"Bearer {self.bearer}", "X-Locale": "de", "X-Zone": "Europe/Berlin"}

    def get(self, path, **headers):
        return self.client.get(f"/sidebar/{self.desk}/{path}", headers=self.headers | headers)

    def post(self, path, origin="http://127.0.0.1:8300", **form):
        return self.client.post(f"/sidebar/{self.desk}/{path}", data=form, headers={**self.headers, "Origin": origin})

    def open(self, subject="tickets/35436"):
        return self.post(f"{subject}/open")


@pytest.fixture(autouse=True)
def no_haste(monkeypatch):
    """A busy machine must not look like a helpdesk that is slow; the test of that sets a deadline of its own."""
    monkeypatch.setattr(fresh, "DEADLINE_S", 30)


@pytest.fixture(scope="session")
def helpdesk():
    """The simulated Zendesk that is asked who somebody is now."""
    found = world.helpdesk()
    yield found
    found.stop()


@pytest.fixture
def app(database, helpdesk):
    settings = world.settings(database)
    world.connect(database, settings.keys, helpdesk.url)
    world.seed(database)
    with database.begin() as cx:
        world.may_refund(cx)
    made = create_app(settings)
    made.register_blueprint(blueprint)
    yield made
    made.extensions["deskbridge"].pool.shutdown()
    made.extensions["deskbridge"].database.close()


@pytest.fixture
def client(app):
    return app.test_client(use_cookies=False)


@pytest.fixture
def as_agent(client):
    return lambda *args, **more: Agent(client, *args, **more)


@pytest.fixture(scope="module")
def intercom():
    """The simulated Intercom that is asked who an admin is now."""
    local = Local()
    yield local
    local.stop()


@pytest.fixture
def admins(intercom):
    """Ids of admins with a seat, as the workspace lists them."""
    before = copy.deepcopy(intercom.state.admins)
    yield [i for i in before if i.isdigit()]
    intercom.state.admins.clear()
    intercom.state.admins.update(before)


@pytest.fixture
def inbox_app(database, intercom, admins):
    """The door of the inbox app beside the panel's; a file of its tests makes it `app`."""
    settings = world.settings(database)
    world.connect(database, settings.keys)
    inbox.connect(database, settings.keys, intercom.url)
    inbox.seed(database, admins, charges=24)
    made = create_app(settings)
    made.register_blueprint(blueprint)
    made.register_blueprint(canvas)
    yield made
    made.extensions["deskbridge"].database.close()


@pytest.fixture
def admin(client, admins, database):
    """An admin who may refund."""
    inbox.person(database, admins[0])
    return Inbox(client, admins[0])
