"""How routes are put on the app: with and without `.json`, under the lock, writes through the idempotency layer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, request

from sandbox.zendesk.idempotency import Keys
from sandbox.zendesk.state import State

View = Callable[..., Any]


class Api:
    """The app with what all routes need."""

    def __init__(self, app: Flask, state: State, keys: Keys) -> None:
        self.app = app
        self.state = state
        self._keys = keys

    def route(self, method: str, rule: str, view: View, status: int = 200) -> None:
        """view: answers a JSON document, or None for an empty 204. rule: below /api/v2."""

        def answer(**parts: Any) -> Response:  # noqa: ANN401 - parts of the path
            def work() -> Response:
                with self.state.context.lock:
                    found = view(**parts)
                    text = "" if found is None else json.dumps(_shown(found), ensure_ascii=False)
                return Response(text, 204 if found is None else status, mimetype="application/json")

            return work() if request.method == "GET" else self._keys.run(work)

        for suffix in ("", ".json"):
            self.app.add_url_rule(
                f"/api/v2{rule}{suffix}", f"{method} {rule}{suffix}", answer, methods=[method],
                provide_automatic_options=False,
            )  # fmt: skip


def _shown(document: Any) -> Any:  # noqa: ANN401 - a JSON document
    """Without the fields that the simulator keeps for itself."""
    if isinstance(document, dict):
        return {k: _shown(v) for k, v in document.items() if not k.startswith("_")}
    return [_shown(v) for v in document] if isinstance(document, list) else document
