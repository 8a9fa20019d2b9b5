"""The door (verified, stored, committed, answered) / the same server's route that only reads the body.

Then a round in which web processes are killed with -9 under load: every delivery that was answered 2xx has a row.
"""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import threading
import time

from bench.clients import Client
from bench.deliveries import DOOR, NOOP, Deliveries
from bench.report import line
from bench.web import PORT, House, house, serving, shipped

CONNECTIONS, SECONDS, ROUNDS = 32, 3.0, 7
AT_MOST = 6000  # deliveries a second that are made ready
LOAD = {
    "client": "own, Python, one thread, 32 connections (no wrk)", "server": "flask web, 2 processes", "fsync": "on",
    "body_bytes": 740,
}  # fmt: skip


def rate(house: House, path: str, prefix: str, seconds: float, port: int = PORT) -> float:
    """Good answers a second over some seconds; anything else than a good answer is an error."""
    deliveries = Deliveries(path, prefix)
    ready = deliveries.many(int(AT_MOST * seconds)) if path == DOOR else itertools.cycle(deliveries.many(1000))
    answers = Client(port, ready, CONNECTIONS).run(seconds)
    if answers.refused or answers.broken:
        raise SystemExit(f"{path}: {len(answers.refused)} answers not 2xx, {answers.broken} connections broken")
    if path == DOOR:
        house.must_hold(prefix, answers.stored)
        if len(house.stored(prefix)) != len(answers.stored):
            raise SystemExit("rows and good answers are not the same number")
    return answers.rate


def paired(house: House, rounds: int, seconds: float, port: int = PORT) -> tuple[list[float], list[float]]:
    """(door, noop) rates, taken in turn after a warm-up of both."""
    door, noop = [], []
    for number in range(rounds + 1):
        base = rate(house, NOOP, f"n{number}", seconds, port)
        value = rate(house, DOOR, f"d{number}", seconds, port)
        if number:
            noop.append(base)
            door.append(value)
    return door, noop


def killed(house: House, port: int = PORT, kills: int = 4) -> tuple[int, int]:
    """kill -9 of one web process after the other under load; (good answers, answers lost on the way)."""
    with serving(house, port) as children:
        stop = threading.Event()

        def kill() -> None:
            for number in range(kills):
                if stop.wait(1.0):
                    return
                place = number % len(children)
                os.kill(children[place].pid, signal.SIGKILL)
                children[place].wait()
                children[place] = subprocess.Popen(
                    shipped(), env={**house.environment, "WEB_PORT": str(port)}, start_new_session=True
                )
                time.sleep(1.5)

        killer = threading.Thread(target=kill)
        killer.start()
        seconds = kills * 2.5 + 0.5
        answers = Client(port, Deliveries(DOOR, "k").many(int(AT_MOST / 2 * seconds)), CONNECTIONS).run(seconds)
        stop.set()
        killer.join()
    house.must_hold("k", answers.stored)
    if answers.refused or not answers.broken:
        raise SystemExit(f"kill -9: {len(answers.refused)} answers not 2xx, {answers.broken} connections broken")
    return len(answers.stored), answers.broken


def run() -> None:
    """Print the ratio of both rates, and what the kill -9 round left without a row."""
    with house() as found:
        with serving(found):
            door, noop = paired(found, ROUNDS, SECONDS)
        line("ingest: stored deliveries / body read", "1/s", door, noop, load=LOAD, goal=(">=", 0.35))
        good, broken = killed(found)
        load = {**LOAD, "kills": 4, "good_answers": good, "connections_broken": broken}
        line("ingest: 2xx without a row after kill -9", "deliveries", [0], load=load, goal=("<=", 0))
