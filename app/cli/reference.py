"""Reference pages from the code itself: settings, errors, events, tables, metrics, commands."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator

import click
from pydantic_core import PydanticUndefined

from app.config import Settings
from app.db import load_models
from integrations import registry
from integrations.kernel.errors import AppError


def _settings() -> str:
    lines = [
        "# Settings\n",
        "Read once at the start from the environment. `NAME_FILE` names a file that holds the value. What is wrong is",
        "reported all together, and nothing starts. A secret takes several values, newest first, by commas or lines.\n",
        "| name | default | what it is |",
        "|---|---|---|",
    ]
    for name, field in Settings.model_fields.items():
        default = "" if field.default in (PydanticUndefined, "", ()) else f"`{_plain(field.default)}`"
        lines.append(f"| `{name.upper()}` | {default} | {field.description} |")
    return "\n".join(lines) + "\n"


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _errors() -> str:
    lines = [
        "# Errors\n",
        "Every answer that is no success is problem JSON (RFC 9457): `type`, `title` (what to do), `status`, `code`,",
        "`request_id`. The verdict says what repeating the same thing would do: *never* helps, *later* it may, *same_key*",
        "only with the same key or after looking, *operator* when a person must act.\n",
        "| code | status | verdict | what it says |",
        "|---|---|---|---|",
    ]
    _import_all()
    found = {error.code: error for error in _tree(AppError)}
    for code, error in sorted(found.items()):
        lines.append(f"| `{code}` | {error.status} | {error.retry.value} | {error.public} |")
    return "\n".join(lines) + "\n"


def _tree(error: type[AppError]) -> Iterator[type[AppError]]:
    for child in reversed(error.__subclasses__()):
        yield from _tree(child)
    yield error


def _import_all() -> None:
    """Every module of the product, so that every error and metric is there; vendors' clients would load their SDKs."""
    for name in ("app", "integrations", "sidebar_app", "webhooks"):  # by name: the doors lie above this layer
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith((".client", ".supervisor")):
                importlib.import_module(module.name)


def _events() -> str:
    lines = ["# Events\n", "Kinds a rule can hear, from each vendor's own table. `*` hears all, `ticket.*` a family.\n"]
    for card in registry.vendors():
        lines += [f"## {card.title}\n", *(f"- `{kind}`" for kind in sorted(card.kinds)), ""]
    lines += [
        "## Deskbridge\n",
        "- `billing.changed`: a payer's facts changed without an event (a discount ended, an object was read again).",
        "- `ticket.rechecked`: what we held of a ticket was in doubt when it was judged, so it is judged once more.",
        "",
        "A vendor's event type that is in no table is stored, counted and marked ignored.",
    ]
    return "\n".join(lines) + "\n"


def _tables() -> str:
    lines = ["# Tables\n", "Made by `migrations/`; a test compares them with the models.\n"]
    for name, table in sorted(load_models().tables.items()):
        columns = ", ".join(f"`{c.name}`{' (key)' if c.primary_key else ''}" for c in table.columns)
        lines += [f"## {name}\n", columns, ""]
    return "\n".join(lines).rstrip() + "\n"


def _metrics() -> str:
    _import_all()
    from prometheus_client import REGISTRY

    from app.factory.create import GAUGES

    lines = [
        "# Metrics\n",
        "At `/metrics`, with a bearer of METRICS_TOKENS.\n",
        "| name | what it counts |",
        "|---|---|",
    ]
    ours = sorted((f for f in REGISTRY.collect() if f.name.startswith("deskbridge_")), key=lambda f: f.name)
    lines += [f"| `{family.name}` | {family.documentation} |" for family in ours]
    lines += [f"| `deskbridge_{name}` | {text} |" for name, text in GAUGES.items()]
    return "\n".join(lines) + "\n"


def _commands() -> str:
    from app import cli

    lines = ["# Commands\n", "`flask --app wsgi` is understood; in the project's folder `flask` alone is enough.\n"]
    for module in pkgutil.iter_modules(cli.__path__, "app.cli."):
        for command in getattr(importlib.import_module(module.name), "COMMANDS", ()):
            lines += _command("flask", command)
    return "\n".join(lines) + "\n"


def _command(before: str, command: click.Command) -> list[str]:
    name = f"{before} {command.name}"
    if isinstance(command, click.Group):
        return [line for _, one in sorted(command.commands.items()) for line in _command(name, one)]
    words = " ".join(p.make_metavar(click.Context(command)) for p in command.params if isinstance(p, click.Argument))
    return [f"- `{name}{' ' + words if words else ''}`: {(command.help or '').splitlines()[0]}"]


PAGES: dict[str, Callable[[], str]] = {
    "settings.md": _settings, "errors.md": _errors, "events.md": _events, "tables.md": _tables,
    "metrics.md": _metrics, "commands.md": _commands,
}  # fmt: skip


def pages() -> dict[str, str]:
    """Name -> text of every page."""
    return {name: make() for name, make in PAGES.items()}
