"""Writes where batches ignore tags: tickets with the same change share one bulk call; all jobs are followed together.

A receipt carries one job, so several are waited for here. What was sent before something went wrong has no result, which
the caller takes as "unknown: look before you repeat"; only when nothing was sent does the error itself come through.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Protocol

from integrations.kernel.errors import VendorError
from integrations.kernel.ports import JobState, WriteReceipt, WriteResult
from integrations.kernel.records import TicketChange
from integrations.zendesk import wire

AT_ONCE = 10  # jobs of one write; Zendesk runs 30 an account
WAIT_S = 20.0
LOOK_S = (0.3, 0.5, 1.0, 2.0)  # between looks, then the last


class Desk(Protocol):
    """What this needs of the client."""

    def send_bulk(self, ids: Sequence[str], change: TicketChange, key: str) -> str:
        """Start a bulk update; answers its job."""

    def tags_only(self, change: TicketChange) -> WriteResult | None:
        """A lone change of tags in one direction, at once; None when it is more than that."""

    def jobs(self, job_ids: Sequence[str]) -> Mapping[str, JobState]:
        """As in the port."""


def groups_of(changes: Sequence[TicketChange]) -> list[list[TicketChange]]:
    """Tickets by equal change, in a fixed order."""
    groups: dict[str, list[TicketChange]] = {}
    for change in changes:
        same = json.dumps(wire.ticket(change, ticket_id=False), sort_keys=True)
        groups.setdefault(same, []).append(change)
    return [groups[same] for same in sorted(groups)]


def write(desk: Desk, changes: Sequence[TicketChange], key: str) -> WriteReceipt:
    """All changes by the fewest bulk calls; a single group's job is left to the caller to follow."""
    groups = groups_of(changes)
    if len(groups) == 1:
        return WriteReceipt(job_id=desk.send_bulk([c.ticket_id for c in changes], changes[0], key))
    results: list[WriteResult] = []
    for start in range(0, len(groups), AT_ONCE):
        try:
            jobs = _start(desk, groups[start : start + AT_ONCE], f"{key}-{start}", results)
            if not _follow(desk, jobs, results):
                break
        except VendorError:
            if not start and not results:
                raise
            break
    return WriteReceipt(results=tuple(results))


def _start(desk: Desk, groups: Sequence[Sequence[TicketChange]], key: str, results: list[WriteResult]) -> list[str]:
    """Send some groups; raises only when none of them was sent."""
    jobs: list[str] = []
    for number, group in enumerate(groups):
        try:
            alone = desk.tags_only(group[0]) if len(group) == 1 else None
            if alone is not None:
                results.append(alone)
            else:
                jobs.append(desk.send_bulk([c.ticket_id for c in group], group[0], f"{key}-{number}"))
        except VendorError:
            if not jobs and not results:
                raise
            break
    return jobs


def _follow(desk: Desk, jobs: Sequence[str], results: list[WriteResult]) -> bool:
    """Look at the jobs until all are finished; False when they take too long."""
    open_jobs, until, looks = list(jobs), time.monotonic() + WAIT_S, iter(LOOK_S)
    while open_jobs:
        if time.monotonic() > until:
            return False
        time.sleep(next(looks, LOOK_S[-1]))
        for job_id, state in desk.jobs(open_jobs).items():
            if state.finished:
                results += state.results
                open_jobs.remove(job_id)
    return True
