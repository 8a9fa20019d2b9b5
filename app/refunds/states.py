"""The saga as a table of moves (trust.md 2.4), and what each state does to the charge's sums. Pure.

Three moves go beyond that text: out of `needs_human`, by a person or by what the vendor turns out to hold. Without them
the amount would stay reserved for ever.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class State(StrEnum):
    PROPOSED = "proposed"
    AWAITING_APPROVAL = "awaiting_approval"
    RESERVED = "reserved"
    SENDING = "sending"
    UNKNOWN = "unknown"
    PENDING_VENDOR = "pending_vendor"
    REQUIRES_ACTION = "requires_action"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    REJECTED = "rejected"
    NEEDS_HUMAN = "needs_human"
    DECLINED = "declined"
    EXPIRED = "expired"
    VOIDED = "voided"


S = State
# In order of preference, where two ways lead to the same end.
MOVES: Final[Mapping[State, tuple[State, ...]]] = {
    S.PROPOSED: (S.AWAITING_APPROVAL, S.RESERVED),
    S.AWAITING_APPROVAL: (S.RESERVED, S.DECLINED, S.EXPIRED, S.VOIDED),
    S.RESERVED: (S.SENDING,),
    S.SENDING: (S.PENDING_VENDOR, S.SUCCEEDED, S.REQUIRES_ACTION, S.REJECTED, S.UNKNOWN),
    S.UNKNOWN: (S.PENDING_VENDOR, S.SUCCEEDED, S.SENDING, S.NEEDS_HUMAN),
    S.PENDING_VENDOR: (S.SUCCEEDED, S.FAILED, S.CANCELED),
    S.REQUIRES_ACTION: (S.PENDING_VENDOR, S.SUCCEEDED, S.FAILED, S.CANCELED),
    S.SUCCEEDED: (S.FAILED,),
    S.NEEDS_HUMAN: (S.PENDING_VENDOR, S.SUCCEEDED, S.REJECTED),
    **dict.fromkeys((S.FAILED, S.CANCELED, S.REJECTED, S.DECLINED, S.EXPIRED, S.VOIDED), ()),
}
ON_ITS_WAY: Final = (S.RESERVED, S.SENDING, S.UNKNOWN)  # a worker has something to do
RESERVING: Final = (*ON_ITS_WAY, S.NEEDS_HUMAN)  # the amount is held back: it may have gone, or will go
COUNTED: Final = (S.PENDING_VENDOR, S.REQUIRES_ACTION, S.SUCCEEDED)  # the vendor counts it as given back
AT_THE_BANK: Final = (S.PENDING_VENDOR, S.REQUIRES_ACTION)
RETURNED: Final = (S.FAILED, S.CANCELED)  # it was made, and the money came back
IN_DOUBT: Final = (S.UNKNOWN, S.NEEDS_HUMAN)
OPEN: Final = (S.PROPOSED, S.AWAITING_APPROVAL, *RESERVING)

# Source: vendor sheet 3.5, a refund's status.
OF_STATUS: Final = {
    "pending": S.PENDING_VENDOR,
    "requires_action": S.REQUIRES_ACTION,
    "succeeded": S.SUCCEEDED,
    "failed": S.FAILED,
    "canceled": S.CANCELED,
}


def sum_of(state: State) -> str:
    """Which sum of the charge an intent in this state is part of: `reserved`, `refunded` or none."""
    return "reserved" if state in RESERVING else "refunded" if state in COUNTED else ""


def way(old: State, new: State) -> tuple[State, ...] | None:
    """The states to go through, `new` last; empty when already there, None when no way leads there."""
    before: dict[State, State] = {}
    queue = deque([old])
    while queue:
        here = queue.popleft()
        if here == new:
            return _back(before, old, new)
        for following in MOVES[here]:
            if following not in before and following != old:
                before[following] = here
                queue.append(following)
    return None


def _back(before: Mapping[State, State], old: State, new: State) -> tuple[State, ...]:
    steps = []
    while new != old:
        steps.append(new)
        new = before[new]
    return tuple(reversed(steps))
