"""The simulated Zendesk and Salesforce served, and a place that its webhooks can be sent to."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass

import pytest
from werkzeug.wrappers import Request, Response

from sandbox.base import Context
from sandbox.base.serving import end, serve
from sandbox.base.simulator import Cut
from sandbox.salesforce.local import Local as Salesforce
from sandbox.zendesk.local import Local


@pytest.fixture
def zendesk():
    """Without limits, waits a fiftieth as long."""
    local = Local()
    yield local
    local.stop()


@pytest.fixture
def salesforce():
    """Without our fields."""
    local = Salesforce()
    yield local
    local.stop()


@pytest.fixture
def limited():
    """With limits; a minute lasts `60 / factor` seconds."""
    made = []

    def build(factor=1.0):
        made.append(Local(Context(limits=True, time_factor=factor)))
        return made[-1]

    yield build
    for local in made:
        local.stop()


@pytest.fixture
def call(zendesk):
    """A caller who may do everything."""
    return zendesk.caller()


@dataclass
class Got:
    method: str
    headers: dict
    raw: bytes

    @property
    def body(self):
        return json.loads(self.raw)


class Receiver:
    """Keeps what it gets; answers as told: a list of (status, headers), the last one for ever. None: no answer."""

    def __init__(self):
        self.got = []
        self.answers = [(200, {})]
        self._lock = threading.Lock()
        self._server = serve(self._app)
        self.url = f"http://127.0.0.1:{self._server.server_port}/in"

    def _app(self, environ, start_response):
        request = Request(environ)
        with self._lock:
            headers = {name.lower(): value for name, value in request.headers.items()}
            self.got.append(Got(request.method, headers, request.get_data()))
            said = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if said is None:
            raise Cut
        return Response("{}", said[0], said[1])(environ, start_response)

    def wait(self, count, seconds=15):
        """Until there are so many; answers them."""
        until = time.monotonic() + seconds
        while len(self.got) < count:
            assert time.monotonic() < until, f"{len(self.got)} of {count} deliveries came"
            time.sleep(0.01)
        return self.got

    def stop(self):
        end(self._server)


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.stop()


@pytest.fixture
def rest():
    """rest(local): wait until nothing is on its way any more."""

    def wait(local, seconds=20):
        sender, until = local.context.simulators["zendesk"].sender, time.monotonic() + seconds
        while sender.pending():
            assert time.monotonic() < until
            time.sleep(0.01)

    return wait
