"""Where a reading of several objects is: by time of change, page by page, round after round. Pure; kept as a text.

A round reads each object to its end; the next begins five minutes before the newest change seen, because a long transaction
at Salesforce shows its records after others that are newer. Every page is found by time and id, so a place is good for ever.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

from integrations.kernel.clock import parse_iso
from integrations.salesforce.reading import PAGE, Row, changed_at, literal

OVERLAP: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Place:
    """at: which object, by its number. since: object -> from when; "" is all. seen: object -> newest change of the round.

    after: time and id of the last row read of the present object.
    """

    at: int = 0
    since: Mapping[str, str] = field(default_factory=dict)
    seen: Mapping[str, str] = field(default_factory=dict)
    after: tuple[str, str] | None = None

    def text(self) -> str:
        """As it is kept."""
        told = {"at": self.at, "since": self.since, "seen": self.seen, "after": self.after}
        return json.dumps(told, separators=(",", ":"), sort_keys=True)

    def beyond(self, objects: Sequence[str], rows: Sequence[Row], *, more: bool) -> tuple[Place, bool]:
        """The place after a page of the present object, and whether the round is at its end.

        more: Salesforce said that the page was cut. Raises KeyError, ValueError, TypeError for a row without its time.
        """
        name, here = objects[self.at], self
        if rows:
            last = literal(changed_at(rows[-1]))
            newest = max(last, self.seen.get(name, ""))
            here = replace(self, seen={**self.seen, name: newest}, after=(last, str(rows[-1]["Id"])))
        if more or len(rows) >= PAGE:
            return here, False
        if self.at + 1 < len(objects):
            return replace(here, at=self.at + 1, after=None), False
        return Place(since={**self.since, **{one: _before(newest) for one, newest in here.seen.items()}}), True


def read(text: str, first: str = "") -> Place:
    """A kept place; with none yet the beginning. first: from when then, of every object. Raises ValueError, KeyError."""
    if not text:
        return Place(since={"": first} if first else {})
    told = json.loads(text)
    after = told["after"]
    return Place(int(told["at"]), dict(told["since"]), dict(told["seen"]), (after[0], after[1]) if after else None)


def since(place: Place, name: str) -> str:
    """From when an object is read in this round."""
    return place.since.get(name, place.since.get("", ""))


def _before(text: str) -> str:
    return literal(parse_iso(text) - OVERLAP)
