"""The last line of a run: which suites were skipped, and how many tests of each."""

from __future__ import annotations

from collections import Counter


def suite(nodeid: str) -> str:
    """`tests/browser/test_use.py::test_x` belongs to `tests/browser`, `tests/unit/a/test_b.py` to `tests/unit`."""
    return "/".join(nodeid.split("::")[0].split("/")[:2])


def last_line(skipped: list[tuple[str, str]]) -> str:
    """One sentence for all skips.

    Args:
        skipped: (node id, reason) of each skipped test.
    """
    if not skipped:
        return "Skipped: nothing."
    counts = Counter((suite(nodeid), reason.removeprefix("Skipped: ")) for nodeid, reason in skipped)
    told = "; ".join(f"{name} {count} ({reason})" for (name, reason), count in sorted(counts.items()))
    return f"SKIPPED {len(skipped)} tests, so they prove nothing here: {told}"
