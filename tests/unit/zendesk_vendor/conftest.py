"""Clients of the simulated Zendesk, over real HTTP."""

from __future__ import annotations

import io
from collections import Counter

import pytest

from integrations.kernel.vendor import Account
from integrations.transport.http import OpenGate
from integrations.zendesk.client import connect
from sandbox.base import Context
from sandbox.base.serving import end, serve
from sandbox.zendesk import simulator


class Desk:
    """The simulator as a server: its state, and every request it got, by method and path."""

    def __init__(self):
        self.context = Context(limits=False, time_factor=20)
        app = simulator.build(self.context)
        self.requests = []
        self.answers = {}
        self._app = app
        self._server = serve(self._wsgi)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @property
    def state(self):
        return self.context.simulators["zendesk"].state

    def _wsgi(self, environ, start_response):
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name[:5] == "HTTP_"}
        self.requests.append((method, path, environ["QUERY_STRING"], body, headers))
        said = next((self.answers[key] for key in self.answers if key[0] == method and key[1] in path), None)
        if said:
            status, told = said.pop(0) if len(said) > 1 else said[0]
            if status:
                start_response(f"{status} X", [("Content-Type", "application/json")])
                return [told]
        return self._app(environ, start_response)

    def calls(self):
        """How often each operation was called, numbers in the path left out, tokens too."""
        paths = [f"{method} {path.removeprefix('/api/v2')}" for method, path, *_ in self.requests]
        return Counter(path for path in paths if "oauth" not in path)

    def ticket(self, **values):
        person = next(i for i, user in self.state.users.items() if user["role"] == "end-user")
        return self.state.create_ticket(person, "Charged twice", "I was charged twice", **values)["id"]

    def stop(self):
        end(self._server)


@pytest.fixture
def desk():
    made = Desk()
    yield made
    made.stop()


@pytest.fixture
def helpdesk(desk):
    """helpdesk(**config) -> a client of the simulator."""

    def build(**config):
        gate = config.pop("gate", None) or OpenGate()
        secrets = {"client_secret": config.pop("client_secret", (simulator.CLIENT_SECRET,))}
        config = {"subdomain": "acme", "client_id": simulator.CLIENT_ID, "scope": "read write", **config}
        return connect(Account("con_1", "zendesk", desk.url, config, secrets), gate)

    return build
