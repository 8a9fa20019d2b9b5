"""Processes, found by their command lines in /proc: never by a pid file, which may be stale, empty or somebody else's."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from app.servers.layout import Owner
from integrations.kernel.errors import ConfigError

Match = Callable[[list[bytes]], bool]
LOG_MAX_BYTES = 10_000_000
ENVIRONMENT = {"PATH": os.defpath, "LANG": "C", "TZ": "UTC"}  # nothing of ours: it holds secrets and PG* settings
_children: list[subprocess.Popen[bytes]] = []


def find(uid: int, match: Match) -> list[int]:
    """The processes of this user whose command line matches."""
    return sorted(pid for pid in _of_user(uid) if match(arguments(pid)))


def _of_user(uid: int) -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                if entry.stat().st_uid == uid:
                    yield int(entry.name)


def arguments(pid: int) -> list[bytes]:
    """The command line of a process; empty when it has ended (a zombie has none either)."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
    except OSError:
        return []


def option(name: str, value: Path) -> Match:
    """Command lines that hold `name value`, exactly."""
    wanted = (name.encode(), os.fsencode(value))
    return lambda line: wanted in zip(line, line[1:], strict=False)


def end(uid: int, match: Match, how: signal.Signals, wait_s: float) -> bool:
    """Signal all that match and wait; True when none is left. A pid that means another process by now is spared."""
    for pid in find(uid, match):
        with suppress(ProcessLookupError):
            if match(arguments(pid)):
                os.kill(pid, how)
    until = time.monotonic() + wait_s
    while find(uid, match):
        if time.monotonic() > until:
            return False
        time.sleep(0.03)
        reap()
    return True


def launch(owner: Owner, command: Sequence[str | Path], log: Path, folder: Path) -> None:
    """Start a server as the servers' user, in a session of its own: it outlives whoever started it."""
    output = _open_log(owner, log)
    try:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=folder,
            env=ENVIRONMENT,
            umask=0o077,
            start_new_session=True,
            user=owner.uid if owner.drop else None,
            group=owner.gid if owner.drop else None,
            extra_groups=[] if owner.drop else None,
        )
    finally:
        os.close(output)
    _children.append(child)


def run(owner: Owner, command: Sequence[str | Path], folder: Path) -> None:
    """Run a program of the wheels to its end. Raises ConfigError with what it said."""
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        cwd=folder,
        env=ENVIRONMENT,
        umask=0o077,
        user=owner.uid if owner.drop else None,
        group=owner.gid if owner.drop else None,
        extra_groups=[] if owner.drop else None,
    )
    if done.returncode:
        raise ConfigError(f"{Path(command[0]).name} failed: {done.stderr.decode(errors='replace')[-800:]}")


def reap() -> None:
    """Collect children that have ended."""
    _children[:] = [child for child in _children if child.poll() is None]


def _open_log(owner: Owner, log: Path) -> int:
    """A log to append to; begun anew when it has grown too large. Symbolic links are not followed."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    if owner.drop:
        os.fchown(descriptor, owner.uid, owner.gid)
    if os.fstat(descriptor).st_size > LOG_MAX_BYTES:
        os.ftruncate(descriptor, 0)
    return descriptor


def tail(log: Path) -> str:
    """The end of a log, for an error's text."""
    with suppress(OSError):
        return log.read_text(encoding="utf-8", errors="replace")[-1000:]
    return "(no log)"
