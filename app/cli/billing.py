"""`flask billing ...`: the mirror of the billing vendor."""

from __future__ import annotations

import sys

import click
from flask.cli import AppGroup
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from app import identity
from app.billing import backfill as backfilling
from app.billing import refill
from app.cli.context import runtime, sentences
from app.inbox import billing_sync, facts

group = AppGroup("billing", help="The mirror of the billing vendor.")
COMMANDS = (group,)


@group.command("backfill")
@click.argument("connection_id")
@click.option("--restart", is_flag=True, help="Read everything again instead of going on where it stopped.")
@sentences
def backfill(connection_id: str, restart: bool) -> None:
    """Copy everything of a billing account. Goes on where it was stopped."""
    own = runtime()
    settings = facts.ladder(own.settings)
    client = own.clients.billing(connection_id)
    if restart:
        with own.database.begin() as cx:
            backfilling.restart(cx, connection_id)
    with Progress(
        SpinnerColumn(finished_text="done"), TextColumn("{task.description:<16} {task.completed:>9.0f}"),
        TimeElapsedColumn(), console=Console(file=sys.stderr),
    ) as bar:  # fmt: skip
        rows: dict[str, int] = {}

        def show(kind: str, count: int, done: bool) -> None:
            if kind not in rows:
                rows[kind] = int(bar.add_task(kind, total=None))
            bar.update(rows[kind], completed=count, total=count if done else None)  # type: ignore[arg-type]

        count = backfilling.backfill(
            own.database, connection_id, client, seats_used_key=own.settings.seats_used_key, progress=show,
            index=lambda cx, cid, records: identity.index_payers(cx, cid, records, settings=settings),
        )  # fmt: skip
    click.echo(f"{count} objects of {connection_id} are mirrored.")


@group.command("catch-up")
@click.argument("connection_id")
@sentences
def catch_up(connection_id: str) -> None:
    """Fetch the events that never came as webhooks (also done by itself every CATCHUP_S)."""
    own = runtime()
    vendor = own.clients.vendor_of(connection_id)
    missed = billing_sync.catch_up(own.database, connection_id, vendor, own.clients.billing(connection_id))
    click.echo(f"{missed} events had not come and are waiting in the inbox now.")


@group.command("recompute")
@sentences
def recompute() -> None:
    """Compute every profile and term anew from what is mirrored. Goes on by itself where it is stopped."""
    own = runtime()
    with own.database.begin() as cx:
        refill.ask(cx)
    count = refill.refill(own.database, own.settings.seats_used_key)
    click.echo(f"Profiles and terms of {count} payers are computed.")
