"""`flask admin ...`: let somebody in on the console."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from app import access
from app.admin import links
from app.cli.context import runtime, sentences
from integrations.kernel.clock import utc_now

group = AppGroup("admin", help="The console at /admin/.")
COMMANDS = (group,)


@group.command("link")
@click.argument("person")
@sentences
def link(person: str) -> None:
    """Print a link that signs PERSON (an id, name or e-mail) in on /admin/ once, within an hour: for them alone."""
    own = runtime()
    with own.database.begin() as cx:
        click.echo(links.make(cx, own.settings.public_url, access.whose(cx, person), utc_now(), "console"))
