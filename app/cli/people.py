"""`flask people ...`: who is who, and what each may."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from app import access
from app.access import CONSOLE, Login, Role
from app.cli.context import runtime, sentences
from integrations import registry
from integrations.kernel.errors import InputError
from integrations.kernel.vendor import Port

group = AppGroup("people", help="People, their logins, addresses and roles.")
COMMANDS = (group,)
_ROLES = click.Choice([role.value for role in Role])
_BY = click.option("--by", default="console", show_default=True, help="Who decides, for the record.")


@group.command("list")
@sentences
def every() -> None:
    """Show everybody with role, logins and e-mail."""
    with runtime().database.begin() as cx:
        rows = access.people(cx)
    for row in rows:
        ways = [*(row["logins"] or []), *filter(None, [row["email"]])]
        click.echo(f"{row['id']}  {row['role']:<9} {row['name']:<24} {', '.join(ways)}")
    if not rows:
        click.echo("Nobody is named yet; whoever is not named is a viewer.")


@group.command("add")
@click.argument("name")
@click.option("--role", type=_ROLES, default="viewer", show_default=True)
@click.option("--email", default=None, help="Where notices to this person go.")
@click.option(
    "--login", "logins", multiple=True, metavar="CONNECTION:ID", help="A login of theirs; `console:NAME` too."
)
@click.option("--another", is_flag=True, help="Somebody else has this name or address, and it is not the same person.")
@_BY
@sentences
def add(name: str, role: str, email: str | None, logins: tuple[str, ...], another: bool, by: str) -> None:
    """Name a person, with a role and logins."""
    read = [_login(text) for text in logins]
    with runtime().database.begin() as cx:
        if not another:
            access.must_be_new(cx, name, email)
        person_id = access.add_person(cx, by, name, Role(role), email)
        for one in read:
            access.attach(cx, by, person_id, one)
    click.echo(f"{person_id} added.")


@group.command("login")
@click.argument("person")
@click.argument("login", metavar="CONNECTION:ID")
@click.option("--remove", is_flag=True, help="It is theirs no more.")
@_BY
@sentences
def login_of(person: str, login: str, remove: bool, by: str) -> None:
    """Give PERSON (an id, name or e-mail) a login more, `console:NAME` too, or take one away."""
    read = _parted(login) if remove else _login(login)
    with runtime().database.begin() as cx:
        person_id = access.whose(cx, person)
        (access.detach if remove else access.attach)(cx, by, person_id, read)
    click.echo(f"{login} is {person_id}{' no more' if remove else ''}.")


@group.command("email")
@click.argument("person")
@click.argument("address")
@_BY
@sentences
def email_of(person: str, address: str, by: str) -> None:
    """Send notices to PERSON (an id, name or e-mail) to ADDRESS from now on; `none` takes it away."""
    with runtime().database.begin() as cx:
        person_id = access.whose(cx, person)
        access.set_email(cx, by, person_id, None if address == "none" else address)
    click.echo(f"{person_id} has {'no address' if address == 'none' else f'the address {address}'} now.")


@group.command("role")
@click.argument("person")
@click.argument("role", type=_ROLES)
@_BY
@sentences
def role_of(person: str, role: str, by: str) -> None:
    """Give PERSON (an id, name or e-mail) another role."""
    with runtime().database.begin() as cx:
        person_id = access.whose(cx, person)
        access.set_role(cx, by, person_id, Role(role))
    click.echo(f"{person_id} is {role} now.")


@group.command("rule")
@click.argument("connection_id")
@click.argument("kind", type=click.Choice(["role", "custom_role", "group"]))
@click.argument("value")
@click.argument("role", type=click.Choice(["viewer", "refunder"]))
@_BY
@sentences
def rule(connection_id: str, kind: str, value: str, role: str, by: str) -> None:
    """Give everybody of a helpdesk role, custom role or group a role here."""
    _must_be_helpdesk(connection_id)
    with runtime().database.begin() as cx:
        access.set_rule(cx, by, connection_id, kind, value, Role(role))
    click.echo(f"{kind} {value} of {connection_id}: {role}.")


def _login(text: str) -> Login:
    """A login at the console or at a helpdesk that is connected. Raises InputError."""
    login = _parted(text)
    if login.connection_id != CONSOLE:
        _must_be_helpdesk(login.connection_id)
    return login


def _parted(text: str) -> Login:
    connection_id, _, external_id = text.partition(":")
    if not connection_id or not external_id or external_id.split() != [external_id]:
        raise InputError(f"{text!r} is no login. Give CONNECTION:ID, such as con_desk:12 or console:eve.")
    return Login(connection_id, external_id)


def _must_be_helpdesk(connection_id: str) -> None:
    vendors = {row["id"]: str(row["vendor"]) for row in runtime().connections.rows()}
    card = registry.by_slug(vendors.get(connection_id, ""))
    if card is None:
        raise InputError(f"There is no connection {connection_id}. Take an id of `flask connections list`.")
    if Port.HELPDESK not in card.ports:
        raise InputError(f"{connection_id} is {card.title}, which is no helpdesk: nobody has a login there.")
