"""Where a catch-up is, as text: pages of a search that can only ask for whole days, and is minutes behind. Pure.

Source: Intercom's OpenAPI document 2.15, contacts search: `>` matches from the start of the next day in the workspace's
time zone, `>=` is refused; "within minutes" for new objects. Taken for conversations too (R). Order is not promised, so a
round reads all pages before it moves on.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from integrations.kernel.errors import VendorContractChanged

PAGE = 150  # the most a page of conversations can hold
LAG_S = 900  # how far the index may be behind; so much is read again
DAY_S = 26 * 3600  # longer than any day, so that asking for "after yesterday" includes today in every zone


@dataclass(frozen=True, slots=True)
class Place:
    """since: seconds; what changed before is known. newest: newest change seen in this round. after: of the next page."""

    since: int
    newest: int = 0
    after: str = ""

    def text(self) -> str:
        """The cursor."""
        return json.dumps(asdict(self), separators=(",", ":"))

    def query(self) -> dict[str, Any]:
        """The search's body."""
        paging = {"per_page": PAGE, **({"starting_after": self.after} if self.after else {})}
        wanted = {"field": "updated_at", "operator": ">", "value": self.since - DAY_S}
        return {"query": {"operator": "AND", "value": [wanted]}, "pagination": paging}

    def beyond(self, newest: int, after: str) -> Place:
        """After a page: the next one, or the next round, which begins before the newest change by the index's lag."""
        newest = max(self.newest, newest)
        if after:
            return replace(self, newest=newest, after=after)
        return Place(max(self.since, newest - LAG_S))


def place(cursor: str, since: datetime) -> Place:
    """Of a saved cursor; without one, a moment. Raises VendorContractChanged for a text that is no cursor of ours."""
    if not cursor:
        return Place(int(since.timestamp()))
    try:
        return Place(**json.loads(cursor))
    except (ValueError, TypeError) as error:
        raise VendorContractChanged("the saved cursor is none of Intercom's") from error
