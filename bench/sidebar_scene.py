"""What the sidebar is measured on: servers, a helpdesk's ticket, its payer with three years of billing, the shipped web."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace

import requests
from flask import Flask

from app.config import load
from bench.processes import backends_cpu_s
from bench.sidebar_app import CPU
from bench.web import ROOT, House, house, serving
from integrations.kernel import billing as k
from integrations.kernel.money import Money
from sandbox.base import Context
from sandbox.desk import host
from tests import sidebar_world as world
from tests.browser.conftest import FakeZendesk, Server

WEB, DESK, BANK = 21_750, 21_751, 21_752
URL = f"http://127.0.0.1:{WEB}"
BANK_URL = f"http://127.0.0.1:{BANK}"
CHARGES, REFUNDS, SUBSCRIPTIONS = 50, 20, 3
LEAST_BYTES = 5_000  # of a payer's HTML with all its sections


def billed() -> list[k.Record]:
    """A payer with 3 subscriptions, 50 invoices and charges, 20 refunds; amounts all differ."""
    found = [
        world.payer(),
        k.Product("prod_1", "Scale"),
        k.PaymentMethod("pm_1", "cus_1", "card", "visa", "4242", 1, 2027),
    ]
    found += [replace(world.subscription(status="active"), id=f"sub_{n}") for n in range(SUBSCRIPTIONS)]
    for n in range(CHARGES):
        minor = 124_000 + 137 * n
        back = 1000 + n if n < REFUNDS else 0
        found += [world.charge(n, minor=minor, refunded=back), world.invoice(n, minor=minor), world.paid(n)]
        if back:
            found.append(
                k.Refund(f"re_{n}", f"ch_cus_1_{n}", "succeeded", Money(back, "EUR"), world.ago(n), None, "cus_1")
            )
    return found


@dataclass(slots=True)
class Scene:
    """The running thing. pid: of the web processes. ticket: the one of the workspace."""

    house: House
    pid: int
    ticket: str
    signer: host.Signer
    http: requests.Session = field(default_factory=requests.Session)
    headers: dict[str, str] = field(default_factory=dict)

    def enter(self) -> None:
        """Open the page as Zendesk does, and be shown the panel for the first time."""
        page = self.http.post(f"{URL}/sidebar/{world.DESK}", data={"token": self.signer.token(501, "ticket_sidebar")})
        bearer = page.text.partition('name="session" content="')[2].partition('"')[0]
        self.headers = {"Authorization": f"Bearer {bearer}", "X-Locale": "de", "X-Zone": "Europe/Berlin"}
        opened = self.http.post(self.address("open"), headers={**self.headers, "Origin": URL})
        if opened.status_code != 200 or 'data-state="one"' not in opened.text:
            raise SystemExit(f"the panel was not shown: {opened.status_code}")

    def address(self, path: str) -> str:
        return f"{URL}/sidebar/{world.DESK}/tickets/{self.ticket}/{path}"

    def ask(self, tag: str = "", path: str = "panel") -> tuple[requests.Response, float, float]:
        """One view: the answer, wall ms, CPU ms of the web process."""
        headers = {**self.headers, **({"If-None-Match": tag} if tag else {})}
        began = time.perf_counter()
        answer = self.http.get(self.address(path), headers=headers)
        wall = (time.perf_counter() - began) * 1000
        if answer.status_code != (304 if tag else 200):
            raise SystemExit(f"a view was answered {answer.status_code}")
        return answer, wall, float(answer.headers[CPU])

    def billing(self, times: int) -> tuple[list[float], list[float]]:
        """The payer's billing alone, so many times: wall ms and CPU ms of the web process."""
        answer = self.http.get(f"{URL}/bench/billing/{world.DESK}/{self.ticket}/{times}", headers=self.headers)
        found = answer.json()
        if answer.status_code != 200 or found["bytes"] < LEAST_BYTES:
            raise SystemExit(f"billing was answered {answer.status_code}")
        return found["ms"], found["cpu"]

    def database_cpu_ms(self) -> float:
        """What PostgreSQL has used for us."""
        return backends_cpu_s(self.house.database) * 1000

    def stripe_calls(self) -> int:
        """Calls the vendor got."""
        return int(self.http.get(f"{BANK_URL}/calls").json())


@contextmanager
def bank() -> Iterator[None]:
    """The vendor that takes no time, in a process of its own."""
    child = subprocess.Popen([sys.executable, "-m", "bench.sidebar_stripe", str(BANK)], cwd=ROOT)
    try:
        until = time.monotonic() + 30
        while time.monotonic() < until and child.poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", BANK), timeout=1):
                break
            time.sleep(0.2)
        yield
    finally:
        child.kill()
        child.wait()


def _fill(place: House, signer: host.Signer, ticket: str, settings: Mapping[str, str]) -> None:
    keys = load({**settings, "DATABASE_URL": place.environment["DATABASE_URL"], "REDIS_URL": "redis://x"}).keys
    world.connect(place.database, keys, bank_url=BANK_URL)
    with place.database.begin() as cx:
        world.staff(cx)
        world.person(cx)
        world.ticket(cx, ticket)
        world.judged(cx, ticket)
        world.may_refund(cx)
        world.bill(cx, *billed())


@contextmanager
def scene() -> Iterator[Scene]:
    """Everything up, one web process as it is shipped; the simulated workspace holds the frame."""
    settings = {
        "MODE": "sandbox",
        "PUBLIC_URL": URL,
        "ZAF_SDK_URL": f"http://127.0.0.1:{DESK}/sandbox/desk/static/zaf.js",
    }
    command = [sys.executable, "-m", "flask", "--app", "bench.sidebar_app", "web", "--processes", "1"]
    signer = host.Signer()
    world.SIGNER = signer
    with house() as place, bank():
        context = Context(deskbridge_url=URL)
        context.simulators["zendesk"] = FakeZendesk(context)
        ticket = str(max(context.simulators["zendesk"].state.tickets))
        workspace = Flask("workspace", static_folder=None)
        workspace.register_blueprint(host.pages(context, signer))
        _fill(place, signer, ticket, settings)
        desk = Server(workspace, DESK)
        with serving(place, WEB, [command], settings) as children:
            yield Scene(place, children[0].pid, ticket, signer)
        desk.stop()
