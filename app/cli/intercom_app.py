"""`flask intercom ...`: the app in Intercom's inbox: which workspace may open it, and where Intercom finds it."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from app.cli.context import runtime, sentences

group = AppGroup("intercom", help="The app in Intercom's inbox: connect.")
COMMANDS = (group,)


@group.command("connect")
@click.argument("connection_id")
@click.option("--workspace", required=True, help="Its id: in the address of the Developer Hub, after /a/apps/.")
@sentences
def connect(connection_id: str, workspace: str) -> None:
    """Let the workspace of CONNECTION_ID open the inbox app; prints the two addresses for the Developer Hub.

    Requests are verified by the app's client secret, which is the connection's webhook_secret.
    """
    own = runtime()
    own.connections.account(connection_id, "intercom")
    own.connections.remember(connection_id, workspace_id=workspace.strip())
    base = f"{own.settings.public_url}/intercom/canvas/{connection_id}"
    click.echo(f"Initialize: {base}/initialize\nSubmit:     {base}/submit")
