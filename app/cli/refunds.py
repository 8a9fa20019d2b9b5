"""`flask refunds ...`: what was asked for, what became of it, and the books."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import click
from flask.cli import AppGroup

from app.cli.context import runtime, sentences
from app.refunds import books, manual, store, store_work
from app.refunds.money import plain
from app.refunds.states import OPEN, State
from integrations import registry
from integrations.kernel.errors import NotFound
from integrations.kernel.vendor import Port

group = AppGroup("refunds", help="Refunds: what was asked for, what became of it, the books.")
COMMANDS = (group,)


@group.command("list")
@click.option(
    "--state", type=click.Choice([s.value for s in State]), help="Only these; else whatever is not at an end."
)
@click.option("--limit", default=20, show_default=True)
@sentences
def every(state: str | None, limit: int) -> None:
    """Show refunds, newest first, and connections that are held."""
    with runtime().database.begin() as cx:
        found = store.listing(cx, [State(state)] if state else list(OPEN), limit)
        held = store_work.holds(cx)
    for row in held:
        click.echo(f"HELD  {row['connection_id']} since {row['since']:%Y-%m-%d %H:%M}: {row['why']}")
    for one in found:
        click.echo(
            f"{one.id}  {one.state.value:<17} {plain(one.amount):>14}  {one.charge_id}  ticket {one.ticket_id}  {one.why}"
        )
    if not found:
        click.echo("No refund is in that state." if state else "No refund is on its way.")


@group.command("show")
@click.argument("intent_id")
@sentences
def show(intent_id: str) -> None:
    """Print one refund with every step of it from the audit record."""
    with runtime().database.begin() as cx:
        intent, steps = store.get(cx, intent_id), manual.steps(cx, intent_id)
    if intent is None:
        raise NotFound(f"There is no refund {intent_id}.")
    click.echo(f"{intent.id}: {plain(intent.amount)} of {intent.charge_id}, {intent.state.value}. {intent.why}")
    at_vendor = intent.refund_id or "no refund known"
    click.echo(f"  ticket {intent.ticket_id}, asked by {intent.person_id}, {intent.attempts} calls, {at_vendor}")
    for at, actor, action in steps:
        click.echo(f"  {at:%Y-%m-%d %H:%M:%S} UTC  {action:<26} {actor}")


@group.command("reconcile")
@click.option("--connection", "connection_id", default="", help="Only this billing connection.")
@click.option("--days", default=35, show_default=True, help="How far back.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a connection, for programs.")
@sentences
def reconcile(connection_id: str, days: int, as_json: bool) -> None:
    """Compare what the vendor holds of ours with what is recorded; exits with 1 when they differ."""
    own, agree = runtime(), True
    since = datetime.now(UTC) - timedelta(days=days)
    accounts = [a.connection_id for card in registry.by_port(Port.BILLING) for a in own.connections.accounts(card.slug)]
    for one in [connection_id] if connection_id else accounts:
        found = books.reconcile(own.refunds, own.clients.refunds, one, since)
        agree = agree and found.agree
        click.echo(json.dumps(found.to_json(), sort_keys=True) if as_json else _told(found))
    if not agree:
        raise click.ClickException("The books differ. What to do: docs/refunds.md.")


def _told(found: books.Books) -> str:
    lines = [f"{found.connection_id}: {'the books agree' if found.agree else 'THE BOOKS DIFFER'}"]
    lines += [f"  {c}: {n} at the vendor, {found.recorded.get(c, 0)} recorded" for c, n in found.at_vendor.items()]
    lines += [
        f"  charge {c}: {theirs} at the vendor, {ours} recorded" for c, (theirs, ours) in found.differences.items()
    ]
    lines += [f"  {one}: names an intent that is not known here" for one in found.strangers]
    lines += [f"  {one}: MORE THAN ONE refund" for one in found.doubles]
    lines += [
        f"  made elsewhere: {found.foreign_count} ({found.foreign})",
        f"  settled by this reading: {found.settled}",
    ]
    return "\n".join(lines)


@group.command("resolve")
@click.argument("intent_id")
@click.option("--not-sent", is_flag=True, required=True, help="Yes: you looked, and the vendor holds no such refund.")
@click.option("--by", required=True, help="Who looked, for the record.")
@click.option("--why", required=True, help="What was seen, for the record.")
@sentences
def resolve(intent_id: str, not_sent: bool, by: str, why: str) -> None:
    """Say of a refund that needs a person that it was not made; what is found at the vendor settles by itself."""
    manual.not_sent(runtime().refunds, runtime().clients.refunds, intent_id, by, why)
    click.echo(f"{intent_id} is rejected; its amount can be refunded again.")


@group.command("look")
@click.argument("intent_id")
@sentences
def look(intent_id: str) -> None:
    """Read one refund at the vendor now, and settle it by what is found."""
    state = manual.look(runtime().refunds, runtime().clients.refunds, intent_id)
    click.echo(f"{intent_id} is {state.value}.")


@group.command("release")
@click.argument("connection_id")
@sentences
def release(connection_id: str) -> None:
    """Send refunds of a held connection again at once (tried by itself every five minutes)."""
    with runtime().database.begin() as cx:
        held = store_work.release(cx, connection_id)
    click.echo(f"{connection_id} is released." if held else f"{connection_id} was not held.")
