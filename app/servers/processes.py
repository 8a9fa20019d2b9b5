"""Processes, found by what they are and where they work, never by a pid file alone."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_outliving: list[subprocess.Popen[bytes]] = []


def outlives(process: subprocess.Popen[bytes]) -> None:
    """Hold on to a child that is meant to live on after whoever started it: Python warns when it forgets one."""
    _outliving.append(process)


def reap(wait_s: float = 5.0) -> None:
    """Collect the children that were stopped, so that nothing of them is left behind."""
    while _outliving:
        _outliving.pop().wait(wait_s)


def working_in(folder: Path, program: str) -> list[int]:
    """Processes of this program whose working directory is the folder: a server's and its children's."""
    entries = (entry for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return sorted(int(entry.name) for entry in entries if _is(entry, folder, program))


def _is(entry: Path, folder: Path, program: str) -> bool:
    with suppress(OSError):
        return os.readlink(entry / "cwd") == str(folder) and program in (entry / "cmdline").read_bytes().decode(
            "latin1"
        )
    return False


def command_of(pid: int) -> str:
    """A process's command line, empty when it is gone."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("latin1")
    return ""


def end(pids: Iterable[int], how: signal.Signals, wait_s: float) -> list[int]:
    """Signal processes and wait for them; answers those that are still there."""
    left = list(pids)
    for pid in left:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, how)
    until = time.monotonic() + wait_s
    while left and time.monotonic() < until:
        time.sleep(0.05)
        left = [pid for pid in left if _alive(pid)]
    _outliving[:] = [child for child in _outliving if child.poll() is None]
    return left


def _alive(pid: int) -> bool:
    """Is it running? A zombie has ended; a child of ours is reaped on the way."""
    with suppress(ChildProcessError, OSError):
        os.waitpid(pid, os.WNOHANG)
    with suppress(OSError):
        state = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0]
        return state != b"Z"
    return False
