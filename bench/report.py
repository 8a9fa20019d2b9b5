"""One JSON line a figure, with the keys of every line the same; what misses its goal is said on stderr and remembered."""

from __future__ import annotations

import json
import platform
import statistics
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any, Literal

ALWAYS = ("flask", "psycopg", "sqlalchemy")
missed: list[str] = []


def line(
    name: str, unit: str, values: Sequence[float], base: Sequence[float] | None = None, *, load: object,
    goal: tuple[Literal["<=", ">="], float] | None = None, versions: Mapping[str, str] | None = None,
) -> float:  # fmt: skip
    """Print one figure, the median of its rounds, and answer it.

    Args:
        base: what it is compared with, taken in turn with it: the ratio is the median of the rounds' ratios.
        load: what was done, in words or as an object.
        goal: what the ratio (without a base: the value) must be.
        versions: of programs that the measured thing used beside the product's own.
    """
    ratios = [v / b for v, b in zip(values, base, strict=True)] if base else []
    judged = statistics.median(ratios or values)
    found: dict[str, Any] = {
        "name": name, "value": round(statistics.median(values), 4), "unit": unit,
        "base": round(statistics.median(base), 4) if base else None,
        "ratio": round(judged, 4) if base else None, "rounds": len(values),
        "min": round(min(ratios or values), 4), "max": round(max(ratios or values), 4), "load": load,
        "versions": {"python": platform.python_version(), **{n: version(n) for n in ALWAYS}, **(versions or {})},
    }  # fmt: skip
    print(json.dumps(found), flush=True)
    if goal and not (judged <= goal[1] if goal[0] == "<=" else judged >= goal[1]):
        missed.append(name)
        print(f"{name}: {judged:.4g}, and the goal is {goal[0]} {goal[1]:g}", file=sys.stderr, flush=True)
    return judged
