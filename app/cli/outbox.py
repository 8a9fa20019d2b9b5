"""`flask outbox ...`: changes on their way, and dead letters."""

from __future__ import annotations

import json

import click
from flask.cli import AppGroup

from app.cli.context import runtime, sentences
from app.outbox import Plan, enqueue, store
from app.outbox.models import STATES

group = AppGroup("outbox", help="Changes on their way to a helpdesk, and dead letters.")
COMMANDS = (group,)


@group.command("list")
@click.option("--state", type=click.Choice(STATES), default="dead", show_default=True)
@click.option("--limit", default=20, show_default=True)
@sentences
def every(state: str, limit: int) -> None:
    """Show changes in a state, newest first, with the reason."""
    with runtime().database.begin() as cx:
        rows = store.listing(cx, state, limit)
    for row in rows:
        wanted = json.dumps(row["change"], sort_keys=True)
        click.echo(f"{row['id']:>10}  {row['connection_id']} ticket {row['ticket_id']}  {wanted}")
        click.echo(f"            rules {', '.join(row['rules'])}; {row['tries']} tries; {row['reason'] or 'no reason'}")
    if not rows:
        click.echo(f"No change is {state}.")


@group.command("retry")
@click.argument("ids", nargs=-1, type=int, required=True)
@sentences
def retry(ids: tuple[int, ...]) -> None:
    """Try dead letters again: what they wanted is wanted anew, merged with what is pending."""
    with runtime().database.begin() as cx:
        rows = store.revive(cx, ids)
        for row in rows:
            enqueue(cx, row.connection_id, [Plan(row.ticket_id, row.wanted, {}, row.rules)], gather_s=0, forced=True)
    click.echo(f"{len(rows)} of {len(ids)} are on their way again.")


@group.command("writes")
@click.argument("connection_id")
@sentences
def writes(connection_id: str) -> None:
    """Print what was done to each ticket, a line each: id, changes, parts (to compare with the helpdesk's history)."""
    with runtime().database.begin() as cx:
        for row in store.writes(cx, connection_id):
            click.echo(f"{row.ticket_id}\t{row.writes}\t{row.parts}")
