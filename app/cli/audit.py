"""`flask audit ...`: verify and export the record of who did what."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from app import audit
from app.audit.export import as_csv, as_json
from app.cli.context import runtime, sentences

group = AppGroup("audit", help="The record of who did what: verify, export.")
COMMANDS = (group,)


@group.command("verify")
@click.option("--head", default="", metavar="SEQ:HASH", help="A head copied outside earlier: a cut tail shows by it.")
@sentences
def verify(head: str) -> None:
    """Recompute the whole chain; names the first row that does not fit and exits with 1."""
    with runtime().database.begin() as cx:
        verdict, now = audit.verify(cx, head), audit.head(cx)
    if verdict.broken is not None:
        raise click.ClickException(f"The record is broken: {verdict.why}.")
    click.echo(f"{verdict.rows} rows fit together. Head: {now}")


@group.command("export")
@click.option("--csv", "form", flag_value="csv", default=True, help="For spreadsheets; no cell can start a formula.")
@click.option("--json", "form", flag_value="json", help="One object a line.")
@sentences
def export(form: str) -> None:
    """Print the record."""
    with runtime().database.begin() as cx:
        for line in as_csv(cx) if form == "csv" else as_json(cx):
            click.echo(line, nl=False)
