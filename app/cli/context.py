"""What every command needs: the runtime of this process, and problems said in a sentence instead of a traceback."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import click
import sqlalchemy.exc
from flask import current_app

from app.runtime import Runtime
from integrations.kernel.errors import AppError

P = ParamSpec("P")
R = TypeVar("R")


def runtime() -> Runtime:
    """The runtime the app was built with."""
    found: Runtime = current_app.extensions["deskbridge"]
    return found


def sentences(command: Callable[P, R]) -> Callable[P, R]:
    """Show an error of ours as its sentence, and exit with 1."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except AppError as error:
            raise click.ClickException(str(error)) from error
        except sqlalchemy.exc.OperationalError as error:
            raise click.ClickException(
                "The database is not reachable. Check DATABASE_URL, or start the embedded servers with `make servers`."
            ) from error

    return wrapped


def pairs(values: tuple[str, ...]) -> dict[str, str]:
    """`name=value` options; `name=@file` reads the file, so that a secret is not in the list of processes."""
    result: dict[str, Any] = {}
    for text in values:
        name, sign, value = text.partition("=")
        if not sign:
            raise click.BadParameter(f"{text!r}: write name=value or name=@file")
        if value.startswith("@"):
            with click.open_file(value[1:], encoding="utf-8") as file:
                value = file.read().strip()
        result[name] = value
    return result
