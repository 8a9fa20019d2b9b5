"""`flask docs write`: the reference pages that are made from the code, so that they cannot differ from it."""

from __future__ import annotations

from pathlib import Path

import click
from flask.cli import AppGroup

from app.cli.reference import PAGES, pages

group = AppGroup("docs", help="Reference pages made from the code.")
COMMANDS = (group,)
FOLDER = Path(__file__).resolve().parents[2] / "docs"


@group.command("write")
def write() -> None:
    """Write docs/settings.md, errors.md, events.md, tables.md, metrics.md and commands.md anew."""
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    click.echo(f"{len(PAGES)} pages written to {FOLDER.name}/.")
