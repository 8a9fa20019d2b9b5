"""One supervisor a data folder: holds the lock, starts both servers, starts again what dies, ends both when asked to.

Killed itself, it leaves the servers running; the next one that is started finds them and goes on.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from app.servers import postgres, valkey
from app.servers.layout import Layout, layout

LOOK_S = 1.0
LOCK = "supervisor.lock"


def run(folder: Path, *, fsync: bool = True) -> int:
    """Supervise until SIGTERM; 0 at once when another supervisor holds the folder."""
    at = layout(folder)
    lock = os.open(at.folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    os.set_inheritable(lock, False)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return 0
    os.ftruncate(lock, 0)
    os.pwrite(lock, str(os.getpid()).encode(), 0)
    asked = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.set())
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    _watch(at, asked, fsync)
    postgres.stop(at)
    valkey.stop(at)
    return 0


def _watch(at: Layout, asked: threading.Event, fsync: bool) -> None:
    pause = LOOK_S
    while not asked.is_set():
        try:
            postgres.start(at, fsync=fsync)
            valkey.start(at)
            pause = LOOK_S
        except Exception as problem:  # noqa: BLE001 - it must outlive every fault of its servers; the reason is kept
            with suppress(OSError):
                (at.folder / "supervisor.log").write_text(f"{time.ctime()} {type(problem).__name__}: {problem}\n")
            pause = min(pause * 2, 5.0)
        asked.wait(pause)
        _reap()


def _reap() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def held(at: Layout) -> bool:
    """Does a living supervisor hold this folder's lock?"""
    lock = os.open(at.folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def pid(at: Layout) -> int:
    """What the holder wrote into the lock; only to be believed while the lock is held."""
    with suppress(OSError, ValueError):
        return int((at.folder / LOCK).read_text())
    return 0


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]), fsync="--no-fsync" not in sys.argv))
