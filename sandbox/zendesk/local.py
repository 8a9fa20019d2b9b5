"""The simulated Zendesk on a free loopback port of this process: for tests, benchmarks and a look around."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import requests

from sandbox.base import Context
from sandbox.base.serving import end, serve
from sandbox.zendesk import simulator
from sandbox.zendesk.hooks import Hooks
from sandbox.zendesk.shapes import Row
from sandbox.zendesk.state import State

CREDENTIALS: Row = {
    "grant_type": "client_credentials", "client_id": simulator.CLIENT_ID, "client_secret": simulator.CLIENT_SECRET,
}  # fmt: skip


class Caller:
    """Plain HTTP with a token, as any client would. Paths are below /api/v2."""

    def __init__(self, url: str, scope: str = "read write", expires_in: int = 7200) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False
        answer = self.token(scope=scope, expires_in=expires_in)
        self.session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def token(self, **asked: Any) -> requests.Response:  # noqa: ANN401 - JSON
        """Ask for a token."""
        return self.session.post(f"{self.url}/oauth/tokens", json={**CREDENTIALS, **asked}, timeout=30)

    def call(
        self, method: str, path: str, body: Any = None, key: str = "", **asked: object  # noqa: ANN401 - JSON
    ) -> requests.Response:  # fmt: skip
        headers = {"Idempotency-Key": key} if key else {}
        return self.session.request(
            method, f"{self.url}/api/v2{path}", params=asked, json=body, headers=headers, timeout=30  # type: ignore[arg-type]
        )  # fmt: skip

    def get(self, path: str, **asked: object) -> requests.Response:
        return self.call("GET", path, None, "", **asked)

    def put(self, path: str, body: Any, key: str = "", **asked: object) -> requests.Response:  # noqa: ANN401 - JSON
        return self.call("PUT", path, body, key, **asked)

    def post(self, path: str, body: Any = None, key: str = "", **asked: object) -> requests.Response:  # noqa: ANN401
        return self.call("POST", path, body, key, **asked)

    def delete(self, path: str, body: Any = None) -> requests.Response:  # noqa: ANN401 - JSON
        return self.call("DELETE", path, body)

    def finish(self, answer: requests.Response) -> Row:
        """Follow the job of an update_many to its end."""
        job: Row = answer.json()["job_status"]
        until = time.monotonic() + 20
        while job["status"] in ("queued", "working"):
            if time.monotonic() > until:
                raise TimeoutError(f"job {job['id']} is still {job['status']}")
            time.sleep(0.01)
            job = self.get(f"/job_statuses/{job['id']}").json()["job_status"]
        return job


class Local:
    """A served simulator, its state at hand. `stop` ends it."""

    def __init__(self, context: Context | None = None) -> None:
        self.context = context or Context(limits=False, time_factor=50)
        self._server = serve(simulator.build(self.context))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._closing: list[Callable[[], None]] = [lambda: end(self._server)]

    @property
    def state(self) -> State:
        state: State = self.context.simulators["zendesk"].state
        return state

    @property
    def hooks(self) -> Hooks:
        hooks: Hooks = self.context.simulators["zendesk"].hooks
        return hooks

    @property
    def ledger(self) -> Any:  # noqa: ANN401 - the simulator's
        return self.context.simulators["zendesk"].ledger

    def caller(self, url: str = "", **how: Any) -> Caller:  # noqa: ANN401 - as in Caller
        made = Caller(url or self.url, **how)
        self._closing.append(made.session.close)
        return made

    def ticket(self, **values: Any) -> int:  # noqa: ANN401 - fields of the ticket
        """A new ticket of the first customer."""
        person = next(i for i, user in self.state.users.items() if user["role"] == "end-user")
        return int(self.state.create_ticket(person, "Charged twice", "I was charged twice", **values)["id"])

    def stop(self) -> None:
        for close in reversed(self._closing):
            close()
        self.context.close()
