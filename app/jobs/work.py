"""What a wake-up runs, and the loop that needs none. RQ imports `inbox`, `outbox`, `refunds` by name; they take nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from app import wake
from app.inbox import store as inbox_store
from app.inbox.process import Inbox
from app.jobs import periodic
from app.jobs.tasks import tasks
from app.outbox import store as outbox_store
from app.refunds import RefundWorker
from app.refunds import store_work as refund_store
from app.relay import Relay
from app.runtime import Runtime
from app.telemetry.logs import bind, get_logger

log = get_logger(__name__)

_LOOKS = (
    (wake.REFUNDS, refund_store.has_due), (wake.INBOX, inbox_store.has_due), (wake.OUTBOX, outbox_store.has_due),
)  # fmt: skip


class Work:
    """The work of one worker process. `stop` is set by its signal handler."""

    def __init__(self, runtime: Runtime, worker_id: str) -> None:
        self.runtime = runtime
        self.worker_id = worker_id
        self.stop = threading.Event()
        self._started = False
        clients, settings = runtime.clients, runtime.settings
        self._inbox = Inbox(
            runtime.database, clients.vendor_of, clients.helpdesk, clients.own_user, runtime.pool, settings
        )
        self._relay = Relay(runtime.database, clients.helpdesk, runtime.pool, settings)
        self._refunds = RefundWorker(runtime.refunds, clients.refunds, runtime.pool)
        self._tasks = tasks(runtime)

    def go_on_for(self, seconds: float) -> Callable[[], bool]:
        """True until the slice is over or the worker is asked to stop."""
        until = time.monotonic() + seconds
        return lambda: not self.stop.is_set() and time.monotonic() < until

    def drain_inbox(self) -> int:
        """One slice of the inbox; wakes the next when rows remain."""
        with bind(job=wake.INBOX):
            settled = self._inbox.drain(self.go_on_for(self.runtime.settings.slice_s))
        self.runtime.waker.wake(wake.OUTBOX)
        self._wake_if_due()
        return settled

    def drain_outbox(self) -> int:
        """One slice of the outbox."""
        with bind(job=wake.OUTBOX):
            ended = self._relay.drain(self.go_on_for(self.runtime.settings.slice_s))
        self._wake_if_due()
        return ended

    def drain_refunds(self) -> int:
        """One slice of refunds; what they want of tickets goes out next."""
        with bind(job=wake.REFUNDS):
            worked = self._refunds.drain(self.go_on_for(self.runtime.settings.slice_s))
        self._wake_if_due()
        return worked

    def _wake_if_due(self) -> list[str]:
        """Ask the database what is due, and wake for it; answers the queues Redis could not be told of."""
        with self.runtime.database.begin() as cx:
            due = [queue for queue, look in _LOOKS if look(cx)]
        return [queue for queue in due if not self.runtime.waker.wake(queue)]

    def dispatch(self) -> None:
        """The loop of every worker: heartbeat, and wake-ups for what is due. Never raises."""
        self._every_moment(self._look)

    def run_periodic(self) -> None:
        """The loop of periodic work, in a thread of its own: a slow vendor must stop neither heart nor wake-ups."""
        self._every_moment(self._run_due)

    def _every_moment(self, step: Callable[[], None]) -> None:
        while not self.stop.is_set():
            try:
                step()
            except Exception as problem:  # noqa: BLE001 - the dispatcher must outlive every fault of its servers
                log.warning("dispatch_failed", cause=type(problem).__name__)
            self.stop.wait(self.runtime.settings.dispatch_s)

    def _look(self) -> None:
        with self.runtime.database.begin() as cx:
            periodic.heartbeat(cx, self.worker_id)
        self._work_myself(self._wake_if_due())

    def _run_due(self) -> None:
        with self.runtime.database.begin() as cx:
            periodic.register(cx, self._tasks)
            if not self._started:
                periodic.worker_starts(cx, self._tasks)
                self._started = True
        periodic.run_due(self.runtime.database, self._tasks)

    def _work_myself(self, queues: list[str]) -> None:
        """Redis is away or frozen: do in this thread what its wake-ups would have started. Leases keep order."""
        if wake.REFUNDS in queues:
            self.drain_refunds()
        if wake.INBOX in queues:
            self.drain_inbox()
        if wake.OUTBOX in queues:
            self.drain_outbox()


_current: Work | None = None


def install(work: Work) -> None:
    """Make this process's work known to the jobs RQ calls."""
    global _current
    _current = work


def _work() -> Work:
    if _current is None:
        raise RuntimeError("no worker in this process: start it with `flask worker`")
    return _current


def inbox() -> None:
    """RQ job: drain the inbox."""
    _work().drain_inbox()


def outbox() -> None:
    """RQ job: drain the outbox."""
    _work().drain_outbox()


def refunds() -> None:
    """RQ job: carry refunds on."""
    _work().drain_refunds()
