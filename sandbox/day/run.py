"""Streams a planned day into the simulators over some seconds, or many tickets at once."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from sandbox.base import Context
from sandbox.day.conversations import Inbox, Said
from sandbox.day.conversations import plan as inbox_plan
from sandbox.day.perform import Performer
from sandbox.day.plan import Act, plan
from sandbox.world import World, build_world

TICKETS, EVENTS, SECONDS, BURST = 300, 1500, 30.0, 5000
SAID = 5  # acts in a conversation


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
    progress: Progress | None = None, conversations: int = 0,
) -> Progress:  # fmt: skip
    """A whole day, evenly over `seconds` (0: as fast as it goes). The same seed does the same things in the same order.

    conversations: how many begin in the Intercom inbox beside it, each with some acts of its own.
    """
    world = _world(context)
    acts = _mixed(plan(world, seed, tickets, events), inbox_plan(world, seed, conversations, conversations * SAID))
    progress = progress or Progress(len(acts), running=True)
    progress.total = len(acts)
    performer, inbox = Performer(context), Inbox(context) if conversations else None
    began = time.monotonic()
    for number, act in enumerate(acts, 1):
        if isinstance(act, Said):
            progress.skipped += inbox is not None and not inbox.perform(act)
        else:
            progress.skipped += not performer.perform(act)
        progress.done = number
        ahead = began + seconds * number / len(acts) - time.monotonic()
        if ahead > 0:
            time.sleep(ahead)
    progress.running = False
    return progress


def _mixed(acts: list[Act], said: list[Said]) -> list[Act | Said]:
    """Both in their own order, evenly side by side."""
    places = [
        (n / max(1, len(found)), side, one) for side, found in enumerate((acts, said)) for n, one in enumerate(found)
    ]
    return [one for *_, one in sorted(places, key=lambda place: place[:2])]


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
        acts: int | None = None, conversations: int = 0,
    ) -> None:  # fmt: skip
        """Stream a day in; returns at once. acts: an older name of `events`. Raises ValueError while one runs."""
        events = events if acts is None else acts
        with self._lock:
            if self.progress.running:
                raise ValueError("a day is running already")
            progress = self.progress = Progress(tickets + events, running=True)
        arguments = (seed, tickets, events, seconds, progress, conversations)
        threading.Thread(target=self._run, args=arguments, daemon=True, name="day").start()

    def _run(
        self, seed: int, tickets: int, events: int, seconds: float, progress: Progress, conversations: int
    ) -> None:  # fmt: skip
        try:
            run_day(self._context, seed, tickets, events, seconds, progress, conversations)
        except Exception as problem:  # noqa: BLE001 - whoever looks must see why the day ended
            progress.error = f"{type(problem).__name__}: {problem}"
        finally:
            progress.running = False

    def burst(self, tickets: int = BURST) -> None:
        """Many tickets at once; returns when they are made."""
        self.progress = Progress(tickets, running=True)
        burst(self._context, tickets, self.progress)
