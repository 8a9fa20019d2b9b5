"""`flask approvals ...`: let an approver in."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from app import access
from app.cli.context import runtime, sentences
from app.refunds import links
from integrations.kernel.errors import NotFound

group = AppGroup("approvals", help="Approving refunds.")
COMMANDS = (group,)


@group.command("link")
@click.argument("person")
@sentences
def link(person: str) -> None:
    """Print a link that signs PERSON (an id, or a name) in on /approvals once, within an hour. Give it to nobody else."""
    own = runtime()
    with own.database.begin() as cx:
        fits = [row["id"] for row in access.people(cx) if person in (row["id"], row["name"])]
        if len(fits) != 1:
            raise NotFound(f"{len(fits)} people are called {person!r}. Take an id of `flask people list`.")
        click.echo(links.make(cx, own.refunds, fits[0]))
