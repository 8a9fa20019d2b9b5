"""Alembic, driven from code: no ini file, the same folder whatever the working directory."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

FOLDER = Path(__file__).resolve().parents[2] / "migrations"


def config(url: str = "") -> Config:
    """Alembic's configuration. `url`: libpq form, the owner's role."""
    settings = Config()
    settings.set_main_option("script_location", str(FOLDER))
    settings.attributes["url"] = url
    return settings


def upgrade(url: str) -> None:
    """Bring a database to the code's newest revision. `url`: the owner's role."""
    command.upgrade(config(url), "head")


@cache
def head() -> str:
    """The newest revision of the code."""
    return ScriptDirectory.from_config(config()).get_current_head() or ""


def current(cx: sa.Connection) -> str:
    """The revision of a database; empty before the first migration."""
    return MigrationContext.configure(cx).get_current_revision() or ""
