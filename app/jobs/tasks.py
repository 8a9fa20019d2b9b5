"""What happens periodically, in one table. Each runs in whichever worker claims it; twice is harmless."""

from __future__ import annotations

from collections.abc import Mapping

from app.billing import store as billing
from app.db import Database
from app.inbox import billing_sync, partitions
from app.jobs.periodic import Task
from app.runtime import Runtime
from integrations import registry
from integrations.kernel.errors import AppError
from integrations.kernel.vendor import Port

HOUR_S = 3600.0


def tasks(runtime: Runtime) -> Mapping[str, Task]:
    """All periodic tasks of this installation, by key. Every one is in docs/operation.md."""
    settings = runtime.settings

    def partition() -> None:
        owner = Database(runtime.urls.migration, pool_size=1)  # only the owner of a table makes its partitions
        with owner.begin() as cx:
            partitions.ensure(cx)
            partitions.drop(cx, settings.body_days)
        owner.close()

    def seats() -> None:
        with runtime.database.begin() as cx:
            billing.carry_seats(cx)

    table = (
        Task("partitions", HOUR_S, partition),
        Task("billing.catch_up", settings.catchup_s, lambda: _catch_up(runtime)),
        Task("billing.reread", 5.0, lambda: billing_sync.reread(runtime.database, runtime.clients.billing, settings)),
        Task("billing.refresh", HOUR_S, lambda: billing_sync.refresh_due(runtime.database, settings)),
        Task("billing.seats", HOUR_S, seats),
    )
    return {task.key: task for task in table}


def _catch_up(runtime: Runtime) -> None:
    """Every billing connection; one that cannot be reached does not keep the others waiting."""
    failed: AppError | None = None
    for card in registry.by_port(Port.BILLING):
        for account in runtime.connections.accounts(card.slug):
            try:
                client = runtime.clients.billing(account.connection_id)
                billing_sync.catch_up(runtime.database, account.connection_id, card.slug, client)
            except AppError as error:
                failed = error
    if failed is not None:
        raise failed
