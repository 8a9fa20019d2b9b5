"""Fail points: named places where a test lets this process die. Nothing happens unless FAILPOINTS is set.

A test compares the names in the code with the names that were struck.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import dataclass

DEEDS = ("kill", "raise", "exit", "sleep")
SLEEP_S = 2.0


class Struck(Exception):
    """What `raise` raises."""


@dataclass(slots=True)
class _Rule:
    nth: int
    deed: str


_armed: dict[str, _Rule] = {}
_lock = threading.Lock()


def arm(spec: str) -> None:
    """Arm from `name=deed` or `name:nth=deed`, separated by commas; an empty text disarms all.

    Raises:
        ValueError: not in this form, or a deed that is none of kill, raise, exit, sleep.
    """
    _armed.clear()
    for part in filter(None, (one.strip() for one in spec.split(","))):
        place, sign, deed = part.partition("=")
        name, _, nth = place.partition(":")
        if not sign or deed not in DEEDS or not (nth or "1").isdigit():
            raise ValueError(f"FAILPOINTS: {part!r} is not name:nth=deed with a deed of {', '.join(DEEDS)}")
        _armed[name] = _Rule(int(nth or "1"), deed)


def fp(name: str) -> None:
    """Strike here, when armed and it is this rule's turn."""
    if _armed:
        _strike(name)


def _strike(name: str) -> None:
    with _lock:
        rule = _armed.get(name)
        if rule is None:
            return
        rule.nth -= 1
        if rule.nth != 0:
            return
    if rule.deed == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif rule.deed == "exit":
        os._exit(3)
    elif rule.deed == "sleep":
        time.sleep(SLEEP_S)
    else:
        raise Struck(name)
