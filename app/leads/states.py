"""The states of a lead as a table of moves. Pure. What each state means: docs/leads.md."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class State(StrEnum):
    NEW = "new"
    REVIEW = "review"
    HELD = "held"
    DUE = "due"
    SENDING = "sending"
    UNKNOWN = "unknown"
    PUSHED = "pushed"
    DROPPED = "dropped"
    DEAD = "dead"
    CLOSED = "closed"
    WITHHELD = "withheld"


S = State
# Back from sending to due or pushed: nothing happened at the CRM, and which of the two depends on whether it is there.
MOVES: Final[Mapping[State, tuple[State, ...]]] = {
    S.NEW: (S.DUE, S.HELD, S.REVIEW, S.WITHHELD, S.DROPPED),
    S.REVIEW: (S.NEW, S.DUE, S.HELD, S.DROPPED),
    S.HELD: (S.DUE, S.REVIEW, S.DROPPED, S.NEW),  # new: a person takes back which company it is
    S.DUE: (S.SENDING, S.HELD, S.REVIEW, S.DROPPED, S.NEW),
    S.SENDING: (S.PUSHED, S.UNKNOWN, S.DUE, S.DEAD, S.CLOSED),
    S.UNKNOWN: (S.PUSHED, S.SENDING, S.DUE, S.DEAD, S.CLOSED),
    S.PUSHED: (S.SENDING, S.CLOSED),
    S.DROPPED: (S.NEW,),  # what had ended holds again
    S.DEAD: (S.DUE, S.CLOSED),  # a person repaired what was refused
    S.CLOSED: (),
    S.WITHHELD: (),
}
UNSENT: Final = (S.NEW, S.REVIEW, S.HELD, S.DUE)  # nothing of it was ever given to the CRM
AT_CRM: Final = (S.SENDING, S.UNKNOWN, S.PUSHED)
OPEN: Final = (*UNSENT, *AT_CRM)


def may(old: State, new: State) -> bool:
    """Is this a move?"""
    return new in MOVES[old]
