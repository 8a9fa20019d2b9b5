"""`flask connections ...`: one row a workspace, secrets sealed."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from app.cli.context import pairs, runtime, sentences
from app.connections import UnknownConnection
from integrations import registry
from integrations.kernel.errors import InputError, VendorError
from integrations.kernel.ports import Billing, Crm, Helpdesk
from integrations.kernel.vendor import Port, Vendor

group = AppGroup("connections", help="Connections to vendors: add, test, list, rotate, disable.")
COMMANDS = (group,)


@group.command("add")
@click.argument("vendor")
@click.option("--name", required=True, help="What people call it.")
@click.option("--id", "connection_id", default="", help="Its id in the webhook address; made for you when left out.")
@click.option("--base-url", default="", help="scheme://host:port instead of the vendor's own, for a proxy.")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="A setting of the vendor.")
@click.option("--secret", "secrets", multiple=True, metavar="NAME=@FILE", help="A secret, best from a file.")
@sentences
def add(
    vendor: str, name: str, connection_id: str, base_url: str, settings: tuple[str, ...], secrets: tuple[str, ...]
) -> None:
    """Store a connection to VENDOR and say where its webhooks go, if it sends any."""
    card = registry.by_slug(vendor)
    if card is None:
        known = ", ".join(sorted(one.slug for one in registry.vendors()))
        raise InputError(f"There is no vendor {vendor!r}; there are {known}.")
    sealed = {key: [value] for key, value in pairs(secrets).items()}
    made = runtime().connections.add(
        card, name, pairs(settings), sealed, connection_id=connection_id, base_url=base_url
    )
    if Port.WEBHOOKS in card.ports:
        click.echo(f"{made} added. Its webhooks go to {runtime().settings.public_url}/webhooks/{vendor}/{made}")
    else:
        click.echo(f"{made} added. {card.title} sends no webhooks: it is asked.")
    click.echo(f"Next: `flask connections test {made}`.")


@group.command("list")
@sentences
def every() -> None:
    """Show all connections."""
    rows = runtime().connections.rows()
    if not rows:
        click.echo("No connections yet. Add one with `flask connections add zendesk --name ...`.")
    for row in rows:
        click.echo(f"{row['id']:<28} {row['vendor']:<10} {row['state']:<9} {row['name']}")


@group.command("test")
@click.argument("connection_id")
@sentences
def check(connection_id: str) -> None:
    """Call the vendor once and say what is wrong, or that all is well."""
    account = runtime().connections.account(connection_id)
    try:
        client: Helpdesk | Billing | Crm = registry.client(account, runtime().gate)  # type: ignore[assignment]
        problems = client.check()
    except VendorError as error:
        problems = [f"{error.public} ({error.code})"]
    for problem in problems:
        click.echo(f"- {problem}")
    if problems:
        raise click.ClickException(f"{connection_id} is not usable yet.")
    click.echo(f"{connection_id} works.")


@group.command("rotate")
@click.argument("connection_id")
@click.argument("secret", metavar="NAME=@FILE")
@sentences
def rotate(connection_id: str, secret: str) -> None:
    """Put a new value of a secret first; the one before it stays live."""
    card = _card(connection_id)
    for name, value in pairs((secret,)).items():
        runtime().connections.rotate(card, connection_id, name, value)
        click.echo(f"{name} of {connection_id} has a new value; the one before it is still accepted.")


@group.command("set")
@click.argument("connection_id")
@click.argument("settings", nargs=-1, required=True, metavar="NAME=VALUE...")
@sentences
def put(connection_id: str, settings: tuple[str, ...]) -> None:
    """Change settings of a connection, known everywhere within seconds; `NAME=` puts the default back."""
    runtime().connections.configure(_card(connection_id), connection_id, pairs(settings))
    click.echo(f"{connection_id} is changed. Next: `flask connections test {connection_id}`.")


def _card(connection_id: str) -> Vendor:
    """The vendor of a connection, active or not. Raises UnknownConnection."""
    vendors = {row["id"]: str(row["vendor"]) for row in runtime().connections.rows()}
    card = registry.by_slug(vendors.get(connection_id, ""))
    if card is None:
        raise UnknownConnection(connection_id=connection_id)
    return card


@group.command("disable")
@click.argument("connection_id")
@sentences
def disable(connection_id: str) -> None:
    """Refuse its webhooks and call it no more; nothing is deleted."""
    runtime().connections.set_state(connection_id, "disabled")
    click.echo(f"{connection_id} is disabled. `flask connections enable {connection_id}` takes it back.")


@group.command("enable")
@click.argument("connection_id")
@sentences
def enable(connection_id: str) -> None:
    """Take a disabled connection back into service."""
    runtime().connections.set_state(connection_id, "active")
    click.echo(f"{connection_id} is active.")
