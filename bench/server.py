"""Which web server: two tests over the candidates, the shipped one first. The table is in docs/decisions/0003-web-server.md.

Slow senders: 1,000 slow connections, or three times the threads if that is more, for 30 s; honest deliveries meanwhile
must have a p99 below 1 s and each must have its row. Throughput: CPU a request of a POST that only reads, in turn.
"""

from __future__ import annotations

import itertools
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from bench.clients import Client
from bench.deliveries import DOOR, NOOP, Deliveries
from bench.processes import cpu_s, memory_mib
from bench.report import line
from bench.slow import Crowd, Honest, honest
from bench.web import PORT, PROCESSES, House, house, serving, shipped

NEEDED = (
    "gunicorn==27.0.1",
    "gevent==26.9.0",
    "granian==2.8.7",
)  # not the product's: into a folder that is thrown away
SLOW, SLOW_S, P99_S, ROUNDS, SECONDS, CONNECTIONS = 1000, 30.0, 1.0, 5, 2.0, 32


@dataclass(frozen=True, slots=True)
class Candidate:
    """words: its command after python -m, with the port for {}. threads: in all its processes, 0 when bodies cost none."""

    name: str
    words: str = ""
    threads: int = 0

    def commands(self, port: int) -> list[list[str]]:
        """One command for each process we start."""
        if not self.words:
            return [shipped()] * PROCESSES
        return [[sys.executable, "-m", *self.words.format(port).split()]]

    @property
    def slow(self) -> int:
        """How many slow senders it has to bear."""
        return max(SLOW, 3 * self.threads)


_GUNICORN = "gunicorn -b 127.0.0.1:{} -w 2 --backlog 2048 --log-level error bench.door_app:app"
_GRANIAN = "granian --interface wsgi --host 127.0.0.1 --port {} --workers 2 --backlog 2048 --no-log bench.door_app:app"
CANDIDATES = (
    Candidate("waitress x 2 on one port (shipped)"),
    Candidate("gunicorn gevent", f"{_GUNICORN} -k gevent --worker-connections 4000"),
    Candidate("gunicorn gthread, 2 x 16 threads", f"{_GUNICORN} -k gthread --threads 16", 32),
    Candidate("granian WSGI, 2 x 400 threads", f"{_GRANIAN} --blocking-threads 400", 800),
)


@contextmanager
def libraries() -> Iterator[dict[str, str]]:
    """The candidates' packages in a folder of their own, and the environment that finds them."""
    with tempfile.TemporaryDirectory(prefix="deskbridge-bench-servers-") as folder:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--target", folder, *NEEDED], check=True, stderr=subprocess.DEVNULL)
        yield {"PYTHONPATH": str(Path(folder))}


def cpu_us(port: int, pids: list[int]) -> float:
    """CPU a good answer of a POST that only reads its body, in microseconds."""
    before = cpu_s(*pids)
    answers = Client(port, itertools.cycle(Deliveries(NOOP, "n").many(500)), CONNECTIONS).run(SECONDS)
    if answers.refused or answers.broken:
        raise SystemExit(f"{len(answers.refused)} answers not 2xx, {answers.broken} connections broken")
    return (cpu_s(*pids) - before) / len(answers.stored) * 1e6


def bear(
    house: House, candidate: Candidate, port: int, *, signed: bool, prefix: str
) -> tuple[Honest, dict[str, object]]:
    """What honest senders saw beside the slow ones, and what to say about it."""
    slow = Deliveries(DOOR, f"{prefix}s")
    crowd = Crowd(port, candidate.slow, lambda: slow.one(signed=signed)[1])
    crowd.start()
    connected = crowd.wait_until_full(10.0)
    seen = honest(port, Deliveries(DOOR, prefix), SLOW_S)
    crowd.leave()
    house.must_hold(prefix, seen.stored)
    return seen, {
        "server": candidate.name, "slow_senders": candidate.slow, "connected": connected, "signed": signed,
        "seconds": SLOW_S, "honest": len(seen.waits_s), "honest_failed": seen.failed,
        "longest_slow_request_s": round(crowd.longest_s, 1),
    }  # fmt: skip


def slow_senders(house: House, candidate: Candidate, environment: dict[str, str], number: int) -> bool:
    """Print both lines of one candidate; does it pass?"""
    passes = True
    port = PORT + 20 + number
    with serving(house, port, candidate.commands(port), environment) as children:
        for signed in (True, False):
            seen, load = bear(house, candidate, port, signed=signed, prefix=f"h{number}{int(signed)}")
            load["memory_mib"] = round(memory_mib(*(child.pid for child in children)))
            passes &= seen.p99_s < P99_S
            goal = ("<=", P99_S) if number == 0 else None
            line(
                "server: honest p99 beside slow senders", "s", [seen.p99_s], load=load, goal=goal, versions=_versions()
            )
            if seen.failed:
                break
    return passes


def throughput(house: House, passing: list[Candidate], environment: dict[str, str]) -> None:
    """CPU a request of all that passed, in turn, each compared with the cheapest of them."""
    found: dict[str, list[float]] = {candidate.name: [] for candidate in passing}
    with ExitStack() as stack:
        running = []
        for number, candidate in enumerate(passing):
            port = PORT + 40 + number
            children = stack.enter_context(serving(house, port, candidate.commands(port), environment))
            running.append((candidate.name, port, [child.pid for child in children]))
        for number in range(ROUNDS + 1):
            for name, port, pids in running:
                value = cpu_us(port, pids)
                if number:
                    found[name].append(value)
    cheapest = min(found.values(), key=sorted)
    for name, values in found.items():
        goal = ("<=", 1.3) if name == CANDIDATES[0].name else None
        load = {"server": name, "client": "own, 32 connections (no wrk)", "request": "POST, body read"}
        line("server: CPU a request / cheapest that passes", "us", values, cheapest, load=load, goal=goal,
             versions=_versions())  # fmt: skip


def _versions() -> dict[str, str]:
    return {"waitress": version("waitress"), **dict(package.split("==") for package in NEEDED)}


def run() -> None:
    """Slow senders first; whoever stalls is not measured for throughput but listed."""
    with libraries() as environment, house() as found:
        passing = [c for n, c in enumerate(CANDIDATES) if slow_senders(found, c, environment, n)]
        if CANDIDATES[0] not in passing:
            raise SystemExit("the shipped server does not bear slow senders")
        throughput(found, passing, environment)
