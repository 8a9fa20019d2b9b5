"""`flask approvals ...`: let an approver in."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from app import access
from app.cli.context import runtime, sentences
from app.refunds import links

group = AppGroup("approvals", help="Approving refunds.")
COMMANDS = (group,)


@group.command("link")
@click.argument("person")
@sentences
def link(person: str) -> None:
    """Print a link that signs PERSON (an id, name or e-mail) in on /approvals once, within an hour: for them alone."""
    own = runtime()
    with own.database.begin() as cx:
        click.echo(links.make(cx, own.refunds, access.whose(cx, person)))
