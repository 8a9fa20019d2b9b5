"""Finds action folders below a package: `action.py`, `cases/*.json`, `README.md`. Nobody keeps a list."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from app.actions.base import Action
from integrations.kernel.errors import ConfigError

NEEDED = ("__init__.py", "action.py", "README.md")


def find(package: str = "app.actions") -> dict[str, Action]:
    """All actions below a package, by key.

    Raises:
        ConfigError: a half-made folder, a key that is not its folder's name, or a key or title that is taken.
    """
    found: dict[str, Action] = {}
    for folder in _folders(package):
        action = _action(package, folder)
        if action.key in found or action.title in {a.title for a in found.values()}:
            raise ConfigError(
                f"{folder.name}: the key or the title {action.title!r} is taken; every action needs its own"
            )
        found[action.key] = action
    return found


def cases(package: str = "app.actions") -> Iterator[tuple[str, Path]]:
    """(key, file) of every case below a package: parameters and facts, and the effects they must become."""
    for folder in _folders(package):
        for path in sorted((folder / "cases").glob("*.json")):
            yield folder.name, path


def _folders(package: str) -> list[Path]:
    roots = [Path(root) for root in importlib.import_module(package).__path__]
    folders = [path for root in roots for path in root.iterdir() if path.is_dir() and path.name[0] not in "._"]
    # A folder without files is what git leaves of a deleted one.
    return sorted((f for f in folders if any(p.name != "__pycache__" for p in f.iterdir())), key=lambda f: f.name)


def _action(package: str, folder: Path) -> Action:
    missing = [name for name in NEEDED if not (folder / name).is_file()]
    if not list((folder / "cases").glob("*.json")):
        missing.append("cases/*.json")
    if missing:
        raise ConfigError(f"{package}.{folder.name} is half made: add {', '.join(missing)}")
    action = getattr(importlib.import_module(f"{package}.{folder.name}.action"), "ACTION", None)
    if not isinstance(action, Action) or action.key != folder.name:
        raise ConfigError(f"{package}.{folder.name}.action must offer an ACTION with the key {folder.name!r}")
    return action


@cache
def _actions() -> dict[str, Action]:
    return find()


def actions() -> Mapping[str, Action]:
    """All actions of the product, by key."""
    return _actions()
