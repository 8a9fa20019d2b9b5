"""`flask inbox ...`: what came in and what became of it."""

from __future__ import annotations

import json

import click
from flask.cli import AppGroup

from app.cli.context import runtime, sentences
from app.inbox import catch_up, gaps, ledger, replay
from app.inbox.replay import Which
from integrations import registry
from integrations.kernel.clock import iso
from integrations.kernel.vendor import Port

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


@group.command("tickets")
@click.argument("connection_id")
@sentences
def known_tickets(connection_id: str) -> None:
    """Print what is mirrored of each ticket of a connection, a line each: id, as of when, status (to compare)."""
    with runtime().database.begin() as cx:
        for row in ledger.tickets(cx, connection_id):
            click.echo(f"{row.id}\t{iso(row.as_of)}\t{'gone' if row.gone else row.status}")


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


@group.command("gaps")
@click.option("--limit", default=20, show_default=True)
@click.option("--now", is_flag=True, help="Look for gaps first, instead of waiting for the next run.")
@sentences
def show_gaps(limit: int, now: bool) -> None:
    """Show what never came as a webhook: what was fetched since, and what cannot be known."""
    own = runtime()
    if now:
        for card in registry.by_port(Port.HELPDESK):
            for account in own.connections.accounts(card.slug):
                client = own.clients.helpdesk(account.connection_id)
                found = catch_up.catch_up(own.database, account.connection_id, client, own.settings)
                click.echo(f"{account.connection_id}: {found.missing} of {found.looked_at} changes had not come.")
    with own.database.begin() as cx:
        for cursor in gaps.cursors(cx):
            click.echo(f"{cursor.connection_id}: known up to {cursor.reached:%Y-%m-%d %H:%M:%S} UTC")
        totals, newest = gaps.summary(cx), gaps.listing(cx, limit)
    for row in totals:
        click.echo(f"  {row.connection_id:<20} {row.verdict:<8} {row.n:>6}  {row.what}")
    for row in newest:
        click.echo(
            f"{row.occurred_at:%Y-%m-%d %H:%M:%S}  {row.connection_id}  {row.subject}  {row.verdict}: {row.what}"
        )
    if not newest:
        click.echo("Nothing was missing.")


@group.command("replay")
@click.argument("which")
@click.option("--connection", default="", help="Only deliveries of this connection.")
@click.option("--go", is_flag=True, help="Do it. Without it only what would happen is shown.")
@sentences
def replay_command(which: str, connection: str, go: bool) -> None:
    """Work stored deliveries off once more: WHICH is an id, or a range such as 120-180. Shows first what it would do."""
    own = runtime()
    meant = _which(which, connection)
    if go:
        with own.database.begin() as cx:
            count = replay.start(cx, meant)
        own.waker.wake("inbox")
        click.echo(f"{count} deliveries are waiting again.")
        return
    found = replay.preview(own.database, meant, own.clients.vendor_of, own.known_own_user, own.settings)
    for (connection_id, ticket), change in sorted(found.changes.items()):
        click.echo(f"{connection_id} ticket {ticket}: {json.dumps(change, sort_keys=True, ensure_ascii=True)[:300]}")
    click.echo(f"{len(found.verdicts)} deliveries, {len(found.changes)} tickets would change. Do it with --go.")


def _which(text: str, connection: str) -> Which:
    first, dash, last = text.partition("-")
    if not first.isdigit() or (dash and not last.isdigit()):
        raise click.BadParameter("give a delivery's id, or a range such as 120-180", param_hint="WHICH")
    if dash:
        return Which(first=int(first), last=int(last), connection_id=connection)
    return Which(ids=(int(first),), connection_id=connection)
