"""`make bench [ONLY=name]`: run all benchmarks, or one."""

from __future__ import annotations

import importlib
import sys

from bench.report import missed

ALL = ("start", "ingest", "server", "process", "calls", "backfill", "flat", "leads", "lead_push", "sidebar")


def main() -> int:
    """Each prints its own lines; a wrong result is an error, whatever the speed, and so is a goal that is missed."""
    wanted = sys.argv[1:] or list(ALL)
    if unknown := set(wanted) - set(ALL):
        print(f"There is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(ALL)}.", file=sys.stderr)
        return 2
    for name in wanted:
        importlib.import_module(f"bench.{name}").run()
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
