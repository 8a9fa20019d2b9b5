"""Is this installation able to work? `/healthz`: this process answers. `/readyz`: everything it needs is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from app.telemetry.logs import get_logger

log = get_logger(__name__)
Check = Callable[[], str]  # answers "" when well, else a sentence that says what to do


def run(checks: Mapping[str, Check]) -> tuple[bool, dict[str, str]]:
    """All checks, none stopping another; answers (all well, check -> "ok" or a sentence)."""
    found = {}
    for name, check in checks.items():
        try:
            found[name] = check() or "ok"
        except Exception as problem:  # noqa: BLE001 - a check that raises is a check that failed
            log.warning("check_failed", check=name, cause=type(problem).__name__)
            found[name] = f"not reachable ({type(problem).__name__}); look at the server and its address"
    return all(text == "ok" for text in found.values()), found
