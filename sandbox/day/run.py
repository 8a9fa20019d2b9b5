"""Streams a planned day into the simulators over some seconds, or many tickets at once."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from sandbox.base import Context
from sandbox.day.perform import Performer
from sandbox.day.plan import plan
from sandbox.world import World, build_world

TICKETS, EVENTS, SECONDS, BURST = 300, 1500, 30.0, 5000


@dataclass(slots=True)
class Progress:
    """How far it is. skipped: acts that found nothing to do. The simulators' ledgers count the deliveries it made."""

    total: int = 0
    done: int = 0
    skipped: int = 0
    running: bool = False
    error: str = ""


def _world(context: Context) -> World:
    return build_world(context.seed, context.now(), getattr(context, "scale", 1))


def run_day(
    context: Context, seed: int = 1, tickets: int = TICKETS, events: int = EVENTS, seconds: float = SECONDS,
    progress: Progress | None = None,
) -> Progress:  # fmt: skip
    """A whole day, evenly over `seconds` (0: as fast as it goes). The same seed does the same things in the same order."""
    acts = plan(_world(context), seed, tickets, events)
    progress = progress or Progress(len(acts), running=True)
    performer = Performer(context)
    began = time.monotonic()
    for number, act in enumerate(acts, 1):
        progress.skipped += not performer.perform(act)
        progress.done = number
        ahead = began + seconds * number / len(acts) - time.monotonic()
        if ahead > 0:
            time.sleep(ahead)
    progress.running = False
    return progress


def burst(context: Context, tickets: int = BURST, progress: Progress | None = None) -> Progress:
    """Many tickets at once, by people in turn."""
    people = [person.id for person in _world(context).people]
    zendesk = context.simulators["zendesk"].state
    progress = progress or Progress(tickets, running=True)
    for n in range(tickets):
        zendesk.create_ticket(people[n % len(people)], f"Burst {n}", "One of many.")
        progress.done = n + 1
    progress.running = False
    return progress


class Day:
    """What the control endpoints start and look at. One day or burst at a time."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lock = threading.Lock()
        self.progress = Progress()

    def start(
        self, seed: int = 1, tickets: int = TICKETS, events: int = EVENTS, seconds: float = SECONDS,
        acts: int | None = None,
    ) -> None:  # fmt: skip
        """Stream a day in; returns at once. acts: an older name of `events`. Raises ValueError while one runs."""
        events = events if acts is None else acts
        with self._lock:
            if self.progress.running:
                raise ValueError("a day is running already")
            progress = self.progress = Progress(tickets + events, running=True)
        arguments = (seed, tickets, events, seconds, progress)
        threading.Thread(target=self._run, args=arguments, daemon=True, name="day").start()

    def _run(self, seed: int, tickets: int, events: int, seconds: float, progress: Progress) -> None:
        try:
            run_day(self._context, seed, tickets, events, seconds, progress)
        except Exception as problem:  # noqa: BLE001 - whoever looks must see why the day ended
            progress.error = f"{type(problem).__name__}: {problem}"
        finally:
            progress.running = False

    def burst(self, tickets: int = BURST) -> None:
        """Many tickets at once; returns when they are made."""
        self.progress = Progress(tickets, running=True)
        burst(self._context, tickets, self.progress)
