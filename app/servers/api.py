"""What the product calls: have the servers running, stop them, or have a pair for a test."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from app.servers import layout, processes, programs, supervisor
from app.servers.layout import Layout
from app.servers.postgres import OWNER, RUNTIME, Postgres
from app.servers.valkey import Valkey
from integrations.kernel.errors import ConfigError

READY_S = 90.0
FAILED_S = 15.0  # a start that still fails after so long will not succeed
STOP_S = 60.0
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Urls:
    """database_url: the runtime's role. migration_url: the owner's role. Both without a password: the folder is private."""

    database_url: str
    migration_url: str
    redis_url: str


def ensure(folder: Path, *, fsync: bool = True) -> Urls:
    """Have both servers of a data folder running, whoever starts them, and a supervisor that keeps them so.

    Cheap when all is well (two connections), so that long-lived processes may call it now and then.

    Args:
        fsync: False only for data that may be lost with the machine; counts for whoever starts the server.

    Raises:
        ConfigError: they did not come up; the text holds the reason.
    """
    at = layout.find(folder)
    began = time.monotonic()
    next_spawn = began
    while True:
        if time.monotonic() >= next_spawn and not supervisor.held(at):
            _spawn(at, folder, fsync)
            next_spawn = time.monotonic() + 1.0
        if _is_ready(at):
            return _urls(at)
        _give_up(at, time.monotonic() - began)
        time.sleep(0.05)


def _spawn(at: Layout, folder: Path, fsync: bool) -> None:
    """A supervisor that detaches itself; this returns when it holds the lock, or has found that another one does."""
    programs.check()
    done = subprocess.run(_command(folder, fsync), cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode:
        raise ConfigError(f"the supervisor of {at.home} failed: {done.stderr.decode(errors='replace')[-800:].strip()}")


def _command(folder: Path, fsync: bool) -> list[str]:
    options = [] if fsync else ["--no-fsync"]
    return [sys.executable, *supervisor.COMMAND, *options, "--folder", str(folder.resolve())]


def _is_ready(at: Layout) -> bool:
    return Postgres(at).is_furnished() and Valkey(at).answers()


def _give_up(at: Layout, waited_s: float) -> None:
    reason = ""
    with suppress(OSError):
        reason = at.problem.read_text(encoding="utf-8").strip()
    if waited_s > READY_S or (reason and waited_s > FAILED_S):
        raise ConfigError(f"The embedded servers of {at.home} did not start: {reason or 'no reason is known'}")


def _urls(at: Layout) -> Urls:
    postgres = Postgres(at)
    return Urls(postgres.url(RUNTIME), postgres.url(OWNER), Valkey(at).url())


def stop(folder: Path) -> None:
    """End the supervisor and both servers; no process of them is left, whoever was killed before.

    Raises:
        ConfigError: a process could not be ended.
    """
    at = layout.find(folder)
    lock = _take_over(at, folder) if at.home.is_dir() else None
    try:
        supervisor.end_all(at)
    finally:
        if lock is not None:
            os.close(lock)


def _take_over(at: Layout, folder: Path) -> int:
    """End the supervisor and hold its lock, so that none is started while the servers are ended."""
    began = time.monotonic()
    while (lock := supervisor.claim(at, 0.1)) is None:
        waited_s = time.monotonic() - began
        how = signal.SIGKILL if waited_s > STOP_S / 2 else signal.SIGTERM
        for uid in {os.geteuid(), at.owner.uid}:
            processes.end(uid, supervisor.is_supervisor(folder), how, 30.0)
        if waited_s > STOP_S:
            raise ConfigError(f"the supervisor of {at.home} could not be ended")
    return lock


def status(folder: Path) -> dict[str, str]:
    """What is running, in words."""
    at = layout.find(folder)
    return {
        "supervisor": "running" if supervisor.held(at) else "not running",
        "PostgreSQL": "answers" if Postgres(at).answers() else "does not answer",
        "Valkey": "answers" if Valkey(at).answers() else "does not answer",
    }


@contextmanager
def temporary() -> Iterator[Urls]:
    """A pair of servers for one test run: without fsync, in a temporary folder, gone when the run ends, however it ends."""
    folder = layout.private_folder(layout.root_becomes() if os.geteuid() == 0 else layout.ourselves())
    command = [*_command(folder, fsync=False), "--lifeline"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, start_new_session=True) as child:
        try:
            while not supervisor.held(layout.find(folder)) and child.poll() is None:
                time.sleep(0.02)
            yield ensure(folder, fsync=False)
        finally:
            assert child.stdin is not None  # noqa: S101 - Popen was told to make the pipe
            child.stdin.close()
            child.wait(STOP_S)
