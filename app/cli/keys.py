"""`flask keys ...`: the master keys that seal the secrets of connections."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from app.cli.context import runtime, sentences

group = AppGroup("keys", help="The master keys that seal secrets.")
COMMANDS = (group,)


@group.command("rotate")
@sentences
def rotate() -> None:
    """Seal every connection's secrets with the newest of MASTER_KEYS; afterwards the older keys can be taken away."""
    count = runtime().connections.reseal()
    click.echo(f"{count} connections were sealed anew. Every process must know the newest key before an old one goes.")
