"""The incremental export of tickets by cursor.

Source: vendor sheet 1.10: start_time at least a minute old, then cursors; deleted tickets have status deleted; admins only.
"""

from __future__ import annotations

import base64
import binascii
import time
from typing import Any

from flask import request

from sandbox.zendesk import pages, params
from sandbox.zendesk.errors import bad_request, refusal
from sandbox.zendesk.routing import Api
from sandbox.zendesk.shapes import Row
from sandbox.zendesk.state import State
from sandbox.zendesk.tickets import SIDE, beside

LARGEST = 1000
YOUNGEST_S = 60.0


def routes(api: Api) -> None:
    """Put it on the app."""
    api.route("GET", "/incremental/tickets/cursor", Exports(api.state).tickets)


class Exports:
    """Tickets in the order in which they last changed, each once until it changes again."""

    def __init__(self, state: State) -> None:
        self._state = state

    def tickets(self) -> Row:
        params.known("start_time", "cursor", "per_page", "include", "exclude_deleted")
        size = params.number("per_page", LARGEST, 1, LARGEST)
        after = self._after()
        rows = [self._row(i) for i, number in self._state.exported.items() if number > after]
        if "cursor" not in request.args:
            rows = [r for r in rows if r["generated_timestamp"] >= params.number("start_time")]
        shown = rows[:size]
        last = self._state.exported[shown[-1]["id"]] if shown else after
        cursor = base64.urlsafe_b64encode(f"{time.time():.1f}||{last}".encode()).decode()
        answer: dict[str, Any] = {
            "tickets": shown, "after_url": pages.link(cursor=cursor, start_time=None), "before_url": None,
            "after_cursor": cursor, "before_cursor": None, "end_of_stream": len(rows) <= size,
        }  # fmt: skip
        return {**answer, **beside(self._state, shown, params.includes(*SIDE))}

    def _row(self, ticket_id: int) -> Row:
        state = self._state
        return state.tickets[ticket_id] if ticket_id in state.tickets else state.deleted[ticket_id]

    def _after(self) -> int:
        """The number of the last change that was told. Raises 400, 422."""
        if "cursor" not in request.args:
            youngest = time.time() - YOUNGEST_S / self._state.context.time_factor
            if params.number("start_time") > youngest:
                words = "Too recent start_time. Use a start_time older than 60 seconds"
                raise refusal(422, "StartTimeTooRecent", words)
            return 0
        try:
            return int(base64.urlsafe_b64decode(request.args["cursor"]).decode().partition("||")[2])
        except (binascii.Error, ValueError) as error:
            raise bad_request("cursor is not one of this export", "InvalidCursor") from error
