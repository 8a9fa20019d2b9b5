"""What happens periodically, in one table. Each runs in whichever worker claims it; twice is harmless."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from app import agents, audit, crm, notify, sessions
from app.billing import refill
from app.billing import store as billing
from app.db import Database
from app.inbox import billing_sync, catch_up, facts, retention
from app.jobs.periodic import Task
from app.leads import gather, lift, scanning, ticket_holds, verdicts
from app.leads.push import Pusher
from app.leads.store_policy import active_policy
from app.refunds import books
from app.refunds import follow as refunds
from app.refunds import holding as refund_holds
from app.runtime import Runtime
from app.telemetry.logs import get_logger
from integrations import registry
from integrations.kernel.clock import utc_now
from integrations.kernel.errors import AppError
from integrations.kernel.vendor import Port

HOUR_S, DAY_S = 3600.0, 86_400.0

log = get_logger(__name__)


def tasks(runtime: Runtime) -> Mapping[str, Task]:
    """All periodic tasks of this installation, by key. Every one is in docs/operation.md."""
    settings = runtime.settings

    def partition() -> None:
        owner = Database(runtime.urls.migration, pool_size=1)  # only the owner of a table makes its partitions
        try:
            retention.drop_days(owner, settings)
        finally:
            owner.close()

    def seats() -> None:
        with runtime.database.begin() as cx:
            billing.carry_seats(cx)

    def refill_some() -> None:
        until = time.monotonic() + 20
        refill.refill(runtime.database, settings.seats_used_key, lambda: time.monotonic() < until)

    def forget_sessions() -> None:
        with runtime.database.begin() as cx:
            sessions.prune(cx, utc_now())

    def measure_lift() -> None:
        with runtime.database.begin() as cx:
            lift.measure(cx, utc_now())

    table = (
        Task("partitions", HOUR_S, partition),
        Task("retention", DAY_S, lambda: retention.prune(runtime.database, settings)),
        Task("inbox.catch_up", settings.catchup_s, lambda: _helpdesks(runtime, _catch_up_tickets), at_start=True),
        Task("agents.read", min(60.0, settings.agents_s), lambda: _helpdesks(runtime, _staff), at_start=True),
        Task("billing.catch_up", settings.catchup_s, lambda: _catch_up_billing(runtime), at_start=True),
        Task("billing.reread", 5.0, lambda: billing_sync.reread(runtime.database, runtime.clients.billing, settings)),
        Task("billing.refresh", HOUR_S, lambda: billing_sync.refresh_due(runtime.database, settings)),
        Task("billing.seats", HOUR_S, seats),
        Task("billing.refill", 60.0, refill_some),
        Task("sessions.prune", HOUR_S, forget_sessions),
        Task("refunds.sweep", settings.refund_sweep_s, lambda: refunds.sweep(runtime.refunds)),
        Task("refunds.follow", 60.0, lambda: refunds.follow(runtime.refunds)),
        Task("refunds.books", DAY_S, lambda: _billing(runtime, lambda c: _books(runtime, c))),
        Task("leads.scan", settings.leads_scan_s, lambda: scanning.scan(runtime.database, utc_now())),
        Task("holds.sweep", settings.holds_sweep_s, lambda: _sweep_holds(runtime)),
        Task("crm.mirror", settings.crm_mirror_s, lambda: _crms(runtime, _mirror), at_start=True),
        Task("leads.gather", settings.lead_gather_s, lambda: _crms(runtime, _gather)),
        Task("leads.push", settings.lead_push_s, lambda: _crms(runtime, _push)),
        Task("leads.verdicts", settings.lead_verdict_s, lambda: _crms(runtime, _verdicts)),
        Task("leads.lift", HOUR_S, measure_lift),
        Task("notify.send", 5.0, lambda: notify.send_due(runtime.database, settings)),
        Task("audit.head", DAY_S, lambda: audit.copy_head(runtime.database, settings.audit_head_file)),
    )
    return {task.key: task for task in table}


def _sweep_holds(runtime: Runtime) -> None:
    """What the writers of holds could not write, or were never told."""
    with runtime.database.begin() as cx:
        refund_holds.sweep(cx)
    with runtime.database.begin() as cx:
        billing.sweep_disputes(cx)
    with runtime.database.begin() as cx:
        ticket_holds.sweep(cx, active_policy(cx), facts.ladder(runtime.settings))


def _helpdesks(runtime: Runtime, work: Callable[[Runtime, str], object]) -> None:
    """Every helpdesk connection; one that cannot be reached does not keep the others waiting."""
    _each([c for card in registry.by_port(Port.HELPDESK) for c in _ids(runtime, card.slug)], lambda c: work(runtime, c))


def _billing(runtime: Runtime, work: Callable[[str], object]) -> None:
    """Every billing connection."""
    _each([c for card in registry.by_port(Port.BILLING) for c in _ids(runtime, card.slug)], work)


def _books(runtime: Runtime, connection_id: str) -> None:
    books.nightly(runtime.refunds, runtime.clients.refunds, connection_id)


def _catch_up_billing(runtime: Runtime) -> None:
    for card in registry.by_port(Port.BILLING):
        slug = card.slug
        _each(_ids(runtime, slug), lambda c, slug=slug: billing_sync.catch_up(  # type: ignore[misc]
            runtime.database, c, slug, runtime.clients.billing(c), runtime.settings.catchup_grace_s
        ))  # fmt: skip


def _catch_up_tickets(runtime: Runtime, connection_id: str) -> None:
    catch_up.catch_up(runtime.database, connection_id, runtime.clients.helpdesk(connection_id), runtime.settings)


def _staff(runtime: Runtime, connection_id: str) -> None:
    every = timedelta(seconds=runtime.settings.agents_s)
    if agents.due(runtime.database, [connection_id], utc_now(), every):
        agents.sync(runtime.database, connection_id, runtime.clients.helpdesk(connection_id))


def _crms(runtime: Runtime, work: Callable[[Runtime, str], object]) -> None:
    """The CRM leads go to: the first connection there is."""
    _each(runtime.crm_connections()[:1], lambda c: work(runtime, c))


def _mirror(runtime: Runtime, connection_id: str) -> None:
    client = runtime.clients.crm(connection_id)
    if not client.usage().is_tight:  # else the calls that are left are for sending
        crm.mirror(runtime.database, connection_id, client)


def _gather(runtime: Runtime, connection_id: str) -> None:
    gather.gather(runtime.database, connection_id)


def _push(runtime: Runtime, connection_id: str) -> None:
    until = time.monotonic() + runtime.settings.slice_s
    Pusher(runtime.leads, connection_id).drain(lambda: time.monotonic() < until)


def _verdicts(runtime: Runtime, connection_id: str) -> None:
    if not runtime.clients.crm(connection_id).usage().is_tight:
        verdicts.poll(runtime.leads, connection_id)


def _ids(runtime: Runtime, vendor: str) -> list[str]:
    return [account.connection_id for account in runtime.connections.accounts(vendor)]


def _each(connection_ids: Sequence[str], work: Callable[[str], object]) -> None:
    """All of them, whatever happens to one; the last fault is raised when all had their turn."""
    failed: AppError | None = None
    for connection_id in connection_ids:
        try:
            work(connection_id)
        except AppError as error:
            log.warning("periodic_vendor_failed", connection_id=connection_id, code=error.code)
            failed = error
    if failed is not None:
        raise failed
