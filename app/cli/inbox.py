"""`flask inbox ...`: what came in and what became of it."""

from __future__ import annotations

import json

import click
from flask.cli import AppGroup

from app.cli.context import runtime, sentences
from app.inbox import ledger

group = AppGroup("inbox", help="Deliveries: what came in, what became of it.")
COMMANDS = (group,)


@group.command("ledger")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
@sentences
def show(as_json: bool) -> None:
    """Counts of deliveries by connection and verdict, of judgements and of changes."""
    with runtime().database.begin() as cx:
        counts = ledger.counts(cx)
    if as_json:
        click.echo(json.dumps(counts, sort_keys=True))
        return
    for section, rows in counts.items():
        click.echo(f"{section}:")
        for name, value in sorted(rows.items()):
            click.echo(f"  {name:<40} {value}")


@group.command("keys")
@click.argument("connection_id")
@sentences
def keys(connection_id: str) -> None:
    """Print the event key and state of every delivery of a connection, a line each (to compare with a vendor's list)."""
    with runtime().database.begin() as cx:
        for row in ledger.keys(cx, connection_id):
            click.echo(f"{row.event_key}\t{row.state}\t{row.copies}")


@group.command("quarantine")
@click.option("--limit", default=20, show_default=True)
@sentences
def quarantine(limit: int) -> None:
    """Show the deliveries that were set aside, with the reason."""
    with runtime().database.begin() as cx:
        rows = ledger.set_aside(cx, limit)
    for row in rows:
        click.echo(f"{row.id:>10}  {row.connection_id}  {row.kind}  after {row.tries} tries: {row.reason}")
    if not rows:
        click.echo("Nothing is set aside.")


@group.command("release")
@click.argument("delivery_ids", nargs=-1, type=int, required=True)
@sentences
def release(delivery_ids: tuple[int, ...]) -> None:
    """Let set-aside deliveries be tried again, unchanged."""
    with runtime().database.begin() as cx:
        count = ledger.release(cx, delivery_ids)
    click.echo(f"{count} of {len(delivery_ids)} are waiting again.")
