"""`python -m app.servers start|stop|status FOLDER`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from app.servers import ensure, status, stop, supervisor
from integrations.kernel.errors import ConfigError


def main(arguments: Sequence[str]) -> int:
    """Do what was asked and say it in lines; 1 with the reason when it could not be done or does not answer."""
    if arguments[:1] == ["supervise"]:  # how `ensure` starts the supervisor; not for people
        return supervisor.main(arguments[1:])
    parser = argparse.ArgumentParser(prog="python -m app.servers", description="The embedded PostgreSQL and Valkey.")
    parser.add_argument("what", choices=("start", "stop", "status"))
    parser.add_argument("folder", type=Path)
    asked = parser.parse_args(arguments)
    try:
        lines, code = _answer(asked.what, asked.folder)
    except ConfigError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return code


def _answer(what: str, folder: Path) -> tuple[list[str], int]:
    if what == "start":
        urls = ensure(folder)
        return [
            f"PostgreSQL: {urls.database_url}",
            f"  migrations: {urls.migration_url}",
            f"Valkey:     {urls.redis_url}",
        ], 0
    if what == "stop":
        stop(folder)
        return ["Stopped."], 0
    found = status(folder)
    return [f"{name}: {words}" for name, words in found.items()], int("does not answer" in found.values())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
