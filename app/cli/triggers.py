"""`flask triggers ...`: rules as text, and why a ticket got what it got."""

from __future__ import annotations

from pathlib import Path

import click
from flask.cli import AppGroup

from app import billing
from app.cli.context import runtime, sentences
from app.triggers import service, store
from app.triggers.explain import explain_ticket, render_text

group = AppGroup("triggers", help="Rules: import, show, explain.")
COMMANDS = (group,)


@group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--by", default="console", show_default=True, help="Who publishes, for the record.")
@sentences
def load(file: Path, by: str) -> None:
    """Publish the rules of FILE as a new version; nothing is published while one problem remains."""
    with runtime().database.begin() as cx:
        prefix = runtime().settings.tag_prefix
        version = service.import_yaml(cx, file.read_text(encoding="utf-8"), by, tag_prefix=prefix)
        count = len(store.load(cx, version)[0].rules)
    click.echo(f"Version {version} is live: {count} rules.")


@group.command("list")
@sentences
def every() -> None:
    """Show the live rules in their order."""
    with runtime().database.begin() as cx:
        version = store.active_version(cx)
        rules = store.load(cx, version)[0].rules if version else ()
    click.echo(f"Version {version}" if version else "No rules yet. Try `flask triggers import examples/rules.yaml`.")
    for rule in sorted(rules, key=lambda r: (r.order, r.id)):
        click.echo(f"  {rule.order:>5}  {rule.id:<28} {'' if rule.active else '(off) '}{rule.title}")


@group.command("export")
@sentences
def export() -> None:
    """Print the live rules as YAML."""
    with runtime().database.begin() as cx:
        click.echo(service.export_yaml(cx), nl=False)


@group.command("explain")
@click.argument("ticket_id")
@click.option("--connection", "connection_id", default="", help="Which helpdesk; needed when there are several.")
@click.option("--limit", default=1, show_default=True, help="How many judgements, newest first.")
@click.option("--fired", is_flag=True, help="Only the rules that fired.")
@sentences
def explain(ticket_id: str, connection_id: str, limit: int, fired: bool) -> None:
    """Say for every rule why it did or did not fire on TICKET_ID, clause by clause, with the value it saw."""
    own = runtime()
    helpdesks = [row["id"] for row in own.connections.rows() if row["vendor"] != "stripe"]
    if not connection_id and len(helpdesks) != 1:
        raise click.UsageError(f"Name the helpdesk with --connection: {', '.join(helpdesks) or 'there is none yet'}.")
    with own.database.begin() as cx:
        judged = explain_ticket(
            cx, connection_id or helpdesks[0], ticket_id, derive=billing.relative_facts, limit=limit
        )
    click.echo(render_text(judged, only_fired=fired))
