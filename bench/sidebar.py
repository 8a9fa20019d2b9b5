"""The sidebar: its fragment from the mirror beside five calls of stripe-python, unchanged polls, budgets in Chromium.

Times in a browser and CPU of a view are absolute, as their budgets are: they mean something on a machine that does
nothing else, and `load` says with each how busy it was.
"""

from __future__ import annotations

import os
import statistics
import time

from bench import sidebar_browser
from bench.report import line
from bench.sidebar_scene import BANK_URL, CHARGES, REFUNDS, SUBSCRIPTIONS, Scene, scene
from bench.sidebar_stripe import Five

ROUNDS, VIEWS, CALLS = 7, 40, 3
OBJECTS = CHARGES * 2 + REFUNDS + SUBSCRIPTIONS


def _five(five: Five) -> float:
    began = time.perf_counter()
    if five() != OBJECTS:
        raise SystemExit(f"the vendor's own library read {five()} objects instead of {OBJECTS}")
    return (time.perf_counter() - began) * 1000


def _views(shown: Scene, tag: str = "") -> tuple[list[float], list[float]]:
    answers = [shown.ask(tag) for _ in range(VIEWS)]
    return [wall for _, wall, _ in answers], [cpu for _, _, cpu in answers]


def _p95(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]


def server(shown: Scene, load: dict[str, object]) -> None:
    """Time and CPU of a view, in turn with what it replaces and with a poll that finds nothing new."""
    five, told, used = Five(BANK_URL), 0, 0.0
    walls: list[float] = []
    polls: list[float] = []
    bases: list[float] = []
    cpu_views: list[float] = []
    cpu_polls: list[float] = []
    _five(five)
    _views(shown)
    for _ in range(ROUNDS):
        bases.append(statistics.median(_five(five) for _ in range(CALLS)))
        told, used = told - shown.stripe_calls(), used - shown.database_cpu_ms()
        tag = shown.ask()[0].headers["ETag"]
        shown.ask(tag)  # which takes the first digest
        wall, cpu = _views(shown)
        poll_wall, poll_cpu = _views(shown, tag)
        walls.append(statistics.median(wall))
        polls.append(statistics.median(poll_wall))
        cpu_views += cpu
        cpu_polls += poll_cpu
        told, used = told + shown.stripe_calls(), used + shown.database_cpu_ms()
    asked = 2 * ROUNDS * (VIEWS + 1)
    line("sidebar: Stripe calls of a plain view", "calls", [told], load={**load, "views": asked}, goal=("<=", 0))
    line("sidebar: fragment / five stripe-python calls", "ms", walls, bases, load=load, goal=("<=", 1 / 30))
    line("sidebar: fragment, time", "ms", walls, load=load, goal=("<=", 50))
    line("sidebar: fragment, server CPU p95", "ms", [_p95(cpu_views)], load={**load, "views": len(cpu_views),
         "median": round(statistics.median(cpu_views), 2)}, goal=("<=", 10))  # fmt: skip
    line("sidebar: unchanged poll / fragment, time", "ms", polls, walls, load=load, goal=("<=", 0.5))
    line("sidebar: unchanged poll, server CPU p95", "ms", [_p95(cpu_polls)], load={**load, "views": len(cpu_polls),
         "median": round(statistics.median(cpu_polls), 2)}, goal=("<=", 5))  # fmt: skip
    line("sidebar: PostgreSQL CPU, views and polls in the mean", "ms", [used / asked], load=load)


def run() -> None:
    """Print all figures."""
    with scene() as shown:
        shown.enter()
        load: dict[str, object] = {"invoices": CHARGES, "charges": CHARGES, "refunds": REFUNDS,
                                   "subscriptions": SUBSCRIPTIONS, "load_average": round(os.getloadavg()[0], 1)}  # fmt: skip
        server(shown, load)
        sidebar_browser.run(shown, load)
