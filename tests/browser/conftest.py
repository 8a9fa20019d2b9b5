"""Real Chromium against a real web server: the simulated workspace holds the frame, Deskbridge fills it."""

from __future__ import annotations

import os
import random
import socket
import threading
import warnings
from pathlib import Path

import pytest
import requests
import waitress
from flask import Flask
from waitress import wasyncore

from app import access
from app.access import Role
from app.factory import create_app
from sandbox.base import Context
from sandbox.desk import host
from sandbox.stripe.local import Local as LocalStripe
from sandbox.world import Organization, Person
from sidebar_app import approvals, blueprint, fresh, pages
from tests import sidebar_world as world
from tests.browser import money
from tests.chromium import CHROMIUM

PLACES = random.Random(os.getpid())
SHOTS = Path(os.environ.get("SCREENSHOTS", ""))  # noqa: TID251 - where pictures go, when somebody wants to look


def pytest_collection_modifyitems(items):
    """Without Chromium these tests are skipped, and say so loudly."""
    mine = [item for item in items if "tests/browser" in item.path.as_posix()]
    for item in mine:
        item.add_marker(pytest.mark.browser)
        if CHROMIUM is None:
            item.add_marker(pytest.mark.skip(reason="NOT TESTED: no chromium here (apt-get install chromium)"))
    if mine and CHROMIUM is None:
        warnings.warn(f"{len(mine)} browser tests skipped: no chromium", pytest.PytestWarning, stacklevel=1)


def free_port():
    """A port below those the kernel hands out, looked for from a place of this process's own."""
    for _ in range(200):
        port = PLACES.randrange(10_000, 32_000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise RuntimeError("no free port")


class Server:
    """A server in a thread, which leaves no socket behind when it is stopped."""

    def __init__(self, app, port):
        self.server = waitress.create_server(app, host="127.0.0.1", port=port, threads=6)
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.stopping.is_set():
            wasyncore.loop(timeout=0.2, map=self.server._map, count=1)

    def stop(self):
        self.server.task_dispatcher.shutdown(timeout=10)  # a poll that is being answered still has a connection
        self.stopping.set()
        self.thread.join(10)
        self.server.close()
        wasyncore.close_all(self.server._map, ignore_all=True)


class FakeZendesk:
    """What the workspace reads of the simulated Zendesk: tickets, comments and users, in its own shapes."""

    def __init__(self, context):
        from sandbox.world import World
        from sandbox.zendesk.state import State

        people = (Person(10001, "Dana Okafor", (("dana@northwind.example", True),), 7001),)
        agents = tuple(
            Person(int(i), f"Agent {i}", ((f"a{i}@acme.example", True),), None, "agent") for i in world.STAFF
        )
        companies = (Organization(7001, "Northwind Labs", ("northwind.example",)),)
        self.state = State(context, World(people, agents, companies, (), (), (), world.NOW))
        self.state.create_ticket(10001, "Charged twice for October", "Please look into it.")


class Desk:
    """The two servers of a test, and the world behind them."""

    def __init__(self, database, first, second, desk_url="", bank_url="", **settings):
        self.database = database
        self.settings = world.settings(
            database,
            first,
            ZAF_SDK_URL=f"http://127.0.0.1:{second}/sandbox/desk/static/zaf.js",
            SIDEBAR_POLL_S="1",
            **settings,
        )
        unreachable = "http://127.0.0.1:1"
        world.connect(database, self.settings.keys, desk_url or unreachable, bank_url or unreachable)
        self.app = create_app(self.settings)
        self.app.register_blueprint(blueprint)
        self.app.register_blueprint(pages)
        self.app.register_blueprint(approvals)
        self.runtime = self.app.extensions["deskbridge"]
        context = Context(deskbridge_url=self.settings.public_url)
        context.simulators["zendesk"] = FakeZendesk(context)
        self.ticket = str(max(context.simulators["zendesk"].state.tickets))
        workspace = Flask("workspace", static_folder=None)
        signer = host.Signer()
        workspace.register_blueprint(host.pages(context, signer))
        for desk in (world.DESK, world.OTHER_DESK):
            self.runtime.connections.remember(desk, app_key=signer.public_pem())
        self.url = f"http://127.0.0.1:{second}/sandbox/desk/tickets/{self.ticket}"
        self.servers = [Server(self.app, first), Server(workspace, second)]

    def begin(self):
        return self.database.begin()

    def seed(self):
        """The ticket of the workspace, with the payer who has everything."""
        with self.begin() as cx:
            world.staff(cx)
            world.person(cx)
            world.ticket(cx, self.ticket)
            world.judged(cx, self.ticket)
            world.bill(cx, *world.everything())

    def close(self):
        for server in self.servers:
            server.stop()
        self.runtime.pool.shutdown()
        self.runtime.database.close()


@pytest.fixture(autouse=True)
def no_haste(monkeypatch):
    """A busy machine must not look like a helpdesk that is slow."""
    monkeypatch.setattr(fresh, "DEADLINE_S", 30)


@pytest.fixture
def desk(database):
    made = Desk(database, free_port(), free_port())
    made.seed()
    yield made
    made.close()


@pytest.fixture
def stripe():
    found = LocalStripe()
    yield found
    found.stop()


@pytest.fixture
def zendesk():
    found = world.helpdesk()
    yield found
    found.stop()


@pytest.fixture
def money_desk(database, stripe, zendesk):
    made = Desk(database, free_port(), free_port(), zendesk.url, stripe.url)
    made.seed()
    for n in range(10):
        money.mirror_at_stripe(stripe, n)
    with made.begin() as cx:
        world.may_refund(cx)
        made.eve = access.add_person(cx, "per_setup", "Eve Approver", Role.APPROVER, "eve@acme.example")
    yield made
    made.close()


def keep(target, name, **how):
    """A picture of a page or an element, when somebody wants to look."""
    if str(SHOTS) != ".":
        SHOTS.mkdir(parents=True, exist_ok=True)
        target.screenshot(path=str(SHOTS / f"{name}.png"), **how)


class Look:
    """One agent's browser: the workspace, the frame in it, and everything the console said."""

    def __init__(self, browser, desk, *, width=1280, height=900, **context):
        self.desk = desk
        self.context = browser.new_context(viewport={"width": width, "height": height}, **context)
        self.page = self.context.new_page()
        self.said = []
        self.page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.said.append(f"error: {error}"))

    def open(self, *, agent="501", scheme="light", place="ticket_sidebar", wide=False, requester="", state=None):
        how = f"connection={world.DESK}&agent={agent}&scheme={scheme}&place={place}&wide={int(wide)}&requester={requester}"
        self.page.goto(f"{self.desk.url}?{how}")
        if state:
            self.wait(state)
        return self.frame

    @property
    def frame(self):
        found = self.page.frame(name="zafapp")
        assert found is not None
        return found

    def panel(self, state=""):
        return self.page.frame_locator("#app").locator(f'.panel[data-state="{state}"]' if state else ".panel")

    def wait(self, state):
        self.panel(state).wait_for(timeout=20_000)

    def shot(self, name):
        """The frame in its whole height, whatever the workspace gives it."""
        if str(SHOTS) != ".":
            height = self.frame.evaluate("document.body.scrollHeight")
            self.page.locator("#app").evaluate("(app, height) => { app.style.height = `${height}px`; }", height)
            keep(self.page.locator("#app"), name)


@pytest.fixture
def look(browser, desk):
    opened = []

    def make(**options):
        opened.append(Look(browser, desk, **options))
        return opened[-1]

    yield make
    for one in opened:
        one.context.close()


@pytest.fixture
def http():
    session = requests.Session()
    session.trust_env = False
    yield session
    session.close()
