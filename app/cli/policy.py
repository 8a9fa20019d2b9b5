"""`flask policy ...` and `flask people ...`: who may refund how much, and who is who."""

from __future__ import annotations

import json

import click
from flask.cli import AppGroup

from app import access
from app.access import Login, Role
from app.cli.context import pairs, runtime, sentences
from app.refunds import store
from app.refunds.policy import changed

policy = AppGroup("policy", help="Who may refund how much. Nobody may until it says so.")
people = AppGroup("people", help="People, their logins and roles.")
COMMANDS = (policy, people)
_ROLES = click.Choice([role.value for role in Role])
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

    Amounts are minor units: a limit is per refund / per day, `none` takes it away. payer_total.USD=100000: what a
    company may get back in 90 days without approval. approval_hours=24: how long a proposal waits.
    """
    with runtime().database.begin() as cx:
        new = changed(store.active_policy(cx), pairs(wishes))
        version = store.put_policy(cx, new, by)
    click.echo(f"Policy {version} is in force.")


@people.command("list")
@sentences
def every() -> None:
    """Show everybody with role and logins."""
    with runtime().database.begin() as cx:
        rows = access.people(cx)
    for row in rows:
        click.echo(f"{row['id']}  {row['role']:<9} {row['name']:<24} {', '.join(row['logins'] or [])}")
    if not rows:
        click.echo("Nobody is named yet; whoever is not named is a viewer.")


@people.command("add")
@click.argument("name")
@click.option("--role", type=_ROLES, default="viewer", show_default=True)
@click.option("--email", default=None, help="Where notices to this person go.")
@click.option(
    "--login", "logins", multiple=True, metavar="CONNECTION:ID", help="A login of theirs; `console:NAME` too."
)
@_BY
@sentences
def add(name: str, role: str, email: str | None, logins: tuple[str, ...], by: str) -> None:
    """Name a person, with a role and logins."""
    with runtime().database.begin() as cx:
        person_id = access.add_person(cx, by, name, Role(role), email)
        for text in logins:
            connection_id, _, external_id = text.partition(":")
            access.attach(cx, by, person_id, Login(connection_id, external_id))
    click.echo(f"{person_id} added.")


@people.command("role")
@click.argument("person_id")
@click.argument("role", type=_ROLES)
@_BY
@sentences
def role_of(person_id: str, role: str, by: str) -> None:
    """Give PERSON_ID another role."""
    with runtime().database.begin() as cx:
        access.set_role(cx, by, person_id, Role(role))
    click.echo(f"{person_id} is {role} now.")


@people.command("rule")
@click.argument("connection_id")
@click.argument("kind", type=click.Choice(["role", "custom_role", "group"]))
@click.argument("value")
@click.argument("role", type=click.Choice(["viewer", "refunder"]))
@_BY
@sentences
def rule(connection_id: str, kind: str, value: str, role: str, by: str) -> None:
    """Give everybody of a helpdesk role, custom role or group a role here."""
    with runtime().database.begin() as cx:
        access.set_rule(cx, by, connection_id, kind, value, Role(role))
    click.echo(f"{kind} {value} of {connection_id}: {role}.")
