"""CPU of processes as /proc tells it: of a server with its children, of the database's backends that work for us."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import sqlalchemy as sa

from app.db import Database

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_s(*pids: int) -> float:
    """CPU seconds of these processes and all their living children."""
    total = 0.0
    for pid in pids:
        parent = psutil.Process(pid)
        for one in (parent, *parent.children(recursive=True)):
            used = one.cpu_times()
            total += used.user + used.system
    return total


def memory_mib(*pids: int) -> float:
    """Resident memory of these processes and their children."""
    everyone = [one for pid in pids for one in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True))]
    return sum(one.memory_info().rss for one in everyone) / 2**20


def backends_cpu_s(database: Database) -> float:
    """CPU seconds of the backends that serve our role in this database; the server's own workers are not counted."""
    with database.begin() as cx:
        pids = cx.execute(
            sa.text(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"
            )
        ).scalars()
        return sum(_ticks(pid) for pid in pids) / _TICKS


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])
