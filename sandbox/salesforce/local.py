"""The simulated Salesforce on a free loopback port of this process: for tests and a look around."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import requests

from sandbox.base import Context
from sandbox.base.serving import end, serve
from sandbox.salesforce import simulator
from sandbox.salesforce.reps import Acts


class Local:
    """A served simulator, its state at hand. `stop` ends it."""

    def __init__(self, context: Context | None = None) -> None:
        self.context = context or Context(limits=False, time_factor=600)
        self._server = serve(simulator.build(self.context))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @property
    def simulator(self) -> Any:  # noqa: ANN401 - a Simulator with state, tokens and daily
        return self.context.simulators["salesforce"]

    @property
    def state(self) -> Acts:
        state: Acts = self.simulator.state
        return state

    def caller(self, url: str = "") -> Callable[..., requests.Response]:
        """call(method, path below the version, **of requests): with a session of the org. url: a proxy's, say."""
        session = requests.Session()
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {self.simulator.tokens.issue()}"
        root = f"{url or self.url}/services/data/v66.0"
        return lambda method, path, **more: session.request(method, f"{root}/{path}", timeout=10, **more)

    def calls(self) -> dict[str, int]:
        """How often each operation was called, by method and route."""
        return dict(self.simulator.ledger.calls)

    def stop(self) -> None:
        end(self._server)
