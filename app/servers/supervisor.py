"""One supervisor a data folder: holds the lock, has both servers running, ends both when it is asked to.

Killed itself, it leaves the servers running; the next supervisor finds them and goes on.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import select
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

from app.servers import layout, processes
from app.servers.layout import Layout
from app.servers.postgres import Postgres
from app.servers.server import Server
from app.servers.valkey import Valkey
from integrations.kernel.errors import ConfigError

COMMAND = ("-m", "app.servers", "supervise")
LOOK_S, CONNECT_S = 0.25, 5.0  # how often the processes are looked at, and the servers asked
CLAIM_S = 0.5  # somebody may be asking whether the lock is held, which holds it for a moment
PAUSE_MAX_S = 5.0


class _Asked(BaseException):
    """SIGTERM came, or the test run that wanted the servers has ended."""


def claim(at: Layout, wait_s: float = CLAIM_S) -> int | None:
    """Take the folder's lock; the descriptor holds it until it is closed. None: another one holds it."""
    try:
        lock = os.open(at.lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except PermissionError as error:
        raise ConfigError(f"{at.home} belongs to another user; work as that user, or set DATA_FOLDER") from error
    at.owner.give(at.lock)
    until = time.monotonic() + wait_s
    while True:
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        if time.monotonic() > until:
            os.close(lock)
            return None
        time.sleep(0.02)


def is_supervisor(folder: Path) -> processes.Match:
    """Command lines of the supervisor of a data folder."""
    names, of_folder = {word.encode() for word in COMMAND}, processes.option("--folder", folder.resolve())
    return lambda line: names <= set(line) and of_folder(line)


def held(at: Layout) -> bool:
    """Does a living supervisor hold this folder's lock?"""
    if not at.lock.exists():
        return False
    lock = claim(at, 0)
    if lock is None:
        return True
    os.close(lock)
    return False


def end_all(at: Layout) -> None:
    """End both servers."""
    for server in (Postgres(at), Valkey(at)):
        server.end()


def _watch(at: Layout, servers: Sequence[Server], lock: int, lifeline: bool) -> None:
    """Keep the servers until somebody asks for the end, or the folder is taken away."""
    pause = LOOK_S
    while _is_ours(at, lock):
        try:
            layout.prepare(at)
            for server in servers:
                server.keep()
            at.problem.unlink(missing_ok=True)
            pause = LOOK_S
            _sleep_while_well(at, servers, lock, lifeline)
        except Exception as problem:  # noqa: BLE001 - it must outlive every fault of its servers; the reason is kept
            with suppress(OSError):
                at.problem.write_text(f"{problem or type(problem).__name__}\n", encoding="utf-8")
            _sleep(pause, lifeline)
            pause = min(pause * 2, PAUSE_MAX_S)
        processes.reap()


def _sleep_while_well(at: Layout, servers: Sequence[Server], lock: int, lifeline: bool) -> None:
    until = time.monotonic() + CONNECT_S
    pids = [server.pids() for server in servers]
    while time.monotonic() < until and _is_ours(at, lock):
        _sleep(LOOK_S, lifeline)
        for server, known in zip(servers, pids, strict=True):
            if not known or not server.leads(processes.arguments(known[0])):
                return


def _sleep(seconds: float, lifeline: bool) -> None:
    """Wait; a lifeline is the pipe on stdin, closed when the process that wants us has ended, however it ended."""
    if lifeline and select.select([0], [], [], seconds)[0]:
        raise _Asked
    if not lifeline:
        time.sleep(seconds)


def _is_ours(at: Layout, lock: int) -> bool:
    """Is the lock we hold still the folder's? Not when somebody removed the folder."""
    try:
        return os.path.samestat(at.lock.stat(), os.fstat(lock))
    except OSError:
        return False


def _asked(number: int, frame: FrameType | None) -> NoReturn:
    for again in (signal.SIGTERM, signal.SIGINT):
        signal.signal(again, signal.SIG_IGN)
    raise _Asked


def _detach() -> None:
    """Go on as an orphan: whoever started us has no child to collect."""
    if os.fork():
        os._exit(0)
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nowhere, standard)
    os.close(nowhere)


def main(arguments: Sequence[str]) -> int:
    """Supervise until SIGTERM. 0 at once when another supervisor holds the folder."""
    parser = argparse.ArgumentParser(prog="python -m app.servers supervise")
    parser.add_argument("--no-fsync", action="store_true")
    parser.add_argument("--lifeline", action="store_true", help="end, and remove the folder, when stdin is closed")
    parser.add_argument("--folder", type=Path, required=True)
    asked = parser.parse_args(arguments)
    try:
        at = layout.find(asked.folder)
        layout.make_home(at)
        lock = claim(at)
    except (ConfigError, OSError) as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    if lock is None:
        return 0
    if not asked.lifeline:
        _detach()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    servers = (Postgres(at, fsync=not asked.no_fsync), Valkey(at))
    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _asked)
        _watch(at, servers, lock, asked.lifeline)
    except _Asked:
        end_all(at)
    else:
        if not at.lock.exists():  # removed; with another lock in its place, the servers are another supervisor's
            end_all(at)
    if asked.lifeline:
        _remove(at)
    return 0


def _remove(at: Layout) -> None:
    shutil.rmtree(at.sockets, ignore_errors=True)
    shutil.rmtree(at.home, ignore_errors=True)
