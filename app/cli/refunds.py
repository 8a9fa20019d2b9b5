"""`flask refunds ...`: what was asked for, what became of it, and the books."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import click
from flask.cli import AppGroup

from app import access, refunds
from app.access import CONSOLE, Actor, Login
from app.cli.context import runtime, sentences
from app.refunds import Where, Wish, books, manual, store, store_work
from app.refunds.intent import Intent
from app.refunds.money import parse_entry, plain
from app.refunds.states import OPEN, State
from integrations import registry
from integrations.kernel.clock import utc_now
from integrations.kernel.errors import NotFound
from integrations.kernel.vendor import Port

group = AppGroup("refunds", help="Refunds: what was asked for, what became of it, the books.")
COMMANDS = (group,)
_BY = click.option("--by", required=True, metavar="NAME", help="Who acts: the NAME of a login `console:NAME`.")


@group.command("list")
@click.option(
    "--state", type=click.Choice([s.value for s in State]), help="Only these; else whatever is not at an end."
)
@click.option("--limit", default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a refund, for programs.")
@sentences
def every(state: str | None, limit: int, as_json: bool) -> None:
    """Show refunds, newest first, and connections that are held."""
    with runtime().database.begin() as cx:
        found = store.listing(cx, [State(state)] if state else list(OPEN), limit)
        held = store_work.holds(cx)
    if as_json:
        for one in found:
            click.echo(_json(one))
        return
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


@group.command("request")
@click.argument("charge_id")
@click.option("--connection", "connection_id", required=True, help="The billing connection of the charge.")
@click.option("--helpdesk", "helpdesk_id", required=True, help="The helpdesk connection of the ticket.")
@click.option("--ticket", "ticket_id", required=True, help="Where the customer asked for it.")
@click.option("--amount", required=True, help="Such as 12.00, in the currency of the charge.")
@click.option("--reason", type=click.Choice([r for r in refunds.REASONS if r]), default=refunds.REASONS[0])
@click.option("--note", default="", help="For colleagues; not sent to the customer.")
@click.option("--again", is_flag=True, help="Yes, although another refund of this charge was just made.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
@_BY
@sentences
def ask(
    charge_id: str, connection_id: str, helpdesk_id: str, ticket_id: str, amount: str, reason: str, note: str,
    again: bool, as_json: bool, by: str,
) -> None:  # fmt: skip
    """Ask for a refund of CHARGE_ID as a named person, by the same rules and limits as beside the ticket."""
    own, actor = runtime().refunds, _console(by)
    prepared = refunds.prepare(own, actor, Where(connection_id, charge_id, helpdesk_id, ticket_id))
    wanted = parse_entry(amount, prepared.left.currency)
    intent = refunds.request(own, actor, Wish(prepared.offer, wanted, reason, note, again=again))
    click.echo(_json(intent) if as_json else f"{intent.id} is {intent.state.value}. {intent.why}".strip())


@group.command("approve")
@click.argument("intent_id")
@_BY
@sentences
def approve(intent_id: str, by: str) -> None:
    """Approve a refund that waits, as another person than who asked; what was asked for is printed first."""
    own, actor = runtime().refunds, _console(by)
    with own.database.begin() as cx:
        shown = store.get(cx, intent_id)
    if shown is None:
        raise NotFound(f"There is no refund {intent_id}.")
    click.echo(f"{plain(shown.amount)} of {shown.charge_id}, ticket {shown.ticket_id}. {shown.why}")
    intent = refunds.approve(own, actor, intent_id, shown.bound)
    click.echo(f"{intent.id} is {intent.state.value}.")


@group.command("void")
@click.argument("intent_id")
@_BY
@sentences
def void(intent_id: str, by: str) -> None:
    """Take back a refund that waits for an approval: by who asked for it, or an admin."""
    intent = refunds.void(runtime().refunds, _console(by), intent_id)
    click.echo(f"{intent.id} is {intent.state.value}. {intent.why}")


def _console(name: str) -> Actor:
    """The person of a console login; nobody's login is a viewer, who may do nothing here."""
    with runtime().database.begin() as cx:
        return access.actor(cx, Login(CONSOLE, name), None, utc_now())


def _json(one: Intent) -> str:
    return json.dumps({
        "id": one.id, "state": one.state.value, "amount": one.amount.minor, "currency": one.amount.currency,
        "connection": one.connection_id, "charge": one.charge_id, "refund": one.refund_id, "why": one.why,
    })  # fmt: skip


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
