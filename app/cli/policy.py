"""`flask policy ...`: who may refund how much."""

from __future__ import annotations

import json

import click
from flask.cli import AppGroup

from app.cli.context import pairs, runtime, sentences
from app.refunds import store
from app.refunds.policy import changed

policy = AppGroup("policy", help="Who may refund how much. Nobody may until it says so.")
COMMANDS = (policy,)
_BY = click.option("--by", default="console", show_default=True, help="Who decides, for the record.")


@policy.command("show")
@sentences
def show() -> None:
    """Print the policy in force as JSON."""
    with runtime().database.begin() as cx:
        click.echo(json.dumps(store.active_policy(cx).to_json(), indent=2, sort_keys=True))


@policy.command("set")
@click.argument("wishes", nargs=-1, required=True, metavar="NAME=VALUE...")
@_BY
@sentences
def put(wishes: tuple[str, ...], by: str) -> None:
    """Change the policy: enabled=yes limit.refunder.USD=5000/20000 charge_days=120 payer_count=2 strength=verified.

    Amounts are minor units: a limit is per refund / per day (no less), `none` takes it away. payer_total.USD=100000: what
    a company may get back in 90 days without approval. approval_hours=24 (1 to 720): how long a proposal waits.
    charge_days (0 to 9999): how old a charge may be.
    """
    with runtime().database.begin() as cx:
        new = changed(store.active_policy(cx), pairs(wishes))
        version = store.put_policy(cx, new, by)
    click.echo(f"Policy {version} is in force.")
