"""The simulated Stripe on a free loopback port of this process: for tests, benchmarks and a look around."""

from __future__ import annotations

from typing import Any

import requests

from sandbox.base import Context
from sandbox.base.serving import end, free_port, serve
from sandbox.stripe import simulator
from sandbox.stripe.state import State


class Caller:
    """Plain HTTP with a key, as any client would."""

    def __init__(self, url: str, api_key: str = simulator.API_KEY) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {api_key}"

    def get(self, path: str, **asked: object) -> requests.Response:
        return self.session.get(f"{self.url}{path}", params=asked, timeout=30)  # type: ignore[arg-type]

    def post(self, path: str, form: dict[str, Any] | str, key: str = "", timeout_s: float = 30) -> requests.Response:
        headers = {"Idempotency-Key": key} if key else {}
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        return self.session.post(f"{self.url}{path}", data=form, headers=headers, timeout=timeout_s)

    def delete(self, path: str) -> requests.Response:
        return self.session.delete(f"{self.url}{path}", timeout=30)


class Local:
    """A served simulator, its state at hand. `stop` ends it."""

    def __init__(self, context: Context | None = None) -> None:
        self.context = context or Context(limits=False, time_factor=50)
        self._server = serve(simulator.build(self.context))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._callers: list[Caller] = []

    @property
    def state(self) -> State:
        state: State = self.context.simulators["stripe"].state
        return state

    def caller(self, url: str = "", api_key: str = simulator.API_KEY) -> Caller:
        made = Caller(url or self.url, api_key)
        self._callers.append(made)
        return made

    @staticmethod
    def free_port() -> int:
        return free_port()

    def stop(self) -> None:
        for caller in self._callers:
            caller.session.close()
        end(self._server)
        self.context.close()
