"""Faults on demand: rules that match requests and say what goes wrong."""

from __future__ import annotations

import re
import threading
from random import Random
from typing import Any

KINDS = frozenset({"status", "delay", "cut_before", "cut_after", "hang"})


class Faults:
    """Rules {"method", "path" (pattern), "kind", "times", "probability", "status", "seconds", "headers", "body"}."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._lock = threading.Lock()
        self._rules: list[dict[str, Any]] = []

    def set(self, rules: list[dict[str, Any]]) -> None:
        for rule in rules:
            if rule.get("kind") not in KINDS:
                raise ValueError(f"kind must be one of {', '.join(sorted(KINDS))}")
        with self._lock:
            self._rules = [dict(rule) for rule in rules]

    def pick(self, method: str, path: str) -> dict[str, Any] | None:
        """The first rule that strikes this request; it is used up by one."""
        with self._lock:
            for rule in self._rules:
                if rule.get("method", method) != method or not re.search(rule.get("path", ""), path):
                    continue
                if rule.get("times", 1) <= 0 or self._random.random() > rule.get("probability", 1.0):
                    continue
                rule["times"] = rule.get("times", 1) - 1
                return rule
        return None
