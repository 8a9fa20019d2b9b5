"""One JSON line a figure."""

from __future__ import annotations

import json
import platform
import statistics
from importlib.metadata import version


def line(name, unit, values, base=None, load=None):
    """Print one figure: the median of its rounds, and its ratio to the base's where there is one (round by round)."""
    ratios = [v / b for v, b in zip(values, base, strict=True)] if base else []
    found = {
        "name": name, "value": round(statistics.median(values), 4), "unit": unit,
        "base": round(statistics.median(base), 4) if base else None,
        "ratio": round(statistics.median(ratios), 4) if ratios else None, "rounds": len(values),
        "min": round(min(ratios or values), 4), "max": round(max(ratios or values), 4), "load": load,
        "versions": {"python": platform.python_version(), "flask": version("flask"), "waitress": version("waitress")},
    }  # fmt: skip
    print(json.dumps(found), flush=True)
