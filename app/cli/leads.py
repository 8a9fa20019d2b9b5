"""`flask leads ...`: what is looked for and what it found."""

from __future__ import annotations

import json

import click
from flask.cli import AppGroup

from app.cli.context import pairs, runtime, sentences
from app.leads import scanning
from app.leads.policy import changed
from app.leads.signals import Counts
from app.leads.store_policy import active_policy, put_policy
from integrations.kernel.clock import utc_now

leads = AppGroup("leads", help="Leads for sales: signals, scores, what became of them.")
policy = AppGroup("policy", help="Weights, thresholds, words and windows of leads.")
leads.add_command(policy)
COMMANDS = (leads,)


@leads.command("scan")
@click.option("--dry-run", is_flag=True, help="Only say what it would find and change.")
@sentences
def scan(dry_run: bool) -> None:
    """Scan the whole mirror of billing for signals (also done by itself every LEADS_SCAN_S)."""
    click.echo(f"{'signal':<16} {'hold':>8} {'new or changed':>15} {'ended':>8}")

    def show(name: str, counts: Counts) -> None:
        click.echo(f"{name:<16} {counts.found:>8} {counts.written:>15} {counts.ended:>8}")

    total = sum(scanning.scan(runtime().database, utc_now(), show, dry_run=dry_run).values(), Counts())
    show("all", total)
    if dry_run:
        click.echo("Nothing of it was written.")


@policy.command("show")
@sentences
def show() -> None:
    """Print the policy in force as JSON."""
    with runtime().database.begin() as cx:
        click.echo(json.dumps(active_policy(cx).to_json(), indent=2, sort_keys=True))


@policy.command("set")
@click.argument("wishes", nargs=-1, required=True, metavar="NAME=VALUE...")
@click.option("--by", default="console", show_default=True, help="Who decides, for the record.")
@sentences
def put(wishes: tuple[str, ...], by: str) -> None:
    """Change the policy: weight.quote_words=60 minimum.request=30 renewal_days=90/60/30 seats_pct=90 hold_tags=outage.

    A weight of 0 switches a signal off. words.quote=@file.txt: one RE2 pattern a line, `none` empties the list.
    holdout_pct=10: this share of leads is never sent, to measure what sending is worth; never renewals or risk.
    """
    with runtime().database.begin() as cx:
        version = put_policy(cx, changed(active_policy(cx), pairs(wishes)), by)
    click.echo(f"Policy {version} on leads is in force.")
