"""Identifiers: ours are prefixed and time-ordered, theirs are a vendor, a type and a text."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import NewType

ConnectionId = NewType("ConnectionId", str)
TicketId = NewType("TicketId", str)

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford base 32, so that an id can be read out on the phone


def new_id(prefix: str) -> str:
    """A fresh id such as `con_06fv3zqk2m8x4tdn7rbc`: 48 bits of milliseconds, then 72 random bits; sorts by time."""
    number = (time.time_ns() // 1_000_000) << 72 | int.from_bytes(os.urandom(9))
    digits = "".join(_ALPHABET[number >> shift & 31] for shift in range(115, -5, -5))
    return f"{prefix}_{digits}"


@dataclass(frozen=True, slots=True)
class VendorRef:
    """One object at a vendor: `VendorRef("stripe", "charge", "ch_1")`."""

    vendor: str
    type: str
    id: str

    def __str__(self) -> str:
        return f"{self.vendor}:{self.type}:{self.id}"
