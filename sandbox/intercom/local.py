"""The simulated Intercom on a free loopback port of this process: for tests and a look around."""

from __future__ import annotations

from typing import Any

from sandbox.base import Context
from sandbox.base.serving import end, serve
from sandbox.intercom import simulator
from sandbox.intercom.state import State


class Local:
    """A served simulator, its state at hand. `stop` ends it."""

    def __init__(self, context: Context | None = None) -> None:
        self.context = context or Context(limits=False, time_factor=600)
        self._server = serve(simulator.build(self.context))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @property
    def simulator(self) -> Any:  # noqa: ANN401 - a Simulator with state and hooks
        return self.context.simulators["intercom"]

    @property
    def state(self) -> State:
        state: State = self.simulator.state
        return state

    def calls(self) -> dict[str, int]:
        """How often each operation was called, by method and route."""
        return dict(self.simulator.ledger.calls)

    def stop(self) -> None:
        end(self._server)
        self.context.close()
