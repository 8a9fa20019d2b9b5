"""`flask leads list|ledger|report|push|explain|review ...`: what became of signals, and what a person must say."""

from __future__ import annotations

import json
from datetime import timedelta

import click
from flask.cli import AppGroup

from app.cli import crm_calls
from app.cli.context import runtime, sentences
from app.cli.leads import leads
from app.leads import counting, explaining, gather, lift, reading, report, retrying, review
from app.leads.models import STATES
from app.leads.push import Pusher
from app.leads.words import amount
from integrations.kernel.clock import utc_now
from integrations.kernel.errors import ConfigError

queue = AppGroup("review", help="Leads whose company a person must say.")
leads.add_command(queue)
_BY = click.option("--by", required=True, help="Who says so, for the record.")


def _crm() -> str:
    found = runtime().crm_connections()
    if not found:
        raise ConfigError("There is no CRM connection yet; see `flask connections add --help`.")
    return found[0]


@leads.command("list")
@click.option("--state", type=click.Choice(STATES), default=None, help="Only these; else whatever is open.")
@click.option("--kind", default="", help="Only of this kind.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a lead, for programs.")
@sentences
def every(state: str | None, kind: str, as_json: bool) -> None:
    """Show leads, the newest first (at most 50)."""
    with runtime().database.begin() as cx:
        rows = reading.page(cx, reading.Filters(state=state or "", kind=kind)).rows
    for row in rows:
        if as_json:
            names = ("id", "state", "kind", "company", "score", "money", "currency", "object_id", "verdict", "why")
            click.echo(json.dumps({name: row[name] for name in names}))
            continue
        worth = amount(row["money"], row["currency"]) if row["money"] is not None and row["currency"] else "-"
        click.echo(f"{row['id']}  {row['state']:<9} {row['kind']:<10} {row['score']:>4} {worth:>16}  {row['company']}")
    if not rows and not as_json:
        click.echo("No lead is in that state." if state else "No lead is open.")


@leads.command("ledger")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@sentences
def ledger(as_json: bool) -> None:
    """Count signals, leads by state, and how many were sent, held, released and answered, since the first."""
    with runtime().database.begin() as cx:
        found = counting.count(cx)
    if as_json:
        click.echo(json.dumps(found))
        return
    for title, numbers in found.items():
        click.echo(f"{title}: {', '.join(f'{name} {number}' for name, number in numbers.items()) or 'none'}")


@leads.command("report")
@click.option("--days", type=click.IntRange(1, 3650), default=365, show_default=True, help="Of leads sent since then.")
@sentences
def report_card(days: int) -> None:
    """Print the report card: of each rule and signal, what sales made of its leads."""
    with runtime().database.begin() as cx:
        since = utc_now() - timedelta(days=days)
        found, lifts = report.records(cx, since), lift.lifts(cx, since)
    click.echo(f"{'rule or signal':<20} {'sent':>5} {'accepted':>9} {'rejected':>9} {'won':>5}  rate of acceptance")
    for one in found:
        rate = f"{one.interval[0]:.0%} to {one.interval[1]:.0%}" if one.interval else "too few to say"
        click.echo(f"{one.name:<20} {one.sent:>5} {one.accepted:>9} {one.rejected:>9} {one.won:>5}  {rate}")
        for reason, number in one.reasons.items():
            click.echo(f"    {number} x {reason or 'no reason given'}")
    for two in lifts:
        told = f"{two.interval[0]:+.0%} to {two.interval[1]:+.0%}" if two.interval else "too few to say"
        numbers = f"of {two.sent} sent {two.sent_rose} pay more, of {two.kept} kept back {two.kept_rose}"
        click.echo(f"lift of {two.kind}: {told} ({numbers})")


@leads.command("push")
@click.argument("lead_id", required=False)
@click.option("--by", default="console", show_default=True, help="Who wants it, for the record.")
@sentences
def push(lead_id: str | None, by: str) -> None:
    """Gather and send what is due now; with LEAD_ID, that one again (also one that was refused, once it is repaired)."""
    crm_id, own = _crm(), runtime()
    if lead_id:
        with own.database.begin() as cx:
            retrying.again(cx, lead_id, by)
    gather.gather(own.database, crm_id)
    sent = Pusher(own.leads, crm_id).drain()
    click.echo(f"{sent} leads were worked on.")
    if told := crm_calls.sentence(own.clients.crm(crm_id).usage()):
        click.echo(told)


@leads.command("explain")
@click.argument("which")
@sentences
def explain(which: str) -> None:
    """Print the story of a lead (its id), or what a ticket (its number) caused and why."""
    with runtime().database.begin() as cx:
        lines = explaining.of_lead(cx, which) if which.startswith("led_") else explaining.of_ticket(cx, which)
    click.echo("\n".join(lines))


@queue.command("list")
@sentences
def waiting() -> None:
    """Show leads that wait for a person, with the companies they may be about."""
    with runtime().database.begin() as cx:
        rows = reading.page(cx, reading.Filters(state="review"), "oldest").rows
        found = review.candidates(cx, rows)
    for row in rows:
        click.echo(f"{row['id']}  {row['kind']:<10} {row['subject']}  {row['why']}")
        for one in found.get(row["id"], []):
            click.echo(f"    {one.account_id}  {one.name}  {one.reason}")
    if not rows:
        click.echo("No lead waits for an answer.")


@queue.command("link")
@click.argument("lead_id")
@click.argument("account_id")
@_BY
@sentences
def link(lead_id: str, account_id: str, by: str) -> None:
    """Say that LEAD_ID is about the company ACCOUNT_ID of the CRM; remembered for whoever it is about."""
    crm_id = _crm()
    with runtime().database.begin() as cx:
        moved = review.link(cx, lead_id, crm_id, account_id, by)
    click.echo(f"{moved} leads go on with {account_id}.")


@queue.command("unlink")
@click.argument("lead_id")
@_BY
@sentences
def unlink(lead_id: str, by: str) -> None:
    """Take back what was said of LEAD_ID: what was not sent, and what comes later, is matched without it."""
    with runtime().database.begin() as cx:
        review.forget(cx, lead_id, by)
    click.echo("Nothing is remembered of this company any more.")


COMMANDS = ()
