"""The sidebar: its fragment from the mirror beside five calls of stripe-python, unchanged polls, budgets in Chromium.

Times in a browser and CPU of a view are absolute, as their budgets are: they mean something on a machine that does
nothing else, and `load` says with each how busy it was.
"""

from __future__ import annotations

import os
import statistics
import time
from collections import defaultdict

from bench import sidebar_browser
from bench.report import line
from bench.sidebar_scene import BANK_URL, CHARGES, REFUNDS, SUBSCRIPTIONS, Scene, scene
from bench.sidebar_stripe import Five

ROUNDS, VIEWS, CALLS = 7, 40, 3
OBJECTS = CHARGES * 2 + REFUNDS + SUBSCRIPTIONS


def _five(five: Five) -> tuple[float, float]:
    """Wall and CPU of this thread, ms."""
    began, used = time.perf_counter(), time.thread_time()
    if five() != OBJECTS:
        raise SystemExit(f"the vendor's own library read {five()} objects instead of {OBJECTS}")
    return (time.perf_counter() - began) * 1000, (time.thread_time() - used) * 1000


def _views(shown: Scene, tag: str = "") -> tuple[list[float], list[float]]:
    answers = [shown.ask(tag) for _ in range(VIEWS)]
    return [wall for _, wall, _ in answers], [cpu for _, _, cpu in answers]


def _p95(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]


def _take(shown: Scene) -> tuple[dict[str, list[float]], int, float]:
    """Values by what they are, of all rounds; calls the vendor got for views and polls; what PostgreSQL used for them."""
    five, calls, used = Five(BANK_URL), 0, 0.0
    found: dict[str, list[float]] = defaultdict(list)
    _five(five)
    _views(shown)
    for _ in range(ROUNDS):
        walls, cpu = zip(*(_five(five) for _ in range(CALLS)), strict=True)
        found["five"].append(statistics.median(walls))
        found["five_cpu"].append(statistics.median(cpu))
        calls, used = calls - shown.stripe_calls(), used - shown.database_cpu_ms()
        for name, took in zip(("billing", "billing_cpu"), shown.billing(VIEWS), strict=True):
            found[name].append(statistics.median(took))
        tag = shown.ask()[0].headers["ETag"]
        shown.ask(tag)  # which takes the first digest
        for name, known in (("view", ""), ("poll", tag)):
            wall, each = _views(shown, known)
            found[name].append(statistics.median(wall))
            found[f"{name}_cpu"].append(statistics.median(each))
            found[f"{name}_each"] += each
        calls, used = calls + shown.stripe_calls(), used + shown.database_cpu_ms()
    return found, calls, used


def server(shown: Scene, load: dict[str, object]) -> None:
    """Time and CPU of a view, in turn with what it replaces and with a poll that finds nothing new."""
    found, calls, used = _take(shown)
    asked = 2 * ROUNDS * (VIEWS + 1)
    line("sidebar: Stripe calls of a plain view", "calls", [calls], load={**load, "views": asked}, goal=("<=", 0))
    what = "sidebar: billing from the mirror to HTML / five stripe-python calls"
    line(what, "ms", found["billing"], found["five"], load=load, goal=("<=", 1 / 30))
    line(f"{what}, CPU", "ms", found["billing_cpu"], found["five_cpu"], load=load)
    line(
        "sidebar: the whole fragment over HTTP / five stripe-python calls",
        "ms",
        found["view"],
        found["five"],
        load=load,
    )
    line("sidebar: fragment, time", "ms", found["view"], load=load, goal=("<=", 50))
    line("sidebar: unchanged poll / fragment, time", "ms", found["poll"], found["view"], load=load, goal=("<=", 0.5))
    line("sidebar: unchanged poll / fragment, CPU", "ms", found["poll_cpu"], found["view_cpu"], load=load,
         goal=("<=", 0.5))  # fmt: skip
    for name, goal in (("view", 10.0), ("poll", 5.0)):
        each = found[f"{name}_each"]
        told = {**load, "asked": len(each), "median": round(statistics.median(each), 2)}
        line(f"sidebar: {name}, server CPU p95", "ms", [_p95(each)], load=told, goal=("<=", goal))
    line("sidebar: PostgreSQL CPU, views and polls in the mean", "ms", [used / asked], load=load)


def run() -> None:
    """Print all figures."""
    with scene() as shown:
        shown.enter()
        load: dict[str, object] = {"invoices": CHARGES, "charges": CHARGES, "refunds": REFUNDS,
                                   "subscriptions": SUBSCRIPTIONS, "load_average": round(os.getloadavg()[0], 1)}  # fmt: skip
        server(shown, load)
        sidebar_browser.run(shown, load)
