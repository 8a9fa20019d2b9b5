"""The operator's commands: `flask <group> <command>`. Each module registers its own group."""

from __future__ import annotations

import importlib
import pkgutil

from flask import Flask


def register(app: Flask) -> None:
    """Put every command of this package on the app; a module offers them as COMMANDS."""
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        for command in getattr(importlib.import_module(module.name), "COMMANDS", ()):
            app.cli.add_command(command)
